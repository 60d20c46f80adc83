// SPDX-License-Identifier: Apache-2.0

//! Blocks of `a` as the kernels take them: unpacked once for every row of `b` that they meet, in the
//! host's byte order, and with their values where a vector can be loaded without crossing a cache
//! line.

use super::portable::{scales_and_mins, widen};
use super::SUPERBLOCK;
use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

/// A superblock of Q8_K `a`.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct ActivationQ8K {
    /// The values.
    pub(super) qs: [i8; SUPERBLOCK],
    /// bsums\[2s\] in the low half and bsums\[2s+1\] in the high one: what sub-block s adds up to,
    /// or anything else that a caller wrote.
    pub(super) bsums: [i32; 8],
    /// d.
    pub(super) d: f32,
}

impl ActivationQ8K {
    /// A block of zeros, to make room with.
    pub(crate) const ZERO: Self = Self { qs: [0; SUPERBLOCK], bsums: [0; 8], d: 0.0 };

    /// Unpacks a block.
    pub(crate) fn new(block: &BlockQ8K) -> Self {
        let mut bsums = [0; 8];
        for (pair, halves) in bsums.iter_mut().zip(block.bsums.chunks_exact(2)) {
            *pair = pair_of(u16::from_le(halves[0]) as i16, u16::from_le(halves[1]) as i16);
        }
        Self { qs: block.qs, bsums, d: f32::from_bits(u32::from_le(block.d)) }
    }

    /// Sets the sums to those of the values.
    pub(super) fn sum_values(&mut self) {
        for (pair, qs) in self.bsums.iter_mut().zip(self.qs.chunks_exact(32)) {
            let sum = |qs: &[i8]| qs.iter().map(|q| i16::from(*q)).sum();
            *pair = pair_of(sum(&qs[..16]), sum(&qs[16..]));
        }
    }
}

/// Two i16 as the low and the high half of an i32.
fn pair_of(low: i16, high: i16) -> i32 {
    i32::from(low) & 0xffff | i32::from(high) << 16
}

/// A superblock of Q4_K `a`. What meets pairs of i16 stands in both halves of an i32.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct ActivationQ4K {
    /// The weights, 0 to 15.
    pub(super) qs: [i8; SUPERBLOCK],
    /// sc\[s\] in both halves.
    pub(super) scales: [i32; 8],
    /// mn\[s\] in both halves.
    pub(super) mins: [i32; 8],
    /// sc\[s\] · (sum of 32 weights), at most 30,240, in the low half alone.
    pub(super) sums: [i32; 8],
    /// d.
    pub(super) d: f32,
    /// dmin.
    pub(super) dmin: f32,
}

impl ActivationQ4K {
    /// A block of zeros, to make room with.
    pub(crate) const ZERO: Self =
        Self { qs: [0; SUPERBLOCK], scales: [0; 8], mins: [0; 8], sums: [0; 8], d: 0.0, dmin: 0.0 };

    /// Unpacks a block.
    pub(crate) fn new(block: &BlockQ4K) -> Self {
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
        for (s, values) in unpacked.qs.chunks_exact(32).enumerate() {
            let sum: i16 = values.iter().map(|q| i16::from(*q)).sum();
            unpacked.sums[s] = i32::from(scales[s]) * i32::from(sum);
            unpacked.scales[s] = i32::from(scales[s]) * 0x0001_0001;
            unpacked.mins[s] = i32::from(mins[s]) * 0x0001_0001;
        }
        unpacked.d = widen(u16::from_le(block.d));
        unpacked.dmin = widen(u16::from_le(block.dmin));
        unpacked
    }
}
