// SPDX-License-Identifier: Apache-2.0
//! Request codes.

use spanker_abi::diff::Class::{Additive, Breaking};
use spanker_abi::model::{Facts, Record, Request};

use crate::build::{changes, extensible, integer, record, request, requires_of};

fn requests(all: &[(&str, Request)]) -> Facts {
    let mut facts = Facts::default();
    facts.requests.extend(all.iter().map(|(name, it)| ((*name).to_owned(), it.clone())));
    facts
}

fn one(it: Request) -> Facts {
    requests(&[("REQUEST", it)])
}

#[test]
fn every_part_of_a_code_is_kept() {
    let old = request(3, 1, 8, "struct x");
    let magic = Request { magic: 0xe4, code: old.code ^ 0x700, ..old.clone() };
    let elsewhere = Request { code: old.code ^ 0x8000_0000, ..old.clone() };
    let code = [(Breaking, "request-code", "REQUEST")];
    for new in [magic, request(3, 2, 8, "struct x"), request(1, 1, 8, "struct x"), elsewhere] {
        requires_of(&one(old.clone()), &one(new), &code);
    }
    requires_of(&one(old.clone()), &one(request(3, 1, 16, "struct x")), &code);
    requires_of(&one(old), &one(request(3, 1, 16, "struct y")), &code);
}

#[test]
fn another_argument_of_equal_size_is_breaking() {
    requires_of(
        &one(request(3, 1, 8, "struct x")),
        &one(request(3, 1, 8, "struct y")),
        &[(Breaking, "request-argument", "REQUEST")],
    );
    requires_of(
        &one(request(3, 1, 8, "struct x")),
        &one(request(3, 1, 8, "")),
        &[(Breaking, "unjudged", "REQUEST")],
    );
}

fn with_argument(size: u32, argument: Record) -> Facts {
    let mut facts = one(request(3, 1, size, "struct x"));
    facts.records.insert("struct x".to_owned(), argument);
    facts
}

#[test]
fn a_code_may_grow_with_its_extensible_struct_and_only_then() {
    let old = with_argument(8, extensible(&["u64 a"]));
    let grown = with_argument(16, extensible(&["u64 a", "u64 b"]));
    requires_of(
        &old,
        &grown,
        &[(Additive, "request-grown", "REQUEST"), (Additive, "struct-grown", "struct x")],
    );
    assert!(changes(&old, &grown)[0].reason.contains("struct x"));
    requires_of(
        &with_argument(8, record(&["u64 a"])),
        &with_argument(16, record(&["u64 a", "u64 b"])),
        &[(Breaking, "request-code", "REQUEST"), (Breaking, "struct-grown", "struct x")],
    );
    requires_of(
        &old,
        &with_argument(16, extensible(&["u64 b", "u64 a"])),
        &[(Breaking, "request-code", "REQUEST"), (Breaking, "field-inserted", "struct x.b")],
    );
}

#[test]
fn a_code_that_grows_without_its_struct_is_breaking() {
    let struct_x = extensible(&["u64 a"]);
    requires_of(
        &with_argument(8, struct_x.clone()),
        &with_argument(16, struct_x),
        &[(Breaking, "request-code", "REQUEST")],
    );
}

#[test]
fn a_growing_code_may_change_in_no_other_way() {
    let mut grown = with_argument(16, extensible(&["u64 a", "u64 b"]));
    grown.requests.insert("REQUEST".to_owned(), request(3, 2, 16, "struct x"));
    requires_of(
        &with_argument(8, extensible(&["u64 a"])),
        &grown,
        &[(Breaking, "request-code", "REQUEST"), (Additive, "struct-grown", "struct x")],
    );
}

#[test]
fn a_request_may_come_and_not_go() {
    let (none, some) = (Facts::default(), one(request(0, 1, 0, "")));
    requires_of(&none, &some, &[(Additive, "request-added", "REQUEST")]);
    requires_of(&some, &none, &[(Breaking, "request-removed", "REQUEST")]);
}

#[test]
fn a_renamed_request_is_one_change() {
    requires_of(
        &one(request(1, 1, 8, "struct x")),
        &requests(&[("OTHER", request(1, 1, 8, "struct x"))]),
        &[(Breaking, "request-renamed", "REQUEST")],
    );
}

#[test]
fn a_new_request_may_not_have_the_number_of_another() {
    let old = request(3, 1, 8, "struct x");
    let both = |other| requests(&[("REQUEST", old.clone()), ("OTHER", other)]);
    let old = one(old.clone());
    requires_of(
        &old,
        &both(request(3, 1, 16, "struct y")),
        &[(Breaking, "request-number-taken", "OTHER")],
    );
    requires_of(&old, &both(request(3, 1, 8, "struct x")), &[(Breaking, "unjudged", "OTHER")]);
    requires_of(&old, &both(request(2, 1, 8, "struct x")), &[(Additive, "request-added", "OTHER")]);
    requires_of(
        &old,
        &requests(&[("OTHER", request(3, 1, 16, "struct x"))]),
        &[(Breaking, "request-number-taken", "OTHER"), (Breaking, "request-removed", "REQUEST")],
    );
}

#[test]
fn a_request_that_becomes_a_number_is_breaking() {
    let old = request(3, 1, 8, "struct x");
    let mut new = Facts::default();
    new.constants.insert("REQUEST".to_owned(), integer(i128::from(old.code), "u32"));
    requires_of(&one(old.clone()), &new, &[(Breaking, "kind-changed", "REQUEST")]);
    requires_of(&new, &one(old), &[(Breaking, "kind-changed", "REQUEST")]);
}

#[test]
fn two_new_requests_may_not_have_one_code() {
    let it = || request(3, 1, 8, "struct x");
    requires_of(
        &Facts::default(),
        &requests(&[("ONE", it()), ("OTHER", it()), ("THIRD", request(3, 2, 8, "struct x"))]),
        &[
            (Breaking, "unjudged", "ONE"),
            (Breaking, "unjudged", "OTHER"),
            (Additive, "request-added", "THIRD"),
        ],
    );
}

#[test]
fn a_new_request_may_not_have_the_code_that_was_a_number() {
    let it = request(2, 1, 8, "struct x");
    let code = i128::from(it.code);
    for value in [code, i128::from(it.code as i32)] {
        let mut old = Facts::default();
        old.constants.insert("X_OLD".to_owned(), integer(value, "s64"));
        let mut new = old.clone();
        new.requests.insert("X_NEW".to_owned(), it.clone());
        requires_of(&old, &new, &[(Breaking, "unjudged", "X_NEW")]);
    }
    let mut old = Facts::default();
    old.constants.insert("X_OLD".to_owned(), integer(7, "s32"));
    let mut new = old.clone();
    new.requests.insert("X_NEW".to_owned(), Request { code: 7, magic: 0, ..request(0, 7, 0, "") });
    requires_of(&old, &new, &[(Additive, "request-added", "X_NEW")]);
}
