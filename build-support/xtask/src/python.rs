// SPDX-License-Identifier: Apache-2.0
//! Tools from PyPI, each in a virtual environment of its own.

use crate::repository;
use crate::run::{command, run};
use std::path::PathBuf;

/// The program of this name and version, installed unless it is there already.
pub(crate) fn tool(name: &str, version: &str) -> Result<PathBuf, String> {
    let environment = repository().join(format!("target/tools/{name}-{version}"));
    let program = environment.join("bin").join(name);
    if !program.exists() {
        let environment = environment.to_string_lossy();
        run(&mut command("python3", &["-m", "venv", &environment]))?;
        run(&mut command(
            &format!("{environment}/bin/pip"),
            &["install", "--quiet", "--disable-pip-version-check", &format!("{name}=={version}")],
        ))?;
    }
    Ok(program)
}
