// SPDX-License-Identifier: Apache-2.0

//! What scales the weights: the first 16 bytes of four blocks.

use std::arch::aarch64::*;
use std::arch::asm;

use super::transpose::{transpose, LANES};
use super::ActivationQ8K;
use crate::BlockQ4K;

/// Four rows' scales of one superblock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// `scales[s]`: each row's sc\[s\].
    pub(super) scales: [int32x4_t; 8],
    /// `mins[s]`: each row's mn\[s\].
    pub(super) mins: [int32x4_t; 8],
    /// Each row's d.
    pub(super) d: float32x4_t,
    /// Each row's dmin.
    pub(super) dmin: float32x4_t,
}

impl Header {
    /// Unpacks d, dmin and three words of 6-bit scales.
    ///
    /// # Safety
    /// The blocks can be loaded.
    #[inline(always)]
    pub(super) unsafe fn unpack(blocks: [*const BlockQ4K; LANES]) -> Self {
        // SAFETY: the target has NEON; the caller's promise.
        unsafe {
            let [d, scales, mins, rest] = transpose(blocks, 0);
            // Four scales of a row to its lane.
            let low6 = vdupq_n_u8(0x3f);
            let low4 = vdupq_n_u8(0x0f);
            let bits45 = vdupq_n_u8(0x30);
            let scales_high = vandq_u8(vshrq_n_u8::<2>(scales), bits45);
            let mins_high = vandq_u8(vshrq_n_u8::<2>(mins), bits45);
            let d = vreinterpretq_u32_u8(d);
            Self {
                scales: each([vandq_u8(scales, low6), vorrq_u8(vandq_u8(rest, low4), scales_high)]),
                mins: each([vandq_u8(mins, low6), vorrq_u8(vshrq_n_u8::<4>(rest), mins_high)]),
                d: widen(vmovn_u32(d)),
                dmin: widen(vshrn_n_u32::<16>(d)),
            }
        }
    }

    /// `acc` plus the term of one superblock of Q8_K × Q4_K, given P.
    #[inline(always)]
    pub(super) fn add_term(
        &self,
        acc: float32x4_t,
        p: int32x4_t,
        a: &ActivationQ8K,
    ) -> float32x4_t {
        // SAFETY: the target has NEON; the loads read the 8 i16 of an array.
        unsafe {
            let sums = vld1q_s16(a.sums.as_ptr().cast());
            let beyond = vld1q_s16(a.beyond.as_ptr().cast());
            let low = vaddl_s16(vget_low_s16(sums), vget_low_s16(beyond));
            let high = vaddl_high_s16(sums, beyond);
            let mut m = vdupq_n_s32(0);
            for (sums, mins) in [low, high].into_iter().zip(self.mins.chunks_exact(4)) {
                m = vmlaq_laneq_s32::<0>(m, mins[0], sums);
                m = vmlaq_laneq_s32::<1>(m, mins[1], sums);
                m = vmlaq_laneq_s32::<2>(m, mins[2], sums);
                m = vmlaq_laneq_s32::<3>(m, mins[3], sums);
            }
            let t = vmulq_f32(self.d, vcvtq_f32_s32(p));
            let u = vmulq_f32(self.dmin, vcvtq_f32_s32(m));
            let v = vsubq_f32(t, u);
            let w = vmulq_f32(vdupq_n_f32(a.d), v);
            vaddq_f32(acc, w)
        }
    }
}

/// Each byte of a row, four in its lane of the first vector and four in the second.
#[inline(always)]
fn each(bytes: [uint8x16_t; 2]) -> [int32x4_t; 8] {
    // Byte 0 of each lane to itself; a place beyond 15 gives zero.
    const BYTE_0: [u8; 16] =
        [0, 128, 128, 128, 4, 128, 128, 128, 8, 128, 128, 128, 12, 128, 128, 128];
    // SAFETY: the target has NEON; the load reads the 16 bytes of the array.
    unsafe {
        let byte0 = vld1q_u8(BYTE_0.as_ptr());
        let mut each = [vdupq_n_s32(0); 8];
        for s in 0..8 {
            let places = vaddq_u8(byte0, vdupq_n_u8((s % 4) as u8));
            each[s] = vreinterpretq_s32_u8(vqtbl1q_u8(bytes[s / 4], places));
        }
        each
    }
}

/// The f32 of four f16, exactly: in IEEE-754's default environment these bits are of IEEE-754's
/// f16, and a subnormal is kept.
#[inline(always)]
fn widen(bits: uint16x4_t) -> float32x4_t {
    let wide;
    // SAFETY: an instruction of NEON, which reads and writes these registers alone. Its intrinsic
    // is not stable.
    unsafe {
        asm!(
            "fcvtl {:v}.4s, {:v}.4h",
            lateout(vreg) wide,
            in(vreg) bits,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    wide
}
