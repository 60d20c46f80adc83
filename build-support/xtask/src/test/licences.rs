// SPDX-License-Identifier: Apache-2.0
//! Every file says under which licence it is, and the text of each is here.

use crate::python;
use crate::run::{command, run};

pub(super) fn licences() -> Result<(), String> {
    let reuse = python::tool("reuse", "6.2.0")?;
    run(&mut command(&reuse.to_string_lossy(), &["lint", "--lines"])).map_err(|message| {
        format!(
            "{message}\nbegin the file with an SPDX line, as the others do, or name a file that \
             cannot carry one in REUSE.toml"
        )
    })
}
