// SPDX-License-Identifier: Apache-2.0
//! Ops that are larger than a card takes, cut into ops that it takes.
//!
//! Rows can be cut anywhere. Columns are cut at superblocks and their parts
//! accumulated in ascending order, which the ABI defines to give the same bits.

use crate::matmul_int4::{Q4_K_BLOCK_BYTES, QK_K};
use spanker::DeviceInfo;
use spanker_sys::*;

/// Gives the ops that make up `whole`, a product of f32 by Q4_K: itself if the
/// card takes it, else parts.
pub(super) fn split(whole: &spanker_op, card: &DeviceInfo, mut give: impl FnMut(spanker_op)) {
    let fits = whole.m <= card.max_m && whole.n <= card.max_n && whole.k <= card.max_k;
    let max_k = card.max_k / QK_K as u32 * QK_K as u32;
    if fits {
        return give(*whole);
    }
    for (i, m) in spans(whole.m, card.max_m) {
        for (j, n) in spans(whole.n, card.max_n) {
            for (l, k) in spans(whole.k, max_k) {
                let blocks = u64::from(l) / QK_K as u64 * Q4_K_BLOCK_BYTES as u64;
                give(spanker_op {
                    flags: if l > 0 { SPANKER_OP_ACCUMULATE } else { 0 },
                    m,
                    n,
                    k,
                    a: from(&whole.a, i, u64::from(l) * 4),
                    b: from(&whole.b, j, blocks),
                    out: from(&whole.out, i, u64::from(j) * 4),
                    ..*whole
                });
            }
        }
    }
}

/// `total` cut into spans of at most `most`: where each begins and how long it
/// is.
fn spans(total: u32, most: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..total).step_by(most.max(1) as usize).map(move |start| (start, most.min(total - start)))
}

/// The operand from this row and byte of its rows on. It is inside the whole
/// one, so nothing overflows.
fn from(whole: &spanker_operand, row: u32, bytes: u64) -> spanker_operand {
    let offset = whole.offset + u64::from(row) * whole.row_stride + bytes;
    spanker_operand { offset, ..*whole }
}
