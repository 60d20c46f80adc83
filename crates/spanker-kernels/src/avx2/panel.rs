// SPDX-License-Identifier: Apache-2.0

//! Eight rows of Q4_K, transposed and stored, for many rows of `a`.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::header::Header;
use super::transpose::{eight, nibbles, prefetch, transpose, LANES};
use super::WIDTH;
use crate::{BlockQ4K, SharedRows};

/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Eight rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// `q[s][j]`, four bytes a row: its weights 32s+4j to 32s+4j+3, 0 to 15.
    pub(super) q: [[__m256i; 8]; 8],
    /// `sums[j]`, two i16 a row: its sc\[s\] · (sum of 32 weights) for sub-blocks 2j and 2j+1, if
    /// asked for.
    pub(super) sums: [__m256i; 4],
    /// What scales the weights.
    pub(super) header: Header,
}

/// Unpacks superblocks from `at` on of sixteen rows from row `first`: one of eight rows into each
/// panel.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn unpack(
    panels: &mut [[Panel; WIDTH]],
    b: SharedRows<'_, BlockQ4K>,
    first: usize,
    at: usize,
    with_sums: bool,
) {
    assert!(at + panels.len() <= b.blocks());
    for p in 0..WIDTH {
        let mut blocks = eight(b, first + LANES * p);
        for block in &mut blocks {
            *block = block.wrapping_add(at);
        }
        for pair in &mut *panels {
            for block in &blocks {
                // SAFETY: the caller's promise.
                unsafe { prefetch(block.wrapping_byte_add(b.ahead(WIDTH * LANES))) };
            }
            // SAFETY: the caller's promise; every row has this block.
            unsafe { pair[p].unpack(&blocks, with_sums) };
            for block in &mut blocks {
                *block = block.wrapping_add(1);
            }
        }
    }
}

impl Panel {
    /// All zeros.
    // SAFETY: zero bits are a value of every integer and float.
    pub(super) const ZERO: Self = unsafe { std::mem::zeroed() };

    /// Unpacks one superblock of eight rows. Sets [`Self::sums`] only if `with_sums`.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C. The blocks can be loaded.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn unpack(&mut self, blocks: &[*const BlockQ4K; LANES], with_sums: bool) {
        // SAFETY: the caller's promises; the last 16 bytes are those from 16 + 96 + 16.
        unsafe {
            self.header = Header::unpack(blocks);
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
            if with_sums {
                self.sum_weights();
            }
        }
    }

    /// Sets [`Self::sums`] from the weights and scales.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn sum_weights(&mut self) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [_mm256_setzero_si256(); 8];
            for (s, sum) in sums.iter_mut().enumerate() {
                let mut bytes = self.q[s][0];
                for j in 1..8 {
                    // At most 8 · 15 in a byte.
                    bytes = _mm256_add_epi8(bytes, self.q[s][j]);
                }
                // At most 2 · 120 in an i16, which is multiplied by 63, twice: 30,240.
                let pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
                *sum = _mm256_madd_epi16(pairs, self.header.scales[s]);
            }
            for j in 0..4 {
                let high = _mm256_slli_epi32::<16>(sums[2 * j + 1]);
                self.sums[j] = _mm256_or_si256(sums[2 * j], high);
            }
        }
    }
}
