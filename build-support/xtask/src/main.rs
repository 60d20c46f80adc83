// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask`: the commands that make and verify what is in this repository.

mod debian;
mod kernel;
mod libclang;
mod machine;
mod mirror;
mod old_rust;
mod python;
mod run;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test             verify everything, with libclang and without; installs what it
                   needs with apt-get when run as root, else says what to install
  test STEP...     only these steps
  test --list      the steps
  mirror           make the committed mirrors of spanker_ioctl.h again
  mirror --check   fail if a committed mirror is not what bindgen makes";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", "--list"] => {
            test::list();
            Ok(())
        }
        ["test", steps @ ..] => test::run_all(steps),
        ["mirror"] => mirror::run(false),
        ["mirror", "--check"] => mirror::run(true),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository this command was compiled in.
fn repository() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).unwrap_or(xtask).to_owned()
}
