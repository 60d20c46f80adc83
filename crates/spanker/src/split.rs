// SPDX-License-Identifier: Apache-2.0
//! Ops that are larger than a card takes, cut into ops that it takes.
//!
//! Rows of `a` and rows of `b` can be cut anywhere. Columns are cut at
//! superblocks and their parts accumulated in ascending order, which the ABI
//! defines to give the same bits (section 7 of the header).

use crate::info::DeviceInfo;
use spanker_sys::*;

/// Gives the ops that make up `whole`: itself if the card takes it, else parts.
/// What no cut can make fit is left for the card to refuse.
pub(crate) fn matmul(whole: &spanker_op, card: &DeviceInfo, mut give: impl FnMut(spanker_op)) {
    let fits = whole.m <= card.max_m && whole.n <= card.max_n && whole.k <= card.max_k;
    let max_k = card.max_k / SPANKER_QK_K * SPANKER_QK_K;
    if fits || max_k == 0 || card.max_m == 0 || card.max_n == 0 {
        return give(*whole);
    }
    for (i, m) in spans(whole.m, card.max_m) {
        for (j, n) in spans(whole.n, card.max_n) {
            for (l, k) in spans(whole.k, max_k) {
                let flags = if l > 0 { SPANKER_OP_ACCUMULATE } else { 0 };
                give(spanker_op {
                    flags: whole.flags | flags,
                    m,
                    n,
                    k,
                    a: part(&whole.a, i, l),
                    b: part(&whole.b, j, l),
                    out: part(&whole.out, i, j),
                    ..*whole
                });
            }
        }
    }
}

/// As [`matmul`], for COPY, of which only the rows have a limit.
pub(crate) fn copy(whole: &spanker_op, card: &DeviceInfo, mut give: impl FnMut(spanker_op)) {
    if whole.m <= card.max_m || card.max_m == 0 {
        return give(*whole);
    }
    for (i, m) in spans(whole.m, card.max_m) {
        let (a, out) = (part(&whole.a, i, 0), part(&whole.out, i, 0));
        give(spanker_op { m, a, out, ..*whole });
    }
}

/// `total` cut into spans of at most `most`: where each begins and how long it
/// is.
fn spans(total: u32, most: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..total).step_by(most as usize).map(move |start| (start, most.min(total - start)))
}

/// The operand from this row and column on. It is inside the whole one, so
/// nothing overflows.
fn part(whole: &spanker_operand, row: u32, col: u32) -> spanker_operand {
    let blocks = u64::from(col / SPANKER_QK_K);
    let columns = match whole.type_ {
        SPANKER_TYPE_Q4_K => blocks * std::mem::size_of::<spanker_block_q4_k>() as u64,
        SPANKER_TYPE_Q8_K => blocks * std::mem::size_of::<spanker_block_q8_k>() as u64,
        _ => u64::from(col) * std::mem::size_of::<f32>() as u64,
    };
    let offset = whole.offset + u64::from(row) * whole.row_stride + columns;
    spanker_operand { offset, ..*whole }
}
