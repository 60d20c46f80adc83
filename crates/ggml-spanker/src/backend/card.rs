// SPDX-License-Identifier: Apache-2.0
//! A Sail by requests of the ABI. ggml places tensors anywhere in large buffers,
//! and ops name them by buffer and offset, which the matrices of the crate
//! `spanker` do not offer; what that crate does offer is used.

mod kernel;
mod memory;
mod soft;

pub(super) use memory::Memory;

use crate::matmul_int4::QK_K;
use nix::errno::Errno;
use spanker::{Sail, SailName};
use spanker_sys::*;
use std::fmt;
use std::mem::size_of;
use std::num::NonZeroUsize;

/// A Sail, opened: one queue, and memory for tensors. What was submitted
/// completes in order.
#[derive(Debug)]
pub(super) struct Card {
    node: Node,
    /// Another open of the same Sail, for what it tells of itself.
    sail: Sail,
}

#[derive(Debug)]
enum Node {
    Kernel(kernel::Node),
    Soft(soft::Node),
}

/// What a Sail has answered in place of a result, for people.
#[derive(Debug)]
pub(super) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<spanker::Error> for Failure {
    fn from(error: spanker::Error) -> Self {
        Self(error.to_string())
    }
}

impl Card {
    pub(super) fn open(name: &SailName) -> Result<Self, Failure> {
        if *name == SailName::Software {
            let (sail, node) = soft::open()?;
            return Self { node: Node::Soft(node), sail }.usable();
        }
        // It says in words what is wrong with a node, and that its ABI fits.
        let sail = Sail::open_named(name)?;
        let path = sail.path().ok_or_else(|| Failure(format!("Sail {name} has no node")))?;
        let node = kernel::Node::open(path)
            .map_err(|error| Failure(format!("opening {}: {error}", path.display())))?;
        Self { node: Node::Kernel(node), sail }.usable()
    }

    /// Itself, if products can be cut so that it takes them.
    fn usable(self) -> Result<Self, Failure> {
        let spanker::DeviceInfo { max_m, max_n, max_k, max_ops, .. } = *self.info();
        if max_m == 0 || max_n == 0 || max_ops == 0 || (max_k as usize) < QK_K {
            return Err(Failure(format!(
                "it takes batches of {max_ops} products of {max_m}×{max_k} by {max_n}×{max_k}, and \
                 the least is one of 1×{QK_K} by 1×{QK_K}"
            )));
        }
        Ok(self)
    }

    /// One of a machine of the caller's own.
    #[cfg(test)]
    pub(super) fn on_machine(machine: &spanker::spanker_soft::Machine) -> Result<Self, Failure> {
        let (sail, node) = soft::open_on(machine)?;
        Self { node: Node::Soft(node), sail }.usable()
    }

    pub(super) fn info(&self) -> &spanker::DeviceInfo {
        self.sail.info()
    }

    /// Whether it takes no more work: it has failed, or is gone.
    pub(super) fn has_failed(&self) -> bool {
        self.context().map_or(true, |context| context.fault_seqno != 0)
    }

    /// Bytes of its memory that are not used.
    pub(super) fn free_bytes(&self) -> Result<u64, Failure> {
        let used = self.sail.telemetry()?.memory_used_bytes;
        Ok(self.info().memory_bytes.saturating_sub(used))
    }

    /// Submits `ops`, of which there are at most as many as a batch can have, as
    /// one batch. Waits where the queue is full. Returns its seqno. Where the
    /// processor computes it, so many threads do at most.
    pub(super) fn submit(
        &self,
        ops: &[spanker_op],
        threads: Option<NonZeroUsize>,
    ) -> Result<u64, Failure> {
        loop {
            let mut submit = spanker_work_submit {
                ops: ops.as_ptr() as usize as u64,
                op_count: u32::try_from(ops.len()).unwrap_or(u32::MAX),
                op_stride: size_of::<spanker_op>() as u32,
                // It stays where the request is refused before it is read.
                bad_op: SPANKER_NO_OP,
                ..Default::default()
            };
            match self.node.work_submit(&mut submit, ops, threads) {
                Ok(()) => return Ok(submit.seqno),
                Err(Errno::EAGAIN) => self.wait_for_room()?,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(refused(ops, submit.bad_op, errno)),
            }
        }
    }

    /// Waits until one more batch has retired, if any is in flight.
    fn wait_for_room(&self) -> Result<(), Failure> {
        let context = self.context()?;
        if context.completed < context.submitted {
            self.wait(context.completed + 1)?;
        }
        Ok(())
    }

    /// Waits until batch `seqno` has completed.
    pub(super) fn wait(&self, seqno: u64) -> Result<(), Failure> {
        loop {
            let deadline_ns = SPANKER_DEADLINE_NEVER as i64;
            let mut wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
            match self.node.wait(&mut wait) {
                Ok(()) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.wait_failed(seqno, errno)),
            }
        }
    }

    fn wait_failed(&self, seqno: u64, errno: Errno) -> Failure {
        match (errno, self.context()) {
            (Errno::EIO | Errno::ECANCELED, Ok(context)) => Failure(format!(
                "batch {seqno}: the Sail failed at op {} of batch {} (code {}) and takes no more \
                 work of this program",
                context.fault_op, context.fault_seqno, context.fault_code
            )),
            _ => Failure(format!("waiting for batch {seqno}: {}", why(errno))),
        }
    }

    fn context(&self) -> Result<spanker_context_info, Failure> {
        let mut context = spanker_context_info::default();
        self.node
            .query(SPANKER_QUERY_CONTEXT, context.bytes_mut())
            .map_err(|errno| Failure(format!("asking for the state of the queue: {errno}")))?;
        Ok(context)
    }
}

fn refused(ops: &[spanker_op], bad_op: u32, errno: Errno) -> Failure {
    match ops.get(bad_op as usize) {
        Some(op) => Failure(format!(
            "the Sail refuses op {bad_op}, {}×{} by {}×{}: {errno}",
            op.m, op.k, op.n, op.k
        )),
        None => Failure(format!("the Sail refuses a batch of {} ops: {}", ops.len(), why(errno))),
    }
}

/// What an errno means that no operand is the reason of.
fn why(errno: Errno) -> String {
    match errno {
        Errno::ENODEV => {
            "the card is gone, or was reset, and takes no more work of this program".to_owned()
        }
        errno => errno.to_string(),
    }
}

impl Node {
    fn query(&self, kind: u32, answer: &mut [u8]) -> Result<(), Errno> {
        match self {
            Self::Kernel(node) => node.query(kind, answer),
            Self::Soft(node) => {
                let mut query = spanker_query {
                    type_: kind,
                    size: u32::try_from(answer.len()).unwrap_or(u32::MAX),
                    ptr: answer.as_mut_ptr() as usize as u64,
                };
                node.request(SPANKER_IOC_QUERY, &mut query, &[], answer)
            }
        }
    }

    fn buf_create(&self, create: &mut spanker_buf_create) -> Result<(), Errno> {
        match self {
            Self::Kernel(node) => node.request(SPANKER_IOC_BUF_CREATE, create),
            Self::Soft(node) => node.request(SPANKER_IOC_BUF_CREATE, create, &[], &mut []),
        }
    }

    fn buf_destroy(&self, destroy: &mut spanker_buf_destroy) -> Result<(), Errno> {
        match self {
            Self::Kernel(node) => node.request(SPANKER_IOC_BUF_DESTROY, destroy),
            Self::Soft(node) => node.request(SPANKER_IOC_BUF_DESTROY, destroy, &[], &mut []),
        }
    }

    /// `ops` is what `submit` points to.
    fn work_submit(
        &self,
        submit: &mut spanker_work_submit,
        ops: &[spanker_op],
        threads: Option<NonZeroUsize>,
    ) -> Result<(), Errno> {
        match self {
            Self::Kernel(node) => node.work_submit(submit, ops),
            Self::Soft(node) => node.work_submit(submit, ops, threads),
        }
    }

    fn wait(&self, wait: &mut spanker_wait) -> Result<(), Errno> {
        match self {
            Self::Kernel(node) => node.request(SPANKER_IOC_WAIT, wait),
            Self::Soft(node) => node.request(SPANKER_IOC_WAIT, wait, &[], &mut []),
        }
    }
}
