// SPDX-License-Identifier: Apache-2.0

//! Q8_K × Q4_K: rows of `a` × stored panels of sixteen rows of `b`.
//!
//! `maddubs` multiplies four weights in each of eight lanes by four broadcast values of `a`, and
//! adds the products in pairs, to i16. Eight of them make a sub-block, and still fit an i16; only
//! then is the scale applied, by `madd`, which adds the pairs. That is nine multiplications where
//! applying the scale to each would take sixteen.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! which starts four vector instructions a cycle, of which two multiply: for eight rows, 64
//! `maddubs`, 8 `madd` by scales and 4 by mins are 76 multiplications, 4.8 cycles; 64 additions in
//! i16, 11 in i32 and 7 operations on f32 make it 158 instructions, 4.9 cycles. Measured with 64
//! rows of `a`, weights in the second cache: 7.5. Others take places of multiplications where they
//! come in between: of registers alone, eight `vpdpbusd` and eight additions take 8.0 cycles one
//! after the other and 9.1 by turns: were the 82 others spread evenly, the multiplications would
//! be done after 7.3 cycles.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::asm;
#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::header::add_pairs;
use super::panel::Panel;
use super::transpose::LANES;
use super::{B_ROWS, SUPERBLOCK, WIDTH};
use crate::ActivationQ8K;

/// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn multiply<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: &[&[ActivationQ8K]],
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
                    for r in 0..WIDTH {
                        let scale = panel[r].header.scales[s];
                        p[i][r] = add_pairs(p[i][r], products[i][r], scale);
                    }
                }
            }
            for i in 0..M {
                for r in 0..WIDTH {
                    acc[i][r] = panel[r].header.add_term(acc[i][r], p[i][r], &rows[i][at]);
                }
            }
        }
        store(acc, sums);
    }
}

/// Sub-block `s` of M rows of `a` × a pair of panels: of each row of `b` two i16 that add up to
/// Σ a·q over 32 weights.
///
/// A lane adds 16 products of at most 15 · 128 = 30,720 together, within i16 for any bytes; so the
/// scale need not be applied before a whole sub-block is summed.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn sub_block<const M: usize>(
    panel: &[Panel; WIDTH],
    a: [&[i8; SUPERBLOCK]; M],
    s: usize,
) -> [[__m256i; WIDTH]; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[_mm256_setzero_si256(); WIDTH]; M];
        for j in 0..8 {
            for i in 0..M {
                let a = _mm256_set1_epi32(quad(a[i], 32 * s + 4 * j));
                for r in 0..WIDTH {
                    let products = _mm256_maddubs_epi16(panel[r].q[s][j], a);
                    sums[i][r] = in_order(_mm256_add_epi16(sums[i][r], products));
                }
            }
        }
        sums
    }
}

/// `sum`, in a register of its own: without this the compiler adds products in a tree, which takes
/// more registers than there are and spills them in the innermost loop.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
// `avx2` includes `avx`, but compilers before 1.78 want it named for a vector register.
#[target_feature(enable = "avx,avx2,f16c")]
unsafe fn in_order(mut sum: __m256i) -> __m256i {
    // SAFETY: no instruction at all; the value passes through unchanged.
    unsafe {
        asm!("/* {} */", inout(ymm_reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// The sums in memory as vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn load<const M: usize>(sums: &[[f32; B_ROWS]]) -> [[__m256; WIDTH]; M] {
    // SAFETY: the caller's promise; each load reads 8 f32 of a slice of 8.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); WIDTH]; M];
        for i in 0..M {
            for r in 0..WIDTH {
                acc[i][r] = _mm256_loadu_ps(sums[i][LANES * r..][..LANES].as_ptr());
            }
        }
        acc
    }
}

/// The counterpart of [`load`].
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn store<const M: usize>(acc: [[__m256; WIDTH]; M], sums: &mut [[f32; B_ROWS]]) {
    for i in 0..M {
        for r in 0..WIDTH {
            let lanes = &mut sums[i][LANES * r..][..LANES];
            // SAFETY: the caller's promise; `lanes` has room for the 8 f32 written.
            unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), acc[i][r]) };
        }
    }
}

/// Values `at` to `at`+3 as the bytes of a word.
#[inline]
fn quad(qs: &[i8; SUPERBLOCK], at: usize) -> i32 {
    let q = &qs[at..][..4];
    i32::from_le_bytes([q[0] as u8, q[1] as u8, q[2] as u8, q[3] as u8])
}
