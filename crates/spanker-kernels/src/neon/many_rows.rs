// SPDX-License-Identifier: Apache-2.0

//! Q8_K × Q4_K: rows of `a` × stored panels of eight rows of `b`.
//!
//! Four values of `a`, broadcast, meet four weights of each row in its lane. The sums of a sub-block
//! are then multiplied by the rows' scales.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::transpose::LANES;
use super::{ActivationQ8K, Panel, Products, B_ROWS, SUPERBLOCK, WIDTH};

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
#[inline(always)]
pub(super) fn multiply<P: Products, const M: usize>(
    way: P,
    panels: &[[Panel; WIDTH]],
    rows: &[&[ActivationQ8K]],
    sums: &mut [[f32; B_ROWS]],
) {
    let mut acc = load::<M>(sums);
    for (at, pair) in panels.iter().enumerate() {
        let mut qs: [&[i8; SUPERBLOCK]; M] = [&rows[0][at].qs; M];
        for i in 0..M {
            qs[i] = &rows[i][at].qs;
        }
        // SAFETY: the target has NEON.
        let mut p = [[unsafe { vdupq_n_s32(0) }; WIDTH]; M];
        for s in 0..8 {
            let products = way.by_panels(pair, qs, s);
            for i in 0..M {
                for r in 0..WIDTH {
                    let scale = pair[r].header.scales[s];
                    // SAFETY: the target has NEON.
                    p[i][r] = unsafe { vmlaq_s32(p[i][r], products[i][r], scale) };
                }
            }
        }
        for i in 0..M {
            for r in 0..WIDTH {
                acc[i][r] = pair[r].header.add_term(acc[i][r], p[i][r], &rows[i][at]);
            }
        }
    }
    store(acc, sums);
}

/// The sums in memory as vectors.
#[inline(always)]
pub(super) fn load<const M: usize>(sums: &[[f32; B_ROWS]]) -> [[float32x4_t; WIDTH]; M] {
    // SAFETY: the target has NEON; each load reads 4 f32 of a slice of 4.
    unsafe {
        let mut acc = [[vdupq_n_f32(0.0); WIDTH]; M];
        for i in 0..M {
            for r in 0..WIDTH {
                acc[i][r] = vld1q_f32(sums[i][LANES * r..][..LANES].as_ptr());
            }
        }
        acc
    }
}

/// The counterpart of [`load`].
#[inline(always)]
pub(super) fn store<const M: usize>(acc: [[float32x4_t; WIDTH]; M], sums: &mut [[f32; B_ROWS]]) {
    for i in 0..M {
        for r in 0..WIDTH {
            let lanes = &mut sums[i][LANES * r..][..LANES];
            // SAFETY: the target has NEON; `lanes` has room for the 4 f32 written.
            unsafe { vst1q_f32(lanes.as_mut_ptr(), acc[i][r]) };
        }
    }
}
