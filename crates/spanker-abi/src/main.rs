// SPDX-License-Identifier: Apache-2.0
//! The command `spanker-abi`.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
