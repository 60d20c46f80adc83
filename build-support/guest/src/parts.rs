// SPDX-License-Identifier: Apache-2.0
//! What scenarios start as processes of their own.

use std::process::ExitCode;

pub(crate) fn run(name: &str, _words: &[&str]) -> ExitCode {
    eprintln!("no part `{name}`");
    ExitCode::FAILURE
}
