// SPDX-License-Identifier: Apache-2.0

//! Few rows of `a`: the weights are multiplied as they lie.
//!
//! The 32 weights of a sub-block are the nibbles of 32 bytes in a row, in the order of the 32
//! values of `a` that they meet. So nothing has to be moved: mask, multiply pairs to i16
//! (`maddubs`), multiply by the scale and add pairs to i32 (`madd`). What has to be moved is the
//! result: the eight partial sums of each row are added up eight rows at a time, which leaves them
//! in the lanes where the eight rows' scales are.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! which starts four vector instructions a cycle, of which two multiply: for eight rows, 64
//! `maddubs`, 64 `madd` and 4 more for the mins are 132 multiplications, 8.3 cycles. With 64
//! additions, 96 instructions that take nibbles apart, those of the header, the mins, the sums and
//! f32 they are about 380, 11.8 cycles. Two rows of `a` share the nibbles and the header: 9.5.
//! Measured, weights in the second cache: 17.8 and 13.7. Two reasons are known. Others take places
//! of multiplications where they come in between: of registers alone, eight `vpdpbusd` and eight
//! additions take 8.0 cycles one after the other and 9.1 by turns. And at one row, the header
//! (about 60 instructions for eight rows) and the prefetches (24) weigh as much as a third of the
//! products.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::hint::black_box;

use super::header::{add_pairs, Header};
use super::transpose::{eight, nibbles, prefetch, transposed_sums, LANES};
use crate::{ActivationQ8K, BlockQ4K, SharedRows};

/// Rows of `b` that are multiplied by turns: while one sum is being added, there are others to go
/// on with.
const R: usize = 4;

/// What a CPU has to multiply and add pairs with.
pub(crate) trait AddPairs {
    /// `sum` plus, in each i32 lane, the dot product of two pairs of i16.
    ///
    /// # Safety
    /// The CPU has the implementor's features.
    unsafe fn add_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i;
}

/// AVX2 takes two instructions for it.
struct TwoInstructions;

impl AddPairs for TwoInstructions {
    #[inline(always)]
    unsafe fn add_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { add_pairs(sum, a, b) }
    }
}

/// Adds the M rows of `a` × every row of `b` to `acc`.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn multiply<const M: usize>(
    a: &[ActivationQ8K],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    // SAFETY: the caller's promise.
    unsafe { multiply_by::<TwoInstructions, M>(a, b, acc) }
}

/// [`multiply`] with the instructions of `P`. It is compiled for the CPU of each caller, since it is
/// a part of it.
///
/// # Safety
/// The CPU has AVX2 and F16C, and the features of `P`, for all of which the caller is compiled.
#[inline(always)]
pub(crate) unsafe fn multiply_by<P: AddPairs, const M: usize>(
    a: &[ActivationQ8K],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    let (n, blocks) = (b.rows(), b.blocks());
    let ahead = b.ahead(LANES);
    for j in (0..n).step_by(LANES) {
        let width = LANES.min(n - j);
        let mut b_blocks = eight(b, j);
        let mut sums = [[0.0; LANES]; M];
        for i in 0..M {
            sums[i][..width].copy_from_slice(&acc[i * n + j..][..width]);
        }
        for at in 0..blocks {
            let mut a_blocks = [&a[at]; M];
            for i in 0..M {
                a_blocks[i] = &a[i * blocks + at];
            }
            // SAFETY: the caller's promise; every row has the block `at`; a row of `sums` has the
            // 8 f32 read and written.
            unsafe {
                for block in &b_blocks {
                    prefetch(block.wrapping_byte_add(ahead));
                }
                let header = Header::unpack(&b_blocks);
                let p = products::<P, M>(a_blocks, &b_blocks, &header);
                for i in 0..M {
                    let sum = _mm256_loadu_ps(sums[i].as_ptr());
                    let sum = header.add_term(sum, p[i], a_blocks[i]);
                    _mm256_storeu_ps(sums[i].as_mut_ptr(), sum);
                }
            }
            for block in &mut b_blocks {
                *block = block.wrapping_add(1);
            }
        }
        for i in 0..M {
            acc[i * n + j..][..width].copy_from_slice(&sums[i][..width]);
        }
    }
}

/// P of M blocks of `a` × a block of each of eight rows.
///
/// # Safety
/// As [`multiply_by`]. The blocks can be loaded.
#[inline(always)]
unsafe fn products<P: AddPairs, const M: usize>(
    a: [&ActivationQ8K; M],
    b: &[*const BlockQ4K; LANES],
    header: &Header,
) -> [__m256i; M] {
    // SAFETY: the caller's promises; 32 bytes lie at 16 + 32g in a block and at 64g and 64g + 32 in
    // the values of another, and none of these loads needs alignment.
    unsafe {
        let mut partial = [[_mm256_setzero_si256(); LANES]; M];
        // The compiler is not to know where this points: it would keep the scales in registers and
        // shuffle each out of them, where a load can broadcast it.
        let scales: *const i32 = black_box(header.scales.as_ptr().cast());
        for first in (0..LANES).step_by(R) {
            let mut sums = [[_mm256_setzero_si256(); R]; M];
            for g in 0..4 {
                let mut q = [[_mm256_setzero_si256(); R]; 2];
                for r in 0..R {
                    let qs = b[first + r].cast::<u8>().add(16 + 32 * g);
                    [q[0][r], q[1][r]] = nibbles(_mm256_loadu_si256(qs.cast()));
                }
                for half in 0..2 {
                    let s = 2 * g + half;
                    for i in 0..M {
                        let values = _mm256_loadu_si256(a[i].qs.as_ptr().add(32 * s).cast());
                        for r in 0..R {
                            let scale = _mm256_set1_epi32(*scales.add(LANES * s + first + r));
                            let pairs = _mm256_maddubs_epi16(q[half][r], values);
                            sums[i][r] = P::add_pairs(sums[i][r], pairs, scale);
                        }
                    }
                }
            }
            for i in 0..M {
                partial[i][first..][..R].copy_from_slice(&sums[i]);
            }
        }
        let mut p = [_mm256_setzero_si256(); M];
        for i in 0..M {
            p[i] = transposed_sums(partial[i]);
        }
        p
    }
}
