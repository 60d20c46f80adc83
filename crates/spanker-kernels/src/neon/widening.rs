// SPDX-License-Identifier: Apache-2.0

//! Multiplying bytes on every aarch64 CPU: `smlal`, eight products added to eight i16.
//!
//! A product is at most 15 · 128 = 1,920, so that sixteen of them fit an i16. A sub-block is
//! therefore summed in i16 until two lanes are left of each row; only those are widened, and only
//! then multiplied by the scale.
//!
//! How far from the bound: 256 products are 32 `smlal`, and a scale for each of eight sums is 2
//! `mla`. With many rows of `a` the compiled loop adds 4 pairwise additions, 8 broadcasting loads,
//! 6.5 other loads and 9 scalar instructions, and keeps all sums in registers. Most larger cores
//! (Cortex-A72, A76, A720) start one `smlal` a cycle, and on all but the last an `mla` counts twice,
//! so that 36 cycles of multiplying are the bound, and all else fits beside them; the mins and the
//! f32 operations add about 5. That is 6.2 products a cycle where `smlal` alone would give 8. Small
//! cores (Cortex-A53) start one 128-bit operation a cycle, of whatever kind: 38, and 5 for the rest.
//! These cycles are derived from the instructions and published tables of their throughput, not
//! measured.

// One index runs over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::transpose::LANES;
use super::{Panel, Products, SUPERBLOCK, WIDTH};

/// With NEON's first instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widening;

impl Products for Widening {
    const NAME: &'static str = "neon";
    const MACS_PER_NS: u64 = 8;

    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }

    #[inline(always)]
    fn as_they_lie(self, rows: &[[int8x16_t; 2]; LANES], a: [int8x16_t; 2]) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe {
            let mut sums = [vdupq_n_s16(0); LANES];
            for r in 0..LANES {
                let [low, high] = rows[r];
                let sum = vmull_s8(vget_low_s8(low), vget_low_s8(a[0]));
                let sum = vmlal_high_s8(sum, low, a[0]);
                let sum = vmlal_s8(sum, vget_low_s8(high), vget_low_s8(a[1]));
                sums[r] = vmlal_high_s8(sum, high, a[1]);
            }
            // Of 4 products a lane, then 8, then 16, then 32.
            let rows01 = vpaddq_s16(sums[0], sums[1]);
            let rows23 = vpaddq_s16(sums[2], sums[3]);
            vpaddlq_s16(vpaddq_s16(rows01, rows23))
        }
    }

    #[inline(always)]
    fn by_panels<const M: usize>(
        self,
        panels: &[Panel; WIDTH],
        a: [&[i8; SUPERBLOCK]; M],
        s: usize,
    ) -> [[int32x4_t; WIDTH]; M] {
        // SAFETY: the target has NEON.
        unsafe {
            // Rows 0 and 1 of a panel, four lanes each, then rows 2 and 3.
            let mut sums = [[[vdupq_n_s16(0); 2]; WIDTH]; M];
            // Two loops, the inner of which compilers unroll.
            for half in 0..2 {
                for j in 4 * half..4 * half + 4 {
                    for i in 0..M {
                        let values = broadcast(a[i], 32 * s + 4 * j);
                        for r in 0..WIDTH {
                            let [rows01, rows23] = halves(&panels[r].q[s][j]);
                            sums[i][r][0] = vmlal_s8(sums[i][r][0], rows01, values);
                            sums[i][r][1] = vmlal_s8(sums[i][r][1], rows23, values);
                        }
                    }
                }
            }
            let mut wide = [[vdupq_n_s32(0); WIDTH]; M];
            for i in 0..M {
                for r in 0..WIDTH {
                    // Of 8 products a lane, then 16, then 32.
                    let [rows01, rows23] = sums[i][r];
                    wide[i][r] = vpaddlq_s16(vpaddq_s16(rows01, rows23));
                }
            }
            wide
        }
    }
}

/// Values `at` to `at`+3, twice.
#[inline(always)]
fn broadcast(values: &[i8; SUPERBLOCK], at: usize) -> int8x8_t {
    let values = &values[at..][..4];
    // SAFETY: the target has NEON; `values` has the 4 bytes read, which need no alignment.
    unsafe { vreinterpret_s8_s32(vld1_dup_s32(values.as_ptr().cast())) }
}

/// A vector in memory as two.
#[inline(always)]
fn halves(vector: &int8x16_t) -> [int8x8_t; 2] {
    let bytes: *const i8 = (vector as *const int8x16_t).cast();
    // SAFETY: the target has NEON; the loads read the 16 bytes of the vector.
    unsafe { [vld1_s8(bytes), vld1_s8(bytes.add(8))] }
}
