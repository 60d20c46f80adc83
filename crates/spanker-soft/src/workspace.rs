// SPDX-License-Identifier: Apache-2.0
//! What an open keeps from op to op.

use crate::engine::{CopyTiles, Slab};
use crate::scheduler::SharedOp;
use std::sync::Arc;

/// Spare records and panels, so that an op of a shape seen before allocates
/// nothing. They belong to an open, not to a thread: whichever thread leads finds
/// them, and they go with the open. Taken out while in use, so that what a panic
/// leaves behind is dropped.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) shared_op: Option<Arc<SharedOp>>,
    pub(crate) slab: Option<Arc<Slab>>,
    pub(crate) copy: Option<Arc<CopyTiles>>,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}
