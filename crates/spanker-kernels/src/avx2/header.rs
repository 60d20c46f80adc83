// SPDX-License-Identifier: Apache-2.0

//! What scales the weights: the first 16 bytes of eight blocks.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::transpose::{transpose, LANES};
use crate::{ActivationQ8K, BlockQ4K};

/// Eight rows' scales of one superblock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    /// `scales[s]`, two i16 a row: its sc\[s\] twice.
    pub(crate) scales: [__m256i; 8],
    /// `mins[j]`, two i16 a row: its mn\[2j\] and mn\[2j+1\].
    pub(crate) mins: [__m256i; 4],
    /// Each row's d.
    pub(crate) d: __m256,
    /// Each row's dmin.
    pub(crate) dmin: __m256,
}

impl Header {
    /// Unpacks d, dmin and three words of 6-bit scales.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C. The blocks can be loaded.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(crate) unsafe fn unpack(blocks: &[*const BlockQ4K; LANES]) -> Self {
        // SAFETY: the caller's promises.
        unsafe {
            let [d, scales, mins, rest] = transpose(blocks, 0);
            // Four scales of a row to its lane.
            let low6 = _mm256_set1_epi8(0x3f);
            let low4 = _mm256_set1_epi8(0x0f);
            let bits45 = _mm256_set1_epi8(0x30);
            let scales_high = _mm256_and_si256(_mm256_srli_epi32::<2>(scales), bits45);
            let mins_high = _mm256_and_si256(_mm256_srli_epi32::<2>(mins), bits45);
            let rest_high = _mm256_and_si256(_mm256_srli_epi32::<4>(rest), low4);
            Self {
                scales: twice([
                    _mm256_and_si256(scales, low6),
                    _mm256_or_si256(_mm256_and_si256(rest, low4), scales_high),
                ]),
                mins: pairs([_mm256_and_si256(mins, low6), _mm256_or_si256(rest_high, mins_high)]),
                d: widen(_mm256_and_si256(d, _mm256_set1_epi32(0xffff))),
                dmin: widen(_mm256_srli_epi32::<16>(d)),
            }
        }
    }

    /// `acc` plus the term of one superblock of Q8_K × Q4_K, given P.
    ///
    /// # Safety
    /// The CPU has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(crate) unsafe fn add_term(&self, acc: __m256, p: __m256i, a: &ActivationQ8K) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe {
            let mut m = self.add_products_of_mins(_mm256_setzero_si256(), &a.sums);
            if a.is_beyond {
                m = self.add_products_of_mins(m, &a.beyond);
            }
            let t = _mm256_mul_ps(self.d, _mm256_cvtepi32_ps(p));
            let u = _mm256_mul_ps(self.dmin, _mm256_cvtepi32_ps(m));
            let v = _mm256_sub_ps(t, u);
            let w = _mm256_mul_ps(_mm256_set1_ps(a.d), v);
            _mm256_add_ps(acc, w)
        }
    }

    /// `m` plus Σ mn\[s\] · `numbers`\[s\], which come as the pairs of an activation.
    ///
    /// # Safety
    /// The CPU has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn add_products_of_mins(&self, mut m: __m256i, numbers: &[i32; 4]) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            for (pair, mins) in numbers.iter().zip(self.mins) {
                m = add_pairs(m, _mm256_set1_epi32(*pair), mins);
            }
        }
        m
    }
}

/// `sum` plus, in each i32 lane, the dot product of two pairs of i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(crate) unsafe fn add_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
}

/// Each byte of a row, four in its lane of the first vector and four in the second, as two equal
/// i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn twice(bytes: [__m256i; 2]) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        // Byte 0 of each lane to both of its i16; 0x80 gives zero.
        let byte0 = _mm256_broadcastsi128_si256(_mm_setr_epi32(
            0x8000_8000_u32 as i32,
            0x8004_8004_u32 as i32,
            0x8008_8008_u32 as i32,
            0x800c_800c_u32 as i32,
        ));
        let mut pairs = [_mm256_setzero_si256(); 8];
        for (s, pair) in pairs.iter_mut().enumerate() {
            let byte = _mm256_set1_epi32(0x0001_0001 * (s % 4) as i32);
            *pair = _mm256_shuffle_epi8(bytes[s / 4], _mm256_add_epi32(byte0, byte));
        }
        pairs
    }
}

/// Every two bytes of a row, four in its lane of the first vector and four in the second, as two
/// i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn pairs(bytes: [__m256i; 2]) -> [__m256i; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        // Bytes 0 and 1 of each lane to its i16; 0x80 gives zero.
        let bytes01 = _mm256_broadcastsi128_si256(_mm_setr_epi32(
            0x8001_8000_u32 as i32,
            0x8005_8004_u32 as i32,
            0x8009_8008_u32 as i32,
            0x800d_800c_u32 as i32,
        ));
        let bytes23 = _mm256_add_epi32(bytes01, _mm256_set1_epi32(0x0002_0002));
        let mut pairs = [_mm256_setzero_si256(); 4];
        for (j, pair) in pairs.iter_mut().enumerate() {
            *pair = _mm256_shuffle_epi8(bytes[j / 2], if j % 2 == 0 { bytes01 } else { bytes23 });
        }
        pairs
    }
}

/// The f32 of the f16 in the low half of each lane, whose high half is 0.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen(bits: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let halves = _mm256_packus_epi32(bits, bits);
        // Quarters 0 and 2, for packing works within halves.
        let packed = _mm256_permute4x64_epi64::<0b10_00>(halves);
        _mm256_cvtph_ps(_mm256_castsi256_si128(packed))
    }
}
