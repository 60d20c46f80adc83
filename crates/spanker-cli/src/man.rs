// SPDX-License-Identifier: Apache-2.0
//! `spanker man`: what `--help` says, as manual pages.

use crate::arguments::{heading, Arguments, ManArguments};
use crate::exit::{Code, Failure};
use crate::output_file::OutputFile;
use crate::report;
use clap::{Command, CommandFactory};
use clap_mangen::roff::{roman, Inline, Roff};
use clap_mangen::Man;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub(crate) fn run(arguments: &ManArguments) -> Result<(), Failure> {
    // `spanker help` is not worth a page.
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    match &arguments.output {
        None => report::print_text(&page(&command).map_err(|error| cannot_make(&error))?),
        Some(folder) => write_all(&command, folder),
    }
}

/// Writes the page of `command` and those of its subcommands.
fn write_all(command: &Command, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        Failure::new(Code::Output, format!("cannot make {}: {error}", folder.display()))
    })?;
    for command in std::iter::once(command).chain(command.get_subcommands()) {
        let text = page(command).map_err(|error| cannot_make(&error))?;
        let path = folder.join(Man::new(command.clone()).get_filename());
        OutputFile::prepare("--output", &path, &[])?
            .write(|mut file| file.write_all(text.as_bytes()))?;
    }
    Ok(())
}

fn cannot_make(error: &io::Error) -> Failure {
    Failure::new(Code::Output, format!("cannot make a manual page: {error}"))
}

/// In roff. What follows the options has lines of its own, which must stay.
fn page(command: &Command) -> io::Result<String> {
    let source = concat!("spanker ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("Spanker");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for section in after.split("\n\n") {
        let (name, text) = heading(section).unwrap_or(("Notes", section));
        let mut roff = Roff::new();
        roff.control("SH", [name.to_uppercase().as_str()]);
        if text.starts_with('\n') {
            roff.control("nf", []);
            roff.text(lines(text.trim_start_matches('\n')));
            roff.control("fi", []);
        } else {
            roff.text(lines(text.trim_start()));
        }
        roff.to_writer(&mut page)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn lines(text: &str) -> Vec<Inline> {
    text.split_inclusive('\n').map(roman).collect()
}
