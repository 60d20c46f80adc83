// SPDX-License-Identifier: Apache-2.0
//! Why there is no answer. None of these is an answer: a gate that meets one
//! has not passed.

use crate::target::Target;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why facts could not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// libclang is not on this machine, or not usable.
    NoClang(String),
    /// The compiler did not accept the header.
    Compiler {
        /// The header.
        header: PathBuf,
        /// The target it was compiled for.
        target: String,
        /// What clang said, line by line.
        messages: Vec<String>,
    },
    /// A file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No target has this name.
    Target(String),
    /// A snapshot is not one, or not one that this version reads.
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// What was asked for cannot be answered.
    Request(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClang(why) => write!(
                f,
                "libclang was not found: install it (Debian and Ubuntu: `apt-get install \
                 libclang-dev`, Fedora: `dnf install clang-devel`), or set LIBCLANG_PATH to its \
                 directory ({why})"
            ),
            Self::Compiler { header, target, messages } => {
                write!(f, "clang does not accept {} for {target}:", header.display())?;
                for message in messages {
                    write!(f, "\n  {message}")?;
                }
                if messages.iter().any(|message| message.contains("file not found")) {
                    f.write_str(
                        "\n  --include DIR adds a directory with what is missing; headers under asm/ \
                         must be those of the target; --target leaves targets out that do not have \
                         it",
                    )?;
                }
                Ok(())
            }
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Target(name) => {
                let known: Vec<String> = Target::known().map(|known| known.to_string()).collect();
                write!(
                    f,
                    "there is no target `{name}`: use one of {}, or a triple such as \
                     s390x-linux-gnu",
                    known.join(", ")
                )
            }
            Self::Snapshot { path, message } => write!(f, "{}: {message}", path.display()),
            Self::Request(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
