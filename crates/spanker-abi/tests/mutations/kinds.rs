// SPDX-License-Identifier: Apache-2.0
//! Kinds of declarations that the header of this project has not, and others
//! have: enums, typedefs, unions, bit-fields, arrays of inner structs, flexible
//! arrays, padding, macros with parameters, inline functions.

use crate::mutation::{additive, breaking, neutral, nothing, Mutation};

/// What the header gets before its last `#endif`.
pub(crate) const DECLARATIONS: &str = include_str!("kinds.h");

const MODE: &str = "enum spanker_mode {";
const PADDED: &str = "struct spanker_padded {";
const LIST: &str = "struct spanker_list {";
const TAIL: &str = "struct spanker_tail {";

pub(crate) const ALL: &[Mutation] = &[
    breaking(
        "an enumerator in the middle",
        ("constant-value", "SPANKER_MODE_BUSY"),
        &[(MODE, "\tSPANKER_MODE_BUSY", "\tSPANKER_MODE_SLOW,\n\tSPANKER_MODE_BUSY")],
    )
    .of_kinds(),
    additive(
        "an enumerator at the end",
        ("constant-added", "SPANKER_MODE_GONE"),
        &[(MODE, "LOST = 7,", "LOST = 7,\n\tSPANKER_MODE_GONE,")],
    )
    .of_kinds(),
    breaking(
        "an enumerator goes",
        ("constant-removed", "SPANKER_MODE_LOST"),
        &[(MODE, "\tSPANKER_MODE_LOST = 7,\n", "")],
    )
    .of_kinds(),
    breaking(
        "an enumerator is renamed",
        ("constant-renamed", "SPANKER_MODE_LOST"),
        &[(MODE, "LOST", "GONE")],
    )
    .of_kinds(),
    breaking(
        "enumerators change places",
        ("constant-value", "SPANKER_MODE_IDLE"),
        &[(MODE, "IDLE", "SWAP"), (MODE, "BUSY", "IDLE"), (MODE, "SWAP", "BUSY")],
    )
    .of_kinds(),
    nothing("enumerators say their values", &[(MODE, "BUSY", "BUSY = 1")]).of_kinds(),
    breaking(
        "an enum has a sign",
        ("enum-retyped", "enum spanker_mode"),
        &[(MODE, "LOST = 7", "LOST = -7")],
    )
    .of_kinds(),
    breaking(
        "an enum becomes an integer",
        ("field-retyped", "struct spanker_padded.now"),
        &[(PADDED, "enum spanker_mode now", "__u32 now")],
    )
    .of_kinds(),
    breaking(
        "an enum is renamed",
        ("enum-renamed", "enum spanker_mode"),
        &[(MODE, "spanker_mode", "spanker_state"), (PADDED, "spanker_mode", "spanker_state")],
    )
    .of_kinds(),
    breaking(
        "a typedef is another type",
        ("typedef-retyped", "spanker_handle_t"),
        &[("typedef __u32 spanker_handle_t;", "__u32", "__s32")],
    )
    .of_kinds(),
    breaking(
        "a typedef goes",
        ("typedef-removed", "spanker_handle_t"),
        &[
            ("typedef __u32 spanker_handle_t;", "typedef __u32 spanker_handle_t;", ""),
            (PADDED, "spanker_handle_t", "__u32"),
        ],
    )
    .of_kinds(),
    additive(
        "a typedef comes",
        ("typedef-added", "spanker_seqno_t"),
        &[(
            "typedef __u32 spanker_handle_t;",
            "typedef",
            "typedef __u64 spanker_seqno_t;\ntypedef",
        )],
    )
    .of_kinds(),
    breaking(
        "a string is another",
        ("constant-value", "SPANKER_DRIVER_NAME"),
        &[("#define SPANKER_DRIVER_NAME", "\"spanker\"", "\"sail\"")],
    )
    .of_kinds(),
    breaking(
        "a macro with parameters is another",
        ("unjudged", "SPANKER_ROUND_UP"),
        &[("#define SPANKER_ROUND_UP", "- 1", "- 2")],
    )
    .of_kinds(),
    breaking(
        "a macro with parameters goes",
        ("text-removed", "SPANKER_ROUND_UP"),
        &[("#define SPANKER_ROUND_UP", "#define", "#undef")],
    )
    .of_kinds(),
    nothing(
        "a macro with parameters is spaced otherwise",
        &[("#define SPANKER_ROUND_UP", "(((x) + (to) - 1)", "( ((x)+(to)-1)")],
    )
    .of_kinds(),
    breaking(
        "an inline function is another",
        ("unjudged", "spanker_half"),
        &[("static inline __u32 spanker_half", "x / 2", "x / 3")],
    )
    .of_kinds(),
    neutral(
        "padding gets a name",
        ("padding-explicit", "struct spanker_padded.pad"),
        &[(PADDED, "__u8 tag;", "__u8 tag;\n\t__u8 pad[3];")],
    )
    .of_kinds(),
    breaking(
        "padding is put to use",
        ("padding-used", "struct spanker_padded.flags"),
        &[(PADDED, "__u8 tag;", "__u8 tag;\n\t__u8 flags;")],
    )
    .of_kinds(),
    additive(
        "an element of a reserved array is put to use",
        ("reserved-used", "struct spanker_padded.extra"),
        &[(PADDED, "__u32 reserved[4];", "__u32 extra;\n\t__u32 reserved[3];")],
    )
    .of_kinds(),
    additive(
        "a union has a new member",
        ("union-member-added", "struct spanker_padded.half"),
        &[(PADDED, "__u32 word;", "__u32 word;\n\t\t__u16 half;")],
    )
    .of_kinds(),
    breaking(
        "a union grows",
        ("union-grown", "struct spanker_padded.words"),
        &[(PADDED, "__u32 word;", "__u32 word;\n\t\t__u32 words[4];")],
    )
    .of_kinds(),
    breaking(
        "a member of a union goes",
        ("field-removed", "struct spanker_padded.word"),
        &[(PADDED, "\t\t__u32 word;\n", "")],
    )
    .of_kinds(),
    nothing(
        "members of a union in another order",
        &[
            (PADDED, "\t\t__u32 word;\n", ""),
            (PADDED, "__u8 bytes[8];", "__u8 bytes[8];\n\t\t__u32 word;"),
        ],
    )
    .of_kinds(),
    breaking(
        "an inner struct is renamed",
        ("field-renamed", "struct spanker_padded.point"),
        &[(PADDED, "} point;", "} place;")],
    )
    .of_kinds(),
    breaking(
        "fields of an inner struct change places",
        ("field-moved", "struct spanker_padded.point.x"),
        &[
            (PADDED, "__u16 x", "__u16 swap"),
            (PADDED, "__u16 y", "__u16 x"),
            (PADDED, "__u16 swap", "__u16 y"),
        ],
    )
    .of_kinds(),
    additive(
        "a reserved bit is put to use",
        ("reserved-used", "struct spanker_padded.fast"),
        &[(PADDED, "spare : 28", "fast : 1, spare : 27")],
    )
    .of_kinds(),
    breaking(
        "a bit-field grows into reserved bits",
        ("field-resized", "struct spanker_padded.mode"),
        &[(PADDED, "mode : 3, spare : 28", "mode : 4, spare : 27")],
    )
    .of_kinds(),
    breaking(
        "bit-fields change places",
        ("field-moved", "struct spanker_padded.on"),
        &[(PADDED, "on : 1, mode : 3", "mode : 3, on : 1")],
    )
    .of_kinds(),
    breaking(
        "reserved bits lose their name",
        ("reserved-removed", "struct spanker_padded.spare"),
        &[(PADDED, "spare : 28", ": 28")],
    )
    .of_kinds(),
    breaking(
        "an array of inner structs gets shorter",
        ("field-resized", "struct spanker_list.entries"),
        &[(LIST, "entries[4]", "entries[3]")],
    )
    .of_kinds(),
    breaking(
        "an array of inner structs loses what a pad takes",
        ("field-resized", "struct spanker_list.entries"),
        &[(LIST, "entries[4];", "entries[3];\n\t__u32 pad[2];")],
    )
    .of_kinds(),
    breaking(
        "fields of an array of inner structs change places",
        ("field-moved", "struct spanker_list.entries[].key"),
        &[
            (LIST, "__u32 key", "__u32 swap"),
            (LIST, "__u32 value", "__u32 key"),
            (LIST, "__u32 swap", "__u32 value"),
        ],
    )
    .of_kinds(),
    breaking(
        "a struct grows before its flexible array",
        ("field-inserted", "struct spanker_tail.flags"),
        &[(TAIL, "__u32 values[];", "__u32 flags;\n\t__u32 values[];")],
    )
    .of_kinds(),
    breaking(
        "a flexible array goes",
        ("unjudged", "struct spanker_tail.values"),
        &[(TAIL, "\t__u32 values[];\n", "")],
    )
    .of_kinds(),
    breaking(
        "a flexible array has other elements",
        ("field-sign", "struct spanker_tail.values"),
        &[(TAIL, "__u32 values[];", "__s32 values[];")],
    )
    .of_kinds(),
    breaking(
        "an element of a flexible array grows",
        ("field-resized", "struct spanker_rows.rows"),
        &[("struct spanker_row {", "__u32 a;", "__u32 a;\n\t__u32 b;")],
    )
    .of_kinds(),
    neutral(
        "an enumerator becomes a macro as well",
        ("macro-added", "SPANKER_MODE_LOST"),
        &[(MODE, "LOST = 7,", "LOST = 7,\n#define SPANKER_MODE_LOST SPANKER_MODE_LOST")],
    )
    .of_kinds(),
    nothing("a flexible array is written as of old", &[(TAIL, "values[]", "values[0]")]).of_kinds(),
    breaking(
        "a struct gets a flexible array",
        ("unjudged", "struct spanker_list.more"),
        &[(LIST, "entries[4];", "entries[4];\n\t__u32 more[];")],
    )
    .of_kinds(),
    additive(
        "a struct becomes known",
        ("record-defined", "struct spanker_opaque"),
        &[("struct spanker_user {", "struct", "struct spanker_opaque {\n\t__u32 a;\n};\nstruct")],
    )
    .of_kinds(),
    breaking(
        "a code in an enum is another",
        ("request-code", "SPANKER_IOC_PROBE"),
        &[("\tSPANKER_IOC_PROBE", "0x70", "0x72")],
    )
    .of_kinds(),
    breaking(
        "a code by sizeof is another",
        ("request-code", "SPANKER_IOC_LIST"),
        &[(
            "#define SPANKER_IOC_LIST",
            "sizeof(struct spanker_list)",
            "sizeof(struct spanker_user)",
        )],
    )
    .of_kinds(),
];
