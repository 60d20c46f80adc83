// SPDX-License-Identifier: Apache-2.0
//! Several targets, and the order of changes.

use spanker_abi::diff::Class::{Additive, Breaking, Neutral};
use spanker_abi::diff::{diff, Error};
use spanker_abi::model::{Abi, Facts, Record};

use crate::build::{integer, record, with};

fn abi(targets: &[(&str, Facts)]) -> Abi {
    let targets = targets.iter().map(|(name, facts)| ((*name).to_owned(), facts.clone()));
    Abi { header: "x.h".to_owned(), targets: targets.collect() }
}

#[test]
fn equal_changes_of_several_targets_are_one() {
    let (old, new) = (with(record(&["u32 a"])), with(record(&["s32 a"])));
    let changes = diff(
        &abi(&[("x86_64", old.clone()), ("arm", old.clone()), ("s390x", old)]),
        &abi(&[("s390x", new.clone()), ("arm", new.clone()), ("x86_64", new)]),
        None,
    )
    .unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].targets, ["arm", "s390x", "x86_64"]);
}

#[test]
fn a_pad_is_neutral_where_there_was_padding_and_breaking_where_not() {
    let new = with(record(&["u32 a", "u32 pad", "u64 b"]));
    let packed = {
        let mut i386 = record(&["u32 a", "u64 b"]);
        i386.fields[1].offset_bits = 32;
        with(Record { size: Some(12), align: 4, ..i386 })
    };
    let changes = diff(
        &abi(&[("x86_64", with(record(&["u32 a", "u64 b"]))), ("i386", packed)]),
        &abi(&[("x86_64", new.clone()), ("i386", new)]),
        None,
    )
    .unwrap();
    let got: Vec<_> = changes.iter().map(|it| (it.class, it.kind, &it.targets[..])).collect();
    assert_eq!(
        got,
        [
            (Breaking, "field-inserted", &["i386".to_owned()][..]),
            (Neutral, "padding-explicit", &["x86_64".to_owned()][..])
        ]
    );
}

#[test]
fn a_target_may_come_and_not_go() {
    let facts = Facts::default();
    let (one, two) =
        (abi(&[("arm", facts.clone())]), abi(&[("arm", facts.clone()), ("i386", facts)]));
    let only = |old, new| {
        let changes = diff(old, new, None).unwrap();
        (changes[0].class, changes[0].kind, changes[0].item.clone(), changes.len())
    };
    assert_eq!(only(&one, &two), (Additive, "target-added", "i386".to_owned(), 1));
    assert_eq!(only(&two, &one), (Breaking, "target-removed", "i386".to_owned(), 1));
}

#[test]
fn without_a_common_target_there_is_nothing_to_compare() {
    let facts = Facts::default();
    let error = diff(&abi(&[("arm", facts.clone())]), &abi(&[("i386", facts)]), None).unwrap_err();
    assert!(matches!(error, Error::NoCommonTarget { .. }));
    assert!(error.to_string().contains("the old side has arm, the new side i386"), "{error}");
    diff(&Abi::default(), &Abi::default(), None).unwrap_err();
}

#[test]
fn the_worst_comes_first_and_then_the_alphabet() {
    let of = |names: &[(&str, i128)]| {
        let mut facts = Facts::default();
        let constants = names.iter().map(|(name, it)| ((*name).to_owned(), integer(*it, "s32")));
        facts.constants.extend(constants);
        facts
    };
    let (old, new) = (of(&[("D", 1), ("B", 1)]), of(&[("D", 2), ("B", 2), ("C", 7), ("A", 7)]));
    let changes = diff(&abi(&[("arm", old)]), &abi(&[("arm", new)]), None).unwrap();
    let items: Vec<_> = changes.iter().map(|it| it.item.as_str()).collect();
    assert_eq!(items, ["B", "D", "A", "C"]);
}
