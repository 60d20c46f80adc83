// SPDX-License-Identifier: Apache-2.0
//! What scenarios start as processes of their own.

mod filling;
mod limited;
mod load;

use crate::measured;
use crate::scenarios::leave_the_reason;
use std::process::ExitCode;

pub(crate) fn run(name: &str, words: &[&str]) -> ExitCode {
    leave_the_reason();
    match (name, words) {
        ("fill", [index]) => filling::fill(number(index)),
        ("limited", [group]) => limited::limited(group),
        ("load", [index]) => load::load(number(index)),
        ("submit-wait", [node, opens, ops, batches]) => {
            measured::submit_wait(node, number(opens), number(ops), number(batches));
        }
        _ => {
            eprintln!("no part `{name}` that takes {words:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn number<T: std::str::FromStr>(word: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    word.parse().unwrap()
}
