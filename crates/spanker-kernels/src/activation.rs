// SPDX-License-Identifier: Apache-2.0

//! Blocks of `a` as the kernels take them: unpacked once for every row of `b` that they meet, in the
//! host's byte order, and with their values where a vector can be loaded without crossing a cache
//! line.

use super::portable::{scales_and_mins, widen};
use super::SUPERBLOCK;
use crate::{BlockQ4K, BlockQ8K};

/// A superblock of Q8_K `a`, unpacked: what kernels take, and no format of memory or files.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct ActivationQ8K {
    /// The values.
    pub(super) qs: [i8; SUPERBLOCK],
    /// What the eight sub-blocks add up to, as [pairs](pairs_of): bsums\[2s\] + bsums\[2s+1\], or
    /// the i16 nearest to that.
    pub(super) sums: [i32; 4],
    /// What is then missing of it: nothing, unless a caller wrote sums that no values have.
    pub(super) beyond: [i32; 4],
    /// Whether anything is.
    pub(super) is_beyond: bool,
    /// d.
    pub(super) d: f32,
}

impl ActivationQ8K {
    /// A block of zeros, to make room with.
    pub const ZERO: Self =
        Self { qs: [0; SUPERBLOCK], sums: [0; 4], beyond: [0; 4], is_beyond: false, d: 0.0 };

    /// Unpacks a block.
    pub fn new(block: &BlockQ8K) -> Self {
        let (mut sums, mut beyond) = ([0; 8], [0; 8]);
        for (s, bsums) in block.bsums.chunks_exact(2).enumerate() {
            let sum: i32 = bsums.iter().map(|sum| i32::from(u16::from_le(*sum) as i16)).sum();
            let nearest = sum.clamp(i16::MIN.into(), i16::MAX.into());
            // Of -65,536 to 65,534, at most 32,768 are missing on either side.
            (sums[s], beyond[s]) = (nearest as i16, (sum - nearest) as i16);
        }
        Self {
            qs: block.qs,
            sums: pairs_of(sums),
            beyond: pairs_of(beyond),
            is_beyond: beyond != [0; 8],
            d: f32::from_bits(u32::from_le(block.d)),
        }
    }

    /// Sets the sums to those of the values.
    pub(super) fn sum_values(&mut self) {
        let mut sums = [0; 8];
        for (sum, qs) in sums.iter_mut().zip(self.qs.chunks_exact(32)) {
            *sum = qs.iter().map(|q| i16::from(*q)).sum();
        }
        self.sums = pairs_of(sums);
    }
}

/// Eight numbers, one a sub-block, two to a word as i16: the first in the low half of the first.
fn pairs_of(numbers: [i16; 8]) -> [i32; 4] {
    let mut pairs = [0; 4];
    for (pair, numbers) in pairs.iter_mut().zip(numbers.chunks_exact(2)) {
        *pair = i32::from(numbers[0]) & 0xffff | i32::from(numbers[1]) << 16;
    }
    pairs
}

/// A superblock of Q4_K `a`, unpacked: what kernels take, and no format of memory or files.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct ActivationQ4K {
    /// The weights, 0 to 15.
    pub(super) qs: [i8; SUPERBLOCK],
    /// sc\[s\] in both halves.
    pub(super) scales: [i32; 8],
    /// mn, as [pairs](pairs_of).
    pub(super) mins: [i32; 4],
    /// sc\[s\] · (sum of 32 weights), at most 30,240, as [pairs](pairs_of).
    pub(super) sums: [i32; 4],
    /// d.
    pub(super) d: f32,
    /// dmin.
    pub(super) dmin: f32,
}

impl ActivationQ4K {
    /// A block of zeros, to make room with.
    pub const ZERO: Self =
        Self { qs: [0; SUPERBLOCK], scales: [0; 8], mins: [0; 4], sums: [0; 4], d: 0.0, dmin: 0.0 };

    /// Unpacks a block.
    pub fn new(block: &BlockQ4K) -> Self {
        let mut unpacked = Self::ZERO;
        let groups = unpacked.qs.chunks_exact_mut(64);
        for (values, bytes) in groups.zip(block.qs.chunks_exact(32)) {
            let (low, high) = values.split_at_mut(32);
            for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
                *low = (byte & 15) as i8;
                *high = (byte >> 4) as i8;
            }
        }
        let (scales, mins) = scales_and_mins(&block.scales);
        let mut sums = [0; 8];
        for (s, values) in unpacked.qs.chunks_exact(32).enumerate() {
            let sum: i16 = values.iter().map(|q| i16::from(*q)).sum();
            sums[s] = i16::from(scales[s]) * sum;
            unpacked.scales[s] = i32::from(scales[s]) * 0x0001_0001;
        }
        unpacked.sums = pairs_of(sums);
        unpacked.mins = pairs_of(mins.map(i16::from));
        unpacked.d = widen(u16::from_le(block.d));
        unpacked.dmin = widen(u16::from_le(block.dmin));
        unpacked
    }
}
