// SPDX-License-Identifier: Apache-2.0

//! Sixteen rows of `b` side by side: 32-bit lane r of a vector belongs to row r.

use std::arch::x86_64::*;

use crate::avx2::transpose as avx2;
use crate::{BlockQ4K, SharedRows};

/// Rows of `b` in a vector.
pub(super) const LANES: usize = 16;

/// The starts of sixteen rows from row `first`. The last row stands in for those that are not
/// there: nobody looks at what they give.
#[inline]
pub(super) fn sixteen(b: SharedRows<'_, BlockQ4K>, first: usize) -> [*const BlockQ4K; LANES] {
    let last = b.rows() - 1;
    let mut starts = [b.row(last); LANES];
    for (row, start) in (first..last).zip(&mut starts) {
        *start = b.row(row);
    }
    starts
}

/// Bytes `at` to `at`+15 of sixteen blocks, four bytes of every block to a vector.
///
/// # Safety
/// The CPU has AVX2 and AVX-512F. The blocks can be loaded. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
pub(super) unsafe fn transpose(blocks: &[*const BlockQ4K; LANES], at: usize) -> [__m512i; 4] {
    let mut columns = [_mm512_setzero_si512(); 4];
    // SAFETY: the caller's promises.
    unsafe { transpose_to(blocks, at, &mut columns) };
    columns
}

/// [`transpose`], to memory: there eight rows go into each half of a vector, which takes no
/// instruction to put them together.
///
/// # Safety
/// The CPU has AVX2 and AVX-512F. The blocks can be loaded. `at` is at most 128. There are four
/// `columns`.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
pub(super) unsafe fn transpose_to(
    blocks: &[*const BlockQ4K; LANES],
    at: usize,
    columns: &mut [__m512i],
) {
    let columns: *mut __m256i = columns.as_mut_ptr().cast();
    for half in 0..2 {
        let mut eight = [blocks[8 * half]; 8];
        eight.copy_from_slice(&blocks[8 * half..][..8]);
        // SAFETY: the caller's promises; four vectors have eight halves.
        unsafe {
            for (j, rows) in avx2::transpose(&eight, at).into_iter().enumerate() {
                _mm256_store_si256(columns.add(2 * j + half), rows);
            }
        }
    }
}

/// The low and the high nibble of every byte.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn nibbles(bytes: __m512i) -> [__m512i; 2] {
    let mask = _mm512_set1_epi8(15);
    [_mm512_and_si512(bytes, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), mask)]
}
