// SPDX-License-Identifier: Apache-2.0
//! Operands of every type, in buffers of their own, at offsets and with strides of every kind.

use super::model::row_bytes;
use super::script::Script;
use spanker_kernels::random::{Random, SPECIAL_F32};
use spanker_kernels::text::widen;
use spanker_kernels::{BlockQ4K, BlockQ8K};
use spanker_sys::*;

/// The types that `a` can have.
pub(super) const A_TYPES: [u32; 3] = [SPANKER_TYPE_F32, SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K];

/// What operands contain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// What makes numbers: a NaN in a long row would hide all else.
    Numbers,
    /// Inf and NaN too.
    Hostile,
}

/// Bytes that are no operand's.
pub(super) fn garbage(random: &mut Random, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|_| random.next() as u8).collect()
}

/// Some values and their bytes.
pub(super) fn values(random: &mut Random, contents: Contents, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * count);
    let mut scale = 1.0;
    for at in 0..count {
        // A superblock is one of its kind.
        if at % SPANKER_QK_K as usize == 0 {
            scale = random.pick(&[1.0, 1.0, 1.0, 1e3, 1e-3, 0.0]);
        }
        let hostile = contents == Contents::Hostile && random.one_in(1500);
        let bits =
            if hostile { random.pick(&SPECIAL_F32) } else { (scale * random.f32()).to_bits() };
        bytes.extend_from_slice(&bits.to_le_bytes());
    }
    bytes
}

/// The bytes of a row.
pub(super) fn row(random: &mut Random, contents: Contents, type_: u32, elements: usize) -> Vec<u8> {
    let blocks = elements / SPANKER_QK_K as usize;
    let mut bytes = Vec::with_capacity(row_bytes(type_, elements));
    match type_ {
        SPANKER_TYPE_Q4_K => {
            for _ in 0..blocks {
                bytes.extend_from_slice(&q4_k(random, contents).to_bytes());
            }
        }
        SPANKER_TYPE_Q8_K => {
            for _ in 0..blocks {
                bytes.extend_from_slice(&q8_k(random, contents).to_bytes());
            }
        }
        _ => return values(random, contents, elements),
    }
    bytes
}

fn q4_k(random: &mut Random, contents: Contents) -> BlockQ4K {
    loop {
        let block = random.block_q4_k();
        let small = |bits: u16| widen(u16::from_le(bits)).abs() < 1.0;
        if contents == Contents::Hostile || small(block.d) && small(block.dmin) {
            return block;
        }
    }
}

fn q8_k(random: &mut Random, contents: Contents) -> BlockQ8K {
    loop {
        let block = random.block_q8_k();
        let small = f32::from_bits(u32::from_le(block.d)).abs() <= 1.0;
        if contents == Contents::Hostile || small {
            return block;
        }
    }
}

/// An operand in a new buffer, garbage around its rows.
pub(super) fn operand(
    script: &mut Script,
    random: &mut Random,
    contents: Contents,
    type_: u32,
    (rows, elements): (usize, usize),
) -> spanker_operand {
    let bytes = row_bytes(type_, elements);
    let stride = bytes + random.pick(&[0, 0, 4, 12, 20, 60, 64, 148, 1028]);
    let footprint = (rows - 1) * stride + bytes;
    // At any multiple of 4, with something behind it, or so that it ends with a page.
    let (offset, behind) = if random.one_in(3) {
        (footprint.next_multiple_of(4096) - footprint, 0)
    } else {
        (random.pick(&[0, 4, 12, 20, 28, 36, 60, 64, 68, 132]), random.pick(&[0, 4, 300]))
    };
    let mut image = garbage(random, offset + footprint + behind);
    for i in 0..rows {
        let row = row(random, contents, type_, elements);
        image[offset + i * stride..][..bytes].copy_from_slice(&row);
    }
    let handle = script.buffer(image);
    spanker_operand { handle, type_, offset: offset as u64, row_stride: stride as u64 }
}
