// SPDX-License-Identifier: Apache-2.0
//! What `diff` and `check` have in common: two sides, the macros that say the
//! version, and a report.

use super::side::{read_both, Side};
use super::{print, HeaderOptions};
use clap::{Args, ValueEnum};
use spanker_abi::check::{versions, Verdict};
use spanker_abi::diff::{diff, Change};
use spanker_abi::header::Reading;
use spanker_abi::report::{annotations, Report};
use spanker_abi::version::{Scheme, Version};
use spanker_abi::Error;
use std::collections::BTreeSet;
use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    header: HeaderOptions,

    /// The macros that say the version: PREFIX_MAJOR with PREFIX_MINOR, or PREFIX itself. Of one
    /// number, PREFIX:kernel reads major << 16, minor << 8, patch, PREFIX:halves major << 16, minor,
    /// and PREFIX:counter that it only increases, as it does below 65536 anyway. Without this no
    /// bump can be seen.
    #[arg(long, value_name = "PREFIX")]
    version_macros: Option<Scheme>,

    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How changes are shown.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For programs
    Json,
    /// A table
    Markdown,
    /// Annotations of lines, and a step's summary, in the file that GITHUB_STEP_SUMMARY names or
    /// else behind them
    Github,
}

/// What was found between two sides.
pub(super) struct Comparison<'a> {
    options: &'a Options,
    new: Reading,
    pub(super) changes: Vec<Change>,
    targets: BTreeSet<String>,
    /// Of both sides, where macros were named.
    pub(super) versions: Option<(Version, Version)>,
}

impl Options {
    /// Whether a runner reads what is printed.
    pub(super) fn is_for_github(&self) -> bool {
        matches!(self.format, Format::Github) && !self.json
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn of(old: Side, new: Side, options: &'a Options) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Request(error.to_string());
        let (old, new) = read_both(old, new, &options.header)?;
        let scheme = options.version_macros.as_ref();
        let changes = diff(&old.abi, &new.abi, scheme).map_err(|error| failed(&error))?;
        let versions = scheme.map(|scheme| versions(&old.abi, &new.abi, scheme)).transpose();
        let versions = versions.map_err(|error| failed(&error))?;
        let targets = old.abi.targets.keys().chain(new.abi.targets.keys()).cloned().collect();
        Ok(Self { options, new, changes, targets, versions })
    }

    /// Prints the report on the files of these names.
    pub(super) fn report(
        &self,
        old: &Path,
        new: &Path,
        verdict: Option<&Verdict>,
    ) -> Result<(), Error> {
        let report = Report {
            old: &old.display().to_string(),
            new: &new.display().to_string(),
            changes: &self.changes,
            targets: &self.targets,
            version: self.versions.map(|(old, _)| old),
            verdict,
        };
        let format = if self.options.json { Format::Json } else { self.options.format };
        match format {
            Format::Text => print(report.text()),
            Format::Json => print(format_args!("{:#}\n", report.json())),
            Format::Markdown => print(report.markdown()),
            Format::Github => {
                print(annotations(&report, new, &self.new))?;
                match env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) {
                    Some(file) => {
                        append(&PathBuf::from(file), &report.markdown())?;
                        print(no_commands(&report.text()))
                    }
                    None => print(report.markdown()),
                }
            }
        }
    }
}

/// Text in which the runner finds no command of a header's author.
fn no_commands(text: &str) -> String {
    text.replace("::", ": :").replace("##[", "# #[")
}

fn append(path: &Path, text: &str) -> Result<(), Error> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| Error::File { path: path.to_owned(), source })
}
