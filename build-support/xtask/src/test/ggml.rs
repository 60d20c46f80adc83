// SPDX-License-Identifier: Apache-2.0
//! The block formats and type numbers of the header are ggml's, by the C compiler
//! over ggml's own headers.

use crate::repository;
use crate::run::{cargo, command, run};
use std::path::PathBuf;

/// Tells the layout tests where ggml's headers are; without it, the test that
/// needs them is skipped.
pub(super) const HEADERS: &str = "GGML_HEADERS";

/// The folder with ggml's headers, fetched unless they are there already.
pub(super) fn headers() -> Result<PathBuf, String> {
    let folder = repository().join("target/ggml");
    run(command("python3", &["build-support/ggml/fetch_headers.py"]).arg(&folder))?;
    Ok(folder)
}

pub(super) fn ggml() -> Result<(), String> {
    // Should the headers get lost on the way, this fails and is not skipped.
    let test = "test --package spanker-layout-tests --test facts -- --include-ignored --exact";
    run(cargo(test).arg("block_formats_are_those_of_ggml").env(HEADERS, headers()?))
}
