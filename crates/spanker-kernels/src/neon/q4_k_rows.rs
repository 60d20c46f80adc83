// SPDX-License-Identifier: Apache-2.0

//! Q4_K × Q4_K: rows of `a`, unpacked, × stored panels of eight rows of `b`.
//!
//! As Q8_K × Q4_K, with a scale on either side, and with four integers a superblock. The three
//! smaller ones multiply i16, which some CPUs do twice as fast as i32.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::many_rows::{load, store};
use super::{ActivationQ4K, Panel, Products, B_ROWS, SUPERBLOCK, WIDTH};

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
#[inline(always)]
pub(super) fn multiply<P: Products, const M: usize>(
    way: P,
    panels: &[[Panel; WIDTH]],
    rows: &[&[ActivationQ4K]],
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
                let a_scale = i32::from(rows[i][at].scales[s] as i16);
                for r in 0..WIDTH {
                    // SAFETY: the target has NEON.
                    p[i][r] = unsafe {
                        let scale = vmulq_n_s32(pair[r].header.scales[s], a_scale);
                        vmlaq_s32(p[i][r], products[i][r], scale)
                    };
                }
            }
        }
        for i in 0..M {
            for r in 0..WIDTH {
                acc[i][r] = add_term(acc[i][r], p[i][r], &rows[i][at], &pair[r]);
            }
        }
    }
    store(acc, sums);
}

/// `acc` plus the term of one superblock given P.
#[inline(always)]
fn add_term(acc: float32x4_t, p: int32x4_t, a: &ActivationQ4K, b: &Panel) -> float32x4_t {
    // SAFETY: the target has NEON; the loads read the 8 i16 of an array.
    unsafe {
        let sums = vld1q_s16(a.sums.as_ptr().cast());
        let mins = vld1q_s16(a.mins.as_ptr().cast());
        let mut qrs = [vdupq_n_s32(0); 3];
        qrs = add_sub_block::<0>(qrs, b.sums_and_mins[0], sums, mins);
        qrs = add_sub_block::<1>(qrs, b.sums_and_mins[1], sums, mins);
        qrs = add_sub_block::<2>(qrs, b.sums_and_mins[2], sums, mins);
        qrs = add_sub_block::<3>(qrs, b.sums_and_mins[3], sums, mins);
        qrs = add_sub_block::<4>(qrs, b.sums_and_mins[4], sums, mins);
        qrs = add_sub_block::<5>(qrs, b.sums_and_mins[5], sums, mins);
        qrs = add_sub_block::<6>(qrs, b.sums_and_mins[6], sums, mins);
        qrs = add_sub_block::<7>(qrs, b.sums_and_mins[7], sums, mins);
        let [q, r, s] = qrs;
        let s = vshlq_n_s32::<5>(s);
        let [p, q, r, s] = [vcvtq_f32_s32(p), vcvtq_f32_s32(q), vcvtq_f32_s32(r), vcvtq_f32_s32(s)];

        let (d, dmin) = (vdupq_n_f32(a.d), vdupq_n_f32(a.dmin));
        let t = vsubq_f32(vmulq_f32(d, p), vmulq_f32(dmin, r));
        let u = vsubq_f32(vmulq_f32(d, q), vmulq_f32(dmin, s));
        let bt = vmulq_f32(b.header.d, t);
        let bu = vmulq_f32(b.header.dmin, u);
        vaddq_f32(acc, vsubq_f32(bt, bu))
    }
}

/// Q, R and S / 32 plus a sub-block's part: that of `a` in lane LANE of its `sums` and `mins`, that
/// of four rows of `b` in [`Panel::sums_and_mins`].
#[inline(always)]
fn add_sub_block<const LANE: i32>(
    [q, r, s]: [int32x4_t; 3],
    b: int16x8_t,
    sums: int16x8_t,
    mins: int16x8_t,
) -> [int32x4_t; 3] {
    // SAFETY: the target has NEON.
    unsafe {
        [
            vmlal_high_laneq_s16::<LANE>(q, b, sums),
            vmlal_laneq_s16::<LANE>(r, vget_low_s16(b), mins),
            vmlal_high_laneq_s16::<LANE>(s, b, mins),
        ]
    }
}
