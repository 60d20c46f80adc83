// SPDX-License-Identifier: Apache-2.0
//! Which Sail is meant.

use crate::control::SpankerControl;
use crate::error::Error;
use std::env::{self, VarError};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The environment variable that says which Sail to use where a program has no
/// opinion.
pub const SAIL_VARIABLE: &str = "SPANKER_SAIL";

/// Which Sail: written `soft`, a card's index, or the path of a node (with a
/// slash in it).
///
/// ```
/// use spanker::SailName;
///
/// assert_eq!("soft".parse::<SailName>()?, SailName::Software);
/// assert_eq!("0".parse::<SailName>()?, SailName::Index(0));
/// assert_eq!("/dev/spanker0".parse::<SailName>()?, SailName::Path("/dev/spanker0".into()));
/// assert!("sfot".parse::<SailName>().is_err());
/// # Ok::<(), spanker::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SailName {
    /// The software Sail.
    Software,
    /// The card with this index.
    Index(u32),
    /// The card with this node.
    Path(PathBuf),
}

impl SailName {
    /// What `SPANKER_SAIL` says; where it is not set, the first card there is,
    /// and without a card the software Sail.
    ///
    /// # Errors
    /// [`Error::SailName`] if the variable names nothing, and what
    /// [`SpankerControl::sails`] answers if the driver is there but does not.
    pub fn from_environment() -> Result<Self, Error> {
        match env::var(SAIL_VARIABLE) {
            Ok(name) if !name.is_empty() => name.parse(),
            Ok(_) | Err(VarError::NotPresent) => Self::first_card(),
            Err(VarError::NotUnicode(name)) => {
                Err(Error::SailName { name: name.to_string_lossy().into_owned() })
            }
        }
    }

    fn first_card() -> Result<Self, Error> {
        let control = match SpankerControl::open() {
            Err(Error::Open { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::Software)
            }
            control => control?,
        };
        let first = control.sails()?.first().copied();
        Ok(first.map_or(Self::Software, Self::Index))
    }
}

impl FromStr for SailName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "soft" => Ok(Self::Software),
            path if path.contains('/') => Ok(Self::Path(PathBuf::from(path))),
            index => index
                .parse()
                .map(Self::Index)
                .map_err(|_| Error::SailName { name: name.to_owned() }),
        }
    }
}

impl fmt::Display for SailName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Software => f.write_str("soft"),
            Self::Index(index) => write!(f, "{index}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}
