// SPDX-License-Identifier: Apache-2.0
//! The engine with every kernel, from request to result, against the scalar text: every byte of
//! every buffer, those between rows too.

mod batches;
mod device;
mod model;
mod operands;
mod script;
mod shared_a;
mod unpacked_once;

use self::device::Device;
use self::operands::{operand, row, Contents, A_TYPES};
use self::script::{Script, Shown};
use spanker_kernels::random::Random;
use spanker_kernels::{BlockQ4K, BlockQ8K, FloatEnvironment};
use spanker_sys::*;

/// MATMUL of operands in buffers of their own.
fn matmul(
    script: &mut Script,
    random: &mut Random,
    contents: Contents,
    (a_type, flags): (u32, u32),
    (m, n, blocks): (usize, usize, usize),
) -> spanker_op {
    let k = blocks * SPANKER_QK_K as usize;
    spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags,
        m: m as u32,
        n: n as u32,
        k: k as u32,
        a: operand(script, random, contents, a_type, (m, k)),
        b: operand(script, random, contents, SPANKER_TYPE_Q4_K, (n, k)),
        out: operand(script, random, contents, SPANKER_TYPE_F32, (m, n)),
        ..Default::default()
    }
}

/// Shapes, m×n over so many superblocks, of every pair of types on every device.
fn compare(shapes: impl Iterator<Item = (usize, usize, usize)> + Clone, seed: u64) -> Shown {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    let mut all = Shown::default();
    for a_type in A_TYPES {
        let mut random = Random(seed + u64::from(a_type));
        for (at, shape) in shapes.clone().enumerate() {
            let flags = if at % 2 == 0 { SPANKER_OP_ACCUMULATE } else { 0 };
            let hostile = shape.2 < 8 && random.one_in(3);
            let contents = if hostile { Contents::Hostile } else { Contents::Numbers };
            let mut script = Script::default();
            let kind = (a_type, flags);
            let op = matmul(&mut script, &mut random, contents, kind, shape);
            script.batch(&[op]);
            let shown = script.check(&devices, &format!("seed {seed:#x}, {shape:?} ({at})"));
            all.outputs += shown.outputs;
            all.numbers += shown.numbers;
        }
    }
    println!("{} outputs a device, {} of them finite", all.outputs, all.numbers);
    assert!(all.numbers * 10 > all.outputs * 9, "{} of {}", all.numbers, all.outputs);
    all
}

/// Both sides of each border, and itself.
fn around(borders: &'static [usize]) -> impl Iterator<Item = usize> + Clone {
    borders.iter().flat_map(|border| border - 1..=border + 1)
}

#[test]
fn the_kernels_blocks_are_the_headers() {
    let mut random = Random(0x5eed_0000);
    let (q4_k, q8_k) = (random.block_q4_k(), random.block_q8_k());
    let mut header = spanker_block_q4_k { d: 0, dmin: 0, scales: [0; 12], qs: [0; 128] };
    header.bytes_mut().copy_from_slice(&q4_k.to_bytes());
    let spanker_block_q4_k { d, dmin, scales, qs } = header;
    assert_eq!(BlockQ4K { d, dmin, scales, qs }, q4_k);
    assert_eq!(BlockQ4K::from_bytes(&q4_k.to_bytes()), q4_k);
    let mut header = spanker_block_q8_k { d: 0, qs: [0; 256], bsums: [0; 16] };
    header.bytes_mut().copy_from_slice(&q8_k.to_bytes());
    let spanker_block_q8_k { d, qs, bsums } = header;
    assert_eq!(BlockQ8K { d, qs, bsums }, q8_k);
    assert_eq!(BlockQ8K::from_bytes(&q8_k.to_bytes()), q8_k);
}

#[test]
fn every_tail_of_m_has_the_bits_of_the_text() {
    // Strips of up to 8 rows; tiles and panels of 64.
    let low = (1..=17).flat_map(|m| [(m, 17, 5), (m, 5, 4)]);
    let high = around(&[64, 128]).flat_map(|m| [(m, 18, 3), (m, 1, 1)]);
    let shown = compare(low.chain(high), 0x5eed_0001);
    assert!(shown.numbers < shown.outputs, "no NaN and no Inf among the outputs");
}

#[test]
fn every_tail_of_n_has_the_bits_of_the_text() {
    // Strips of 16 rows; with one thread, tiles of one strip, of two, of three, of eight.
    let few = around(&[16, 32, 48, 128, 256, 272, 384, 1024, 1152]).flat_map(|n| [(1, n, 1)]);
    // With several threads, tiles of eight.
    let wide = around(&[3072]).map(|n| (2, n, 1));
    let many = around(&[16, 32, 64, 128, 256]).map(|n| (6, n, 2));
    // Two groups of rows: tiles of several strips from fewer.
    let groups = around(&[128, 512]).map(|n| (65, n, 1));
    compare(few.chain(wide).chain(many).chain(groups), 0x5eed_0002);
}

#[test]
fn every_tail_of_k_has_the_bits_of_the_text() {
    // 4 superblocks are unpacked at a time, 16 quantised, 128 taken as they lie.
    let low = (1..=13).map(|blocks| (5, 18, blocks));
    let few = around(&[16, 32, 128]).flat_map(|blocks| [(1, 3, blocks), (2, 17, blocks)]);
    // Panels of 1024 superblocks in all: chunks of 16, of 341, of 512, of 1024.
    let many = around(&[16, 32]).flat_map(|blocks| [(64, 3, blocks), (70, 2, blocks)]);
    let long = around(&[341, 682]).map(|blocks| (3, 2, blocks));
    let pair = around(&[512]).map(|blocks| (2, 3, blocks));
    let one = around(&[1024, 2048]).map(|blocks| (1, 2, blocks));
    compare(low.chain(few).chain(many).chain(long).chain(pair).chain(one), 0x5eed_0003);
}

/// More rows of `a` than are taken at a time. All but some superblocks are zero, so that the pages
/// they are on take no memory.
fn compare_slabs(a_type: u32, (m, n, blocks): (usize, usize, usize), seed: u64) {
    const FILLED: usize = 24;
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(seed);
    let mut script = Script::default();
    let elements = FILLED * SPANKER_QK_K as usize;
    let k = blocks * SPANKER_QK_K as usize;
    let stride = model::row_bytes(a_type, k) + 4;
    let mut image = vec![0; 4 + m * stride];
    for i in 0..m {
        for first in [0, blocks / 2, blocks - FILLED] {
            let row = row(&mut random, Contents::Numbers, a_type, elements);
            let start = 4 + i * stride + row.len() / FILLED * first;
            image[start..][..row.len()].copy_from_slice(&row);
        }
    }
    let handle = script.buffer(image);
    let b = operand(&mut script, &mut random, Contents::Numbers, SPANKER_TYPE_Q4_K, (n, k));
    let out = operand(&mut script, &mut random, Contents::Numbers, SPANKER_TYPE_F32, (m, n));
    script.batch(&[spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags: SPANKER_OP_ACCUMULATE,
        m: m as u32,
        n: n as u32,
        k: k as u32,
        a: spanker_operand { handle, type_: a_type, offset: 4, row_stride: stride as u64 },
        b,
        out,
        ..Default::default()
    }]);
    // Slabs are none of a kernel's affairs: the slowest alone and the fastest with others will do.
    let mut devices = Device::every();
    devices.drain(1..devices.len() - 1);
    let shown = script.check(&devices, &format!("seed {seed:#x}"));
    assert_eq!(shown.numbers, m * n);
}

#[test]
fn rows_beyond_a_slab_have_the_bits_of_the_text() {
    // 3 of the longest rows fit in a slab; 76 of these, of which 64 are taken.
    compare_slabs(SPANKER_TYPE_Q4_K, (4, 1, 1 << 16), 0x5eed_0004);
    compare_slabs(SPANKER_TYPE_F32, (66, 1, 3000), 0x5eed_0005);
}
