// SPDX-License-Identifier: Apache-2.0
//! Work that was not accepted.

use crate::error::Error;
use std::fmt;

/// Work that was not accepted: why, and the work itself, nothing of which has
/// run. In a function that returns [`Error`] or a boxed error, `?` turns it into
/// the [`Error`] alone; for other error types use
/// `.map_err(spanker::Error::from)?`.
pub struct Refused<W> {
    /// Why.
    pub error: Error,
    /// What was to be submitted.
    pub work: W,
}

impl<W> From<Refused<W>> for Error {
    fn from(refused: Refused<W>) -> Self {
        refused.error
    }
}

// Not by being an error itself: it may hold borrowed work, which no boxed error
// can.
impl<W> From<Refused<W>> for Box<dyn std::error::Error> {
    fn from(refused: Refused<W>) -> Self {
        refused.error.into()
    }
}

impl<W> From<Refused<W>> for Box<dyn std::error::Error + Send + Sync> {
    fn from(refused: Refused<W>) -> Self {
        refused.error.into()
    }
}

impl<W> fmt::Debug for Refused<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<W> fmt::Display for Refused<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
