// SPDX-License-Identifier: Apache-2.0
//! What can be submitted, and what comes of it when the card refuses.

use crate::element::{Activation, F32};
use crate::error::{Error, Request};
use crate::info::type_name;
use crate::matmul::Matmul;
use crate::matrix::Matrix;
use crate::open::Open;
use crate::sail::Sail;
use nix::errno::Errno;
use spanker_sys::*;
use std::fmt;
use std::slice;

pub(crate) mod sealed {
    /// Keeps [`Work`](super::Work) to what this crate knows how to submit.
    #[allow(unreachable_pub)]
    pub trait Sealed {}
}

/// What can be submitted: a [`Matmul`] or [`Copy`](crate::Copy) by itself, or a
/// [`Batch`](crate::Batch).
pub trait Work: sealed::Sealed + Sized {
    /// What comes back when it has completed.
    type Results;

    /// Submits it; returns its seqno.
    #[doc(hidden)]
    fn submit_to(&self, sail: &Sail) -> Result<u64, Error>;

    /// What is kept while it is in flight.
    #[doc(hidden)]
    fn into_results(self) -> Self::Results;
}

impl<A: Activation> sealed::Sealed for Matmul<'_, A> {}
impl<A: Activation> Work for Matmul<'_, A> {
    type Results = Matrix<F32>;

    fn submit_to(&self, sail: &Sail) -> Result<u64, Error> {
        let open = sail.open_handle();
        let op = self.to_op(open)?;
        let seqno = submit_ops(open, slice::from_ref(&op))?;
        self.a.mark_read_by(seqno);
        self.b.mark_read_by(seqno);
        Ok(seqno)
    }

    fn into_results(self) -> Matrix<F32> {
        self.into_out()
    }
}

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

/// Submits `ops` as one batch; returns its seqno.
pub(crate) fn submit_ops(open: &Open, ops: &[spanker_op]) -> Result<u64, Error> {
    open.node.work_submit(ops).map_err(|(bad_op, errno)| match ops.get(bad_op as usize) {
        Some(op) => Error::OpRefused {
            op: bad_op as usize,
            description: describe(op),
            errno: errno as i32,
            detail: why_op_refused(open, op, errno),
        },
        None => Error::request(Request::WorkSubmit, errno, why_batch_refused(open, ops, errno)),
    })
}

fn describe(op: &spanker_op) -> String {
    let spanker_op { m, n, k, .. } = op;
    if op.opcode == SPANKER_OPCODE_COPY {
        format!("COPY of {m} rows of {k} bytes")
    } else {
        let [a, b] = [op.a.type_, op.b.type_].map(type_name);
        format!("MATMUL of {m}×{k} {a} by {n}×{k} {b}")
    }
}

fn why_op_refused(open: &Open, op: &spanker_op, errno: Errno) -> String {
    let info = &open.info;
    match errno {
        Errno::EOPNOTSUPP => "the card does not multiply these types".to_owned(),
        Errno::EINVAL if op.m > info.max_m || op.n > info.max_n || op.k > info.max_k => format!(
            "the card's limits are {} rows of a, {} rows of b and {} columns",
            info.max_m, info.max_n, info.max_k
        ),
        Errno::ENOENT => "an operand's buffer is gone".to_owned(),
        Errno::ERANGE => "an operand does not fit its buffer".to_owned(),
        _ => "the card does not take it".to_owned(),
    }
}

fn why_batch_refused(open: &Open, ops: &[spanker_op], errno: Errno) -> String {
    let info = &open.info;
    match errno {
        Errno::EAGAIN => format!(
            "{} batches are in flight, which is the card's limit: wait for one first",
            info.max_in_flight
        ),
        Errno::EINVAL => {
            format!("{} ops; the card takes up to {} in a batch", ops.len(), info.max_ops)
        }
        Errno::EIO => "an earlier batch failed: open the Sail again to go on".to_owned(),
        Errno::ENODEV => "the card is gone, or was reset".to_owned(),
        _ => format!("a batch of {} ops", ops.len()),
    }
}
