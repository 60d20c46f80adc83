// SPDX-License-Identifier: Apache-2.0
//! What does not show in an offset or a size.

use crate::scene::{abi, constants, facts, texts};
use spanker_abi::snapshot;
use std::collections::BTreeMap;

fn types(text: &str) -> Vec<String> {
    let record = facts(text).records.remove("struct x").unwrap();
    record.fields.into_iter().map(|field| field.ty.0).collect()
}

#[test]
fn a_pointer_tells_what_it_points_to() {
    let text = "struct y { int a; };\nstruct x { unsigned int *a; const struct y *b; void *c; \
                char **d; short (*e)[4]; struct x *f; int (*g)(long); };\n";
    let expected =
        ["u32*", "struct y*", "void*", "s8**", "(s16[4])*", "struct x*", "int (*)(long)"];
    assert_eq!(types(text), expected);
}

#[test]
fn what_is_behind_a_pointer_is_described_wherever_it_is_declared() {
    let files = [
        ("h.h", "#include <other.h>\nstruct x { struct y *a; };\n"),
        ("other.h", "struct y { int b; };\n"),
    ];
    let facts = crate::scene::Folder::with(&files).facts();
    assert_eq!(facts.records["struct y"].size, Some(4));
}

#[test]
fn enumerators_of_an_enum_that_is_used_count_wherever_it_is_declared() {
    let files = [
        ("h.h", "#include <other.h>\nstruct x { enum y a; };\n"),
        ("other.h", "enum y { FIRST, SECOND = 7 };\nenum z { THIRD };\n"),
    ];
    let facts = crate::scene::Folder::with(&files).facts();
    assert_eq!(constants(&facts), ["FIRST 0 u32 of enum y", "SECOND 7 u32 of enum y"]);
}

#[test]
fn an_array_without_a_length_tells_its_stride() {
    let strides = |text: &str| -> BTreeMap<String, Option<u64>> {
        let record = facts(text).records.remove("struct x").unwrap();
        record.fields.into_iter().map(|field| (field.name, field.stride)).collect()
    };
    let open = strides("struct y { char a[3]; };\nstruct x { int n; struct y l[]; };");
    assert_eq!(open["l"], Some(3));
    assert_eq!(open["n"], None);
    let old = strides("struct x { int n; struct { char a; } l[0]; short m[4]; };");
    assert_eq!((old["l"], old["m"]), (Some(1), None));
    let aligned = "struct x { int n; struct { char a; } __attribute__((aligned(4))) l[]; };";
    assert_eq!(strides(aligned)["l"], Some(4));
}

#[test]
fn an_enumerator_is_told_from_a_macro_of_its_name() {
    let text = "enum { A, B };\n#define B B\n#define C 1\n";
    let enumerators = facts(text).enumerators;
    assert_eq!(enumerators.into_iter().collect::<Vec<_>>(), ["A"]);
}

#[test]
fn a_value_that_clang_hands_out_cut_short_is_a_text() {
    let text = "#define A L\"abc\"\n#define B \"a\\0b\"\n#define C ((__int128)1 << 100)\n\
                #define D 1.5L\n#define E \"plain\"\n";
    let facts = facts(text);
    assert_eq!(constants(&facts).len(), 1, "{:?}", constants(&facts));
    assert_eq!(texts(&facts).len(), 4, "{:?}", texts(&facts));
}

#[test]
fn a_token_with_a_broken_line_is_whole_in_its_text() {
    let facts = facts("#define A(x) \"a\\\n::b\" x\n");
    assert_eq!(texts(&facts), ["A macro with parameters: ( x ) \"a::b\" x"]);
}

#[test]
fn a_snapshot_keeps_strides_and_enumerators() {
    let text = "enum { A };\nstruct x { int n; int l[]; };\n#include <linux/ioctl.h>\n\
                enum { R = _IO(1, 2) };\n";
    let abi = abi(text, &["x86_64", "s390x"]);
    assert_eq!(snapshot::read(&snapshot::write(&abi)), Ok(abi));
}
