// SPDX-License-Identifier: Apache-2.0
//! What the shape of a product asks of its operands.

use crate::error::Error;
use crate::matmul_int4::{OUTPUT_ELEM_BYTES, Q4_K_BLOCK_BYTES, QK_K};

/// A product of at least one result whose operands fit it.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Bytes of all results.
    pub(crate) out_bytes: usize,
}

impl Shape {
    /// The shape of the product of these operands; None if it has no results.
    pub(crate) fn check(
        a: &[u8],
        b: &[u8],
        out: &[u8],
        (m, k, n): (usize, usize, usize),
    ) -> Result<Option<Self>, Error> {
        let bad = |needs| Error::BadDims { m, k, n, needs };
        if k == 0 || k % QK_K != 0 {
            return Err(bad(format!("k needs to be a positive multiple of {QK_K}")));
        }
        if m == 0 || n == 0 {
            return Ok(None);
        }
        // Less than k.
        let row_bytes = k / QK_K * Q4_K_BLOCK_BYTES;
        for (name, rows, given) in [("a", m, a.len()), ("b", n, b.len())] {
            let need = bytes(rows, row_bytes).ok_or_else(|| bad(too_large(name)))?;
            if given != need {
                return Err(bad(format!("{name} needs {need} bytes, given {given}")));
            }
        }
        // What the ABI counts in 32 bits.
        for (name, count) in [("m", m), ("k", k), ("n", n)] {
            if u32::try_from(count).is_err() {
                return Err(bad(format!("{name} needs to be less than 2^32")));
            }
        }
        let need = m.checked_mul(n).and_then(|results| bytes(results, OUTPUT_ELEM_BYTES));
        let need = need.ok_or_else(|| bad(too_large("out")))?;
        if out.len() < need {
            return Err(Error::OutputTooSmall { have: out.len(), need });
        }
        Ok(Some(Self { out_bytes: need }))
    }
}

/// As many bytes as a slice can have, if so.
fn bytes(count: usize, each: usize) -> Option<usize> {
    count.checked_mul(each).filter(|bytes| isize::try_from(*bytes).is_ok())
}

fn too_large(operand: &str) -> String {
    format!("{operand} needs more bytes than there are addresses")
}
