// SPDX-License-Identifier: Apache-2.0
//! The command line.

mod models;
mod options;
mod products;
mod records;
mod sails;
mod shell;

pub(crate) use models::{ExtractArguments, TensorsArguments};
pub(crate) use options::TensorOptions;
pub(crate) use products::{DemoArguments, MatmulArguments};
pub(crate) use records::ReplayArguments;
pub(crate) use sails::{
    DoctorArguments, InfoArguments, ListArguments, PingArguments, VersionArguments,
};
pub(crate) use shell::{CompletionsArguments, ManArguments};

use crate::exit;
use crate::printable::paragraph;
use clap::builder::StyledStr;
use clap::{Parser, Subcommand};
use std::fmt::Write as _;

/// Columns of `--help`, on a terminal of any size and in a file.
const WIDTH: usize = 80;

/// What was asked for.
#[derive(Debug, Parser)]
#[command(
    name = "spanker",
    version,
    term_width = WIDTH,
    about = "See what Sails there are, and multiply int4 matrices on them",
    after_help = sections(
        "Examples:
  spanker demo                    a layer of a language model, run and checked
  spanker list                    the Sails there are
  spanker doctor                  whether programs get one here, and why not
  spanker tensors model.gguf      what there is to multiply with
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight --verify
  spanker replay work.jsonl       what was recorded, run again and compared

Environment:
  SPANKER_SAIL          the Sail, where no --sail names one
  SPANKER_SOFT_THREADS  threads of the software Sail
  SPANKER_SOFT_FAULTS   what is to go wrong on it, on purpose, as in
                        \"batch#5; WAIT%1=EINTR\"; `spanker doctor` checks it

Without --sail, commands use the Sail that the environment variable SPANKER_SAIL
names, else the first card, else the software Sail, which is always there. demo
uses the software Sail, whatever SPANKER_SAIL says.",
    )
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArguments),
    List(ListArguments),
    Info(InfoArguments),
    Ping(PingArguments),
    Version(VersionArguments),
    Doctor(DoctorArguments),
    Tensors(TensorsArguments),
    Extract(ExtractArguments),
    Matmul(MatmulArguments),
    Replay(ReplayArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
}

/// What follows the options in `--help`: these sections, then the exit codes,
/// with headings like those that clap writes.
fn sections(text: &str) -> StyledStr {
    let style = *clap::builder::Styles::styled().get_header();
    let mut help = StyledStr::new();
    let mut separator = "";
    for section in text.split("\n\n").chain([exit::HELP]) {
        // Writing to memory does not fail.
        let _ = match heading(section) {
            Some((name, rows)) if rows.starts_with('\n') => {
                write!(help, "{separator}{style}{name}:{style:#}{rows}")
            }
            _ => {
                // clap breaks lines badly that have line ends of their own.
                let lines: Vec<&str> = section.lines().collect();
                write!(help, "{separator}{}", paragraph(&lines.join(" "), "", ""))
            }
        };
        separator = "\n\n";
    }
    help
}

/// The heading of a section of help, and what is below or beside it.
pub(crate) fn heading(section: &str) -> Option<(&str, &str)> {
    section.split_once(':').filter(|(name, _)| !name.contains('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommand_shows_examples_and_exit_codes() {
        let mut command = Arguments::command();
        for subcommand in command.get_subcommands_mut() {
            let help = subcommand.render_long_help().to_string();
            let name = subcommand.get_name().to_owned();
            assert!(help.contains(&format!("Examples:\n  spanker {name}")), "{help}");
            assert!(help.contains(exit::HELP), "{help}");
            let tells = !["completions", "man"].contains(&name.as_str());
            assert_eq!(help.contains("Fields of --json: "), tells, "{help}");
        }
    }
}
