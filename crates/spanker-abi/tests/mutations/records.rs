// SPDX-License-Identifier: Apache-2.0
//! Structs as a whole.

use crate::mutation::{additive, breaking, nothing, Mutation};

pub(crate) const ALL: &[Mutation] = &[
    additive(
        "a struct comes",
        ("record-added", "struct spanker_range"),
        &[(
            "#define SPANKER_QK_K",
            "#define",
            "struct spanker_range {\n\t__u64 from;\n\t__u64 to;\n};\n\n#define",
        )],
    ),
    breaking(
        "a struct goes",
        ("record-removed", "struct spanker_telemetry"),
        &[
            ("struct spanker_telemetry {", "struct", "#if 0\nstruct"),
            ("struct spanker_telemetry {", "};", "};\n#endif"),
        ],
    ),
    breaking(
        "a struct is only declared",
        ("record-undefined", "struct spanker_telemetry"),
        &[
            ("struct spanker_telemetry {", "struct", "struct spanker_telemetry;\n#if 0\nstruct"),
            ("#if 0", "};", "};\n#endif"),
        ],
    ),
    breaking(
        "a struct is renamed",
        ("record-renamed", "struct spanker_wait"),
        &[
            ("struct spanker_wait {", "spanker_wait", "spanker_await"),
            ("#define SPANKER_IOC_WAIT", "spanker_wait", "spanker_await"),
        ],
    ),
    breaking(
        "a struct becomes a union",
        ("record-removed", "struct spanker_block_q4_k"),
        &[("struct spanker_block_q4_k {", "struct", "union")],
    ),
    breaking(
        "a struct is packed",
        ("align-changed", "struct spanker_query"),
        &[("struct spanker_query {", "};", "} __attribute__((packed));")],
    ),
    breaking(
        "a block is aligned",
        ("align-changed", "struct spanker_block_q4_k"),
        &[("struct spanker_block_q4_k {", "};", "} __attribute__((aligned(16)));")],
    ),
    breaking(
        "a frozen struct is aligned beyond its size",
        ("size-changed", "struct spanker_version"),
        &[("struct spanker_version {", "};", "} __attribute__((aligned(64)));")],
    ),
    nothing(
        "a struct has the alignment that it has",
        &[("struct spanker_buf_destroy {", "};", "} __attribute__((aligned(4)));")],
    ),
    breaking(
        "a promise is withdrawn",
        ("extensible-withdrawn", "struct spanker_query"),
        &[(
            "/* abi: extensible, first version 16 bytes */",
            "/* abi: extensible, first version 16 bytes */",
            "/* Frozen. */",
        )],
    ),
    breaking(
        "a promise is withdrawn while the struct grows",
        ("extensible-withdrawn", "struct spanker_buf_create"),
        &[
            ("/* abi: extensible, first version 24 bytes */", "abi: extensible, first", "First"),
            (
                "struct spanker_buf_create {",
                "__u64 mmap_offset;",
                "__u64 mmap_offset;\n\t__u64 cookie;",
            ),
        ],
    ),
    additive(
        "a promise is made",
        ("extensible-declared", "struct spanker_matmul_cap"),
        &[(
            "Frozen: it is\n * the element of an array.",
            "Frozen: it is\n * the element of an array.",
            "\n * abi: extensible",
        )],
    ),
    breaking(
        "a promise comes too late",
        ("struct-grown", "struct spanker_matmul_cap"),
        &[
            (
                "Frozen: it is\n * the element of an array.",
                "Frozen: it is\n * the element of an array.",
                "\n * abi: extensible",
            ),
            ("struct spanker_matmul_cap {", "__u32 flags;", "__u32 flags;\n\t__u64 speed;"),
        ],
    ),
    nothing(
        "a promise is put in other words",
        &[(
            "/* abi: extensible, first version 16 bytes */",
            "abi: extensible, first version 16 bytes",
            "abi: extensible",
        )],
    ),
];
