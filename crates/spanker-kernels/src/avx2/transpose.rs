// SPDX-License-Identifier: Apache-2.0

//! Eight rows of `b` side by side: 32-bit lane r of a vector belongs to row r.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use crate::{BlockQ4K, SharedRows};

/// Rows of `b` in a vector.
pub(crate) const LANES: usize = 8;

/// The starts of eight rows from row `first`. The last row stands in for those that are not there:
/// nobody looks at what they give.
#[inline]
pub(crate) fn eight(b: SharedRows<'_, BlockQ4K>, first: usize) -> [*const BlockQ4K; LANES] {
    let last = b.rows() - 1;
    let mut starts = [b.row(last); LANES];
    for (row, start) in (first..last).zip(&mut starts) {
        *start = b.row(row);
    }
    starts
}

/// Asks for a block to be brought near, to the second cache: weights are used but once, by rows that
/// follow each other too far apart for the CPU to notice.
///
/// # Safety
/// The CPU has AVX2. There need not be a block.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(crate) unsafe fn prefetch(block: *const BlockQ4K) {
    for line in [0, 64, 128] {
        // SAFETY: a prefetch does nothing where there is no memory.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(block.cast::<i8>().wrapping_add(line)) };
    }
}

/// Bytes `at` to `at`+15 of eight blocks, four bytes of every block to a vector.
///
/// # Safety
/// The CPU has AVX2. The blocks can be loaded. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(crate) unsafe fn transpose(blocks: &[*const BlockQ4K; LANES], at: usize) -> [__m256i; 4] {
    // SAFETY: the caller's promises; a block is 144 bytes without padding, and these loads need no
    // alignment.
    unsafe {
        let bytes = |r: usize| _mm_loadu_si128(blocks[r].cast::<u8>().add(at).cast());
        // Rows 0 to 3 in the low half, 4 to 7 in the high half, where unpacking keeps them.
        let pairs: [__m256i; 4] = std::array::from_fn(|r| _mm256_set_m128i(bytes(r + 4), bytes(r)));
        let low01 = _mm256_unpacklo_epi32(pairs[0], pairs[1]);
        let low23 = _mm256_unpacklo_epi32(pairs[2], pairs[3]);
        let high01 = _mm256_unpackhi_epi32(pairs[0], pairs[1]);
        let high23 = _mm256_unpackhi_epi32(pairs[2], pairs[3]);
        [
            _mm256_unpacklo_epi64(low01, low23),
            _mm256_unpackhi_epi64(low01, low23),
            _mm256_unpacklo_epi64(high01, high23),
            _mm256_unpackhi_epi64(high01, high23),
        ]
    }
}

/// The sum of the eight i32 of vector r in lane r.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(crate) unsafe fn transposed_sums(rows: [__m256i; LANES]) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        // Each step adds two halves of what is left of a row, and brings two rows together.
        let pair =
            |a, b| _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let four =
            |ab, cd| _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
        let low = four(pair(rows[0], rows[1]), pair(rows[2], rows[3]));
        let high = four(pair(rows[4], rows[5]), pair(rows[6], rows[7]));
        _mm256_add_epi32(
            _mm256_permute2x128_si256::<0x20>(low, high),
            _mm256_permute2x128_si256::<0x31>(low, high),
        )
    }
}

/// The low and the high nibble of every byte.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(crate) unsafe fn nibbles(bytes: __m256i) -> [__m256i; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        let mask = _mm256_set1_epi8(15);
        [_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask)]
    }
}
