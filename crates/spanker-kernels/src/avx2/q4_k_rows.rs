// SPDX-License-Identifier: Apache-2.0

//! Q4_K × Q4_K: rows of `a`, unpacked, × stored panels of sixteen rows of `b`.
//!
//! As Q8_K × Q4_K, with a scale on either side, and with four integers a superblock.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! counted as in [`many_rows`](super::many_rows): for eight rows, 64 `maddubs`, 8 products of
//! scales, 8 `madd` by those and 12 for Q, R and S are 92 multiplications, 5.8 cycles; with 81
//! additions and 15 operations on f32 and for S, 188 instructions, 5.9 cycles. Measured with 64
//! rows of `a`, weights in the second cache: 8.8, which is what it takes with the others spread
//! evenly over all four pipes.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::header::add_pairs;
use super::many_rows::{load, store, sub_block};
use super::panel::Panel;
use super::{ActivationQ4K, B_ROWS, SUPERBLOCK, WIDTH};

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn multiply<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: &[&[ActivationQ4K]],
    sums: &mut [[f32; B_ROWS]],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = load::<M>(sums);
        for (at, panel) in panels.iter().enumerate() {
            let mut qs: [&[i8; SUPERBLOCK]; M] = [&rows[0][at].qs; M];
            for i in 0..M {
                qs[i] = &rows[i][at].qs;
            }
            let mut p = [[_mm256_setzero_si256(); WIDTH]; M];
            for s in 0..8 {
                let products = sub_block(panel, qs, s);
                for i in 0..M {
                    let a_scale = _mm256_set1_epi32(rows[i][at].scales[s]);
                    for r in 0..WIDTH {
                        // At most 63 · 63.
                        let scale = _mm256_mullo_epi16(a_scale, panel[r].header.scales[s]);
                        p[i][r] = add_pairs(p[i][r], products[i][r], scale);
                    }
                }
            }
            for i in 0..M {
                for r in 0..WIDTH {
                    acc[i][r] = add_term(acc[i][r], p[i][r], &rows[i][at], &panel[r]);
                }
            }
        }
        store(acc, sums);
    }
}

/// `acc` plus the term of one superblock given P.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn add_term(acc: __m256, p: __m256i, a: &ActivationQ4K, b: &Panel) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let [mut q, mut r, mut s] = [_mm256_setzero_si256(); 3];
        for j in 0..4 {
            let a_mins = _mm256_set1_epi32(a.mins[j]);
            q = add_pairs(q, _mm256_set1_epi32(a.sums[j]), b.header.mins[j]);
            r = add_pairs(r, a_mins, b.sums[j]);
            s = add_pairs(s, a_mins, b.header.mins[j]);
        }
        let s = _mm256_slli_epi32::<5>(s);
        let [p, q, r, s] = [
            _mm256_cvtepi32_ps(p),
            _mm256_cvtepi32_ps(q),
            _mm256_cvtepi32_ps(r),
            _mm256_cvtepi32_ps(s),
        ];

        let d = _mm256_set1_ps(a.d);
        let dmin = _mm256_set1_ps(a.dmin);
        let t = _mm256_sub_ps(_mm256_mul_ps(d, p), _mm256_mul_ps(dmin, r));
        let u = _mm256_sub_ps(_mm256_mul_ps(d, q), _mm256_mul_ps(dmin, s));
        let bt = _mm256_mul_ps(b.header.d, t);
        let bu = _mm256_mul_ps(b.header.dmin, u);
        _mm256_add_ps(acc, _mm256_sub_ps(bt, bu))
    }
}
