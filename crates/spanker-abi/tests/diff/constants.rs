// SPDX-License-Identifier: Apache-2.0
//! Constants, and what has only a text.

use spanker_abi::diff::diff;
use spanker_abi::diff::Class::{Additive, Breaking, Neutral};
use spanker_abi::model::{Constant, Facts, Type, Value};

use crate::build::{abi, enumeration, integer, request, requires_of, text};

fn constants(all: &[(&str, Constant)]) -> Facts {
    let mut facts = Facts::default();
    facts.constants.extend(all.iter().map(|(name, it)| ((*name).to_owned(), it.clone())));
    facts
}

fn one(it: Constant) -> Facts {
    constants(&[("X_A", it)])
}

fn of(enumeration: &str, value: i128) -> Constant {
    Constant { of: Some(enumeration.to_owned()), ..integer(value, "s32") }
}

#[test]
fn a_value_stays() {
    let value = [(Breaking, "constant-value", "X_A")];
    requires_of(&one(integer(1, "s32")), &one(integer(2, "s32")), &value);
    requires_of(&one(integer(-1, "s32")), &one(integer(0xffff_ffff, "u32")), &value);
    let say =
        |word: &str, ty: &str| Constant { value: Value::Text(word.to_owned()), ..integer(0, ty) };
    requires_of(&one(say("a", "string")), &one(say("b", "string")), &value);
    requires_of(&one(integer(1, "s32")), &one(say("1", "string")), &value);
}

#[test]
fn the_width_and_the_sign_of_a_constant_stay() {
    let old = one(integer(1, "s32"));
    requires_of(&old, &one(integer(1, "s64")), &[(Breaking, "constant-retyped", "X_A")]);
    requires_of(&old, &one(integer(1, "bool")), &[(Breaking, "constant-retyped", "X_A")]);
    requires_of(&old, &one(integer(1, "u32")), &[(Breaking, "constant-sign", "X_A")]);
    requires_of(
        &one(integer(1, "u64")),
        &one(integer(1, "s64")),
        &[(Breaking, "constant-sign", "X_A")],
    );
}

#[test]
fn an_enumerator_may_become_a_macro_and_a_macro_an_enumerator() {
    let moved = [(Neutral, "constant-moved", "X_A")];
    requires_of(&one(integer(1, "s32")), &one(of("enum x", 1)), &moved);
    requires_of(&one(of("enum x", 1)), &one(integer(1, "s32")), &moved);
    let value = [(Breaking, "constant-value", "X_A")];
    requires_of(&one(of("enum x", 1)), &one(integer(2, "s32")), &value);
}

#[test]
fn a_macro_may_not_become_what_ifdef_does_not_see() {
    let all: [fn() -> Facts; 2] = [
        || one(integer(1, "s32")),
        || {
            let mut facts = Facts::default();
            facts.requests.insert("X_A".to_owned(), request(0, 1, 0, ""));
            facts
        },
    ];
    for facts in all {
        let mut hidden = facts();
        hidden.enumerators.insert("X_A".to_owned());
        requires_of(&facts(), &hidden, &[(Breaking, "macro-removed", "X_A")]);
        requires_of(&hidden, &facts(), &[(Neutral, "macro-added", "X_A")]);
        requires_of(&Facts::default(), &hidden, &[(Additive, added_kind(&hidden), "X_A")]);
    }
}

fn added_kind(facts: &Facts) -> &'static str {
    if facts.requests.is_empty() {
        "constant-added"
    } else {
        "request-added"
    }
}

#[test]
fn a_constant_may_come_and_not_go() {
    let (none, some) = (Facts::default(), one(integer(1, "s32")));
    requires_of(&none, &some, &[(Additive, "constant-added", "X_A")]);
    requires_of(&some, &none, &[(Breaking, "constant-removed", "X_A")]);
}

#[test]
fn a_constant_may_have_the_value_of_another() {
    requires_of(
        &one(integer(1, "s32")),
        &constants(&[("X_A", integer(1, "s32")), ("X_B", integer(1, "s32"))]),
        &[(Additive, "constant-added", "X_B")],
    );
}

#[test]
fn a_rename_that_keeps_the_value_is_one_change() {
    requires_of(
        &constants(&[("X_FLAG_ONE", integer(1, "s32"))]),
        &constants(&[("X_FLAG_FIRST", integer(1, "s32"))]),
        &[(Breaking, "constant-renamed", "X_FLAG_ONE")],
    );
    requires_of(
        &constants(&[("X_FLAG_ONE", integer(1, "s32"))]),
        &constants(&[("Y_MODE_ODD", integer(1, "s32"))]),
        &[(Breaking, "constant-removed", "X_FLAG_ONE"), (Additive, "constant-added", "Y_MODE_ODD")],
    );
}

#[test]
fn enumerators_that_change_places_are_breaking() {
    requires_of(
        &constants(&[("X_A", of("enum x", 0)), ("X_B", of("enum x", 1))]),
        &constants(&[("X_A", of("enum x", 1)), ("X_B", of("enum x", 0))]),
        &[(Breaking, "constant-value", "X_A"), (Breaking, "constant-value", "X_B")],
    );
}

#[test]
fn an_enum_that_is_renamed_is_breaking_and_its_enumerators_are_not() {
    let named = |name: &str| {
        let mut facts = one(of(name, 1));
        facts.enums.insert(name.to_owned(), enumeration("u32"));
        facts
    };
    requires_of(
        &named("enum x"),
        &named("enum y"),
        &[(Breaking, "enum-renamed", "enum x"), (Neutral, "constant-moved", "X_A")],
    );
}

#[test]
fn a_text_that_changes_is_unjudged() {
    let of = |tokens: &str| {
        let mut facts = Facts::default();
        facts.texts.insert("X_A".to_owned(), text(tokens));
        facts
    };
    let none = Facts::default();
    requires_of(&of("( a )"), &of("( a + 1 )"), &[(Breaking, "unjudged", "X_A")]);
    requires_of(&of("( a )"), &none, &[(Breaking, "text-removed", "X_A")]);
    requires_of(&none, &of("( a )"), &[(Additive, "text-added", "X_A")]);
    requires_of(&of("( a )"), &one(integer(1, "s32")), &[(Breaking, "unjudged", "X_A")]);
    requires_of(&one(integer(1, "s32")), &of("( a )"), &[(Breaking, "unjudged", "X_A")]);
}

#[test]
fn a_typedef_that_becomes_a_macro_is_breaking() {
    let mut old = Facts::default();
    old.typedefs.insert("x_t".to_owned(), Type("u32".to_owned()));
    let mut new = Facts::default();
    new.texts.insert("x_t".to_owned(), text("unsigned int"));
    requires_of(&old, &new, &[(Breaking, "unjudged", "x_t")]);
}

fn version(stem: &str, major: i128, minor: i128, patch: i128) -> Facts {
    let parts = [("MAJOR", major), ("MINOR", minor), ("PATCH", patch)];
    let mut facts = Facts::default();
    for (part, value) in parts {
        facts.constants.insert(format!("{stem}_{part}"), integer(value, "s32"));
    }
    facts
}

#[test]
fn the_only_version_of_a_header_may_change() {
    requires_of(
        &version("X_VERSION", 0, 2, 0),
        &version("X_VERSION", 0, 3, 0),
        &[(Neutral, "version", "X_VERSION_MINOR")],
    );
}

#[test]
fn one_of_two_versions_may_change_when_it_is_named() {
    let mut old = version("X_VERSION", 0, 2, 0);
    old.constants.extend(version("Y_VERSION", 1, 0, 0).constants);
    let mut new = version("X_VERSION", 0, 3, 0);
    new.constants.extend(version("Y_VERSION", 1, 0, 0).constants);
    requires_of(&old, &new, &[(Breaking, "constant-value", "X_VERSION_MINOR")]);

    let class = |prefix: &str| {
        let scheme = prefix.parse().unwrap();
        diff(&abi(old.clone()), &abi(new.clone()), Some(&scheme)).unwrap()[0].class
    };
    assert_eq!(class("X_VERSION"), Neutral);
    assert_eq!(class("Y_VERSION"), Breaking);
}

#[test]
fn a_version_keeps_its_type_and_stays() {
    let old = version("X_VERSION", 0, 2, 0);
    let mut wider = version("X_VERSION", 0, 2, 0);
    wider.constants.insert("X_VERSION_MINOR".to_owned(), integer(3, "s64"));
    requires_of(&old, &wider, &[(Breaking, "constant-value", "X_VERSION_MINOR")]);
    let mut unsigned = version("X_VERSION", 0, 2, 0);
    unsigned.constants.insert("X_VERSION_MINOR".to_owned(), integer(3, "u32"));
    requires_of(&old, &unsigned, &[(Breaking, "constant-value", "X_VERSION_MINOR")]);
    let mut less = version("X_VERSION", 0, 2, 0);
    less.constants.remove("X_VERSION_PATCH");
    requires_of(&old, &less, &[(Breaking, "constant-removed", "X_VERSION_PATCH")]);
}

#[test]
fn what_is_made_of_the_version_changes_with_it() {
    let with = |minor, code| {
        let mut facts = version("X_VERSION", 0, minor, 0);
        for name in ["X_VERSION", "X_VERSION_CODE", "X_VERSION_NUMBER", "X_VERSION_LATER"] {
            facts.constants.insert(name.to_owned(), integer(code, "s32"));
        }
        for name in ["X_VERSION_STRING", "X_VERSION_STR"] {
            let value = Value::Text(format!("0.{minor}.0"));
            facts.constants.insert(name.to_owned(), Constant { value, ..integer(0, "string") });
        }
        facts
    };
    let (old, new) = (with(2, 0x200), with(3, 0x300));
    for scheme in [None, Some("X_VERSION".parse().unwrap())] {
        let changes = diff(&abi(old.clone()), &abi(new.clone()), scheme.as_ref()).unwrap();
        let (worst, rest) = changes.split_first().unwrap();
        assert_eq!((worst.class, worst.item.as_str()), (Breaking, "X_VERSION_LATER"));
        assert_eq!(rest.len(), 6, "{rest:#?}");
        assert!(rest.iter().all(|change| change.kind == "version"), "{rest:#?}");
    }
}
