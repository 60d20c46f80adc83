// SPDX-License-Identifier: Apache-2.0
//! Enums and their enumerators.

use crate::scene::{constants, facts, facts_on, layout, requests, texts, NOTHING};
use spanker_abi::model::Facts;

fn enums(facts: &Facts) -> Vec<String> {
    facts.enums.iter().map(|(name, it)| format!("{name} {}", it.ty.0)).collect()
}

#[test]
fn enumerators_are_constants_of_their_enum() {
    let facts = facts("enum x { A, B = 5, C, D = C + 10 };");
    assert_eq!(enums(&facts), ["enum x u32"]);
    assert_eq!(
        constants(&facts),
        ["A 0 s32 of enum x", "B 5 s32 of enum x", "C 6 s32 of enum x", "D 16 s32 of enum x"]
    );
}

#[test]
fn an_enum_without_a_name_has_only_enumerators() {
    let facts = facts("enum { A = 7 };");
    assert!(facts.enums.is_empty(), "{:?}", facts.enums);
    assert_eq!(constants(&facts), ["A 7 s32"]);
}

#[test]
fn an_enum_without_a_tag_is_known_by_its_typedef() {
    let facts = facts("typedef enum { A } x_t; typedef enum y { B } y_t;");
    assert_eq!(enums(&facts), ["enum y u32", "x_t u32"]);
    assert_eq!(constants(&facts), ["A 0 s32 of x_t", "B 0 s32 of enum y"]);
    assert_eq!(facts.typedefs.keys().collect::<Vec<_>>(), ["y_t"]);
}

#[test]
fn a_negative_enumerator_makes_the_enum_signed() {
    let facts = facts("enum x { A = -1, B };");
    assert_eq!(enums(&facts), ["enum x s32"]);
    assert_eq!(constants(&facts), ["A -1 s32 of enum x", "B 0 s32 of enum x"]);
}

#[test]
fn an_enum_is_as_wide_as_its_enumerators_need() {
    let facts = facts(
        "enum w { A = 0x100000000 }; enum p { B = 1 } __attribute__((packed));\n\
         enum s { C = -0x100000000 }; enum m { D = 0xffffffffffffffff };",
    );
    assert_eq!(enums(&facts), ["enum m u64", "enum p u8", "enum s s64", "enum w u64"]);
    assert_eq!(
        constants(&facts),
        [
            "A 4294967296 s64 of enum w",
            "B 1 s32 of enum p",
            "C -4294967296 s64 of enum s",
            "D 18446744073709551615 u64 of enum m",
        ]
        .map(str::to_owned)
        .map(|line| if line.starts_with("A ") { line.replace("s64", "u64") } else { line })
    );
}

#[test]
fn an_enum_of_arm_is_an_int_too() {
    let facts = facts_on("arm", "enum x { A, B = 255 }; struct y { enum x x; };");
    assert_eq!(enums(&facts), ["enum x u32"]);
    assert_eq!(layout(&facts, "struct y"), "4/4: x@0+4 enum x");
}

#[test]
fn a_field_has_the_type_of_its_enum_or_of_the_integer_that_holds_it() {
    let facts = facts("enum x { A }; struct y { enum x a; enum { B } b; enum { C = -1 } c[2]; };");
    assert_eq!(layout(&facts, "struct y"), "16/4: a@0+4 enum x, b@4+4 u32, c@8+8 s32[2]");
}

#[test]
fn enumerators_inside_a_struct_are_constants() {
    let facts = facts("struct y { int n; enum { B = 3 } b; struct { enum z { C = 4 } c; } in; };");
    assert_eq!(constants(&facts), ["B 3 s32", "C 4 s32 of enum z"]);
}

#[test]
fn a_macro_of_the_same_name_is_the_enumerator() {
    let facts = facts("enum x { A = 5,\n#define A A\n B };\n");
    assert_eq!(constants(&facts), ["A 5 s32 of enum x", "B 6 s32 of enum x"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn enumerators_can_be_request_codes() {
    let facts = facts(
        "#include <linux/ioctl.h>\nstruct a { int n; };\n\
         enum x { NUMBER = 4, CODE = _IOW('k', 4, struct a), LAST };",
    );
    assert_eq!(requests(&facts), ["CODE 0x40046b04 write 0x6b 4 4 struct a"]);
    assert_eq!(constants(&facts).len(), 2);
}
