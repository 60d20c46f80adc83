// SPDX-License-Identifier: Apache-2.0

//! Q8_K × Q4_K: rows of `a` × stored panels of sixteen rows of `b`.
//!
//! One `vpdpbusd` multiplies the four weights in each of sixteen lanes by four broadcast values of
//! `a` and adds the products to the lanes: 64 multiplications. Eight of them make a sub-block,
//! whose sums are then multiplied by the rows' scales.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! where an instruction of 512 bits takes one of four pipes for two cycles, and two of the pipes
//! multiply: for sixteen rows, 64 `vpdpbusd`, 8 products by scales and 4 `vpdpwssd` for the mins
//! are 76 multiplications, 4.8 cycles. 27 others (12 that take nibbles apart, shared by eight rows
//! of `a`, 8 additions, 7 operations on f32) would fit beside them, 103 in 3.2 cycles. Measured,
//! weights in the second cache: 5.5 with 64 rows of `a`. Others take places of multiplications
//! where they come in between: of registers alone, eight `vpdpbusd` and eight additions take 8.0
//! cycles one after the other and 9.1 by turns. The sums of the mins, which wait for each other,
//! go by turns for that reason. Unpacking a panel takes about 11 cycles for a row and superblock,
//! which all rows of `a` share: 0.2 at 64, and most of what it takes longer at four (8.4) and at
//! eight (6.9).

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::x86_64::*;

use super::panel::Panel;
use super::transpose::{nibbles, LANES};
use super::SUPERBLOCK;
use crate::ActivationQ8K;

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
///
/// # Safety
/// The CPU has AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply<const M: usize>(
    panels: &[Panel],
    rows: &[&[ActivationQ8K]],
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
                    let low = _mm512_mullo_epi32(low[i], panel.scales[2 * g]);
                    let high = _mm512_mullo_epi32(high[i], panel.scales[2 * g + 1]);
                    p[i] = _mm512_add_epi32(p[i], _mm512_add_epi32(low, high));
                }
            }
            panel.add_terms(&mut acc, p, blocks);
        }
        for i in 0..M {
            _mm512_storeu_ps(sums[i].as_mut_ptr(), acc[i]);
        }
    }
}

/// Sub-blocks 2g and 2g+1 of M rows of `a` × a panel: Σ a·q over 32 weights of each row of `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn two_sub_blocks<const M: usize>(
    panel: &Panel,
    a: [&[i8; SUPERBLOCK]; M],
    g: usize,
) -> [[__m512i; M]; 2] {
    let mut low = [_mm512_setzero_si512(); M];
    let mut high = [_mm512_setzero_si512(); M];
    for j in 0..8 {
        let [q_low, q_high] = nibbles(panel.q[g][j]);
        for i in 0..M {
            let a_low = _mm512_set1_epi32(quad(a[i], 64 * g + 4 * j));
            let a_high = _mm512_set1_epi32(quad(a[i], 64 * g + 32 + 4 * j));
            low[i] = _mm512_dpbusd_epi32(low[i], q_low, a_low);
            high[i] = _mm512_dpbusd_epi32(high[i], q_high, a_high);
        }
    }
    [low, high]
}

/// Values `at` to `at`+3 as the bytes of a word.
#[inline]
fn quad(qs: &[i8; SUPERBLOCK], at: usize) -> i32 {
    let q = &qs[at..][..4];
    i32::from_le_bytes([q[0] as u8, q[1] as u8, q[2] as u8, q[3] as u8])
}
