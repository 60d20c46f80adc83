// SPDX-License-Identifier: Apache-2.0
//! What the action for other repositories does, as its `action.yml` has it done.

use super::{releases, scratch, HEADER, VERSION};
use crate::repository;
use crate::run::command;
use std::fs;
use std::process::Stdio;

pub(super) fn run() -> Result<(), String> {
    let folder = scratch("action")?;
    let snapshot = releases::current()?;
    let header = fs::read_to_string(repository().join(HEADER)).map_err(|e| e.to_string())?;
    let broken = folder.join("broken.h");
    fs::write(&broken, header.replace("__u64 seqno;", "__u32 seqno;"))
        .map_err(|e| format!("{}: {e}", broken.display()))?;
    let broken = broken.to_string_lossy();
    for (header, code, words) in [
        // As a workflow writes several lines.
        (format!("{HEADER}\n"), 0, "nothing that a program can tell has changed"),
        (broken.to_string(), 1, "::error file="),
        ("gone.h".to_owned(), 3, "::error title=ABI check could not run"),
    ] {
        let ran = command::<&str>(".github/actions/abi-check/check.sh", &[])
            .env("ABI_HEADER", &header)
            .env("ABI_SNAPSHOT", &snapshot)
            .env("ABI_VERSION_MACROS", VERSION)
            .env("ABI_TARGETS", "x86_64, i686\n  s390x\n")
            .env("RUNNER_TEMP", &folder)
            .env("CARGO_TARGET_DIR", repository().join("target"))
            .env_remove("GITHUB_STEP_SUMMARY")
            .stderr(Stdio::piped())
            .output()
            .map_err(|e| format!("check.sh: {e}"))?;
        let said = String::from_utf8_lossy(&ran.stdout);
        if ran.status.code() != Some(code) || !said.contains(words) {
            let log = String::from_utf8_lossy(&ran.stderr);
            return Err(format!("the action on {header}: {}, {said}{log}", ran.status));
        }
    }
    println!("the action passes this header, and fails a broken one and one that is gone");
    Ok(())
}
