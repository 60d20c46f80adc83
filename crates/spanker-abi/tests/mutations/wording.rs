// SPDX-License-Identifier: Apache-2.0
//! What no program can tell.

use crate::mutation::{additive, breaking, nothing, Mutation};

const QUERY: &str = "struct spanker_query {";

pub(crate) const ALL: &[Mutation] = &[
    nothing("a comment behind a field", &[(QUERY, "SPANKER_QUERY_*", "one of SPANKER_QUERY_*")]),
    nothing("a comment of the whole file", &[("The Spanker ABI:", "The Spanker ABI:", "The ABI:")]),
    nothing(
        "a comment goes",
        &[("/* no hardware behind it */", "/* no hardware behind it */", "")],
    ),
    nothing("white space", &[(QUERY, "\t__u32 type;", "\n\n    __u32\n type  ;")]),
    nothing(
        "two fields in one declaration",
        &[(QUERY, "__u32 type;", "__u32 type, size;"), (QUERY, "\t__u32 size;", "")],
    ),
    nothing("another spelling of a type", &[(QUERY, "__u32 type", "unsigned int type")]),
    nothing(
        "constants in another order",
        &[
            ("#define SPANKER_OPCODE_MATMUL", "#define SPANKER_OPCODE_MATMUL\t1\n", ""),
            (
                "#define SPANKER_OPCODE_COPY",
                "#define SPANKER_OPCODE_COPY\t2\n",
                "#define SPANKER_OPCODE_COPY\t2\n#define SPANKER_OPCODE_MATMUL\t1\n",
            ),
        ],
    ),
    nothing(
        "structs in another order",
        &[
            (
                "struct spanker_buf_destroy {",
                "struct spanker_buf_destroy {\n\t__u32 handle;\n\t__u32 flags;\n};\n",
                "struct spanker_late;\n",
            ),
            (
                "/* abi: extensible, first version 8 bytes */",
                "/* abi: extensible, first version 8 bytes */\nstruct spanker_late;\n",
                "",
            ),
            (
                "#define SPANKER_QK_K",
                "#define",
                "/* abi: extensible */\nstruct spanker_buf_destroy {\n\t__u32 handle;\n\t__u32 \
             flags;\n};\n\n#define",
            ),
        ],
    ),
    nothing(
        "another guard",
        &[
            (
                "#ifndef _UAPI_LINUX_SPANKER_IOCTL_H",
                "_UAPI_LINUX_SPANKER_IOCTL_H",
                "SPANKER_IOCTL_H",
            ),
            (
                "#define _UAPI_LINUX_SPANKER_IOCTL_H",
                "_UAPI_LINUX_SPANKER_IOCTL_H",
                "SPANKER_IOCTL_H",
            ),
        ],
    ),
    nothing(
        "no guard but a pragma",
        &[
            (
                "#ifndef _UAPI_LINUX_SPANKER_IOCTL_H",
                "#ifndef _UAPI_LINUX_SPANKER_IOCTL_H",
                "#pragma once",
            ),
            ("#define _UAPI_LINUX_SPANKER_IOCTL_H", "#define _UAPI_LINUX_SPANKER_IOCTL_H", ""),
            (
                "#endif /* _UAPI_LINUX_SPANKER_IOCTL_H */",
                "#endif /* _UAPI_LINUX_SPANKER_IOCTL_H */",
                "",
            ),
        ],
    ),
    nothing(
        "includes in another order",
        &[
            ("#include <linux/ioctl.h>", "#include <linux/ioctl.h>\n", ""),
            (
                "#include <linux/types.h>",
                "#include <linux/types.h>\n",
                "#include <linux/types.h>\n#include <linux/ioctl.h>\n",
            ),
        ],
    ),
    breaking(
        "an include goes, and the codes with it",
        ("unjudged", "SPANKER_IOC_PING"),
        &[("#include <linux/ioctl.h>", "#include <linux/ioctl.h>\n", "")],
    ),
    nothing(
        "a guard for C++",
        &[
            (
                "#define SPANKER_IOC_MAGIC",
                "#define",
                "#ifdef __cplusplus\nextern \"C\" {\n#endif\n#define",
            ),
            (
                "#endif /* _UAPI_LINUX_SPANKER_IOCTL_H */",
                "#endif",
                "#ifdef __cplusplus\n}\n#endif\n#endif",
            ),
        ],
    ),
    nothing(
        "a promise that is checked when it is compiled",
        &[(
            "#define SPANKER_QK_K",
            "#define",
            "_Static_assert(sizeof(struct spanker_op) == 96, \"op\");\n#define",
        )],
    ),
    additive(
        "a macro with parameters comes",
        ("text-added", "SPANKER_BLOCKS"),
        &[(
            "#define SPANKER_QK_K",
            "#define",
            "#define SPANKER_BLOCKS(k) ((k) / SPANKER_QK_K)\n#define",
        )],
    ),
];
