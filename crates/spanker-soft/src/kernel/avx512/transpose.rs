// SPDX-License-Identifier: Apache-2.0

//! Sixteen rows of `b` side by side: 32-bit lane r of a vector belongs to row r.

use std::arch::x86_64::*;

use spanker_sys::spanker_block_q4_k as BlockQ4K;

use crate::memory::SharedRows;

/// Rows of `b` in a vector.
pub(super) const LANES: usize = 16;

/// The starts of sixteen rows from row `first`. The last row stands in for those that are not
/// there: nobody looks at what they give.
#[inline]
pub(super) fn sixteen(b: SharedRows<'_, BlockQ4K>, first: usize) -> [*const BlockQ4K; LANES] {
    let last = b.rows() - 1;
    std::array::from_fn(|r| b.row(last.min(first + r)))
}

/// Bytes `at` to `at`+15 of sixteen blocks, four bytes of every block to a vector.
///
/// # Safety
/// The CPU has AVX-512F. The blocks can be loaded. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn transpose(blocks: [*const BlockQ4K; LANES], at: usize) -> [__m512i; 4] {
    // SAFETY: the caller's promises; a block is 144 bytes without padding, and these loads need no
    // alignment.
    unsafe {
        let bytes = |r: usize| _mm_loadu_si128(blocks[r].cast::<u8>().add(at).cast());
        // Rows 4q to 4q+3 in quarter q, where unpacking keeps them.
        let quarters: [__m512i; 4] = std::array::from_fn(|r| {
            let low = _mm512_castsi128_si512(bytes(r));
            let low = _mm512_mask_broadcast_i32x4(low, 0x00f0, bytes(r + 4));
            let low = _mm512_mask_broadcast_i32x4(low, 0x0f00, bytes(r + 8));
            _mm512_mask_broadcast_i32x4(low, 0xf000, bytes(r + 12))
        });
        let low01 = _mm512_unpacklo_epi32(quarters[0], quarters[1]);
        let low23 = _mm512_unpacklo_epi32(quarters[2], quarters[3]);
        let high01 = _mm512_unpackhi_epi32(quarters[0], quarters[1]);
        let high23 = _mm512_unpackhi_epi32(quarters[2], quarters[3]);
        [
            _mm512_unpacklo_epi64(low01, low23),
            _mm512_unpackhi_epi64(low01, low23),
            _mm512_unpacklo_epi64(high01, high23),
            _mm512_unpackhi_epi64(high01, high23),
        ]
    }
}

/// The low and the high nibble of every byte.
///
/// # Safety
/// The CPU has AVX-512F and AVX-512BW.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn nibbles(bytes: __m512i) -> [__m512i; 2] {
    let mask = _mm512_set1_epi8(15);
    [_mm512_and_si512(bytes, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), mask)]
}
