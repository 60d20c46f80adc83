// SPDX-License-Identifier: Apache-2.0
//! Fields of structs: extensible and frozen ones, inner ones, block formats.

use crate::mutation::{additive, breaking, neutral, nothing, Mutation};

const QUERY: &str = "struct spanker_query {";
const VERSION: &str = "struct spanker_version {";
const INFO: &str = "struct spanker_device_info {";
const CAP: &str = "struct spanker_matmul_cap {";
const CONTEXT: &str = "struct spanker_context_info {";
const TELEMETRY: &str = "struct spanker_telemetry {";
const CREATE: &str = "struct spanker_buf_create {";
const DESTROY: &str = "struct spanker_buf_destroy {";
const OPERAND: &str = "struct spanker_operand {";
const OP: &str = "struct spanker_op {";
const SUBMIT: &str = "struct spanker_work_submit {";
const WAIT: &str = "struct spanker_wait {";
const Q4_K: &str = "struct spanker_block_q4_k {";
const Q8_K: &str = "struct spanker_block_q8_k {";

pub(crate) const ALL: &[Mutation] = &[
    breaking(
        "a field grows",
        ("field-resized", "struct spanker_query.type"),
        &[(QUERY, "__u32 type", "__u64 type")],
    ),
    breaking(
        "a field shrinks where nothing moves",
        ("field-resized", "struct spanker_query.type"),
        &[(QUERY, "__u32 type", "__u16 type")],
    ),
    breaking(
        "a field of a frozen struct grows",
        ("field-resized", "struct spanker_version.patch"),
        &[(VERSION, "__u16 patch", "__u32 patch")],
    ),
    breaking(
        "an array gets shorter",
        ("field-resized", "struct spanker_device_info.uuid"),
        &[(INFO, "uuid[16]", "uuid[8]")],
    ),
    breaking(
        "an array of a block gets longer",
        ("field-resized", "struct spanker_block_q8_k.bsums"),
        &[(Q8_K, "bsums[16]", "bsums[32]")],
    ),
    breaking(
        "a signed field loses its sign",
        ("field-sign", "struct spanker_wait.deadline_ns"),
        &[(WAIT, "__s64", "__u64")],
    ),
    breaking(
        "an array of a block loses its sign",
        ("field-sign", "struct spanker_block_q8_k.qs"),
        &[(Q8_K, "__s8", "__u8")],
    ),
    breaking(
        "a field of an inner struct gets a sign",
        ("field-sign", "struct spanker_operand.offset"),
        &[(OPERAND, "__u64 offset", "__s64 offset")],
    ),
    breaking(
        "a little-endian field takes the host's order",
        ("field-byte-order", "struct spanker_block_q4_k.d"),
        &[(Q4_K, "__le16 d;", "__u16 d;")],
    ),
    breaking(
        "a little-endian field becomes big-endian",
        ("field-byte-order", "struct spanker_block_q8_k.d"),
        &[(Q8_K, "__le32 d;", "__be32 d;")],
    ),
    breaking(
        "an integer becomes a float",
        ("field-retyped", "struct spanker_block_q8_k.d"),
        &[(Q8_K, "__le32 d;", "float d;")],
    ),
    breaking(
        "an integer becomes a pointer",
        ("field-retyped", "struct spanker_query.ptr"),
        &[(QUERY, "__u64 ptr", "void *ptr")],
    ),
    breaking(
        "an array has other elements",
        ("field-retyped", "struct spanker_device_info.uuid"),
        &[(INFO, "__u8 uuid[16]", "__u32 uuid[4]")],
    ),
    breaking(
        "an inner struct is another of equal size",
        ("field-retyped", "struct spanker_op.a"),
        &[(OP, "struct spanker_operand a", "struct spanker_buf_create a")],
    ),
    breaking(
        "a field becomes a bit-field",
        ("field-retyped", "struct spanker_wait.flags"),
        &[(WAIT, "__u32 flags", "__u32 flags : 32")],
    ),
    breaking(
        "a field of an extensible struct is renamed",
        ("field-renamed", "struct spanker_query.ptr"),
        &[(QUERY, "__u64 ptr", "__u64 address")],
    ),
    breaking(
        "a field of a frozen struct is renamed",
        ("field-renamed", "struct spanker_version.minor"),
        &[(VERSION, "minor", "lesser")],
    ),
    breaking(
        "a field of an inner struct is renamed",
        ("field-renamed", "struct spanker_operand.handle"),
        &[(OPERAND, "handle", "buffer")],
    ),
    breaking(
        "an array of a block is renamed",
        ("field-renamed", "struct spanker_block_q4_k.scales"),
        &[(Q4_K, "scales", "sc")],
    ),
    breaking(
        "the last field goes",
        ("field-removed", "struct spanker_telemetry.mem_used"),
        &[(TELEMETRY, "\t__u64 mem_used;", "")],
    ),
    breaking(
        "a field in the middle goes",
        ("field-removed", "struct spanker_telemetry.busy_ns"),
        &[(TELEMETRY, "\t__u64 busy_ns;", "")],
    ),
    breaking(
        "a live field becomes reserved",
        ("field-removed", "struct spanker_context_info.fault_code"),
        &[(CONTEXT, "fault_code", "reserved")],
    ),
    breaking(
        "a field comes first",
        ("field-inserted", "struct spanker_buf_create.cookie"),
        &[(CREATE, "\t__u64 size", "\t__u64 cookie;\n\t__u64 size")],
    ),
    breaking(
        "a field comes in the middle",
        ("field-inserted", "struct spanker_work_submit.cookie"),
        &[(SUBMIT, "\t__u64 seqno", "\t__u64 cookie;\n\t__u64 seqno")],
    ),
    breaking(
        "a field comes in the middle of a block",
        ("field-inserted", "struct spanker_block_q4_k.dmax"),
        &[(Q4_K, "\t__u8 scales", "\t__le16 dmax;\n\t__u8 scales")],
    ),
    additive(
        "an extensible struct grows",
        ("struct-grown", "struct spanker_buf_create"),
        &[(CREATE, "\t__u64 mmap_offset;", "\t__u64 mmap_offset;\n\t__u64 cookie;")],
    ),
    additive(
        "the code grows with it",
        ("request-grown", "SPANKER_IOC_BUF_CREATE"),
        &[(CREATE, "\t__u64 mmap_offset;", "\t__u64 mmap_offset;\n\t__u64 cookie;")],
    ),
    additive(
        "an extensible struct grows by a field and a pad",
        ("struct-grown", "struct spanker_buf_destroy"),
        &[(DESTROY, "\t__u32 flags;", "\t__u32 flags;\n\t__u32 cookie;\n\t__u32 reserved;")],
    ),
    additive(
        "an extensible struct grows by what is reserved",
        ("struct-grown", "struct spanker_telemetry"),
        &[(TELEMETRY, "\t__u64 mem_used;", "\t__u64 mem_used;\n\t__u64 reserved[3];")],
    ),
    additive(
        "the element of an array with a stride grows",
        ("struct-grown", "struct spanker_op"),
        &[(OP, "\tstruct spanker_operand out;", "\tstruct spanker_operand out;\n\t__u64 cookie;")],
    ),
    breaking(
        "a frozen struct grows",
        ("struct-grown", "struct spanker_version"),
        &[(VERSION, "\t__u16 reserved;", "\t__u16 reserved;\n\t__u64 build;")],
    ),
    breaking(
        "the code of a frozen struct grows",
        ("request-code", "SPANKER_IOC_GET_VERSION"),
        &[(VERSION, "\t__u16 reserved;", "\t__u16 reserved;\n\t__u64 build;")],
    ),
    breaking(
        "an inner struct grows",
        ("struct-grown", "struct spanker_operand"),
        &[(OPERAND, "\t__u64 row_stride;", "\t__u64 row_stride;\n\t__u64 column_stride;")],
    ),
    breaking(
        "what holds it grows",
        ("field-resized", "struct spanker_op.b"),
        &[(OPERAND, "\t__u64 row_stride;", "\t__u64 row_stride;\n\t__u64 column_stride;")],
    ),
    breaking(
        "the element of an array grows",
        ("struct-grown", "struct spanker_matmul_cap"),
        &[(CAP, "\t__u32 flags;", "\t__u32 flags;\n\t__u32 speed;\n\t__u32 reserved;")],
    ),
    breaking(
        "a block grows",
        ("struct-grown", "struct spanker_block_q4_k"),
        &[(Q4_K, "\t__u8 qs[128];", "\t__u8 qs[128];\n\t__le16 sum;")],
    ),
    additive(
        "a reserved field is put to use",
        ("reserved-used", "struct spanker_device_info.numa_node"),
        &[(INFO, "reserved", "numa_node")],
    ),
    additive(
        "a reserved field of a frozen struct is put to use",
        ("reserved-used", "struct spanker_version.build"),
        &[(VERSION, "reserved", "build")],
    ),
    additive(
        "a part of a reserved field is put to use",
        ("reserved-used", "struct spanker_wait.clock"),
        &[(WAIT, "__u32 reserved", "__u16 clock;\n\t__u16 reserved")],
    ),
    breaking(
        "a part of a reserved field becomes padding",
        ("reserved-removed", "struct spanker_wait.reserved"),
        &[(WAIT, "__u32 reserved", "__u16 reserved")],
    ),
    breaking(
        "a reserved field becomes padding",
        ("reserved-removed", "struct spanker_wait.reserved"),
        &[(WAIT, "\t__u32 reserved;\n", "")],
    ),
    neutral(
        "a reserved field is renamed",
        ("reserved-renamed", "struct spanker_op.reserved"),
        &[(OP, "reserved", "__pad0")],
    ),
    neutral(
        "a reserved field has another type",
        ("reserved-reshaped", "struct spanker_op.reserved"),
        &[(OP, "__u32 reserved", "__u8 reserved[4]")],
    ),
    additive(
        "a field gets a second name",
        ("union-member-added", "struct spanker_query.address"),
        &[(QUERY, "__u64 ptr;", "union {\n\t\t__u64 ptr;\n\t\t__u64 address;\n\t};")],
    ),
    breaking(
        "a field shares its bytes with a larger one",
        ("union-grown", "struct spanker_wait.wide"),
        &[(WAIT, "__u64 completed;", "union {\n\t\t__u64 completed;\n\t\t__u64 wide[2];\n\t};")],
    ),
    nothing(
        "fields are in an inner struct without a name",
        &[
            (QUERY, "__u32 type;", "struct {\n\t__u32 type;"),
            (QUERY, "__u64 ptr;", "};\n\t__u64 ptr;"),
        ],
    ),
    breaking(
        "a field is in an inner struct with a name",
        ("field-renamed", "struct spanker_query.ptr"),
        &[(QUERY, "__u64 ptr;", "struct {\n\t\t__u64 ptr;\n\t} out;")],
    ),
    breaking(
        "a field gets an alignment of its own",
        ("align-changed", "struct spanker_buf_destroy"),
        &[(DESTROY, "__u32 handle", "__u32 handle __attribute__((aligned(8)))")],
    ),
];
