// SPDX-License-Identifier: Apache-2.0

//! Superblocks as they lie in operands.

use std::mem::size_of;

/// A superblock of rows that are read where they lie: every byte pattern is a value.
pub trait Block: sealed::Sealed + Copy {}

/// A superblock of Q4_K: 256 weights of four bits, in eight sub-blocks with a scale and a minimum
/// each; ggml's `block_q4_K`. All fields are little-endian, whatever the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BlockQ4K {
    /// The scale of the scales, as the bits of an f16.
    pub d: u16,
    /// The scale of the minimums, as the bits of an f16.
    pub dmin: u16,
    /// Eight scales and eight minimums of six bits.
    pub scales: [u8; 12],
    /// The weights, two to a byte.
    pub qs: [u8; 128],
}

/// A superblock of Q8_K: 256 values of eight bits with one scale; ggml's `block_q8_K`. Its numbers
/// are little-endian, whatever the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BlockQ8K {
    /// The scale, as the bits of an f32.
    pub d: u32,
    /// The values.
    pub qs: [i8; 256],
    /// The sums of each 16 values, as the bits of an i16.
    pub bsums: [u16; 16],
}

impl BlockQ4K {
    /// The block that these bytes of an operand are.
    pub fn from_bytes(bytes: &[u8; 144]) -> Self {
        let mut scales = [0; 12];
        scales.copy_from_slice(&bytes[4..16]);
        let mut qs = [0; 128];
        qs.copy_from_slice(&bytes[16..]);
        let word = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        Self { d: word(0), dmin: word(2), scales, qs }
    }

    /// Its bytes in an operand.
    pub fn to_bytes(&self) -> [u8; 144] {
        let mut bytes = [0; 144];
        bytes[..2].copy_from_slice(&self.d.to_ne_bytes());
        bytes[2..4].copy_from_slice(&self.dmin.to_ne_bytes());
        bytes[4..16].copy_from_slice(&self.scales);
        bytes[16..].copy_from_slice(&self.qs);
        bytes
    }
}

impl BlockQ8K {
    /// The block that these bytes of an operand are.
    pub fn from_bytes(bytes: &[u8; 292]) -> Self {
        let mut block = Self { d: 0, qs: [0; 256], bsums: [0; 16] };
        let (d, rest) = bytes.split_at(4);
        let (qs, bsums) = rest.split_at(256);
        block.d = u32::from_ne_bytes([d[0], d[1], d[2], d[3]]);
        for (value, byte) in block.qs.iter_mut().zip(qs) {
            *value = *byte as i8;
        }
        for (sum, bytes) in block.bsums.iter_mut().zip(bsums.chunks_exact(2)) {
            *sum = u16::from_ne_bytes([bytes[0], bytes[1]]);
        }
        block
    }

    /// Its bytes in an operand.
    pub fn to_bytes(&self) -> [u8; 292] {
        let mut bytes = [0; 292];
        bytes[..4].copy_from_slice(&self.d.to_ne_bytes());
        for (byte, value) in bytes[4..260].iter_mut().zip(self.qs) {
            *byte = value as u8;
        }
        for (bytes, sum) in bytes[260..].chunks_exact_mut(2).zip(self.bsums) {
            bytes.copy_from_slice(&sum.to_ne_bytes());
        }
        bytes
    }
}

impl Block for BlockQ4K {}
impl Block for BlockQ8K {}

// There is no padding: kernels load a block as so many bytes.
const _: () = assert!(size_of::<BlockQ4K>() == 144 && size_of::<BlockQ8K>() == 292);

mod sealed {
    /// Integers and arrays of integers, without padding.
    pub trait Sealed {}

    impl Sealed for super::BlockQ4K {}
    impl Sealed for super::BlockQ8K {}
}
