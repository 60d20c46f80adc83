// SPDX-License-Identifier: Apache-2.0
//! Reads a header: clang says what it is on each target.
//!
//! Each target takes two looks. The first compiles the header as it stands,
//! lists the macros and enumerators it has, and is where its errors come from.
//! The second compiles the header and, behind it, one declaration for each of
//! these names, so that it is clang that evaluates them, `sizeof` and all.

mod guard;
mod include_path;
mod inventory;
mod layout;
mod marker;
mod probe;
mod values;
mod warnings;

use crate::error::Error;
use crate::model::{Abi, Facts};
use crate::target::Target;
use clang::diagnostic::Severity;
use clang::{Clang, Index, Parser, TranslationUnit, Unsaved};
use include_path::IncludePath;
use inventory::Inventory;
use layout::Layouts;
use probe::Probe;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A header and where what it includes is found.
#[derive(Debug, Clone)]
pub struct Header {
    path: PathBuf,
    include: Vec<PathBuf>,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The facts.
    pub abi: Abi,
    /// Where an item is declared. Lines say nothing about the ABI, so they are
    /// no facts.
    pub places: BTreeMap<String, Place>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// There can be one user of libclang in a process.
static CLANG: Mutex<()> = Mutex::new(());

impl Header {
    /// The header at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), include: Vec::new() }
    }

    /// Adds a directory with what it includes. `<linux/types.h>`,
    /// `<linux/ioctl.h>` and the few headers below them are built in, so that
    /// the facts do not depend on the kernel headers of this machine; for all
    /// else these directories come before the machine's.
    #[must_use]
    pub fn include(mut self, directory: impl Into<PathBuf>) -> Self {
        self.include.push(directory.into());
        self
    }

    /// The facts of this header on each of these targets: of what it declares,
    /// of what files that it includes in quotes declare, and of the types that
    /// these use.
    ///
    /// # Errors
    /// [`Error::NoClang`], [`Error::Compiler`] with what clang said,
    /// [`Error::File`], and [`Error::Request`] where there is no target.
    pub fn read(&self, targets: &[Target]) -> Result<Reading, Error> {
        if targets.is_empty() {
            return Err(Error::Request("no target was named".to_owned()));
        }
        let path = absolute(&self.path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.can_be_read(&path)?;
        let include_path = IncludePath::new(&self.include)?;

        let _one = CLANG.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Says why it cannot be loaded as often as it is asked; `Clang::new`
        // only the first time.
        clang_sys::load().map_err(Error::NoClang)?;
        let clang = Clang::new().map_err(Error::NoClang)?;
        let index = Index::new(&clang, false, false);
        let mut reading =
            Reading { abi: Abi { header: name, ..Abi::default() }, places: BTreeMap::new() };
        for target in targets {
            let look =
                Look { header: &self.path, path: &path, target, include_path: &include_path };
            let facts = look.facts(&index, &mut reading.places)?;
            reading.abi.targets.insert(target.name().to_owned(), facts);
        }
        Ok(reading)
    }

    /// Says what clang would say otherwise, or not at all.
    fn can_be_read(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::File { path: self.path.clone(), source };
        let refused = |why| Error::Request(format!("{:?}: {why}", self.path));
        if !fs::metadata(path).map_err(failed)?.is_file() {
            // It is read more than once.
            return Err(refused("it is no regular file; copy its contents to one"));
        }
        match path.to_str() {
            Some(path) if !path.contains(['"', '\n', '\\']) => Ok(()),
            _ => Err(refused("clang cannot be told of a path like this; copy it to another")),
        }?;
        fs::File::open(path).map_err(failed).map(drop)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let here =
        env::current_dir().map_err(|source| Error::File { path: PathBuf::from("."), source })?;
    Ok(here.join(path))
}

/// One header for one target.
struct Look<'a> {
    header: &'a Path,
    path: &'a Path,
    target: &'a Target,
    include_path: &'a IncludePath,
}

impl Look<'_> {
    fn facts(
        &self,
        index: &Index<'_>,
        places: &mut BTreeMap<String, Place>,
    ) -> Result<Facts, Error> {
        let mut arguments = self.include_path.arguments(self.target);
        let plain = self.parse(index.parser(self.path).arguments(&arguments))?;
        let mut messages: Vec<String> =
            errors(&plain).into_iter().map(|error| error.message).collect();
        messages.extend(warnings::that_matter(&plain));
        if !messages.is_empty() {
            return Err(self.rejected(messages));
        }
        let inventory = Inventory::take(&plain, self.path);

        let probe = Probe::new(&inventory);
        arguments.extend(["-include".to_owned(), self.path.to_string_lossy().into_owned()]);
        let file = self.include_path.probe_file();
        let unsaved = [Unsaved::new(&file, probe.text())];
        let probed = self.parse(index.parser(&file).arguments(&arguments).unsaved(&unsaved))?;
        let mut layouts = Layouts::new(places);
        let values = values::read(&probed, &probe, &mut layouts)
            .map_err(|message| self.rejected(vec![message]))?;
        layouts.declared_in(&probed, &inventory);
        let mut facts = layouts.finish();
        values.join(&mut facts, &inventory, places);
        if facts == Facts::default() {
            let message = "it declares nothing here: is its guard, or a macro it asks for, wrong?";
            return Err(self.rejected(vec![message.to_owned()]));
        }
        Ok(facts)
    }

    fn parse<'i>(&self, parser: &mut Parser<'i>) -> Result<TranslationUnit<'i>, Error> {
        parser
            .detailed_preprocessing_record(true)
            .parse()
            .map_err(|error| self.rejected(vec![format!("clang failed: {error}")]))
    }

    fn rejected(&self, messages: Vec<String>) -> Error {
        Error::Compiler {
            header: self.header.to_owned(),
            target: self.target.name().to_owned(),
            messages,
        }
    }
}

/// An error that clang found.
struct CompilerError {
    file: Option<PathBuf>,
    line: u32,
    message: String,
}

fn errors(unit: &TranslationUnit<'_>) -> Vec<CompilerError> {
    let diagnostics = unit.get_diagnostics();
    let errors =
        diagnostics.iter().filter(|diagnostic| diagnostic.get_severity() >= Severity::Error);
    errors
        .map(|diagnostic| {
            let location = diagnostic.get_location().get_expansion_location();
            CompilerError {
                file: location.file.map(|file| file.get_path()),
                line: location.line,
                message: diagnostic.formatter().format(),
            }
        })
        .collect()
}
