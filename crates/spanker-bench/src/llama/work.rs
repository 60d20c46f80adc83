// SPDX-License-Identifier: Apache-2.0
//! What is measured of llama.cpp.

use crate::workload::Shape;
use std::fmt;

/// The pair of products in reports: these are not of the Sail alone, but of ggml's backends.
pub(super) const PAIR: &str = "MUL_MAT of F32xQ4_K by ggml's backends";

/// The Q4_K tensors of Gemma-3-270M Q4_K_M: all of attn_output, and half of ffn_down.
const TENSORS: &str = "640x1024*18 640x2048*9";

/// Seconds that a turn at products goes on for. At the model it is one run.
const TURN: f64 = 0.06;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    /// One batch of so many tokens, by the model.
    Prefill(usize),
    /// So many tokens one after the other, by the model.
    Decode(usize),
    /// All products by Q4_K weights in one evaluation of so many tokens, and nothing else.
    Offloaded(usize),
    /// One product with so many rows of activations.
    Product(Shape, usize),
}

impl Work {
    pub(super) fn all(quick: bool) -> Vec<Self> {
        let (decode, columns) = if quick { (16, &[4096][..]) } else { (64, &[4096, 14336][..]) };
        let mut all = vec![
            Self::Prefill(512),
            Self::Offloaded(512),
            Self::Decode(decode),
            Self::Offloaded(1),
        ];
        for columns in columns {
            let shape = Shape { rows: 4096, columns: *columns };
            all.extend([1, 8, 32, 512].map(|rows| Self::Product(shape, rows)));
        }
        all
    }

    /// A line that `build-support/ggml/speed.cpp` understands.
    pub(super) fn request(self) -> String {
        match self {
            Self::Prefill(tokens) => format!("prefill {tokens} 0"),
            Self::Decode(tokens) => format!("decode {tokens} 0"),
            Self::Offloaded(tokens) => format!("products {tokens} {TURN} {TENSORS}"),
            Self::Product(shape, rows) => format!("products {rows} {TURN} {shape}*1"),
        }
    }

    /// By how much the magnitudes of results may differ, as a part of them. A model amplifies how
    /// they are rounded.
    pub(super) fn agreement(self) -> f64 {
        match self {
            Self::Prefill(_) | Self::Decode(_) => 0.1,
            Self::Offloaded(_) | Self::Product(..) => 1e-3,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefill(tokens) => write!(f, "prefill of {tokens}"),
            Self::Decode(tokens) => write!(f, "decode of {tokens}"),
            Self::Offloaded(1) => f.write_str("Q4_K products of decode"),
            Self::Offloaded(tokens) => write!(f, "Q4_K products of prefill of {tokens}"),
            Self::Product(shape, rows) => write!(f, "weights {shape}, rows {rows}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Work;
    use crate::workload::Shape;

    #[test]
    fn requests_are_those_of_the_program() {
        let shape = Shape { rows: 4096, columns: 14336 };
        for (work, request) in [
            (Work::Prefill(512), "prefill 512 0"),
            (Work::Decode(64), "decode 64 0"),
            (Work::Offloaded(1), "products 1 0.06 640x1024*18 640x2048*9"),
            (Work::Product(shape, 32), "products 32 0.06 4096x14336*1"),
        ] {
            assert_eq!(work.request(), request);
        }
    }
}
