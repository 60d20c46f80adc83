// SPDX-License-Identifier: Apache-2.0
//! Mutations that leave the size as it is: what only compares sizes and codes
//! passes all of them.

use crate::mutation::{breaking, Mutation};

const QUERY: &str = "struct spanker_query {";
const INFO: &str = "struct spanker_device_info {";
const TELEMETRY: &str = "struct spanker_telemetry {";
const CREATE: &str = "struct spanker_buf_create {";
const OPERAND: &str = "struct spanker_operand {";
const OP: &str = "struct spanker_op {";
const SUBMIT: &str = "struct spanker_work_submit {";
const WAIT: &str = "struct spanker_wait {";
const Q4_K: &str = "struct spanker_block_q4_k {";

pub(crate) const ALL: &[Mutation] = &[
    breaking(
        "two operands change places",
        ("field-moved", "struct spanker_op.a"),
        &[
            (OP, "spanker_operand a;", "spanker_operand swap;"),
            (OP, "spanker_operand b;", "spanker_operand a;"),
            (OP, "spanker_operand swap;", "spanker_operand b;"),
        ],
    ),
    breaking(
        "two fields change places",
        ("field-moved", "struct spanker_work_submit.op_count"),
        &[
            (SUBMIT, "op_count", "swap"),
            (SUBMIT, "op_stride", "op_count"),
            (SUBMIT, "swap", "op_stride"),
        ],
    ),
    breaking(
        "two narrow fields change places",
        ("field-moved", "struct spanker_device_info.pci_vendor"),
        &[
            (INFO, "pci_vendor", "swap"),
            (INFO, "pci_device", "pci_vendor"),
            (INFO, "swap", "pci_device"),
        ],
    ),
    breaking(
        "two fields of an inner struct change places",
        ("field-moved", "struct spanker_operand.offset"),
        &[
            (OPERAND, "offset", "swap"),
            (OPERAND, "row_stride", "offset"),
            (OPERAND, "swap", "row_stride"),
        ],
    ),
    breaking(
        "a live field and a reserved one change places",
        ("field-moved", "struct spanker_op.k"),
        &[
            (OP, "__u32 k;", "__u32 swap;"),
            (OP, "__u32 reserved;", "__u32 k;"),
            (OP, "__u32 swap;", "__u32 reserved;"),
        ],
    ),
    breaking(
        "a field splits in two",
        ("field-removed", "struct spanker_buf_create.size"),
        &[(CREATE, "__u64 size;", "__u32 size_low;\n\t__u32 size_high;")],
    ),
    breaking(
        "a field gives half of it away",
        ("field-resized", "struct spanker_device_info.features"),
        &[(INFO, "__u64 features;", "__u32 features;\n\t__u32 more_features;")],
    ),
    breaking(
        "a field gives half of it to a reserved one",
        ("field-resized", "struct spanker_buf_create.mmap_offset"),
        &[(CREATE, "__u64 mmap_offset;", "__u32 mmap_offset;\n\t__u32 reserved;")],
    ),
    breaking(
        "two fields join",
        ("field-removed", "struct spanker_query.type"),
        &[(QUERY, "__u32 type;", "__u64 type_and_size;"), (QUERY, "\t__u32 size;", "")],
    ),
    breaking(
        "a field takes a reserved one's bytes",
        ("field-resized", "struct spanker_wait.flags"),
        &[(WAIT, "__u32 flags;", "__u64 flags;"), (WAIT, "\t__u32 reserved;\n", "")],
    ),
    breaking(
        "a new field takes the place of a pad behind it",
        ("field-inserted", "struct spanker_op.batch"),
        &[(OP, "\t__u32 m;", "\t__u32 batch;\n\t__u32 m;"), (OP, "\t__u32 reserved;\n", "")],
    ),
    breaking(
        "one array grows by what the next loses",
        ("field-resized", "struct spanker_device_info.uuid"),
        &[(INFO, "uuid[16]", "uuid[32]"), (INFO, "name[32]", "name[16]")],
    ),
    breaking(
        "one array of a block grows by what the next loses",
        ("field-resized", "struct spanker_block_q4_k.scales"),
        &[(Q4_K, "scales[12]", "scales[16]"), (Q4_K, "qs[128]", "qs[124]")],
    ),
    breaking(
        "one field goes and another comes",
        ("field-removed", "struct spanker_telemetry.resets"),
        &[
            (TELEMETRY, "\t__u64 resets;\n", ""),
            (TELEMETRY, "\t__u64 mem_used;", "\t__u64 mem_used;\n\t__u64 retries;"),
        ],
    ),
    breaking(
        "two fields exchange their widths",
        ("field-resized", "struct spanker_buf_create.size"),
        &[
            (CREATE, "__u64 size;", "__u32 size;"),
            (CREATE, "__u32 flags;", "__u32 flags;\n\t__u64 handle;"),
            (CREATE, "\t__u32 handle;", ""),
        ],
    ),
    breaking(
        "an addition hides a rename",
        ("field-renamed", "struct spanker_buf_create.flags"),
        &[
            (CREATE, "flags", "options"),
            (CREATE, "\t__u64 mmap_offset;", "\t__u64 mmap_offset;\n\t__u64 cookie;"),
        ],
    ),
    breaking(
        "a reserved field in use hides a sign",
        ("field-sign", "struct spanker_wait.deadline_ns"),
        &[(WAIT, "__s64", "__u64"), (WAIT, "reserved", "clock")],
    ),
    breaking(
        "a code keeps its size while its struct grows",
        ("struct-grown", "struct spanker_version"),
        &[
            ("struct spanker_version {", "\t__u16 reserved;", "\t__u16 reserved;\n\t__u64 build;"),
            ("#define SPANKER_IOC_GET_VERSION", "struct spanker_version", "__u64"),
        ],
    ),
    breaking(
        "two requests change numbers",
        ("request-code", "SPANKER_IOC_WAIT"),
        &[
            ("#define SPANKER_IOC_WORK_SUBMIT", "0x30", "0x31"),
            ("#define SPANKER_IOC_WAIT", "0x31", "0x30"),
        ],
    ),
    breaking(
        "two constants change values",
        ("constant-value", "SPANKER_QUERY_CARDS"),
        &[("#define SPANKER_QUERY_CARDS", "1", "2"), ("#define SPANKER_QUERY_DEVICE", "2", "1")],
    ),
];
