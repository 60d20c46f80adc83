// SPDX-License-Identifier: Apache-2.0
//! Commands that have to succeed.

use crate::repository;
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write;
use std::process::{Command, Stdio};

/// A command in the repository's root.
pub(crate) fn command<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(repository()).stdin(Stdio::null());
    command
}

/// `cargo` with these words.
pub(crate) fn cargo(words: &str) -> Command {
    command("cargo", &words.split_whitespace().collect::<Vec<_>>())
}

/// Runs a command; what it prints is shown.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    println!("$ {shown}");
    let status = command.status().map_err(|e| format!("{shown}: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{shown}: {status}"))
    }
}

/// Runs a command; what it prints on standard output is returned.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    println!("$ {shown}");
    let output = command.stderr(Stdio::inherit()).output().map_err(|e| format!("{shown}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{shown}: {e}"))
}

/// Runs a command whose standard output is JSON.
pub(crate) fn json(command: &mut Command) -> Result<Value, String> {
    serde_json::from_str(&output(command)?).map_err(|e| format!("{}: {e}", shown(command)))
}

fn shown(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(text, "{}={} ", name.to_string_lossy(), value.to_string_lossy());
        }
    }
    text += &command.get_program().to_string_lossy();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        // A script given as an argument is too long to be worth showing.
        if argument.contains('\n') {
            text += " '…'";
        } else {
            let _ = write!(text, " {argument}");
        }
    }
    text
}
