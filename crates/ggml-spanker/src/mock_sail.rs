// SPDX-License-Identifier: Apache-2.0
//! A Sail that only takes notes.

use crate::error::Error;
use crate::matmul_int4::MatmulInt4;
use crate::shape::Shape;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What bytes that pass belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The rows of `a`.
    A,
    /// The rows of `b`.
    B,
    /// The rows of results.
    Out,
}

/// Something that passes between a program and a Sail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transaction {
    /// An operand is copied to the Sail.
    Write {
        /// Which one.
        region: Region,
        /// How long it is.
        bytes: usize,
    },
    /// A product is submitted.
    ComputeSubmit {
        /// Rows of `a`.
        m: usize,
        /// Weights in a row of `a` and of `b`.
        k: usize,
        /// Rows of `b`.
        n: usize,
    },
    /// Results are copied from the Sail.
    Read {
        /// Which ones.
        region: Region,
        /// How long they are.
        bytes: usize,
    },
}

/// Stands in for a Sail in tests of programs: it checks operands as a
/// [`SailMatmul`](crate::SailMatmul) does and records what would have passed. It
/// computes nothing; `out` is left as it is.
///
/// ```
/// use ggml_spanker::{MatmulInt4, MockSail, Region, Transaction};
///
/// fn attention(sail: &impl MatmulInt4, out: &mut [u8]) -> Result<(), ggml_spanker::Error> {
///     sail.matmul_q4_k(&[0; 144], &[0; 2 * 144], out, 1, 256, 2)
/// }
///
/// let mock = MockSail::new();
/// attention(&mock, &mut [0; 8])?;
/// assert_eq!(
///     mock.transactions(),
///     [
///         Transaction::Write { region: Region::A, bytes: 144 },
///         Transaction::Write { region: Region::B, bytes: 288 },
///         Transaction::ComputeSubmit { m: 1, k: 256, n: 2 },
///         Transaction::Read { region: Region::Out, bytes: 8 },
///     ]
/// );
/// # Ok::<(), ggml_spanker::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MockSail {
    passed: Mutex<Vec<Transaction>>,
}

impl MockSail {
    /// One through which nothing has passed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has passed so far, in order.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.passed().clone()
    }

    /// What has passed since it was last taken, in order.
    pub fn take_transactions(&self) -> Vec<Transaction> {
        mem::take(&mut *self.passed())
    }

    fn passed(&self) -> MutexGuard<'_, Vec<Transaction>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MatmulInt4 for MockSail {
    fn matmul_q4_k(
        &self,
        a: &[u8],
        b: &[u8],
        out: &mut [u8],
        m: usize,
        k: usize,
        n: usize,
    ) -> Result<(), Error> {
        if let Some(shape) = Shape::check(a, b, out, (m, k, n))? {
            // All at once, so that those of several threads do not mix.
            self.passed().extend([
                Transaction::Write { region: Region::A, bytes: a.len() },
                Transaction::Write { region: Region::B, bytes: b.len() },
                Transaction::ComputeSubmit { m, k, n },
                Transaction::Read { region: Region::Out, bytes: shape.out_bytes },
            ]);
        }
        Ok(())
    }
}
