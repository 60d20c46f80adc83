// SPDX-License-Identifier: Apache-2.0
//! How many integer multiplications and additions the CPU can do on numbers that it has in its
//! registers: what remains if nothing has to be read, scaled or stored.

use super::on_threads;
use crate::implementation::Contestant;
use crate::Error;
use std::num::NonZeroUsize;

/// A way of multiplying 8-bit integers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instructions {
    pub(crate) name: &'static str,
    /// Does [`ROUNDS`] times [`Instructions::products`] multiplications.
    run: fn(),
    products: usize,
}

/// One or two milliseconds: short enough that some runs are not interrupted.
const ROUNDS: usize = 1 << 19;

/// What this CPU has of those that our kernels use.
pub(crate) fn instructions() -> Vec<Instructions> {
    #[allow(unused_mut)]
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") {
            found.push(Instructions { name: "avx2", run: x86::avx2, products: 2 * 256 });
        }
        if is_x86_feature_detected!("avx512vnni") {
            found.push(Instructions { name: "avx512-vnni", run: x86::vnni, products: 16 * 64 });
        }
    }
    found
}

impl Instructions {
    pub(crate) fn on(self, threads: NonZeroUsize) -> Multiplying {
        Multiplying { instructions: self, threads }
    }
}

/// Multiplying on so many threads at once.
pub(crate) struct Multiplying {
    instructions: Instructions,
    threads: NonZeroUsize,
}

impl Multiplying {
    /// Of one run: a multiplication and an addition are two.
    pub(crate) fn operations(&self) -> f64 {
        2.0 * (self.instructions.products * ROUNDS * self.threads.get()) as f64
    }
}

impl Contestant for Multiplying {
    fn run(&mut self) -> Result<(), Error> {
        on_threads(self.threads, |_| (self.instructions.run)());
        Ok(())
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::ROUNDS;
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Sums of 8 products of 32 bytes in 16 bits, then one by a scale in 32 bits.
    pub(super) fn avx2() {
        // SAFETY: called only where the CPU has AVX2.
        unsafe { with_avx2() }
    }

    #[target_feature(enable = "avx2")]
    fn with_avx2() {
        let (one, two) = (_mm256_set1_epi8(black_box(1)), _mm256_set1_epi8(black_box(2)));
        let scale = _mm256_set1_epi16(black_box(3));
        let mut weights = [_mm256_set1_epi8(black_box(4)); 4];
        let mut sums = [_mm256_setzero_si256(); 2];
        for _ in 0..ROUNDS {
            let mut halves = [_mm256_setzero_si256(); 2];
            for half in 0..2 {
                // SAFETY: no instruction at all. The compiler must take the weights for new ones,
                // and so cannot multiply once for all rounds.
                unsafe {
                    let [a, b, c, d] = &mut weights;
                    asm!(
                        "/* {} {} {} {} */",
                        inout(ymm_reg) * a,
                        inout(ymm_reg) * b,
                        inout(ymm_reg) * c,
                        inout(ymm_reg) * d,
                        options(nomem, nostack, preserves_flags)
                    );
                }
                for (sum, activations) in halves.iter_mut().zip([one, two]) {
                    let [a, b, c, d] =
                        weights.map(|weights| _mm256_maddubs_epi16(weights, activations));
                    let four = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
                    *sum = if half == 0 { four } else { _mm256_add_epi16(*sum, four) };
                }
            }
            for (sum, half) in sums.iter_mut().zip(halves) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(half, scale));
            }
        }
        black_box(sums);
    }

    /// Sums of products of 64 bytes in 32 bits.
    pub(super) fn vnni() {
        // SAFETY: called only where the CPU has AVX-512 with VNNI.
        unsafe { with_vnni() }
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    fn with_vnni() {
        let weights = _mm512_set1_epi8(black_box(1));
        let activations = _mm512_set1_epi8(black_box(2));
        let mut sums = [_mm512_setzero_si512(); 16];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, weights, activations);
            }
        }
        black_box(sums);
    }
}
