// SPDX-License-Identifier: Apache-2.0
//! The kernel module, compiled for the oldest kernel it is for and for the
//! newest there is, as strictly as the kernel's own checks go, and installed as
//! its README says.

mod dkms;
mod style;

use super::vm::module::Sources;
use crate::kernel::{self, Kernel};
use crate::repository;
use std::process::Command;

pub(super) fn driver() -> Result<(), String> {
    style::check()?;
    let oldest = kernel::oldest()?;
    without_a_warning(&oldest)?;
    without_a_warning(&kernel::newest()?)?;
    dkms::install(&oldest)
}

fn without_a_warning(kernel: &Kernel) -> Result<(), String> {
    let folder = repository().join("target/driver").join(&kernel.release);
    let sources = Sources::copy(&folder)?;
    // sparse looks at every file that is compiled.
    said_nothing(&mut sources.make(kernel, &["W=1", "C=2"]), &kernel.release)
}

/// Fails if the command does, or if it warns of anything.
fn said_nothing(command: &mut Command, of: &str) -> Result<(), String> {
    let ended = command.output().map_err(|e| format!("make: {e}"))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
    print!("{said}");
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| ["warning:", "error:", "WARNING:"].iter().any(|word| line.contains(word)))
        .collect();
    if ended.status.success() && warnings.is_empty() {
        Ok(())
    } else {
        Err(format!("{of}: {}\n{}", ended.status, warnings.join("\n")))
    }
}
