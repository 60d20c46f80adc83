// SPDX-License-Identifier: Apache-2.0

//! Q8_K × Q4_K: rows of `a` × stored panels of sixteen rows of `b`.
//!
//! One `vpdpbusd` multiplies the four weights in each of sixteen lanes by four broadcast values of
//! `a` and adds the products to the lanes: 64 multiplications. Eight of them make a sub-block, whose
//! sums are then multiplied by the rows' scales.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::x86_64::*;

use spanker_sys::spanker_block_q8_k as BlockQ8K;

use super::panel::Panel;
use super::transpose::LANES;
use super::SUPERBLOCK;

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
///
/// # Safety
/// The CPU has AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply<const M: usize>(
    panels: &[Panel],
    rows: &[&[BlockQ8K]],
    sums: &mut [[f32; LANES]],
) {
    // SAFETY: the caller's promise; a row of `sums` has the 16 f32 read and written.
    unsafe {
        let mut acc = [_mm512_setzero_ps(); M];
        for i in 0..M {
            acc[i] = _mm512_loadu_ps(sums[i].as_ptr());
        }
        for (at, panel) in panels.iter().enumerate() {
            let mut p = [_mm512_setzero_si512(); M];
            for s in 0..8 {
                let mut products = [_mm512_setzero_si512(); M];
                for j in 0..8 {
                    for i in 0..M {
                        let a = _mm512_set1_epi32(quad(&rows[i][at].qs, 32 * s + 4 * j));
                        products[i] = _mm512_dpbusd_epi32(products[i], panel.q[s][j], a);
                    }
                }
                for i in 0..M {
                    let scaled = _mm512_mullo_epi32(products[i], panel.scales[s]);
                    p[i] = _mm512_add_epi32(p[i], scaled);
                }
            }
            for i in 0..M {
                acc[i] = panel.add_term(acc[i], p[i], &rows[i][at]);
            }
        }
        for i in 0..M {
            _mm512_storeu_ps(sums[i].as_mut_ptr(), acc[i]);
        }
    }
}

/// Values `at` to `at`+3 as the bytes of a word.
#[inline]
pub(super) fn quad(qs: &[i8; SUPERBLOCK], at: usize) -> i32 {
    let q = &qs[at..][..4];
    i32::from_le_bytes([q[0] as u8, q[1] as u8, q[2] as u8, q[3] as u8])
}
