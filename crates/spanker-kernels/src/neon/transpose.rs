// SPDX-License-Identifier: Apache-2.0

//! Four rows of `b` side by side: 32-bit lane r of a vector belongs to row r.

use std::arch::aarch64::*;

use crate::{BlockQ4K, SharedRows};

/// Rows of `b` in a vector.
pub(super) const LANES: usize = 4;

/// The starts of four rows from row `first`. The last row stands in for those that are not there:
/// nobody looks at what they give.
#[inline(always)]
pub(super) fn four(b: SharedRows<'_, BlockQ4K>, first: usize) -> [*const BlockQ4K; LANES] {
    let last = b.rows() - 1;
    [0, 1, 2, 3].map(|r| b.row(last.min(first + r)))
}

/// Bytes `at` to `at`+15 of four blocks, four bytes of every block to a vector.
///
/// # Safety
/// The blocks can be loaded. `at` is at most 128.
#[inline(always)]
pub(super) unsafe fn transpose(blocks: [*const BlockQ4K; LANES], at: usize) -> [uint8x16_t; 4] {
    // SAFETY: the target has NEON; the caller's promises; a block is 144 bytes without padding, and
    // these loads need no alignment.
    unsafe {
        let bytes = |r: usize| vreinterpretq_u32_u8(vld1q_u8(blocks[r].cast::<u8>().add(at)));
        let [row0, row1, row2, row3] = [bytes(0), bytes(1), bytes(2), bytes(3)];
        // Words 0 and 2, then 1 and 3, of two rows.
        let even01 = vreinterpretq_u64_u32(vtrn1q_u32(row0, row1));
        let even23 = vreinterpretq_u64_u32(vtrn1q_u32(row2, row3));
        let odd01 = vreinterpretq_u64_u32(vtrn2q_u32(row0, row1));
        let odd23 = vreinterpretq_u64_u32(vtrn2q_u32(row2, row3));
        [
            vreinterpretq_u8_u64(vtrn1q_u64(even01, even23)),
            vreinterpretq_u8_u64(vtrn1q_u64(odd01, odd23)),
            vreinterpretq_u8_u64(vtrn2q_u64(even01, even23)),
            vreinterpretq_u8_u64(vtrn2q_u64(odd01, odd23)),
        ]
    }
}

/// The low and the high nibble of every byte.
#[inline(always)]
pub(super) fn nibbles(bytes: uint8x16_t) -> [int8x16_t; 2] {
    // SAFETY: the target has NEON.
    unsafe {
        let low = vandq_u8(bytes, vdupq_n_u8(15));
        [vreinterpretq_s8_u8(low), vreinterpretq_s8_u8(vshrq_n_u8::<4>(bytes))]
    }
}
