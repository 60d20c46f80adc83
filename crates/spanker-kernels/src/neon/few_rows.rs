// SPDX-License-Identifier: Apache-2.0

//! Few rows of `a`: the weights are multiplied as they lie.
//!
//! The 32 weights of a sub-block are the nibbles of 32 bytes in a row, in the order of the 32
//! values of `a` that they meet. So nothing has to be moved: mask, multiply, add. What has to be
//! moved is the result: the partial sums of four rows are added pairwise, which leaves each row's
//! in the lane where its scale is.
//!
//! One row of `a` × 256 weights is a loop of 73 instructions with `smlal`, 65 with `sdot`, of which
//! 16 take nibbles apart; what scales four rows adds another 24. With two to four rows of `a` and
//! `smlal` not all weights fit the registers, and some are stored and loaded again.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::header::Header;
use super::transpose::{four, nibbles, LANES};
use super::{ActivationQ8K, Products};
use crate::{BlockQ4K, SharedRows};

/// Adds the M rows of `a` × every row of `b` to `acc`.
#[inline(always)]
pub(super) fn multiply<P: Products, const M: usize>(
    way: P,
    a: &[ActivationQ8K],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    let (n, blocks) = (b.rows(), b.blocks());
    for j in (0..n).step_by(LANES) {
        let width = LANES.min(n - j);
        let rows = four(b, j);
        let mut sums = [[0.0; LANES]; M];
        for i in 0..M {
            sums[i][..width].copy_from_slice(&acc[i * n + j..][..width]);
        }
        for at in 0..blocks {
            let mut a_blocks = [&a[at]; M];
            let mut b_blocks = rows;
            for i in 0..M {
                a_blocks[i] = &a[i * blocks + at];
            }
            for r in 0..LANES {
                b_blocks[r] = rows[r].wrapping_add(at);
            }
            // SAFETY: the target has NEON; every row has the block `at`; a row of `sums` has the 4
            // f32 read and written.
            unsafe {
                let header = Header::unpack(b_blocks);
                let p = products(way, a_blocks, b_blocks, &header);
                for i in 0..M {
                    let sum = vld1q_f32(sums[i].as_ptr());
                    let sum = header.add_term(sum, p[i], a_blocks[i]);
                    vst1q_f32(sums[i].as_mut_ptr(), sum);
                }
            }
        }
        for i in 0..M {
            acc[i * n + j..][..width].copy_from_slice(&sums[i][..width]);
        }
    }
}

/// P of M blocks of `a` × a block of each of four rows.
///
/// # Safety
/// The blocks can be loaded.
#[inline(always)]
unsafe fn products<P: Products, const M: usize>(
    way: P,
    a: [&ActivationQ8K; M],
    b: [*const BlockQ4K; LANES],
    header: &Header,
) -> [int32x4_t; M] {
    // SAFETY: the target has NEON; the caller's promise; 32 bytes lie at 16 + 32g in a block, and
    // need no alignment.
    unsafe {
        let mut p = [vdupq_n_s32(0); M];
        for g in 0..4 {
            let mut low = [[vdupq_n_s8(0); 2]; LANES];
            let mut high = low;
            for r in 0..LANES {
                for half in 0..2 {
                    let bytes = b[r].cast::<u8>().add(16 + 32 * g + 16 * half);
                    [low[r][half], high[r][half]] = nibbles(vld1q_u8(bytes));
                }
            }
            add_sub_block(way, &mut p, a, &low, header, 2 * g);
            add_sub_block(way, &mut p, a, &high, header, 2 * g + 1);
        }
        p
    }
}

/// Adds sub-block `s`, which is `q` in `b`, to P.
#[inline(always)]
fn add_sub_block<P: Products, const M: usize>(
    way: P,
    p: &mut [int32x4_t; M],
    a: [&ActivationQ8K; M],
    q: &[[int8x16_t; 2]; LANES],
    header: &Header,
    s: usize,
) {
    for i in 0..M {
        let values = &a[i].qs[32 * s..][..32];
        // SAFETY: the target has NEON; the loads read the 32 values.
        unsafe {
            let values = [vld1q_s8(values.as_ptr()), vld1q_s8(values[16..].as_ptr())];
            p[i] = vmlaq_s32(p[i], way.as_they_lie(q, values), header.scales[s]);
        }
    }
}
