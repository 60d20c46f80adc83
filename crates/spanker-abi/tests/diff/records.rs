// SPDX-License-Identifier: Apache-2.0
//! Records that come, go and are renamed, and what that means for others.

use spanker_abi::diff::Class::{Additive, Breaking, Neutral};
use spanker_abi::model::{Facts, Record, Type};

use crate::build::{enumeration, extensible, record, requires, requires_of, union, with};

fn named(records: &[(&str, Record)]) -> Facts {
    let mut facts = Facts::default();
    facts.records.extend(records.iter().map(|(name, record)| ((*name).to_owned(), record.clone())));
    facts
}

#[test]
fn a_new_record_is_additive_and_a_removed_one_breaking() {
    let (none, one) = (Facts::default(), with(record(&["u32 a"])));
    requires_of(&none, &one, &[(Additive, "record-added", "struct x")]);
    requires_of(&one, &none, &[(Breaking, "record-removed", "struct x")]);
}

#[test]
fn a_renamed_record_is_one_change() {
    let fields = record(&["u32 a"]);
    requires_of(
        &named(&[("struct x", fields.clone())]),
        &named(&[("struct y", fields.clone())]),
        &[(Breaking, "record-renamed", "struct x")],
    );
    // Which of the two it would be, nobody knows.
    requires_of(
        &named(&[("struct x", fields.clone())]),
        &named(&[("struct y", fields.clone()), ("struct z", fields)]),
        &[
            (Breaking, "record-removed", "struct x"),
            (Additive, "record-added", "struct y"),
            (Additive, "record-added", "struct z"),
        ],
    );
}

#[test]
fn a_struct_known_by_a_typedef_may_get_a_tag() {
    let fields = record(&["u32 a"]);
    let mut new = named(&[("struct x", fields.clone())]);
    new.typedefs.insert("x_t".to_owned(), Type("struct x".to_owned()));
    requires_of(&named(&[("x_t", fields)]), &new, &[(Additive, "record-tagged", "x_t")]);
}

#[test]
fn a_record_may_become_known_and_not_unknown() {
    let opaque = Record { size: None, align: 0, ..record(&[]) };
    requires(opaque.clone(), record(&["u32 a"]), &[(Additive, "record-defined", "struct x")]);
    requires(record(&["u32 a"]), opaque, &[(Breaking, "record-undefined", "struct x")]);
}

#[test]
fn growth_is_breaking_where_the_struct_is_inside_another() {
    let outer = |ty: &str| record(&[&format!("{ty} of"), "u64 after"]);
    let mut old = named(&[("struct a", extensible(&["u64 a"])), ("struct x", outer("u64"))]);
    let mut new =
        named(&[("struct a", extensible(&["u64 a", "u64 b"])), ("struct x", outer("u64[2]"))]);
    for facts in [&mut old, &mut new] {
        facts.records.get_mut("struct x").unwrap().fields[0].ty = Type("struct a".to_owned());
    }
    requires_of(
        &old,
        &new,
        &[(Breaking, "field-resized", "struct x.of"), (Additive, "struct-grown", "struct a")],
    );
}

#[test]
fn another_struct_of_equal_size_inside_is_breaking() {
    let other = |ty: &str| record(&[&format!("{ty} of")]);
    requires(other("struct of_8"), other("u64"), &[(Breaking, "field-retyped", "struct x.of")]);
}

#[test]
fn members_of_a_union_may_be_declared_in_another_order() {
    let old = union(&["u32 a", "u64 b"]);
    let mut new = old.clone();
    new.fields.reverse();
    requires(old, new, &[(Neutral, "members-reordered", "struct x")]);
}

#[test]
fn typedefs_and_enums_keep_what_they_stand_for() {
    let of = |name: &str, ty: &str| {
        let mut facts = Facts::default();
        facts.typedefs.insert(name.to_owned(), Type(ty.to_owned()));
        facts
    };
    let none = Facts::default();
    requires_of(&of("x_t", "u32"), &of("x_t", "u64"), &[(Breaking, "typedef-retyped", "x_t")]);
    requires_of(&of("x_t", "u32"), &of("y_t", "u32"), &[(Breaking, "typedef-renamed", "x_t")]);
    requires_of(&of("x_t", "u32"), &none, &[(Breaking, "typedef-removed", "x_t")]);
    requires_of(&none, &of("x_t", "u32"), &[(Additive, "typedef-added", "x_t")]);

    let of = |ty: &str| {
        let mut facts = Facts::default();
        facts.enums.insert("enum x".to_owned(), enumeration(ty));
        facts
    };
    requires_of(&of("u32"), &of("s32"), &[(Breaking, "enum-retyped", "enum x")]);
    requires_of(&of("u32"), &of("u64"), &[(Breaking, "enum-retyped", "enum x")]);
    requires_of(&of("u32"), &none, &[(Breaking, "enum-removed", "enum x")]);
    requires_of(&none, &of("u32"), &[(Additive, "enum-added", "enum x")]);
}
