// SPDX-License-Identifier: Apache-2.0
//! New macros that take the name of something else.

use spanker_abi::diff::Class::{Additive, Breaking};
use spanker_abi::model::{Facts, Type};

use crate::build::{enumeration, integer, record, request, requires_of, text, with};

fn old() -> Facts {
    let mut facts =
        with(record(&["u32 n", "u64[4] list", "=8", "u32 list[].key", "=40", "u32 u.a"]));
    facts.typedefs.insert("x_t".to_owned(), Type("u32".to_owned()));
    facts.enums.insert("enum mode".to_owned(), enumeration("u32"));
    facts
}

const TAKEN: [&str; 11] =
    ["n", "list", "key", "u", "a", "x", "x_t", "mode", "long", "__u32", "uint64_t"];

type Add = fn(&mut Facts, &str);

const ADD: [(Add, &str); 3] = [
    (
        |facts, name| drop(facts.constants.insert(name.to_owned(), integer(1, "s32"))),
        "constant-added",
    ),
    (
        |facts, name| drop(facts.requests.insert(name.to_owned(), request(0, 1, 0, ""))),
        "request-added",
    ),
    (|facts, name| drop(facts.texts.insert(name.to_owned(), text("( 1 )"))), "text-added"),
];

#[test]
fn a_new_macro_may_not_have_the_name_of_something_else() {
    for (add, added) in ADD {
        for name in TAKEN {
            let mut new = old();
            add(&mut new, name);
            requires_of(&old(), &new, &[(Breaking, "unjudged", name)]);
        }
        let mut new = old();
        add(&mut new, "list_key");
        requires_of(&old(), &new, &[(Additive, added, "list_key")]);
    }
}

#[test]
fn a_name_that_was_a_macro_before_has_taken_nothing() {
    let mut before = old();
    before.texts.insert("n".to_owned(), text("( 1 )"));
    let mut after = before.clone();
    after.constants.insert("X_A".to_owned(), integer(1, "s32"));
    requires_of(&before, &after, &[(Additive, "constant-added", "X_A")]);
}

#[test]
fn an_enumerator_and_a_function_replace_no_name() {
    let mut new = old();
    new.constants.insert("n".to_owned(), integer(1, "s32"));
    new.enumerators.insert("n".to_owned());
    requires_of(&old(), &new, &[(Additive, "constant-added", "n")]);
    let mut new = old();
    let mut function = text("( 1 )");
    function.what = "function".to_owned();
    new.texts.insert("n".to_owned(), function);
    requires_of(&old(), &new, &[(Additive, "text-added", "n")]);
}
