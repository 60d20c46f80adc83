// SPDX-License-Identifier: Apache-2.0

//! Random and hostile operands.

use crate::{BlockQ4K, BlockQ8K};

/// f16 bits of d and dmin: zeros, subnormals, the extremes, Inf, quiet and signalling NaN.
pub const SPECIAL_F16: [u16; 14] = [
    0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00,
    0x7c01, 0xffff,
];
/// f32 bits of the same.
pub const SPECIAL_F32: [u32; 14] = [
    0x0000_0000,
    0x8000_0000,
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x3f80_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x7f80_0001,
    0xffff_ffff,
];

/// A xorshift generator, in the state that it holds, which must not be 0.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    // Not an iterator: it has no end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    /// True once in so many times.
    pub fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    /// One of `from`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A value of either sign around 1, of 24 significant bits.
    pub fn f32(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// f16 bits of a normal value between 2⁻¹⁰ and 2⁻², of either sign.
    pub fn f16(&mut self) -> u16 {
        let exponent = 5 + self.below(8) as u16;
        self.next() as u16 & 0x83ff | exponent << 10
    }

    /// Random; often with a field at its extreme; seldom with a scale that makes NaN or Inf.
    pub fn block_q4_k(&mut self) -> BlockQ4K {
        let mut block = BlockQ4K {
            d: self.f16().to_le(),
            dmin: self.f16().to_le(),
            scales: [(); 12].map(|()| self.next() as u8),
            qs: [(); 128].map(|()| self.next() as u8),
        };
        match self.below(12) {
            0 => block.scales = [0xff; 12],
            1 => block.qs = [0xff; 128],
            2 => (block.scales, block.qs) = ([0xff; 12], [0xff; 128]),
            3 => block.qs = [self.pick(&[0x00, 0x0f, 0xf0]); 128],
            4 => block.scales = [0; 12],
            _ => {}
        }
        if self.one_in(400) {
            block.d = self.pick(&SPECIAL_F16).to_le();
        }
        if self.one_in(400) {
            block.dmin = self.pick(&SPECIAL_F16).to_le();
        }
        if self.one_in(1000) {
            block = BlockQ4K { d: 0xffff, dmin: 0xffff, scales: [0xff; 12], qs: [0xff; 128] };
        }
        block
    }

    /// Random, its sums unrelated to its values; often with a field at its extreme; seldom with a
    /// scale that makes NaN or Inf.
    pub fn block_q8_k(&mut self) -> BlockQ8K {
        let mut block = BlockQ8K {
            d: self.f32().to_bits().to_le(),
            qs: [(); 256].map(|()| self.next() as i8),
            bsums: [(); 16].map(|()| self.next() as u16),
        };
        match self.below(12) {
            0 => block.qs = [-128; 256],
            1 => block.qs = [127; 256],
            2 => block.bsums = [0x8000_u16.to_le(); 16],
            3 => block.bsums = [0x7fff_u16.to_le(); 16],
            4 => (block.qs, block.bsums) = ([-128; 256], [0x8000_u16.to_le(); 16]),
            5 => (block.qs, block.bsums) = ([0; 256], [0; 16]),
            _ => {}
        }
        if self.one_in(400) {
            block.d = self.pick(&SPECIAL_F32).to_le();
        }
        if self.one_in(1000) {
            block = BlockQ8K { d: u32::MAX, qs: [-1; 256], bsums: [u16::MAX; 16] };
        }
        block
    }

    /// Sums to start from: zeros, or values as large as a few terms.
    pub fn acc(&mut self, len: usize) -> Vec<f32> {
        let scale = self.pick(&[0.0, 1.0, 1e4, 1e7]);
        (0..len).map(|_| scale * self.f32()).collect()
    }
}
