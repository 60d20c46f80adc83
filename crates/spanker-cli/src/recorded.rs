// SPDX-License-Identifier: Apache-2.0
//! `--record`: what a command does with its Sail, written down.

use crate::exit::{Code, Failure};
use crate::output_file::{OutputFile, UnfinishedFile};
use spanker::{Error, Recorder, Sail};
use std::ops::Deref;
use std::path::Path;

/// Makes sure that a record can be written to `path`, if one is asked for. It
/// must be none of `others`, which are files and what to call them.
///
/// # Errors
/// If it cannot, or is one of them.
pub(crate) fn prepare(
    path: Option<&Path>,
    others: &[(&Path, &str)],
) -> Result<Option<OutputFile>, Failure> {
    path.map(|path| OutputFile::prepare("--record", path, others)).transpose()
}

/// A Sail to work on, recorded or not.
#[derive(Debug)]
pub(crate) enum MaybeRecorded {
    Not(Sail),
    Recorded { sail: Recorder, record: UnfinishedFile },
}

impl MaybeRecorded {
    /// Begins the record, if there is to be one. The Sail has done nothing yet.
    ///
    /// # Errors
    /// If its file cannot be opened.
    pub(crate) fn begin(sail: Sail, record: Option<OutputFile>) -> Result<Self, Failure> {
        let Some(record) = record else {
            return Ok(Self::Not(sail));
        };
        let record = record.begin()?;
        let sail = Recorder::new(sail, record.file()?)?;
        Ok(Self::Recorded { sail, record })
    }

    /// Ends the record; `outcome` is that of the work. Where the Sail has failed
    /// the record is kept, because it shows how. Where something else has, there
    /// is none.
    ///
    /// # Errors
    /// That of the work, and if not all of the record can be written.
    pub(crate) fn finish<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let Self::Recorded { sail, record } = self else {
            return outcome;
        };
        if outcome.as_ref().is_err_and(|failure| failure.code() != Code::Device) {
            return outcome;
        }
        let written = match sail.finish() {
            Ok(_) => record.finish(),
            Err(Error::Record { source }) => Err(record.failure(&source)),
            Err(error) => Err(error.into()),
        };
        match (outcome, written) {
            (Ok(value), written) => written.map(|()| value),
            (Err(failure), Ok(())) => Err(failure),
            (Err(failure), Err(also)) => Err(failure.and(&also)),
        }
    }
}

impl Deref for MaybeRecorded {
    type Target = Sail;

    fn deref(&self) -> &Sail {
        match self {
            Self::Not(sail) => sail,
            Self::Recorded { sail, .. } => sail,
        }
    }
}
