// SPDX-License-Identifier: Apache-2.0
//! The command lines of what is installed beside the command.

use super::sections;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker completions bash > ~/.local/share/bash-completion/completions/spanker
  spanker completions zsh > ~/.zfunc/_spanker      with ~/.zfunc in fpath
  spanker completions fish > ~/.config/fish/completions/spanker.fish"
))]
pub(crate) struct CompletionsArguments {
    /// The shell that reads them
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker man | man -l -
  spanker man --output ~/.local/share/man/man1"
))]
pub(crate) struct ManArguments {
    /// The folder for all pages, spanker.1 and one for each command; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
