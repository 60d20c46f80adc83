// SPDX-License-Identifier: Apache-2.0
//! How the command ends: a code for scripts and one line for people.

use crate::gguf_file::GgufError;
use crate::npy_file::NpyError;
use spanker::{Error, Refused, SAIL_VARIABLE};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// What went wrong, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The result is not near the reference.
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
  1  the result was computed, but is not near the f64 reference (NMSE above 1e-4)
  2  the command line or an environment variable makes no sense
  3  an input file cannot be used: missing, truncated, wrong type, wrong shape, NaN
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

    /// Says why, in one line on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        // There is nobody to tell if this fails too.
        let _ = writeln!(io::stderr(), "error: {}", one_line(&self.message));
        ExitCode::from(self.code as u8)
    }
}

/// File names can hold anything: line ends and control characters are escaped.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            let _ = write!(line, "{}", char.escape_default());
        } else {
            line.push(char);
        }
    }
    line
}

impl From<GgufError> for Failure {
    fn from(error: GgufError) -> Self {
        Self::new(Code::Input, error.to_string())
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

    #[test]
    fn a_message_is_one_line_whatever_a_file_is_called() {
        assert_eq!(one_line("a\nb\x1b[2Jc ×"), "a\\nb\\u{1b}[2Jc ×");
    }
}
