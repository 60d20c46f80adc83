// SPDX-License-Identifier: Apache-2.0

//! Sixteen rows of Q4_K, transposed and stored, for many rows of `a`.

use std::arch::x86_64::*;

use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

use super::transpose::{nibbles, transpose, LANES};

/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Sixteen rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
pub(in crate::kernel) struct Panel {
    /// `q[s][j]`, four bytes a row: its weights 32s+4j to 32s+4j+3, 0 to 15.
    pub(super) q: [[__m512i; 8]; 8],
    /// `scales[s]`, an i32 a row: its sc\[s\].
    pub(super) scales: [__m512i; 8],
    /// `mins[s]`, two i16 a row: its mn\[s\] twice.
    pub(super) mins: [__m512i; 8],
    /// `sums[s]`, an i32 a row: sc\[s\] · (sum of its 32 weights), if asked for.
    pub(super) sums: [__m512i; 8],
    /// Each row's d.
    pub(super) d: __m512,
    /// Each row's dmin.
    pub(super) dmin: __m512,
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
    pub(super) unsafe fn unpack(&mut self, blocks: [*const BlockQ4K; LANES], with_sums: bool) {
        // SAFETY: the caller's promises; the last 16 bytes are those from 16 + 96 + 16.
        unsafe {
            self.unpack_header(transpose(blocks, 0));
            for g in 0..4 {
                for half in 0..2 {
                    let columns = transpose(blocks, QS + 32 * g + 16 * half);
                    for (j, bytes) in columns.into_iter().enumerate() {
                        let [low, high] = nibbles(bytes);
                        self.q[2 * g][4 * half + j] = low;
                        self.q[2 * g + 1][4 * half + j] = high;
                    }
                }
            }
        }
        if with_sums {
            for s in 0..8 {
                let ones = _mm512_set1_epi8(1);
                let zero = _mm512_setzero_si512();
                let sum = self.q[s].iter().fold(zero, |sum, q| _mm512_dpbusd_epi32(sum, *q, ones));
                self.sums[s] = _mm512_mullo_epi32(sum, self.scales[s]);
            }
        }
    }

    /// Sets what scales the weights from d and dmin and three words of 6-bit scales.
    ///
    /// # Safety
    /// The CPU has AVX-512 F and BW.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn unpack_header(&mut self, [d, scales, mins, rest]: [__m512i; 4]) {
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

        // Byte 0 of each lane to its low byte, and to its two i16; 0x80 gives zero.
        let lanes = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 4, 8, 12));
        for s in 0..8 {
            let byte = _mm512_add_epi32(lanes, _mm512_set1_epi32((s % 4) as i32));
            let once = _mm512_or_si512(byte, _mm512_set1_epi32(0x8080_8000_u32 as i32));
            let twice = _mm512_or_si512(_mm512_slli_epi32::<16>(byte), byte);
            let twice = _mm512_or_si512(twice, _mm512_set1_epi32(0x8000_8000_u32 as i32));
            self.scales[s] = _mm512_shuffle_epi8(scales[s / 4], once);
            self.mins[s] = _mm512_shuffle_epi8(mins[s / 4], twice);
        }
        self.d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(d));
        self.dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(d)));
    }

    /// `acc` plus the term of one superblock of Q8_K × Q4_K, given P.
    ///
    /// # Safety
    /// The CPU has AVX-512 F and VNNI.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) unsafe fn add_term(&self, acc: __m512, p: __m512i, a: &BlockQ8K) -> __m512 {
        let mut m = _mm512_setzero_si512();
        for s in 0..8 {
            m = _mm512_dpwssd_epi32(m, _mm512_set1_epi32(pair(&a.bsums, s)), self.mins[s]);
        }
        let t = _mm512_mul_ps(self.d, _mm512_cvtepi32_ps(p));
        let u = _mm512_mul_ps(self.dmin, _mm512_cvtepi32_ps(m));
        let v = _mm512_sub_ps(t, u);
        let w = _mm512_mul_ps(_mm512_set1_ps(f32::from_bits(a.d)), v);
        _mm512_add_ps(acc, w)
    }
}

/// Sums 2s and 2s+1 as the halves of a word.
#[inline]
fn pair(bsums: &[u16; 16], s: usize) -> i32 {
    (u32::from(bsums[2 * s]) | u32::from(bsums[2 * s + 1]) << 16) as i32
}
