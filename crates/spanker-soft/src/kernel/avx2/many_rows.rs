// SPDX-License-Identifier: Apache-2.0

//! Rows of `a` × stored panels of sixteen rows of `b`.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::asm;
#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use spanker_sys::spanker_block_q8_k as BlockQ8K;

use super::activation::Nibbles;
use super::header::add_pairs;
use super::panel::Panel;
use super::transpose::LANES;
use super::{B_ROWS, SUPERBLOCK, WIDTH};

/// An operand `a` as the loops over stored panels take it.
pub(super) trait Factor: Sized {
    /// Whether they need [`Panel::sums`].
    const WANTS_SUMS: bool;

    /// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    );
}

impl Factor for BlockQ8K {
    const WANTS_SUMS: bool = false;

    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    ) {
        // SAFETY: the caller's promise.
        unsafe { accumulate_q8_k(panels, rows, sums) }
    }
}

impl Factor for Nibbles {
    const WANTS_SUMS: bool = true;

    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    ) {
        // SAFETY: the caller's promise.
        unsafe { accumulate_q4_k(panels, rows, sums) }
    }
}

/// Q8_K × Q4_K: P in i32 lanes, then [`add_term`](super::header::Header::add_term), superblock by superblock.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn accumulate_q8_k<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: [&[BlockQ8K]; M],
    sums: &mut [[f32; B_ROWS]; M],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = load(sums);
        for (at, panel) in panels.iter().enumerate() {
            let mut qs = [&rows[0][at].qs; M];
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

/// Q4_K × Q4_K: P in i32 lanes, then [`add_term_q4_k`], superblock by superblock.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn accumulate_q4_k<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: [&[Nibbles]; M],
    sums: &mut [[f32; B_ROWS]; M],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = load(sums);
        for (at, panel) in panels.iter().enumerate() {
            let mut qs = [&rows[0][at].qs; M];
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
                    acc[i][r] = add_term_q4_k(acc[i][r], p[i][r], &rows[i][at], &panel[r]);
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
unsafe fn sub_block<const M: usize>(
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

/// `acc` plus the term of one superblock of Q4_K × Q4_K, given P.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn add_term_q4_k(acc: __m256, p: __m256i, a: &Nibbles, b: &Panel) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let [mut q, mut r, mut s] = [_mm256_setzero_si256(); 3];
        for i in 0..8 {
            let a_min = _mm256_set1_epi32(a.mins[i]);
            q = add_pairs(q, _mm256_set1_epi32(a.sums[i]), b.header.mins[i]);
            r = add_pairs(r, a_min, b.sums[i]);
            s = add_pairs(s, a_min, b.header.mins[i]);
        }
        // Each product of mins stands in both lanes of its pair: 16 · 2 = 32.
        let s = _mm256_slli_epi32::<4>(s);
        let [p, q, r, s] = [
            _mm256_cvtepi32_ps(p),
            _mm256_cvtepi32_ps(q),
            _mm256_cvtepi32_ps(r),
            _mm256_cvtepi32_ps(s),
        ];

        let d = _mm256_cvtph_ps(_mm_set1_epi16(a.d[0] as i16));
        let dmin = _mm256_cvtph_ps(_mm_set1_epi16(a.d[1] as i16));
        let t = _mm256_sub_ps(_mm256_mul_ps(d, p), _mm256_mul_ps(dmin, r));
        let u = _mm256_sub_ps(_mm256_mul_ps(d, q), _mm256_mul_ps(dmin, s));
        let bt = _mm256_mul_ps(b.header.d, t);
        let bu = _mm256_mul_ps(b.header.dmin, u);
        _mm256_add_ps(acc, _mm256_sub_ps(bt, bu))
    }
}

/// The sums in memory as vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn load<const M: usize>(sums: &[[f32; B_ROWS]; M]) -> [[__m256; WIDTH]; M] {
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
unsafe fn store<const M: usize>(acc: [[__m256; WIDTH]; M], sums: &mut [[f32; B_ROWS]; M]) {
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
