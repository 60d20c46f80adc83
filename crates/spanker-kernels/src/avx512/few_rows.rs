// SPDX-License-Identifier: Apache-2.0

//! Few rows of `a`: the weights are multiplied as they lie, as with
//! [AVX2](crate::avx2::few_rows), but that scales are multiplied and pairs added by one
//! instruction.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a` on Zen 4,
//! which starts four vector instructions of 256 bits a cycle, of which two multiply, and two
//! loads: for eight rows, 64 `maddubs`, 64 `vpdpwssd` and 4 `madd` for the mins are 132
//! multiplications, 8.3 cycles. What AVX2 has in additions is gone, so all vector instructions,
//! about 300, take 9.4 cycles; about 155 loads, of which 64 broadcast scales and 24 prefetch, take
//! 9.7. Two rows of `a` share much of that, and 8.3 is the bound. Measured, weights in the second
//! cache: 15.2 (a twelfth less without the prefetches) and 11.4. What is known of the reasons is
//! the same as there.

use std::arch::x86_64::__m256i;

use super::pairs::add_pairs_256;
use crate::avx2::few_rows::{multiply_by, AddPairs};
use crate::{ActivationQ8K, BlockQ4K, SharedRows};

/// VNNI has one instruction for it.
struct OneInstruction;

impl AddPairs for OneInstruction {
    #[inline(always)]
    unsafe fn add_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { add_pairs_256(sum, a, b) }
    }
}

/// Adds the M rows of `a` × every row of `b` to `acc`.
///
/// # Safety
/// The CPU has AVX2, F16C and AVX-512 F, BW, VL and VNNI.
#[target_feature(enable = "avx2,f16c,avx512f,avx512vl,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply<const M: usize>(
    a: &[ActivationQ8K],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    // SAFETY: the caller's promise.
    unsafe { multiply_by::<OneInstruction, M>(a, b, acc) }
}
