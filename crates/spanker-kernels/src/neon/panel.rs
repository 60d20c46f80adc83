// SPDX-License-Identifier: Apache-2.0

//! Four rows of Q4_K, transposed and stored, for many rows of `a`.

use std::arch::aarch64::*;

use super::header::Header;
use super::transpose::{four, nibbles, transpose, LANES};
use super::WIDTH;
use crate::{BlockQ4K, SharedRows};

/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Four rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    /// `q[s][j]`, four bytes a row: its weights 32s+4j to 32s+4j+3, 0 to 15.
    pub(super) q: [[int8x16_t; 8]; 8],
    /// `sums_and_mins[s]`, if asked for: each row's sc\[s\] · (sum of its 32 weights), at most
    /// 30,240, then each row's mn\[s\].
    pub(super) sums_and_mins: [int16x8_t; 8],
    /// What scales the weights.
    pub(super) header: Header,
}

/// Unpacks superblocks from `at` on of eight rows from row `first`: one of four rows into each
/// panel.
pub(super) fn unpack(
    panels: &mut [[Panel; WIDTH]],
    b: SharedRows<'_, BlockQ4K>,
    first: usize,
    at: usize,
    with_sums: bool,
) {
    assert!(at + panels.len() <= b.blocks());
    for p in 0..WIDTH {
        let rows = four(b, first + LANES * p);
        for (superblock, pair) in panels.iter_mut().enumerate() {
            let blocks = rows.map(|row| row.wrapping_add(at + superblock));
            // SAFETY: every row has this block.
            unsafe { pair[p].unpack(blocks, with_sums) };
        }
    }
}

impl Panel {
    /// All zeros.
    // SAFETY: zero bits are a value of every integer and float.
    pub(super) const ZERO: Self = unsafe { std::mem::zeroed() };

    /// Unpacks one superblock of four rows. Sets [`Self::sums_and_mins`] only if `with_sums`.
    ///
    /// # Safety
    /// The blocks can be loaded.
    unsafe fn unpack(&mut self, blocks: [*const BlockQ4K; LANES], with_sums: bool) {
        // SAFETY: the caller's promise; the last 16 bytes are those from 16 + 96 + 16.
        unsafe {
            self.header = Header::unpack(blocks);
            for g in 0..4 {
                for half in 0..2 {
                    let columns = transpose(blocks, QS + 32 * g + 16 * half);
                    for (j, bytes) in columns.into_iter().enumerate() {
                        let [low, high] = nibbles(bytes);
                        self.q[2 * g][4 * half + j] = low;
                        self.q[2 * g + 1][4 * half + j] = high;
                    }
                }
            }
        }
        if with_sums {
            self.sum_weights();
        }
    }

    /// Sets [`Self::sums_and_mins`] from the weights, the scales and the mins.
    fn sum_weights(&mut self) {
        for s in 0..8 {
            // SAFETY: the target has NEON.
            unsafe {
                let mut bytes = self.q[s][0];
                for q in &self.q[s][1..] {
                    // At most 8 · 15 in a byte.
                    bytes = vaddq_s8(bytes, *q);
                }
                let sum = vpaddlq_s16(vpaddlq_s8(bytes));
                let sum = vmovn_s32(vmulq_s32(sum, self.header.scales[s]));
                self.sums_and_mins[s] = vcombine_s16(sum, vmovn_s32(self.header.mins[s]));
            }
        }
    }
}
