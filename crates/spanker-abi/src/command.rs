// SPDX-License-Identifier: Apache-2.0
//! The command line, and what it is answered with.

mod check;
mod comparison;
mod diff;
mod side;
mod snapshot;
mod table;

use clap::{Args, Parser, Subcommand};
use spanker_abi::header::{Header, Reading};
use spanker_abi::report::{self, failure};
use spanker_abi::{Error, Target};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// There is no answer. Everything that is not an answer ends with it.
const COULD_NOT_RUN: u8 = 3;

#[derive(Parser)]
#[command(
    name = "spanker-abi",
    version,
    about = "Tables, snapshots, diffs and a SemVer gate for the ABI of a Linux user API header",
    long_about = "Reads a header with libclang for each target, as its compiler would, and knows \
                  what it promises: layouts, constants, request codes.\n\nExit codes: 0 done, no \
                  change, or all well; 1 breaking; 2 additive; 3 could not run.",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Table(table::Arguments),
    Snapshot(snapshot::Arguments),
    Diff(diff::Arguments),
    Check(check::Arguments),
}

impl Command {
    fn is_for_github(&self) -> bool {
        match self {
            Self::Table(_) | Self::Snapshot(_) => false,
            Self::Diff(arguments) => arguments.options.is_for_github(),
            Self::Check(arguments) => arguments.options.is_for_github(),
        }
    }
}

/// Which targets, and where headers are.
#[derive(Args)]
struct HeaderOptions {
    /// A target such as s390x, or a triple; again for more. [default: those of the snapshot, if
    /// there is one, or else x86_64, i686, aarch64, arm, riscv64, s390x, powerpc64le, mips64el]
    #[arg(long = "target", short = 't', value_name = "TARGET", value_delimiter = ',')]
    targets: Vec<String>,

    /// A directory with headers that the header includes; again for more. <linux/types.h> and
    /// <linux/ioctl.h> are built in. Headers under asm/ must be those of the target.
    #[arg(long = "include", short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,
}

impl HeaderOptions {
    fn read(&self, header: &Path) -> Result<Reading, Error> {
        self.read_for(header, &self.targets()?)
    }

    fn read_for(&self, header: &Path, targets: &[Target]) -> Result<Reading, Error> {
        let header = Header::new(header);
        self.include.iter().fold(header, |header, folder| header.include(folder)).read(targets)
    }

    fn targets(&self) -> Result<Vec<Target>, Error> {
        if self.targets.is_empty() {
            return Ok(Target::defaults());
        }
        self.targets.iter().map(|name| Target::named(name)).collect()
    }
}

/// Runs the command that the process was called with.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own code for a wrong command line means something else here.
            let failed = error.use_stderr() | error.print().is_err();
            return ExitCode::from(if failed { COULD_NOT_RUN } else { 0 });
        }
    };
    let answer = match &cli.command {
        Command::Table(arguments) => table::run(arguments),
        Command::Snapshot(arguments) => snapshot::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Check(arguments) => check::run(arguments),
    };
    match answer {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if cli.command.is_for_github() {
                let _ = print(failure(&error.to_string()));
            }
            let _ = writeln!(io::stderr(), "error: {}", report::visible(&error.to_string()));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Prints an answer. One that could not be given is none.
fn print(text: impl fmt::Display) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|source| Error::File { path: PathBuf::from("standard output"), source })
}
