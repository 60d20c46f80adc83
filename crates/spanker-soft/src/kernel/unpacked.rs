// SPDX-License-Identifier: Apache-2.0

//! Q4_K activations, unpacked once for every row of `b` that they meet.

use super::portable::{scales_and_mins, widen};
use super::SUPERBLOCK;
use spanker_sys::spanker_block_q4_k as BlockQ4K;

/// A superblock of Q4_K `a`. What meets pairs of i16 stands in both halves of an i32.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnpackedQ4K {
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

impl UnpackedQ4K {
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
