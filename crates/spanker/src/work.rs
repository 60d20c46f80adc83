// SPDX-License-Identifier: Apache-2.0
//! What can be submitted, and what comes of it when the card refuses.

mod refused;

pub use refused::Refused;

use crate::error::{Error, Request};
use crate::info::type_name;
use crate::open::Open;
use crate::sail::Sail;
use crate::split;
use crate::transport::Buffer;
use nix::errno::Errno;
use spanker_sys::*;
use std::slice;

pub(crate) mod sealed {
    /// Keeps [`Work`](super::Work) to what this crate knows how to submit.
    #[allow(unreachable_pub)]
    pub trait Sealed {}

    /// What only this crate has: its holder may submit work and keep it in
    /// hand, which is to be moved into a `Pending` then.
    #[allow(unreachable_pub)]
    #[derive(Clone, Copy, Debug)]
    pub struct Permission(());

    pub(crate) const PERMISSION: Permission = Permission(());
}

/// What can be submitted: a [`Matmul`](crate::Matmul) or [`Copy`](crate::Copy)
/// by itself, or a [`Batch`](crate::Batch).
pub trait Work: sealed::Sealed + Sized {
    /// What comes back when it has completed.
    type Results: Results;

    /// Submits it.
    #[doc(hidden)]
    fn submit_to(&self, sail: &Sail, _: sealed::Permission) -> Result<Submitted, Error>;

    /// What is kept while it is in flight.
    #[doc(hidden)]
    fn into_results(self, _: sealed::Permission) -> Self::Results;
}

/// What work hands back: a [`Matrix`](crate::Matrix), or a
/// [`Batch`](crate::Batch) with its results.
pub trait Results: sealed::Sealed {
    /// Shows each buffer that was written.
    #[doc(hidden)]
    fn for_each_buffer(&self, show: &mut dyn FnMut(&Buffer));
}

/// Work that the device has accepted.
#[doc(hidden)]
#[derive(Debug)]
#[allow(unreachable_pub)] // In the signature of a hidden method of `Work`.
pub struct Submitted {
    /// The seqno of its first batch.
    pub(crate) first: u64,
    /// The seqno of its last batch.
    pub(crate) seqno: u64,
    /// Why the rest of it was not accepted, for work that takes several
    /// batches.
    pub(crate) failure: Option<Box<Error>>,
}

impl Submitted {
    /// All of the work, as one batch.
    pub(crate) fn whole(seqno: u64) -> Self {
        Self { first: seqno, seqno, failure: None }
    }
}

/// Submits one op, or the parts that the card takes it in. `accumulated` is a
/// buffer that it adds to.
pub(crate) fn submit_product(
    open: &Open,
    op: &spanker_op,
    reads: &[&Buffer],
    accumulated: Option<&Buffer>,
) -> Result<Submitted, Error> {
    open.record_contents(reads.iter().copied().chain(accumulated));
    let info = &open.info;
    let is_copy = op.opcode == SPANKER_OPCODE_COPY;
    let fits = op.m <= info.max_m && (is_copy || op.n <= info.max_n && op.k <= info.max_k);
    let submitted = if fits {
        Submitted::whole(submit_ops(open, slice::from_ref(op))?)
    } else {
        let mut parts = Vec::new();
        if is_copy {
            split::copy(op, info, |part| parts.push(part));
        } else {
            split::matmul(op, info, |part| parts.push(part));
        }
        submit_in_batches(open, &parts)?
    };
    reads.iter().for_each(|buffer| buffer.mark_read_by(submitted.seqno));
    Ok(submitted)
}

/// Submits the parts of one op, in as many batches as it takes. Blocks only
/// when the queue is full in the middle of it.
fn submit_in_batches(open: &Open, parts: &[spanker_op]) -> Result<Submitted, Error> {
    let mut batches = parts.chunks(open.info.max_ops.max(1) as usize);
    let mut submitted = Submitted::whole(submit_ops(open, batches.next().unwrap_or(parts))?);
    for batch in batches {
        match submit_when_there_is_room(open, batch) {
            Ok(seqno) => submitted.seqno = seqno,
            Err(error) => {
                submitted.failure = Some(Box::new(error));
                break;
            }
        }
    }
    Ok(submitted)
}

/// Submits `ops` as one batch, and waits for room in the queue if need be;
/// returns its seqno.
pub(crate) fn submit_when_there_is_room(open: &Open, ops: &[spanker_op]) -> Result<u64, Error> {
    loop {
        match submit_ops(open, ops) {
            Err(error) if error.is_queue_full() => open.wait_for_room()?,
            answer => return answer,
        }
    }
}

/// Submits `ops` as one batch; returns its seqno.
pub(crate) fn submit_ops(open: &Open, ops: &[spanker_op]) -> Result<u64, Error> {
    open.node.work_submit(ops).map_err(|(bad_op, errno)| refusal(open, ops, bad_op, errno))
}

#[cold]
fn refusal(open: &Open, ops: &[spanker_op], bad_op: u32, errno: Errno) -> Error {
    match ops.get(bad_op as usize) {
        Some(op) => Error::OpRefused {
            op: bad_op as usize,
            description: describe(op),
            errno: errno as i32,
            detail: why_op_refused(open, op, errno),
        },
        None => Error::request(Request::WorkSubmit, errno, why_batch_refused(open, ops, errno)),
    }
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
            "the queue is full (the card's limit is {} batches in flight): wait for one first",
            info.max_in_flight
        ),
        Errno::EINVAL => {
            format!("{} ops; the card takes up to {} in a batch", ops.len(), info.max_ops)
        }
        Errno::EIO => "an earlier batch failed: open the Sail again to go on".to_owned(),
        _ => format!("a batch of {} ops", ops.len()),
    }
}
