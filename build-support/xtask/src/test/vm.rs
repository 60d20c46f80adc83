// SPDX-License-Identifier: Apache-2.0
//! The kernel module at work: a kernel of Debian's, booted by qemu with nothing
//! in it but the module and the programs that put it to the test.

mod boot;
mod initramfs;
mod llama;
pub(super) mod module;
mod programs;
mod transcript;

use crate::kernel;
use crate::repository;
use crate::run::{output, run};
use module::Sources;
use programs::Program;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// For all that happens in the guest, on a machine that has much else to do.
const LIMIT: Duration = Duration::from_secs(480);

pub(super) fn vm() -> Result<(), String> {
    let folder = repository().join("target/vm");
    let kernel = kernel::oldest()?;
    let image = kernel.image()?;
    let sources = Sources::copy(&folder.join("module"))?;
    run(&mut sources.make(&kernel, &[]))?;
    let other = Sources::copy(&folder.join("module-of-another-version"))?;
    raise_major(&other.header())?;
    run(&mut other.make(&kernel, &[]))?;
    let programs = programs::all()?;
    let soft = on_soft(&programs)?;
    let modules = [sources.module(), other.module()];
    let files =
        [("spanker.ko", modules[0].as_path()), ("another-version.ko", modules[1].as_path())];
    let initramfs = initramfs::make(&folder, &programs, &files)?;
    let transcript = boot::boot(&image, &initramfs, LIMIT)?;
    println!("\ncounts soft: {soft}");
    transcript.facts().iter().for_each(|fact| println!("{fact}"));
    let passed = transcript.verdict()?;
    println!("{passed} passed, 0 failed");
    Ok(())
}

/// Makes the header one of the next major version.
fn raise_major(header: &PathBuf) -> Result<(), String> {
    let told = |e| format!("{}: {e}", header.display());
    let text = fs::read_to_string(header).map_err(told)?;
    let macro_name = "#define SPANKER_ABI_VERSION_MAJOR";
    let raised: Vec<String> = text
        .lines()
        .map(|line| match line.strip_prefix(macro_name).map(|n| n.trim().parse::<u32>()) {
            Some(Ok(major)) => format!("{macro_name}\t{}", major + 1),
            _ => line.to_owned(),
        })
        .collect();
    let raised = raised.join("\n") + "\n";
    if raised == text {
        return Err(format!("{}: no {macro_name}", header.display()));
    }
    fs::write(header, raised).map_err(told)
}

/// The count of the same suite on the software Sail.
fn on_soft(programs: &[Program]) -> Result<String, String> {
    let suite = programs.iter().find(|program| program.name == "spanker-conformance");
    let suite = suite.ok_or("there is no conformance suite")?;
    let printed = output(Command::new(&suite.path).args(["--device", "soft"]))?;
    let last = printed.lines().last().unwrap_or_default();
    println!("{last}");
    Ok(last.to_owned())
}
