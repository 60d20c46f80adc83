// SPDX-License-Identifier: Apache-2.0

//! QUANTISE: f32 to Q8_K.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::transpose::LANES;
use super::SUPERBLOCK;
use crate::{canonical, ActivationQ8K};

/// QUANTISE of 256 values.
///
/// # Safety
/// The CPU has AVX2.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn quantise(x: &[f32], out: &mut ActivationQ8K) {
    const INFINITY: u32 = 0x7f80_0000;

    *out = ActivationQ8K::ZERO;
    // SAFETY: the caller's promise.
    let amax = unsafe { largest_magnitude(x) };
    if amax >= INFINITY {
        out.d = canonical(f32::NAN);
        return;
    }
    // SAFETY: the caller's promise.
    let is = -127.0 / unsafe { first_of_magnitude(x, amax) };
    // Infinite for zero too, whose block is the same.
    if is.is_infinite() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { scale_to_integers(x, is, &mut out.qs) };
    out.sum_values();
    out.d = 1.0 / is;
}

/// The largest bits of |x|. No sign bit is left, so signed comparison is right.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn largest_magnitude(x: &[f32]) -> u32 {
    let mut lanes = [0_u32; LANES];
    // SAFETY: the caller's promise; the store writes 8 u32 to an array of 8.
    unsafe {
        let mut max = _mm256_setzero_si256();
        for x in x.chunks_exact(LANES) {
            max = _mm256_max_epi32(max, magnitudes(x));
        }
        _mm256_storeu_si256(lanes.as_mut_ptr().cast(), max);
    }
    lanes.into_iter().fold(0, u32::max)
}

/// The first value whose |x| has the bits `amax`; 0 if there is none.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn first_of_magnitude(x: &[f32], amax: u32) -> f32 {
    for x in x.chunks_exact(LANES) {
        // SAFETY: the caller's promise.
        let found = unsafe {
            let equal = _mm256_cmpeq_epi32(magnitudes(x), _mm256_set1_epi32(amax as i32));
            _mm256_movemask_ps(_mm256_castsi256_ps(equal))
        };
        if found != 0 {
            return x[found.trailing_zeros() as usize];
        }
    }
    0.0
}

/// The bits of |x| of the first eight values.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn magnitudes(x: &[f32]) -> __m256i {
    let x = &x[..LANES];
    // SAFETY: the caller's promise; `x` has the 8 f32 read.
    unsafe {
        let bits = _mm256_loadu_si256(x.as_ptr().cast());
        _mm256_and_si256(bits, _mm256_set1_epi32(0x7fff_ffff))
    }
}

/// qs\[j\] = is · x\[j\], rounded to an integer as the float environment says: ties to even.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn scale_to_integers(x: &[f32], is: f32, qs: &mut [i8; SUPERBLOCK]) {
    for (x, qs) in x.chunks_exact(32).zip(qs.chunks_exact_mut(32)) {
        // SAFETY: the caller's promise; the loads read 8 f32 each of the 32 in `x`, the store
        // writes the 32 bytes of `qs`.
        unsafe {
            let is = _mm256_set1_ps(is);
            let mut q = [_mm256_setzero_si256(); 4];
            for (q, x) in q.iter_mut().zip(x.chunks_exact(LANES)) {
                *q = _mm256_cvtps_epi32(_mm256_mul_ps(is, _mm256_loadu_ps(x.as_ptr())));
            }
            // Packing works within halves and leaves fours of values in the order 0 2 4 6 1 3 5 7.
            let low = _mm256_packs_epi32(q[0], q[1]);
            let high = _mm256_packs_epi32(q[2], q[3]);
            let fours = _mm256_packs_epi16(low, high);
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            let packed = _mm256_permutevar8x32_epi32(fours, order);
            _mm256_storeu_si256(qs.as_mut_ptr().cast(), packed);
        }
    }
}
