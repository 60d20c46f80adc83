// SPDX-License-Identifier: Apache-2.0
//! `spanker version`: what speaks to what.

use crate::arguments::VersionArguments;
use crate::exit::Failure;
use crate::report;
use crate::table::Table;
use serde::Serialize;
use spanker::{AbiVersion, Error, Sail, SailName};
use spanker_sys::ORIGIN;
use std::fmt;

pub(crate) fn run(arguments: &VersionArguments) -> Result<(), Failure> {
    let mut report = VersionReport {
        command: env!("CARGO_PKG_VERSION"),
        library_abi: AbiVersion::LIBRARY.to_string(),
        mirror: ORIGIN,
        sail: None,
        node: None,
        device_abi: None,
        compatible: None,
    };
    let asked = report.ask(arguments.sail.name.as_ref());
    // What is known is shown even if there is no Sail to ask.
    report::print(&report, arguments.output.json)?;
    asked.map_err(Failure::from)
}

#[derive(Debug, Serialize)]
struct VersionReport {
    command: &'static str,
    library_abi: String,
    mirror: &'static str,
    sail: Option<String>,
    node: Option<String>,
    device_abi: Option<String>,
    compatible: Option<bool>,
}

impl VersionReport {
    /// Fills in what the Sail has to say.
    fn ask(&mut self, name: Option<&SailName>) -> Result<(), Error> {
        let name = match name {
            Some(name) => name.clone(),
            None => SailName::from_environment()?,
        };
        self.sail = Some(name.to_string());
        match Sail::open_named(&name) {
            Ok(sail) => {
                self.node = sail.path().map(|path| path.display().to_string());
                self.device_abi = Some(sail.version().to_string());
                self.compatible = Some(true);
                Ok(())
            }
            Err(error) => {
                if let Error::IncompatibleAbi { path, device, .. } = &error {
                    self.node = Some(path.display().to_string());
                    self.device_abi = Some(device.to_string());
                    self.compatible = Some(false);
                }
                Err(error)
            }
        }
    }
}

impl fmt::Display for VersionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirror = match self.mirror {
            "bindgen" => "generated from the header when this was built (bindgen)",
            _ => "the committed mirror of the header",
        };
        let sail =
            self.sail.as_deref().map_or("of a Sail".to_owned(), |sail| format!("of Sail {sail}"));
        let abi = match (&self.device_abi, self.compatible) {
            (Some(abi), Some(true)) => abi.clone(),
            (Some(abi), _) => format!("{abi}, which this command does not speak"),
            (None, _) => "unknown".to_owned(),
        };
        let mut table = Table::default();
        table
            .row([&"spanker", &self.command])
            .row([&"ABI of the library", &self.library_abi])
            .row([&"its source", &mirror])
            .row([&format!("ABI {sail}"), &abi]);
        write!(f, "{table}")
    }
}
