// SPDX-License-Identifier: Apache-2.0

//! Multiplying bytes on CPUs with FEAT_DotProd: `sdot`, four products added to each of four i32.
//!
//! In one of its forms the second factor is four bytes of a vector, which meet the four bytes of
//! every lane: the broadcasting that the panels ask for comes with the multiplication.
//!
//! How far from the bound: 256 products are 16 `sdot`, and a scale for each of eight sums is 2
//! `mla`. With many rows of `a` the compiled loop adds 2 instructions that clear sums, 4.5 loads and
//! 2 scalar ones, and keeps all sums in registers. On Cortex-A76 two `sdot` start in a cycle, and an
//! `mla` takes one of the two pipelines for two cycles, so that 10 cycles are the bound; the mins
//! and the f32 operations add 3.5. That is 19 products a cycle where `sdot` alone would give 32. The
//! mins cost so much because every bit pattern of their sums is legal, which takes i32. Small cores
//! (Cortex-A55) start one 128-bit operation a cycle, of whatever kind: 20, and 5 for the rest. These
//! cycles are derived from the instructions and published tables of their throughput, not measured.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use super::transpose::LANES;
use super::{Panel, Products, SUPERBLOCK, WIDTH};

/// With the dot product instruction. A value of this type exists only where the CPU has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DotProduct(());

impl DotProduct {
    /// This way, if this CPU can go it.
    pub(super) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("dotprod").then_some(Self(()))
    }
}

impl Products for DotProduct {
    const NAME: &'static str = "neon-dotprod";
    const MACS_PER_NS: u64 = 16;

    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "neon,dotprod")]
        unsafe fn run<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        // SAFETY: a `DotProduct` exists, so the CPU has the instruction.
        unsafe { run(work) }
    }

    #[inline(always)]
    fn as_they_lie(self, rows: &[[int8x16_t; 2]; LANES], a: [int8x16_t; 2]) -> int32x4_t {
        // SAFETY: the target has NEON; a `DotProduct` exists, so the CPU has the instruction.
        unsafe {
            let mut sums = [vdupq_n_s32(0); LANES];
            for r in 0..LANES {
                sums[r] = sdot(sdot(sums[r], rows[r][0], a[0]), rows[r][1], a[1]);
            }
            vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]))
        }
    }

    #[inline(always)]
    fn by_panels<const M: usize>(
        self,
        panels: &[Panel; WIDTH],
        a: [&[i8; SUPERBLOCK]; M],
        s: usize,
    ) -> [[int32x4_t; WIDTH]; M] {
        // SAFETY: the target has NEON; a `DotProduct` exists, so the CPU has the instruction; 16 of
        // the 256 values of a row lie at 32s + 16·half.
        unsafe {
            let mut sums = [[vdupq_n_s32(0); WIDTH]; M];
            for half in 0..2 {
                let mut values = [vdupq_n_s8(0); M];
                for i in 0..M {
                    values[i] = vld1q_s8(a[i].as_ptr().add(32 * s + 16 * half));
                }
                let q = |r: usize, j: usize| panels[r].q[s][4 * half + j];
                add_four::<M, 0>(&mut sums, [q(0, 0), q(1, 0)], values);
                add_four::<M, 1>(&mut sums, [q(0, 1), q(1, 1)], values);
                add_four::<M, 2>(&mut sums, [q(0, 2), q(1, 2)], values);
                add_four::<M, 3>(&mut sums, [q(0, 3), q(1, 3)], values);
            }
            sums
        }
    }
}

/// Adds the products of four weights of every row and values 4·FOUR to 4·FOUR+3 to `sums`.
///
/// # Safety
/// The CPU has the dot product instruction.
#[inline(always)]
unsafe fn add_four<const M: usize, const FOUR: usize>(
    sums: &mut [[int32x4_t; WIDTH]; M],
    q: [int8x16_t; WIDTH],
    values: [int8x16_t; M],
) {
    for i in 0..M {
        for r in 0..WIDTH {
            // SAFETY: the caller's promise.
            sums[i][r] = unsafe { sdot_four::<FOUR>(sums[i][r], q[r], values[i]) };
        }
    }
}

/// Adds four products to each lane: those of its four bytes in `a` and in `b`.
///
/// # Safety
/// The CPU has the dot product instruction.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the caller's promise; the instruction reads and writes these registers alone. Its
    // intrinsic is not stable.
    unsafe {
        asm!(
            "sdot {:v}.4s, {:v}.16b, {:v}.16b",
            inout(vreg) sum,
            in(vreg) a,
            in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Adds four products to each lane: those of its four bytes in `a` and bytes 4·FOUR to 4·FOUR+3 of
/// `b`.
///
/// # Safety
/// The CPU has the dot product instruction.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn sdot_four<const FOUR: usize>(
    mut sum: int32x4_t,
    a: int8x16_t,
    b: int8x16_t,
) -> int32x4_t {
    // SAFETY: as of `sdot`.
    unsafe {
        asm!(
            "sdot {:v}.4s, {:v}.16b, {:v}.4b[{}]",
            inout(vreg) sum,
            in(vreg) a,
            in(vreg) b,
            const FOUR,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
