// SPDX-License-Identifier: Apache-2.0
//! What can multiply by Q4_K weights, and how it is asked to.

use crate::workload::{Shape, Task};
use crate::Error;
use clap::ValueEnum;
use spanker::BlockQ4K;
use std::fmt;

/// What is multiplied by the weights.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Pair {
    /// F32 activations, quantised on the way: what the peers do.
    F32,
    /// Activations that are quantised already.
    Q8k,
    /// Weights by weights.
    Q4k,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "F32xQ4_K",
            Self::Q8k => "Q8_KxQ4_K",
            Self::Q4k => "Q4_KxQ4_K",
        })
    }
}

/// One of ours or of the peers, with threads of its own.
pub(crate) trait Implementation {
    /// The name in reports; ours begin with `spanker`.
    fn kernel(&self) -> String;

    /// The kind of CPU that it was built for, if it was built for several.
    fn variant(&self) -> Option<String> {
        None
    }

    /// Whether the others are measured all the same if this one cannot be.
    fn is_peer(&self) -> bool {
        true
    }

    fn multiplies(&self, pair: Pair) -> bool {
        pair == Pair::F32
    }

    /// Bytes that it reads of such weights.
    fn bytes(&self, shape: Shape) -> usize {
        shape.bytes()
    }

    /// So many copies of the weights, as it likes to have them.
    fn store<'a>(
        &'a self,
        shape: Shape,
        blocks: &[BlockQ4K],
        copies: usize,
    ) -> Result<Box<dyn Stored + 'a>, Error>;
}

/// Copies of the same weights.
pub(crate) trait Stored {
    /// Products by each copy in turn.
    fn product<'a>(&'a self, task: &Task) -> Result<Box<dyn Contestant + 'a>, Error>;
}

/// One piece of work, to be done again and again.
pub(crate) trait Contestant {
    /// Does the work once.
    fn run(&mut self) -> Result<(), Error>;

    /// Lets go of the processors, if threads of it would spin on for long.
    fn rest(&mut self) {}

    /// What the last run computed, row after row of activations.
    fn output(&mut self) -> Result<Vec<f32>, Error> {
        Ok(Vec::new())
    }
}
