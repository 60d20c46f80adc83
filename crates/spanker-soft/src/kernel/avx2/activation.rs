// SPDX-License-Identifier: Apache-2.0

//! Q4_K as the operand that is broadcast.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use spanker_sys::spanker_block_q4_k as BlockQ4K;

use super::transpose::nibbles;
use super::SUPERBLOCK;

/// A superblock of Q4_K `a`, unpacked for broadcasting: an i32 stands for two i16 lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nibbles {
    /// The weights, 0 to 15.
    pub(super) qs: [i8; SUPERBLOCK],
    /// sc\[s\] in both lanes.
    pub(super) scales: [i32; 8],
    /// mn\[s\] in both lanes.
    pub(super) mins: [i32; 8],
    /// sc\[s\] · (sum of 32 weights), at most 30,240, in the low lane alone.
    pub(super) sums: [i32; 8],
    /// The f16 bits of d and dmin.
    pub(super) d: [u16; 2],
}

impl Nibbles {
    /// Unpacks a superblock.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn unpack(block: &BlockQ4K) -> Self {
        let mut unpacked = Self {
            qs: [0; SUPERBLOCK],
            scales: [0; 8],
            mins: [0; 8],
            sums: [0; 8],
            d: [block.d, block.dmin],
        };
        let (scales, mins) = scales_and_mins(&block.scales);
        // SAFETY: the caller's promise; `bytes` has the 32 bytes read, each chunk of `qs` the 32
        // written, and an array of 8 i32 the 32 of its store.
        unsafe {
            let mut q = [_mm256_setzero_si256(); 8];
            for (g, bytes) in block.qs.chunks_exact(32).enumerate() {
                let bytes = _mm256_loadu_si256(bytes.as_ptr().cast());
                [q[2 * g], q[2 * g + 1]] = nibbles(bytes);
            }
            for (qs, q) in unpacked.qs.chunks_exact_mut(32).zip(q) {
                _mm256_storeu_si256(qs.as_mut_ptr().cast(), q);
            }

            let (scales, mins) = (widen(scales), widen(mins));
            let low = sum_32([q[0], q[1], q[2], q[3]]);
            let high = sum_32([q[4], q[5], q[6], q[7]]);
            let sums = _mm256_mullo_epi32(scales, _mm256_set_m128i(high, low));
            let scales = _mm256_or_si256(scales, _mm256_slli_epi32::<16>(scales));
            let mins = _mm256_or_si256(mins, _mm256_slli_epi32::<16>(mins));
            _mm256_storeu_si256(unpacked.scales.as_mut_ptr().cast(), scales);
            _mm256_storeu_si256(unpacked.mins.as_mut_ptr().cast(), mins);
            _mm256_storeu_si256(unpacked.sums.as_mut_ptr().cast(), sums);
        }
        unpacked
    }
}

/// The 6-bit scales and mins of a block, a byte each.
#[inline]
fn scales_and_mins(packed: &[u8; 12]) -> ([u32; 2], [u32; 2]) {
    let word = |at: usize| {
        let bytes = &packed[at..][..4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    let (scales, mins, rest) = (word(0), word(4), word(8));
    (
        [scales & 0x3f3f_3f3f, rest & 0x0f0f_0f0f | scales >> 2 & 0x3030_3030],
        [mins & 0x3f3f_3f3f, rest >> 4 & 0x0f0f_0f0f | mins >> 2 & 0x3030_3030],
    )
}

/// Eight bytes as i32.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen(bytes: [u32; 2]) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_cvtepu8_epi32(_mm_set_epi32(0, 0, bytes[1] as i32, bytes[0] as i32)) }
}

/// The sums of the 32 bytes, 0 to 15, of each of four vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn sum_32(q: [__m256i; 4]) -> __m128i {
    // SAFETY: the caller's promise.
    unsafe {
        let mut fours = [_mm256_setzero_si256(); 4];
        for (four, q) in fours.iter_mut().zip(q) {
            let pairs = _mm256_maddubs_epi16(q, _mm256_set1_epi8(1));
            *four = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        }
        // Within each half of the vectors, for it is where horizontal adds stay.
        let first = _mm256_hadd_epi32(fours[0], fours[1]);
        let second = _mm256_hadd_epi32(fours[2], fours[3]);
        let halves = _mm256_hadd_epi32(first, second);
        let low = _mm256_castsi256_si128(halves);
        _mm_add_epi32(low, _mm256_extracti128_si256::<1>(halves))
    }
}
