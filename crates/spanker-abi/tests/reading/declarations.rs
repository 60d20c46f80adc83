// SPDX-License-Identifier: Apache-2.0
//! Declarations that are no definitions, the marker, and where things stand.

use crate::scene::{constants, facts, layout, Folder};

#[test]
fn a_type_that_is_only_declared_has_no_size() {
    let facts = facts("struct x; union y; struct z { struct x *x; };");
    assert_eq!(layout(&facts, "struct x"), "?/0: ");
    assert_eq!(layout(&facts, "union y"), "union ?/0: ");
    assert_eq!(facts.records["struct z"].holes(), []);
}

#[test]
fn a_declaration_before_the_definition_changes_nothing() {
    let plain = facts("struct x { int a; };");
    assert_eq!(facts("struct x; struct x { int a; }; struct x;"), plain);
}

#[test]
fn a_marked_struct_is_extensible() {
    let facts = facts(
        "/* abi: extensible */\nstruct a { int n; };\n\
         struct b { int n; };\n\
         struct c { /* abi: extensible */\n int n; };\n\
         struct d; /* abi: extensible */\nstruct d { int n; };\n\
         /* abi: extensible */\ntypedef struct { int n; } e;\n\
         struct f { int n; }; /* abi: extensible */\n",
    );
    let marked: Vec<&str> = facts
        .records
        .iter()
        .filter(|(_, record)| record.extensible)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(marked, ["e", "struct a", "struct c", "struct f"]);
}

#[test]
fn types_inside_others_are_records_of_their_own() {
    let facts = facts("struct x { struct y { int a; } y; enum z { A = 1 } z; };");
    assert_eq!(facts.records.keys().collect::<Vec<_>>(), ["struct x", "struct y"]);
    assert_eq!(facts.enums.keys().collect::<Vec<_>>(), ["enum z"]);
    assert_eq!(constants(&facts), ["A 1 s32 of enum z"]);
}

#[test]
fn an_item_is_found_where_it_stands() {
    let folder = Folder::with(&[
        ("h.h", "#include \"part.h\"\n\n#define A 1\nstruct x {\n\tint a;\n\tstruct { int b; } in;\n};\n"),
        ("part.h", "\nenum { B };\ntypedef int t;\n"),
    ]);
    let places = folder.read(&["x86_64"]).unwrap().places;
    let place = |item: &str| {
        let place = &places[item];
        (place.file.file_name().unwrap().to_str().unwrap().to_owned(), place.line)
    };
    assert_eq!(place("A"), ("h.h".to_owned(), 3));
    assert_eq!(place("struct x"), ("h.h".to_owned(), 4));
    assert_eq!(place("struct x.a"), ("h.h".to_owned(), 5));
    assert_eq!(place("struct x.in.b"), ("h.h".to_owned(), 6));
    assert_eq!(place("B"), ("part.h".to_owned(), 2));
    assert_eq!(place("t"), ("part.h".to_owned(), 3));
}
