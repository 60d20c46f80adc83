// SPDX-License-Identifier: Apache-2.0
//! How the command ends: a code for scripts and one line for people.

use crate::gguf_file::GgufError;
use crate::npy_file::NpyError;
use crate::palette::{styled, BAD};
use crate::printable::one_line;
use anstream::AutoStream;
use spanker::{Error, Refused, SAIL_VARIABLE};
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// What went wrong, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The result is not near the reference, or not that of the record.
    Wrong = 1,
    /// The command cannot be understood.
    Usage = 2,
    /// An input file cannot be used.
    Input = 3,
    /// There is no such Sail, or it cannot be opened.
    NoSail = 4,
    /// The Sail refused the work, or failed.
    Device = 5,
    /// The output cannot be written.
    Output = 6,
}

/// All codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  a result is wrong: not near f64 (NMSE above 1e-4), or not as in the record
  2  the command line or an environment variable makes no sense
  3  an input file cannot be used: missing, truncated, wrong type or shape, NaN
  4  there is no such Sail, or it cannot be opened
  5  the Sail refused the work (too large for it, for example) or failed
  6  the output cannot be written";

/// Why the command ends before it is done.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The same, with what else went wrong.
    pub(crate) fn and(self, also: &Self) -> Self {
        Self::new(self.code, format!("{self}; and {also}"))
    }

    /// Says why, in one line on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        // There is nobody to tell if this fails too.
        let mut stderr = AutoStream::auto(io::stderr().lock());
        let _ = writeln!(stderr, "{} {}", styled(BAD, "error:"), one_line(&self.message));
        ExitCode::from(self.code as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<GgufError> for Failure {
    fn from(error: GgufError) -> Self {
        let message = error.to_string();
        Self::new(
            Code::Input,
            match error {
                GgufError::NoSuchTensor { .. }
                | GgufError::NotQ4K { .. }
                | GgufError::NotAMatrix { .. }
                | GgufError::PartialSuperblock { .. } => {
                    format!("{message}; `spanker tensors` lists those that can be used")
                }
                GgufError::Io { .. } | GgufError::Header { .. } | GgufError::TooLarge { .. } => {
                    message
                }
            },
        )
    }
}

impl From<NpyError> for Failure {
    fn from(error: NpyError) -> Self {
        Self::new(Code::Input, error.to_string())
    }
}

impl<W> From<Refused<W>> for Failure {
    fn from(refused: Refused<W>) -> Self {
        refused.error.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::SailName { .. } => Self::new(Code::Usage, format!("{SAIL_VARIABLE}: {message}")),
            Error::Open { .. } | Error::NotASail { .. } => Self::new(
                Code::NoSail,
                format!("{message}; `spanker list` shows the Sails there are, and `--sail soft` needs no card"),
            ),
            Error::Software { source } if source.kind() == io::ErrorKind::InvalidInput => {
                Self::new(Code::Usage, source.to_string())
            }
            Error::Software { .. } | Error::NoSoftware | Error::IncompatibleAbi { .. } => {
                Self::new(Code::NoSail, message)
            }
            _ => Self::new(Code::Device, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_code() {
        for code in
            [Code::Wrong, Code::Usage, Code::Input, Code::NoSail, Code::Device, Code::Output]
        {
            assert!(HELP.contains(&format!("\n  {}  ", code as u8)), "{code:?}");
        }
    }
}
