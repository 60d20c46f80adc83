// SPDX-License-Identifier: Apache-2.0
//! What counts as part of a header, and what does not.

use crate::scene::{constants, facts, layout, texts, Folder, NOTHING};

#[test]
fn an_include_guard_is_no_fact() {
    let facts = facts("#ifndef H_H\n#define H_H\n#define A 1\n#endif\n");
    assert_eq!(constants(&facts), ["A 1 s32"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn a_guard_behind_a_comment_with_a_directive_is_still_one() {
    let facts = facts(
        "/*\n#include what you use\n */\n# ifndef H_H /* once */\n#\tdefine H_H /* once */\n\
         #define A 1\n#endif\n",
    );
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn a_guard_written_with_defined_is_one_too() {
    for guard in ["#if !defined(H_H)", "#if !defined H_H", "#if ! defined ( H_H )"] {
        let facts = facts(&format!("{guard}\n#define H_H\n#define A 1\n#endif\n"));
        assert_eq!(texts(&facts), NOTHING, "{guard}");
    }
}

#[test]
fn a_guard_with_a_value_is_no_constant() {
    let facts = facts("#ifndef H_H\n#define H_H 1\n#define A 1\n#endif\n");
    assert_eq!(constants(&facts), ["A 1 s32"]);
}

#[test]
fn a_default_for_a_macro_is_no_guard() {
    let facts = facts("#ifndef LIMIT\n#define LIMIT 8\n#endif\n#define A 1\n");
    assert_eq!(constants(&facts), ["A 1 s32", "LIMIT 8 s32"]);
}

#[test]
fn an_empty_macro_that_is_no_guard_is_a_fact() {
    let facts = facts("#ifndef H_H\n#define H_H\n#ifndef FLAG\n#define FLAG\n#endif\n#endif\n");
    assert_eq!(texts(&facts), ["FLAG macro: "]);
}

#[test]
fn what_is_included_in_quotes_counts() {
    let folder = Folder::with(&[
        ("h.h", "#include \"part/p.h\"\nstruct x { struct y y; };\n"),
        ("part/p.h", "#ifndef P\n#define P\n#include \"q.h\"\nstruct y { int a; };\n#endif\n"),
        ("part/q.h", "#define Q 7\nstruct unused { int b; };\n"),
    ]);
    let facts = folder.facts();
    assert_eq!(constants(&facts), ["Q 7 s32"]);
    assert_eq!(facts.records.keys().collect::<Vec<_>>(), ["struct unused", "struct x", "struct y"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn of_what_is_included_in_angles_only_used_types_count() {
    let folder = Folder::with(&[
        ("h.h", "#include <part/p.h>\nstruct x { struct y y; enum e e; t t; };\n"),
        (
            "part/p.h",
            "#define P 7\nstruct deep { int a; }; struct y { struct deep d; };\n\
             struct unused { int b; }; enum e { E }; typedef struct { int c; } t;\n\
             static inline int f(void) { return 1; }\n",
        ),
    ]);
    let facts = folder.facts();
    assert_eq!(constants(&facts), ["E 0 u32 of enum e"]);
    assert_eq!(texts(&facts), NOTHING);
    assert_eq!(
        facts.records.keys().collect::<Vec<_>>(),
        ["struct deep", "struct x", "struct y", "t"]
    );
    assert_eq!(facts.enums.keys().collect::<Vec<_>>(), ["enum e"]);
    assert_eq!(layout(&facts, "struct x"), "12/4: y@0+4 struct y, e@4+4 enum e, t@8+4 t");
}

#[test]
fn what_is_included_in_quotes_by_one_in_angles_does_not_count() {
    let folder = Folder::with(&[
        ("h.h", "#include <part/p.h>\n#define A 1\n"),
        ("part/p.h", "#include \"q.h\"\n"),
        ("part/q.h", "#define Q 7\n"),
    ]);
    assert_eq!(constants(&folder.facts()), ["A 1 s32"]);
}

#[test]
fn a_header_found_by_two_paths_counts() {
    let folder = Folder::with(&[
        ("h.h", "#include \"part/../q.h\"\n#include \"./q.h\"\n#define A 1\n"),
        ("q.h", "#ifndef Q_H\n#define Q_H\n#define Q 7\nstruct q { int a; };\n#endif\n"),
    ]);
    std::fs::create_dir(folder.path("part")).unwrap();
    let facts = folder.facts();
    assert_eq!(constants(&facts), ["A 1 s32", "Q 7 s32"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn an_include_through_a_macro_counts_as_what_it_becomes() {
    let folder = Folder::with(&[
        ("h.h", "#define PART \"q.h\"\n#include PART\n#define A 1\n"),
        ("q.h", "#define Q 7\n"),
    ]);
    let facts = folder.facts();
    assert_eq!(constants(&facts), ["A 1 s32", "PART \"q.h\" string", "Q 7 s32"]);
}

#[test]
fn a_header_whose_guard_is_set_by_its_own_path_is_read_by_a_relative_path_too() {
    let folder = Folder::with(&[("h.h", "#define A 1\n"), ("in/x.h", "#include \"../h.h\"\n")]);
    let header = spanker_abi::header::Header::new(folder.path("in/../in/x.h"));
    let target = spanker_abi::Target::named("x86_64").unwrap();
    let abi = header.read(&[target]).unwrap().abi;
    assert_eq!(constants(&abi.targets["x86_64"]), ["A 1 s32"]);
}
