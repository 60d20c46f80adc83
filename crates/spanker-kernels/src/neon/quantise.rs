// SPDX-License-Identifier: Apache-2.0

//! QUANTISE: f32 to Q8_K.

use std::arch::aarch64::*;

use super::transpose::LANES;
use super::ActivationQ8K;
use crate::canonical;

/// QUANTISE of 256 values.
pub(super) fn quantise(x: &[f32], out: &mut ActivationQ8K) {
    const INFINITY: u32 = 0x7f80_0000;

    *out = ActivationQ8K::ZERO;
    let amax = largest_magnitude(x);
    if amax >= INFINITY {
        out.d = canonical(f32::NAN);
        return;
    }
    let is = -127.0 / first_of_magnitude(x, amax);
    // Infinite for zero too, whose block is the same.
    if is.is_infinite() {
        return;
    }
    for (x, qs) in x.chunks_exact(16).zip(out.qs.chunks_exact_mut(16)) {
        scale_to_integers(x, is, qs);
    }
    out.sum_values();
    out.d = 1.0 / is;
}

/// The largest bits of |x|.
fn largest_magnitude(x: &[f32]) -> u32 {
    // SAFETY: the target has NEON.
    unsafe {
        let mut max = vdupq_n_u32(0);
        for x in x.chunks_exact(LANES) {
            max = vmaxq_u32(max, magnitudes(x));
        }
        vmaxvq_u32(max)
    }
}

/// The first value whose |x| has the bits `amax`; 0 if there is none.
fn first_of_magnitude(x: &[f32], amax: u32) -> f32 {
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    let four = x.chunks_exact(LANES).find(|x| {
        // SAFETY: the target has NEON.
        unsafe { vmaxvq_u32(vceqq_u32(magnitudes(x), vdupq_n_u32(amax))) != 0 }
    });
    let first = four.and_then(|x| x.iter().find(|x| magnitude(x) == amax));
    first.copied().unwrap_or(0.0)
}

/// The bits of |x| of the first four values.
#[inline(always)]
fn magnitudes(x: &[f32]) -> uint32x4_t {
    let x = &x[..LANES];
    // SAFETY: the target has NEON; `x` has the 4 f32 read.
    unsafe { vandq_u32(vld1q_u32(x.as_ptr().cast()), vdupq_n_u32(0x7fff_ffff)) }
}

/// qs\[j\] = is · x\[j\], rounded to an integer, ties to even, of 16 values.
#[inline(always)]
fn scale_to_integers(x: &[f32], is: f32, qs: &mut [i8]) {
    let (x, qs) = (&x[..16], &mut qs[..16]);
    // SAFETY: the target has NEON; the loads read 4 f32 each of the 16 in `x`, the store writes the
    // 16 bytes of `qs`.
    unsafe {
        let four = |at: usize| {
            let product = vmulq_f32(vdupq_n_f32(is), vld1q_f32(x[at..].as_ptr()));
            // Narrowing keeps the low half: |product| < 127.5.
            vmovn_s32(vcvtnq_s32_f32(product))
        };
        let low = vmovn_s16(vcombine_s16(four(0), four(4)));
        let high = vmovn_s16(vcombine_s16(four(8), four(12)));
        vst1q_s8(qs.as_mut_ptr(), vcombine_s8(low, high));
    }
}
