// SPDX-License-Identifier: Apache-2.0
//! Ops as the ABI's header describes them, on the bytes of buffers: the scalar text, row by row.

use spanker_kernels::{canonical, text, BlockQ4K, BlockQ8K};
use spanker_sys::*;

const BLOCK: usize = SPANKER_QK_K as usize;

/// Bytes in a row of a type.
pub(super) fn row_bytes(type_: u32, elements: usize) -> usize {
    match type_ {
        SPANKER_TYPE_F32 => elements * 4,
        SPANKER_TYPE_Q4_K => elements / BLOCK * 144,
        SPANKER_TYPE_Q8_K => elements / BLOCK * 292,
        _ => panic!("type {type_}"),
    }
}

/// Executes `op`, whose handles are indices of `images`.
pub(super) fn execute(op: &spanker_op, images: &mut [Vec<u8>]) {
    match op.opcode {
        SPANKER_OPCODE_MATMUL => matmul(op, images),
        _ => copy(op, images),
    }
}

fn copy(op: &spanker_op, images: &mut [Vec<u8>]) {
    for i in 0..op.m as usize {
        let row = row(images, &op.a, i, op.k as usize).to_vec();
        let at = start(&op.out, i);
        images[op.out.handle as usize][at..at + row.len()].copy_from_slice(&row);
    }
}

/// A row of `a`.
enum Activations {
    Q8K(Vec<BlockQ8K>),
    Q4K(Vec<BlockQ4K>),
}

fn matmul(op: &spanker_op, images: &mut [Vec<u8>]) {
    let k = op.k as usize;
    let b: Vec<_> = (0..op.n as usize)
        .map(|j| q4_k(row(images, &op.b, j, row_bytes(SPANKER_TYPE_Q4_K, k))))
        .collect();
    for i in 0..op.m as usize {
        let a = row(images, &op.a, i, row_bytes(op.a.type_, k));
        let a = match op.a.type_ {
            SPANKER_TYPE_F32 => {
                Activations::Q8K(a.chunks_exact(4 * BLOCK).map(quantised).collect())
            }
            SPANKER_TYPE_Q8_K => Activations::Q8K(q8_k(a)),
            _ => Activations::Q4K(q4_k(a)),
        };
        for (j, b) in b.iter().enumerate() {
            let at = start(&op.out, i) + 4 * j;
            let out = &mut images[op.out.handle as usize][at..at + 4];
            let accumulate = op.flags & SPANKER_OP_ACCUMULATE != 0;
            let sum = if accumulate { value(out) } else { 0.0 };
            let sum = match &a {
                Activations::Q8K(a) => text::dot_q8_k_q4_k(sum, a, b),
                Activations::Q4K(a) => text::dot_q4_k_q4_k(sum, a, b),
            };
            out.copy_from_slice(&canonical(sum).to_bits().to_le_bytes());
        }
    }
}

fn start(operand: &spanker_operand, row: usize) -> usize {
    operand.offset as usize + row * operand.row_stride as usize
}

fn row<'a>(images: &'a [Vec<u8>], operand: &spanker_operand, row: usize, bytes: usize) -> &'a [u8] {
    &images[operand.handle as usize][start(operand, row)..][..bytes]
}

fn value(bytes: &[u8]) -> f32 {
    f32::from_bits(u32::from_le_bytes(bytes.try_into().unwrap()))
}

fn quantised(bytes: &[u8]) -> BlockQ8K {
    let mut x = [0.0; BLOCK];
    for (x, bytes) in x.iter_mut().zip(bytes.chunks_exact(4)) {
        *x = value(bytes);
    }
    text::quantise(&x)
}

fn q4_k(bytes: &[u8]) -> Vec<BlockQ4K> {
    let blocks = bytes.chunks_exact(144);
    blocks.map(|block| BlockQ4K::from_bytes(block.try_into().unwrap())).collect()
}

fn q8_k(bytes: &[u8]) -> Vec<BlockQ8K> {
    let blocks = bytes.chunks_exact(292);
    blocks.map(|block| BlockQ8K::from_bytes(block.try_into().unwrap())).collect()
}
