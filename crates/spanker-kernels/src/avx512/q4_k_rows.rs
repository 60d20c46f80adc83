// SPDX-License-Identifier: Apache-2.0

//! Q4_K × Q4_K: rows of `a`, unpacked, × stored panels of sixteen rows of `b`.
//!
//! As Q8_K × Q4_K, with a scale on either side, and with four integers a superblock.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! counted as in [`many_rows`](super::many_rows): for sixteen rows, 64 `vpdpbusd`, 8 products of
//! scales, 8 `vpdpwssd` by those and 12 for Q, R and S are 92 multiplications, 5.8 cycles. 27
//! others (12 that take nibbles apart, 15 operations on f32 and for S) would fit beside them.
//! Measured with 64 rows of `a`, weights in the second cache: 6.9. Unpacking, which includes the
//! sums of weights here, is shared by the 64.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::x86_64::*;

use super::many_rows::two_sub_blocks;
use super::pairs::add_pairs;
use super::panel::Panel;
use super::transpose::LANES;
use super::ActivationQ4K;

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
///
/// # Safety
/// The CPU has AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply<const M: usize>(
    panels: &[Panel],
    rows: &[&[ActivationQ4K]],
    sums: &mut [[f32; LANES]],
) {
    // SAFETY: the caller's promise; a row of `sums` has the 16 f32 read and written.
    unsafe {
        let mut acc = [_mm512_setzero_ps(); M];
        for i in 0..M {
            acc[i] = _mm512_loadu_ps(sums[i].as_ptr());
        }
        for (at, panel) in panels.iter().enumerate() {
            // Looked up once: in the innermost loop, that would take more instructions than it has.
            let mut blocks = [&rows[0][at]; M];
            for i in 0..M {
                blocks[i] = &rows[i][at];
            }
            let mut p = [_mm512_setzero_si512(); M];
            for g in 0..4 {
                let [low, high] = two_sub_blocks(panel, blocks.map(|block| &block.qs), g);
                for i in 0..M {
                    // Products add up to at most 7,200 and scales multiply to at most 3,969, so
                    // both fit the low i16 of a lane.
                    for (s, products) in [(2 * g, low[i]), (2 * g + 1, high[i])] {
                        let a_scale = _mm512_set1_epi32(blocks[i].scales[s]);
                        let scale = _mm512_mullo_epi16(a_scale, panel.scales[s]);
                        p[i] = add_pairs(p[i], products, scale);
                    }
                }
            }
            for i in 0..M {
                acc[i] = add_term(acc[i], p[i], blocks[i], panel);
            }
        }
        for i in 0..M {
            _mm512_storeu_ps(sums[i].as_mut_ptr(), acc[i]);
        }
    }
}

/// `acc` plus the term of one superblock, given P.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add_term(acc: __m512, p: __m512i, a: &ActivationQ4K, b: &Panel) -> __m512 {
    let [mut q, mut r, mut s] = [_mm512_setzero_si512(); 3];
    for j in 0..4 {
        let a_mins = _mm512_set1_epi32(a.mins[j]);
        q = add_pairs(q, _mm512_set1_epi32(a.sums[j]), b.mins[j]);
        r = add_pairs(r, a_mins, b.sums[j]);
        s = add_pairs(s, a_mins, b.mins[j]);
    }
    let s = _mm512_slli_epi32::<5>(s);
    let [p, q, r, s] = [p, q, r, s].map(|sum| _mm512_cvtepi32_ps(sum));

    let (d, dmin) = (_mm512_set1_ps(a.d), _mm512_set1_ps(a.dmin));
    let t = _mm512_sub_ps(_mm512_mul_ps(d, p), _mm512_mul_ps(dmin, r));
    let u = _mm512_sub_ps(_mm512_mul_ps(d, q), _mm512_mul_ps(dmin, s));
    let bt = _mm512_mul_ps(b.d, t);
    let bu = _mm512_mul_ps(b.dmin, u);
    _mm512_add_ps(acc, _mm512_sub_ps(bt, bu))
}
