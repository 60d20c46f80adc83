// SPDX-License-Identifier: Apache-2.0
//! An engine that fails on purpose.

use super::{Crew, Engine, Stop};
use crate::op::Op;
use std::sync::Arc;

/// Fails at one op of one batch of each open, and leaves everything else to
/// another engine.
#[derive(Clone, Debug)]
pub struct FaultAt {
    seqno: u64,
    op: u32,
    inner: Arc<dyn Engine>,
}

impl FaultAt {
    /// Fails at op `op` (its index) of batch `seqno`.
    pub fn new(seqno: u64, op: u32, inner: Arc<dyn Engine>) -> Self {
        Self { seqno, op, inner }
    }
}

impl Engine for FaultAt {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        if (op.seqno(), op.index()) == (self.seqno, self.op) {
            return Err(Stop::Failed);
        }
        self.inner.run(op, crew)
    }
}
