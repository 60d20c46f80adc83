// SPDX-License-Identifier: Apache-2.0

//! `vpdpwssd`: the dot product of pairs of i16, added to i32 lanes.
//!
//! There are intrinsics for it, but the compiler takes those apart again, into a multiplication and
//! an addition. That shortens chains of additions; here there are chains enough to go on with, and
//! an instruction more costs more than it gains.

use std::arch::asm;
use std::arch::x86_64::*;

/// `sum` plus, in each i32 lane, the dot product of two pairs of i16.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
pub(super) fn add_pairs_256(mut sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "vpdpwssd {}, {}, {}",
            inout(ymm_reg) sum, in(ymm_reg) a, in(ymm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// `sum` plus, in each i32 lane, the dot product of two pairs of i16.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn add_pairs(mut sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "vpdpwssd {}, {}, {}",
            inout(zmm_reg) sum, in(zmm_reg) a, in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
