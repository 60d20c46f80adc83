// SPDX-License-Identifier: Apache-2.0
//! Constants, and the version.

use crate::mutation::{additive, breaking, neutral, nothing, Mutation};

const MAJOR: &str = "#define SPANKER_ABI_VERSION_MAJOR";
const MINOR: &str = "#define SPANKER_ABI_VERSION_MINOR";
const PATCH: &str = "#define SPANKER_ABI_VERSION_PATCH";
const STRIDE: &str = "#define SPANKER_OP_STRIDE_MAX";

pub(crate) const ALL: &[Mutation] = &[
    breaking(
        "a number has another value",
        ("constant-value", "SPANKER_QK_K"),
        &[("#define SPANKER_QK_K", "256", "512")],
    ),
    breaking(
        "a flag has another bit",
        ("constant-value", "SPANKER_OP_ACCUMULATE"),
        &[("#define SPANKER_OP_ACCUMULATE", "1 << 0", "1 << 1")],
    ),
    breaking(
        "a large number has another value",
        ("constant-value", "SPANKER_DEADLINE_NEVER"),
        &[("#define SPANKER_DEADLINE_NEVER", "0x7fffffffffffffffLL", "0x7ffffffffffffffeLL")],
    ),
    breaking(
        "a number has another sign and value",
        ("constant-value", "SPANKER_NO_OP"),
        &[("#define SPANKER_NO_OP", "0xffffffffU", "(-1)")],
    ),
    breaking(
        "the magic is another",
        ("constant-value", "SPANKER_IOC_MAGIC"),
        &[("#define SPANKER_IOC_MAGIC", "0xE3", "0xE4")],
    ),
    breaking(
        "the magic moves the codes",
        ("request-code", "SPANKER_IOC_PING"),
        &[("#define SPANKER_IOC_MAGIC", "0xE3", "0xE4")],
    ),
    breaking(
        "a number is wider",
        ("constant-retyped", "SPANKER_OP_STRIDE_MAX"),
        &[(STRIDE, "4096", "4096ULL")],
    ),
    breaking(
        "a number has no sign",
        ("constant-sign", "SPANKER_OP_STRIDE_MAX"),
        &[(STRIDE, "4096", "4096U")],
    ),
    nothing("a number is written otherwise", &[(STRIDE, "4096", "(1 << 12)")]),
    nothing("a number is said by another", &[(STRIDE, "4096", "(16 * SPANKER_QK_K)")]),
    breaking(
        "a constant is renamed",
        ("constant-renamed", "SPANKER_FAULT_ENGINE"),
        &[("#define SPANKER_FAULT_ENGINE", "SPANKER_FAULT_ENGINE", "SPANKER_FAULT_DEVICE")],
    ),
    breaking(
        "a constant goes",
        ("constant-removed", "SPANKER_TYPE_Q8_K"),
        &[("#define SPANKER_TYPE_Q8_K", "#define SPANKER_TYPE_Q8_K\t15", "")],
    ),
    additive(
        "a constant comes",
        ("constant-added", "SPANKER_TYPE_Q6_K"),
        &[("#define SPANKER_TYPE_Q8_K", "#define", "#define SPANKER_TYPE_Q6_K 14\n#define")],
    ),
    breaking(
        "a macro takes a field's name",
        ("unjudged", "bad_op"),
        &[("#define SPANKER_TYPE_Q8_K", "#define", "#define bad_op failed_op\n#define")],
    ),
    breaking(
        "a macro takes a type's name",
        ("unjudged", "__u32"),
        &[("#define SPANKER_TYPE_Q8_K", "#define", "#define __u32 unsigned long\n#define")],
    ),
    additive(
        "a constant gets a second name",
        ("constant-added", "SPANKER_OPCODE_GEMM"),
        &[(
            "#define SPANKER_OPCODE_COPY",
            "#define",
            "#define SPANKER_OPCODE_GEMM SPANKER_OPCODE_MATMUL\n#define",
        )],
    ),
    breaking(
        "a macro becomes an enumerator",
        ("macro-removed", "SPANKER_OPCODE_COPY"),
        &[(
            "#define SPANKER_OPCODE_COPY",
            "#define SPANKER_OPCODE_COPY\t2",
            "enum { SPANKER_OPCODE_COPY = 2 };",
        )],
    ),
    breaking(
        "a macro becomes another enumerator",
        ("constant-value", "SPANKER_OPCODE_COPY"),
        &[(
            "#define SPANKER_OPCODE_COPY",
            "#define SPANKER_OPCODE_COPY\t2",
            "enum { SPANKER_OPCODE_COPY = 3 };",
        )],
    ),
    breaking(
        "a constant becomes a string",
        ("constant-value", "SPANKER_QK_K"),
        &[("#define SPANKER_QK_K", "256", "\"256\"")],
    ),
    breaking(
        "a constant becomes a macro with parameters",
        ("unjudged", "SPANKER_QK_K"),
        &[("#define SPANKER_QK_K", "SPANKER_QK_K\t256", "SPANKER_QK_K(x)\t(256 * (x))")],
    ),
    breaking(
        "a constant becomes what has no value",
        ("unjudged", "SPANKER_QK_K"),
        &[("#define SPANKER_QK_K", "256", "struct spanker_wait")],
    ),
    neutral("the minor goes up", ("version", "SPANKER_ABI_VERSION_MINOR"), &[(MINOR, "2", "3")]),
    neutral("the patch goes up", ("version", "SPANKER_ABI_VERSION_PATCH"), &[(PATCH, "0", "1")]),
    neutral("the major goes up", ("version", "SPANKER_ABI_VERSION_MAJOR"), &[(MAJOR, "0", "1")]),
    neutral("the minor goes down", ("version", "SPANKER_ABI_VERSION_MINOR"), &[(MINOR, "2", "1")])
        .checked(1),
    breaking(
        "the minor goes",
        ("constant-removed", "SPANKER_ABI_VERSION_MINOR"),
        &[(MINOR, "#define SPANKER_ABI_VERSION_MINOR\t2", "")],
    )
    .checked(3),
    breaking(
        "the minor is a word",
        ("constant-value", "SPANKER_ABI_VERSION_MINOR"),
        &[(MINOR, "2", "\"two\"")],
    )
    .checked(3),
    breaking(
        "a break with a minor bump",
        ("constant-value", "SPANKER_QK_K"),
        &[(MINOR, "2", "3"), ("#define SPANKER_QK_K", "256", "512")],
    )
    .checked(0),
    breaking(
        "a break with a patch",
        ("constant-value", "SPANKER_QK_K"),
        &[(PATCH, "0", "1"), ("#define SPANKER_QK_K", "256", "512")],
    ),
    breaking(
        "a break with a lower minor",
        ("constant-value", "SPANKER_QK_K"),
        &[(MINOR, "2", "1"), (PATCH, "0", "9"), ("#define SPANKER_QK_K", "256", "512")],
    ),
    additive(
        "an addition with a minor bump",
        ("constant-added", "SPANKER_FAULT_POWER"),
        &[
            (MINOR, "2", "3"),
            ("#define SPANKER_FAULT_ENGINE", "#define", "#define SPANKER_FAULT_POWER 2\n#define"),
        ],
    )
    .checked(0),
    additive(
        "an addition with a patch",
        ("constant-added", "SPANKER_FAULT_POWER"),
        &[
            (PATCH, "0", "1"),
            ("#define SPANKER_FAULT_ENGINE", "#define", "#define SPANKER_FAULT_POWER 2\n#define"),
        ],
    ),
    additive(
        "an addition with a lower minor",
        ("constant-added", "SPANKER_FAULT_POWER"),
        &[
            (MINOR, "2", "1"),
            ("#define SPANKER_FAULT_ENGINE", "#define", "#define SPANKER_FAULT_POWER 2\n#define"),
        ],
    ),
];
