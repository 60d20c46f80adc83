// SPDX-License-Identifier: Apache-2.0

//! Sixteen rows of Q4_K, transposed and stored, for many rows of `a`.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::x86_64::*;

use super::pairs::add_pairs;
use super::transpose::{nibbles, sixteen, transpose, transpose_to, LANES};
use crate::avx2::transpose::prefetch;
use crate::{ActivationQ8K, BlockQ4K, SharedRows};

/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Sixteen rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// `q[g][j]`, four bytes a row: in their low nibbles its weights 64g+4j to 64g+4j+3, in their
    /// high nibbles those 32 further on.
    pub(super) q: [[__m512i; 8]; 4],
    /// `scales[s]`, an i32 a row: its sc\[s\].
    pub(super) scales: [__m512i; 8],
    /// `mins[j]`, two i16 a row: its mn\[2j\] and mn\[2j+1\].
    pub(super) mins: [__m512i; 4],
    /// `sums[j]`, two i16 a row: its sc\[s\] · (sum of 32 weights) for sub-blocks 2j and 2j+1, if
    /// asked for.
    pub(super) sums: [__m512i; 4],
    /// Each row's d.
    pub(super) d: __m512,
    /// Each row's dmin.
    pub(super) dmin: __m512,
}

/// Unpacks superblocks from `at` on of sixteen rows from row `first`: one into each panel.
///
/// # Safety
/// The CPU has AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn unpack(
    panels: &mut [Panel],
    b: SharedRows<'_, BlockQ4K>,
    first: usize,
    at: usize,
    with_sums: bool,
) {
    assert!(at + panels.len() <= b.blocks());
    let mut blocks = sixteen(b, first);
    for block in &mut blocks {
        *block = block.wrapping_add(at);
    }
    for panel in panels {
        for block in &blocks {
            // SAFETY: AVX-512F implies AVX2.
            unsafe { prefetch(block.wrapping_byte_add(b.ahead(LANES))) };
        }
        // SAFETY: the caller's promise; every row has this block.
        unsafe { panel.unpack(&blocks, with_sums) };
        for block in &mut blocks {
            *block = block.wrapping_add(1);
        }
    }
}

impl Panel {
    /// All zeros.
    // SAFETY: zero bits are a value of every integer and float.
    pub(super) const ZERO: Self = unsafe { std::mem::zeroed() };

    /// Unpacks one superblock of sixteen rows. Sets [`Self::sums`] only if `with_sums`.
    ///
    /// # Safety
    /// The CPU has AVX-512 F, BW and VNNI. The blocks can be loaded.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn unpack(&mut self, blocks: &[*const BlockQ4K; LANES], with_sums: bool) {
        // SAFETY: the caller's promises; the last 16 bytes are those from 16 + 96 + 16.
        unsafe {
            self.unpack_header(transpose(blocks, 0));
            for g in 0..4 {
                for half in 0..2 {
                    let columns = &mut self.q[g][4 * half..][..4];
                    transpose_to(blocks, QS + 32 * g + 16 * half, columns);
                }
            }
        }
        if with_sums {
            for (g, q) in self.q.iter().enumerate() {
                let ones = _mm512_set1_epi8(1);
                let mut sums = [_mm512_setzero_si512(); 2];
                for bytes in q {
                    let [low, high] = nibbles(*bytes);
                    sums[0] = _mm512_dpbusd_epi32(sums[0], low, ones);
                    sums[1] = _mm512_dpbusd_epi32(sums[1], high, ones);
                }
                let low = _mm512_mullo_epi32(sums[0], self.scales[2 * g]);
                let high = _mm512_mullo_epi32(sums[1], self.scales[2 * g + 1]);
                self.sums[g] = _mm512_or_si512(low, _mm512_slli_epi32::<16>(high));
            }
        }
    }

    /// Sets what scales the weights from d and dmin and three words of 6-bit scales.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn unpack_header(&mut self, [d, scales, mins, rest]: [__m512i; 4]) {
        // Four scales of a row to its lane.
        let low6 = _mm512_set1_epi8(0x3f);
        let low4 = _mm512_set1_epi8(0x0f);
        let bits45 = _mm512_set1_epi8(0x30);
        let high2 = |words| _mm512_and_si512(_mm512_srli_epi32::<2>(words), bits45);
        let scales_high = _mm512_or_si512(_mm512_and_si512(rest, low4), high2(scales));
        let rest_high = _mm512_and_si512(_mm512_srli_epi32::<4>(rest), low4);
        let mins_high = _mm512_or_si512(rest_high, high2(mins));
        let scales = [_mm512_and_si512(scales, low6), scales_high];
        let mins = [_mm512_and_si512(mins, low6), mins_high];

        // Which byte of its lane each byte is to be, 0x80 for zero; the first of each lane is at:
        let lanes = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 4, 8, 12));
        for s in 0..8 {
            let byte = _mm512_set1_epi32(0x8080_8000_u32 as i32 + (s % 4) as i32);
            self.scales[s] = _mm512_shuffle_epi8(scales[s / 4], _mm512_add_epi32(lanes, byte));
        }
        let lanes = _mm512_or_si512(lanes, _mm512_slli_epi32::<16>(lanes));
        for j in 0..4 {
            let bytes = _mm512_set1_epi32(0x8001_8000_u32 as i32 + 0x0002_0002 * (j % 2) as i32);
            self.mins[j] = _mm512_shuffle_epi8(mins[j / 2], _mm512_add_epi32(lanes, bytes));
        }
        self.d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(d));
        self.dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(d)));
    }

    /// Adds to each sum of `acc` the term of one superblock of Q8_K × Q4_K, given P.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn add_terms<const M: usize>(
        &self,
        acc: &mut [__m512; M],
        p: [__m512i; M],
        a: [&ActivationQ8K; M],
    ) {
        // All sums by turns: each has to wait for its last addition.
        let mut m = [_mm512_setzero_si512(); M];
        for j in 0..4 {
            for i in 0..M {
                m[i] = add_pairs(m[i], _mm512_set1_epi32(a[i].sums[j]), self.mins[j]);
            }
        }
        for i in 0..M {
            if a[i].is_beyond {
                for j in 0..4 {
                    m[i] = add_pairs(m[i], _mm512_set1_epi32(a[i].beyond[j]), self.mins[j]);
                }
            }
        }
        for i in 0..M {
            let t = _mm512_mul_ps(self.d, _mm512_cvtepi32_ps(p[i]));
            let u = _mm512_mul_ps(self.dmin, _mm512_cvtepi32_ps(m[i]));
            let v = _mm512_sub_ps(t, u);
            let w = _mm512_mul_ps(_mm512_set1_ps(a[i].d), v);
            acc[i] = _mm512_add_ps(acc[i], w);
        }
    }
}
