// SPDX-License-Identifier: Apache-2.0
//! The block formats and type numbers of the header are ggml's, by the C compiler
//! over ggml's own headers.

use crate::repository;
use crate::run::{cargo, command, run};

pub(super) fn ggml() -> Result<(), String> {
    let headers = repository().join("target/ggml");
    run(command("python3", &["build-support/ggml/fetch_headers.py"]).arg(&headers))?;
    // Without the headers the test is ignored; here it must not be.
    let test = "test --package spanker-layout-tests --test facts -- --include-ignored --exact";
    run(cargo(test).arg("block_formats_are_those_of_ggml").env("GGML_HEADERS", &headers))
}
