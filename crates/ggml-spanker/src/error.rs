// SPDX-License-Identifier: Apache-2.0
//! Why there is no product.

use std::fmt;

/// Why there is no product.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no such product, or the operands are of another shape.
    BadDims {
        /// Rows of `a`.
        m: usize,
        /// Weights in a row of `a` and of `b`.
        k: usize,
        /// Rows of `b`.
        n: usize,
        /// What this shape needs and what was given.
        needs: String,
    },
    /// The results do not fit.
    OutputTooSmall {
        /// Bytes in `out`.
        have: usize,
        /// Bytes of the results.
        need: usize,
    },
    /// The device did not compute it.
    Device(spanker::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadDims { m, k, n, needs } => {
                write!(f, "a of {m}×{k} by b of {n}×{k}: {needs}")
            }
            Self::OutputTooSmall { have, need } => {
                write!(f, "out: the results need {need} bytes, given {have}")
            }
            Self::Device(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its message is shown as this one's.
            Self::Device(error) => error.source(),
            _ => None,
        }
    }
}

impl From<spanker::Error> for Error {
    fn from(error: spanker::Error) -> Self {
        Self::Device(error)
    }
}
