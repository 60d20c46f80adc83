// SPDX-License-Identifier: Apache-2.0
//! The first process of the virtual machine in which the kernel module is
//! tested, and all others in it that are not the project's own programs.
//!
//! `/init` mounts what programs expect, runs one scenario after another, each as
//! a process of its own, and powers off. `/init scenario NAME` is such a
//! process, and `/init part NAME …` one of those that a scenario starts.

mod children;
mod driver;
mod first;
mod kernel_log;
mod measured;
#[allow(dead_code)] // It is the command's own, which needs more of it.
#[path = "../../../crates/spanker-cli/tests/command/model.rs"]
mod model;
mod parts;
mod raw;
mod scenarios;
mod work;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["scenario", name] => scenarios::run(name),
        ["part", name, words @ ..] => parts::run(name, words),
        only if std::process::id() == 1 => first::run(only),
        _ => {
            eprintln!("this is for the virtual machine that `cargo xtask test vm` boots");
            ExitCode::FAILURE
        }
    }
}
