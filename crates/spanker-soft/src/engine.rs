// SPDX-License-Identifier: Apache-2.0
//! What executes ops. A card has one of these and does not know what is inside.

mod copy;
mod cpu;
mod matmul;
#[cfg(test)]
mod tests;

pub(crate) use copy::CopyTiles;
pub use cpu::CpuEngine;
pub(crate) use matmul::Slab;

use crate::op::Op;
pub use crate::scheduler::Crew;
use std::fmt;

/// Executes ops, one at a time for each open, several for several opens. Custom
/// ones wrap a [`CpuEngine`]: to fail, to wait, to count.
pub trait Engine: fmt::Debug + Send + Sync {
    /// Runs `op` to its end, alone or with the threads of `crew`.
    ///
    /// # Errors
    /// [`Stop::Failed`] makes this op the fault of its open's timeline;
    /// [`Stop::Cancelled`] is what the crew answers when the open is ending,
    /// and is passed on.
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop>;
}

/// Why an op did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The engine could not compute it.
    Failed,
    /// Nobody wants the result any more.
    Cancelled,
}

/// An op cut into parts that do not depend on each other.
pub(crate) trait Tiles: Send + Sync {
    /// How many parts; at least one.
    fn count(&self) -> usize;

    /// Computes one of them.
    fn run(&self, tile: usize, scratch: &mut Scratch);
}

/// Private memory of one thread, kept from tile to tile. It has room for any tile
/// from the beginning, so that it does not matter which threads have had one.
pub(crate) struct Scratch {
    sums: Vec<f32>,
    row: Vec<f32>,
    kernel: spanker_kernels::Scratch,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            sums: Vec::with_capacity(matmul::TILE_SUMS),
            row: Vec::with_capacity(matmul::QUANTISED_ELEMENTS),
            kernel: spanker_kernels::Scratch::default(),
        }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}
