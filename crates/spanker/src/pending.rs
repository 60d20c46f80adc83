// SPDX-License-Identifier: Apache-2.0
//! Work that is in flight.

#[cfg(feature = "tokio")]
mod future;

use crate::error::Error;
use crate::open::{Open, NEVER};
use crate::work::{Results, Submitted};
use nix::time::{clock_gettime, ClockId};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

/// A submitted batch. It owns what the device writes and hands it back when the
/// batch has completed.
///
/// Dropping it does not stop the work: the results are then thrown away, and
/// their memory is given back when the device is done with it. If it is leaked
/// (`std::mem::forget`), the Sail stays open and keeps that memory. Neither is
/// unsound.
#[derive(Debug)]
#[must_use = "results are handed back by `wait`"]
pub struct Pending<T> {
    open: Arc<Open>,
    /// The first of its batches, if it takes several.
    first: u64,
    seqno: u64,
    /// None once they have been handed out.
    results: Option<T>,
    /// Why not all of the work was accepted.
    failure: Option<Box<Error>>,
    /// It has been polled as a future, and is to be woken.
    #[cfg(feature = "tokio")]
    awaited: bool,
}

/// Whether work has completed.
#[derive(Debug)]
#[must_use]
pub enum Progress<T> {
    /// It has; these are the results.
    Done(T),
    /// It has not; wait on.
    NotYet(Pending<T>),
}

impl<T> Progress<T> {
    /// The results, if the work has completed; else it goes on, and its results
    /// are thrown away.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(results) => Some(results),
            Self::NotYet(_) => None,
        }
    }
}

impl<T> Pending<T> {
    pub(crate) fn new(open: Arc<Open>, submitted: Submitted, results: T) -> Self {
        Self {
            open,
            first: submitted.first,
            seqno: submitted.seqno,
            results: Some(results),
            failure: submitted.failure,
            #[cfg(feature = "tokio")]
            awaited: false,
        }
    }

    /// The place of the batch on its Sail's timeline: 1 for the first. Batches
    /// complete in this order.
    pub fn seqno(&self) -> u64 {
        self.seqno
    }
}

impl<T: Results> Pending<T> {
    /// Blocks until the batch has completed. On the software Sail, the waiting
    /// thread helps with the work.
    ///
    /// # Errors
    /// [`Error::Fault`] if an op of it failed, [`Error::Cancelled`] if one of an
    /// earlier batch did, [`Error::Request`] with ENODEV if the card went away.
    /// The results are lost then.
    pub fn wait(mut self) -> Result<T, Error> {
        self.open.wait(self.first, self.seqno, NEVER)?;
        self.hand_out()
    }

    /// Blocks until the batch has completed, but no longer than `timeout`.
    ///
    /// # Errors
    /// As [`wait`](Self::wait). That the time is up is not an error.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Progress<T>, Error> {
        let deadline_ns = deadline_ns(timeout);
        self.wait_until(deadline_ns)
    }

    /// Whether the batch has completed, without blocking.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_wait(self) -> Result<Progress<T>, Error> {
        self.wait_until(0)
    }

    fn wait_until(mut self, deadline_ns: i64) -> Result<Progress<T>, Error> {
        Ok(if self.open.wait(self.first, self.seqno, deadline_ns)? {
            Progress::Done(self.hand_out()?)
        } else {
            Progress::NotYet(self)
        })
    }

    /// The results of a batch that has completed.
    fn hand_out(&mut self) -> Result<T, Error> {
        let results = self.results.take().ok_or(Error::ResultsTaken { seqno: self.seqno })?;
        if let Some(failure) = self.failure.take() {
            return Err(*failure);
        }
        self.open.record_results(self.seqno, &results);
        Ok(results)
    }
}

/// The descriptor of the Sail, for event loops: see
/// [`Sail::completed`](crate::Sail::completed).
impl<T> AsFd for Pending<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.open.node.as_fd()
    }
}

/// The time on CLOCK_MONOTONIC that `timeout` from now is, in ns. What is
/// further away than the clock goes is never.
fn deadline_ns(timeout: Duration) -> i64 {
    let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else {
        // The clock exists on every Linux.
        return 0;
    };
    Duration::from(now)
        .checked_add(timeout)
        .and_then(|deadline| i64::try_from(deadline.as_nanos()).ok())
        .unwrap_or(NEVER)
}
