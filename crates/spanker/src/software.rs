// SPDX-License-Identifier: Apache-2.0
//! The software machine that all of a process shares.

use crate::error::Error;
use spanker_soft::{Config, Machine};
use std::sync::{Mutex, PoisonError};

static MACHINE: Mutex<Option<Machine>> = Mutex::new(None);

/// The machine, made when it is first asked for.
pub(crate) fn machine() -> Result<Machine, Error> {
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(machine) = &*machine {
        return Ok(machine.clone());
    }
    let made = Config::from_environment()
        .and_then(Machine::new)
        .map_err(|source| Error::Software { source })?;
    Ok(machine.insert(made).clone())
}
