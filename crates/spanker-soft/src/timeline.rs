// SPDX-License-Identifier: Apache-2.0
//! The timeline of an open: what is queued, what has retired, and whether that
//! went well. Its owner keeps it under one lock.

use crate::op::Op;
use crate::workspace::Workspace;
use nix::errno::Errno;
use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) submitted: u64,
    pub(crate) completed: u64,
    pub(crate) fault: Option<Fault>,
    pub(crate) cursor: u64,
    pub(crate) queue: VecDeque<Batch>,
    /// Someone runs the batch at the front of the queue. That one, not the
    /// queue, holds it.
    pub(crate) led: bool,
    /// The scheduler knows that there is work.
    pub(crate) announced: bool,
    /// A thread that waited has computed since the scheduler was last told.
    pub(crate) lent: bool,
    pub(crate) revoked: bool,
    /// Who leads has it.
    pub(crate) workspace: Workspace,
    /// Emptied batches, to be filled again.
    spare: Vec<Vec<Op>>,
    /// The ops that these have room for, all together.
    spare_ops: usize,
}

/// A batch that is queued or running.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) ops: Vec<Op>,
    /// How many of them have run.
    pub(crate) done: usize,
    /// How many threads may compute it at a time.
    pub(crate) threads: usize,
}

impl Batch {
    pub(crate) fn next_op(&self) -> Option<&Op> {
        self.ops.get(self.done)
    }

    pub(crate) fn op_is_done(&mut self) {
        self.done += 1;
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) seqno: u64,
    pub(crate) op: u32,
}

impl Timeline {
    /// With room for so many batches in flight, as far as that is reasonable:
    /// how many there are depends on who is faster, and none is to wait for
    /// memory.
    pub(crate) fn with_room(batches: u32) -> Self {
        let room = batches.min(1024) as usize;
        Self { queue: VecDeque::with_capacity(room), ..Self::default() }
    }

    pub(crate) fn in_flight(&self) -> u64 {
        match self.fault {
            Some(_) => 0,
            None => self.submitted - self.completed,
        }
    }

    /// Whether there is something that nobody computes now.
    pub(crate) fn needs_leader(&self) -> bool {
        !self.led && !self.queue.is_empty()
    }

    /// What WAIT for `seqno` answers, if that is settled.
    pub(crate) fn settled(&self, seqno: u64) -> Option<Result<(), Errno>> {
        match self.fault {
            _ if self.revoked => Some(Err(Errno::ENODEV)),
            _ if seqno <= self.completed => Some(Ok(())),
            Some(fault) if seqno == fault.seqno => Some(Err(Errno::EIO)),
            Some(fault) if seqno > fault.seqno => Some(Err(Errno::ECANCELED)),
            _ => None,
        }
    }

    /// An empty batch to fill.
    pub(crate) fn spare_batch(&mut self) -> Vec<Op> {
        let batch = self.spare.pop().unwrap_or_default();
        self.spare_ops -= batch.capacity();
        batch
    }

    /// Takes an emptied batch back.
    pub(crate) fn recycle(&mut self, batch: Vec<Op>) {
        if self.spare_ops + batch.capacity() <= SPARE_OPS {
            self.spare_ops += batch.capacity();
            self.spare.push(batch);
        }
    }
}

/// Room for ops that is kept in emptied batches, all together: for a full queue
/// of small batches, or for some of the largest.
const SPARE_OPS: usize = 1 << 15;
