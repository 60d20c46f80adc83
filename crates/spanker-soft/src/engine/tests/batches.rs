// SPDX-License-Identifier: Apache-2.0
//! Batches whose ops share operands, and read what others before them have written.

use super::device::Device;
use super::matmul;
use super::model::row_bytes;
use super::operands::{garbage, operand, row, Contents, A_TYPES};
use super::script::{Script, Shown};
use spanker_kernels::random::Random;
use spanker_kernels::FloatEnvironment;
use spanker_sys::*;

/// Bytes of each buffer of random batches: room for every operand.
const SIZE: usize = 32 << 10;
/// Buffers of random batches: of F32, Q8_K, Q4_K, and of outputs.
const BUFFERS: usize = 4;
/// By type.
const HOME: [u32; 3] = [0, 1, 2];

#[test]
fn ops_of_a_batch_share_operands() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    let mut random = Random(0x5eed_0010);
    for a_type in A_TYPES {
        let mut script = Script::default();
        let contents = Contents::Numbers;
        let first = matmul(&mut script, &mut random, contents, (a_type, 0), (5, 33, 3));
        // The same a, by other weights.
        let second = spanker_op {
            n: 18,
            b: operand(&mut script, &mut random, contents, SPANKER_TYPE_Q4_K, (18, 768)),
            out: operand(&mut script, &mut random, contents, SPANKER_TYPE_F32, (5, 18)),
            ..first
        };
        // Both once more, added to the same sums.
        let flags = SPANKER_OP_ACCUMULATE;
        let third = spanker_op { flags, b: second.b, n: 18, ..first };
        // Another a, by the weights of the first.
        let fourth = spanker_op {
            a: operand(&mut script, &mut random, contents, a_type, (5, 768)),
            flags,
            ..first
        };
        let ops = [first, second, third, fourth, first, fourth];
        script.batch(&ops);
        script.batch(&[second, third]);
        script.check(&devices, &format!("a of type {a_type}"));
    }
}

#[test]
fn an_op_takes_what_the_op_before_it_put_out() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    let mut random = Random(0x5eed_0011);
    let mut script = Script::default();
    let contents = Contents::Numbers;
    let kind = (SPANKER_TYPE_F32, 0);
    let first = matmul(&mut script, &mut random, contents, kind, (3, 512, 1));
    let second = spanker_op {
        a: first.out,
        ..matmul(&mut script, &mut random, contents, kind, (3, 256, 2))
    };
    let third = spanker_op {
        a: second.out,
        flags: SPANKER_OP_ACCUMULATE,
        ..matmul(&mut script, &mut random, contents, kind, (3, 20, 1))
    };
    script.batch(&[first, second, third, second, third]);
    script.batch(&[third, first, third, second, third]);
    script.check(&devices, "a chain");
}

#[test]
fn copies_of_short_rows_and_of_long_ones_are_exact() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    // A tile has 1 MiB: many rows, or a part of one.
    for (rows, bytes) in [(3001, 700), (2, (1 << 20) + 5), (1, 3 << 20), (3, 1)] {
        let mut random = Random(0x5eed_0012);
        let mut script = Script::default();
        let mut untyped = |stride: usize| {
            let handle = script.buffer(garbage(&mut random, 4 + rows * stride));
            spanker_operand { handle, type_: 0, offset: 3, row_stride: stride as u64 }
        };
        let (a, out) = (untyped(bytes + 1), untyped(bytes + 5));
        let opcode = SPANKER_OPCODE_COPY;
        let (m, k) = (rows as u32, bytes as u32);
        script.batch(&[spanker_op { opcode, m, k, a, out, ..Default::default() }]);
        script.check(&devices, &format!("{rows} rows of {bytes} bytes"));
    }
}

#[test]
fn random_batches_do_what_the_text_does() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    let mut all = Shown::default();
    for seed in 0x5eed_0100..0x5eed_0110 {
        let mut random = Random(seed);
        let mut script = Script::default();
        for type_ in [SPANKER_TYPE_F32, SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32] {
            let elements = SIZE / row_bytes(type_, 256) * 256;
            let mut image = row(&mut random, Contents::Numbers, type_, elements);
            image.extend(garbage(&mut random, SIZE - image.len()));
            script.buffer(image);
        }
        for _ in 0..3 {
            let ops: Vec<_> = (0..1 + random.below(8)).map(|_| op(&mut random)).collect();
            script.batch(&ops);
        }
        let shown = script.check(&devices, &format!("seed {seed:#x}"));
        all.outputs += shown.outputs;
        all.numbers += shown.numbers;
    }
    println!("{} outputs a device, {} of them finite", all.outputs, all.numbers);
    assert!(all.numbers * 2 > all.outputs, "{} of {}", all.numbers, all.outputs);
}

/// An op of any kind, on places that may be those of others.
fn op(random: &mut Random) -> spanker_op {
    let m = 1 + random.below(6);
    if random.one_in(5) {
        let bytes = 1 + random.below(1000);
        let from = random.below(BUFFERS) as u32;
        let to = (from + 1 + random.below(BUFFERS - 1) as u32) % BUFFERS as u32;
        return spanker_op {
            opcode: SPANKER_OPCODE_COPY,
            m: m as u32,
            k: bytes as u32,
            a: place(random, from, 0, m, bytes, 4),
            out: place(random, to, 0, m, bytes, 4),
            ..Default::default()
        };
    }
    let (n, k) = (1 + random.below(40), 256 * (1 + random.below(3)));
    let which = random.below(A_TYPES.len());
    // Weights, once in a while, where another operand is; and outputs where the next op takes its a.
    let b_home = if random.one_in(8) { HOME[1] } else { HOME[2] };
    let outs: &[u32] = if which == 0 { &[3] } else { &[3, 0] };
    let out = random.pick(outs);
    let a_type = A_TYPES[which];
    spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags: random.pick(&[0, SPANKER_OP_ACCUMULATE]),
        m: m as u32,
        n: n as u32,
        k: k as u32,
        a: place(random, HOME[which], a_type, m, row_bytes(a_type, k), row_bytes(a_type, 256)),
        b: place(random, b_home, SPANKER_TYPE_Q4_K, n, row_bytes(SPANKER_TYPE_Q4_K, k), 144),
        out: place(random, out, SPANKER_TYPE_F32, m, 4 * n, 4),
        ..Default::default()
    }
}

/// Rows of some bytes in a buffer, from a multiple of `unit`, where blocks begin.
fn place(
    random: &mut Random,
    handle: u32,
    type_: u32,
    rows: usize,
    bytes: usize,
    unit: usize,
) -> spanker_operand {
    let stride = bytes.next_multiple_of(4) + random.pick(&[0, 0, 1]) * unit;
    let room = SIZE - ((rows - 1) * stride + bytes);
    let last = room / unit;
    let anywhere = random.below(last + 1);
    let offset = random.pick(&[0, 1, 2, anywhere]).min(last) * unit;
    spanker_operand { handle, type_, offset: offset as u64, row_stride: stride as u64 }
}
