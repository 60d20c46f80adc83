// SPDX-License-Identifier: Apache-2.0
//! The Sail that a command works with.

use crate::exit::{Code, Failure};
use spanker::{Error, Sail, SailName};
use spanker_soft::{Config, Machine};
use std::num::NonZeroUsize;

/// An open Sail, and what it was asked for by.
#[derive(Debug)]
pub(crate) struct ChosenSail {
    pub(crate) sail: Sail,
    pub(crate) name: SailName,
}

impl ChosenSail {
    /// Opens the Sail called `name`, or else the one the environment names.
    /// `threads` is how many threads a software Sail computes with.
    ///
    /// # Errors
    /// If there is none, it cannot be opened, or `threads` is given for a card.
    pub(crate) fn open(
        name: Option<&SailName>,
        threads: Option<NonZeroUsize>,
    ) -> Result<Self, Failure> {
        let name = match name {
            Some(name) => name.clone(),
            None => SailName::from_environment()?,
        };
        let sail = match (threads, &name) {
            (None, name) => Sail::open_named(name)?,
            (Some(threads), SailName::Software) => software(threads)?,
            (Some(_), card) => {
                return Err(Failure::new(
                    Code::Usage,
                    format!(
                        "--threads is for the software Sail, and Sail {card} is a card: leave it \
                         out, or add --sail soft"
                    ),
                ))
            }
        };
        Ok(Self { sail, name })
    }
}

/// A software Sail of its own, with this many threads, and all else as the
/// environment says.
fn software(threads: NonZeroUsize) -> Result<Sail, Error> {
    let machine = Config::from_environment()
        .and_then(|config| Machine::new(Config { threads: Some(threads), ..config }))
        .map_err(|source| Error::Software { source })?;
    Sail::on_machine(&machine, 0)
}
