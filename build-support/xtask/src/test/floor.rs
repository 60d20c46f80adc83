// SPDX-License-Identifier: Apache-2.0
//! The library crates keep to the Rust that they declare, as far as that can
//! be told without it: an older Rust than the pinned one runs their tests, and
//! none of their dependencies declares a newer one than they do.

mod dependencies;

use super::packages::{LIBRARIES, READER};
use crate::old_rust;
use crate::run::{cargo, json, run};
use std::fs;

pub(super) fn floor() -> Result<(), String> {
    let lock = crate::repository().join("Cargo.lock");
    let text = fs::read_to_string(&lock).map_err(|e| format!("{}: {e}", lock.display()))?;
    if !text.lines().any(|line| line == "version = 3") {
        return Err("Cargo.lock is not of version 3, and Rust 1.75 reads no newer one: set its \
                    `version = ` back to 3"
            .to_owned());
    }
    // They are of Linux: what is only for other systems is never compiled.
    let metadata = json(&mut cargo(
        "metadata --locked --all-features --format-version 1 --filter-platform \
         x86_64-unknown-linux-gnu",
    ))?;
    dependencies::check(&metadata, &[&LIBRARIES[..], &[READER]].concat())?;

    let compiler = old_rust::old(&[])?;
    let libraries = LIBRARIES.map(|library| format!("--package {library}")).join(" ");
    for words in [
        format!("{libraries} --all-features"),
        format!("{libraries} --no-default-features --features spanker/soft"),
        // The examples in the documentation need the software Sail.
        "--package spanker --no-default-features --lib --tests".to_owned(),
    ] {
        let mut test = cargo(&format!("test --locked --target-dir target/floor/build {words}"));
        run(test.env("RUSTC", &compiler.rustc).env("RUSTDOC", &compiler.rustdoc))?;
    }
    let check = "check --locked --target-dir target/floor/build --all-features --package";
    run(cargo(check).arg(READER).env("RUSTC", &compiler.rustc))
}
