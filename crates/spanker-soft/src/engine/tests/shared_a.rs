// SPDX-License-Identifier: Apache-2.0
//! Ops that take the same F32 `a`, which somebody writes to in between: whatever an engine keeps of
//! it, each takes the values of its time.

use super::device::Device;
use super::operands::{garbage, operand, values, Contents, A_TYPES};
use super::script::{Script, Step};
use spanker_kernels::random::Random;
use spanker_kernels::FloatEnvironment;
use spanker_sys::*;

/// Where the rows of `a` are, in a buffer with room before, between and behind them: 3 of 512
/// values.
const OFFSET: usize = 20;
const STRIDE: usize = ROW + 1028;
const ROW: usize = 4 * 512;
const ROWS: usize = 3;
/// Rows of `b`.
const N: usize = 17;
const SIZE: usize = 4 * STRIDE + OFFSET;
/// Of an op: its type of `a`, and its flags.
const FLOATS: (u32, u32) = (SPANKER_TYPE_F32, 0);

/// A script with a buffer `x` of `a`, one of the values to write there, and ops on them.
struct Bench {
    script: Script,
    random: Random,
    x: u32,
    other: u32,
    /// Reads `a` in `x`; every one puts out to a place of its own.
    reads: Vec<spanker_op>,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let (mut script, mut random) = (Script::default(), Random(seed));
        let x = script.buffer(values(&mut random, Contents::Numbers, SIZE / 4));
        let other = script.buffer(values(&mut random, Contents::Numbers, SIZE / 4));
        let mut bench = Self { script, random, x, other, reads: Vec::new() };
        bench.reads = (0..3).map(|_| bench.read(OFFSET, STRIDE, (ROWS, 512))).collect();
        bench
    }

    fn operand(&mut self, type_: u32, rows: usize, elements: usize) -> spanker_operand {
        let Self { script, random, .. } = self;
        operand(script, random, Contents::Numbers, type_, (rows, elements))
    }

    /// An op that takes its `a` from `x`.
    fn read(&mut self, offset: usize, stride: usize, (m, k): (usize, usize)) -> spanker_op {
        spanker_op {
            opcode: SPANKER_OPCODE_MATMUL,
            m: m as u32,
            n: N as u32,
            k: k as u32,
            a: floats(self.x, offset, stride),
            b: self.operand(SPANKER_TYPE_Q4_K, N, k),
            out: self.operand(SPANKER_TYPE_F32, m, N),
            ..Default::default()
        }
    }

    /// An op that copies rows of so many bytes to `x`.
    fn copy(&self, offset: usize, stride: usize, (rows, bytes): (usize, usize)) -> spanker_op {
        let untyped = |handle| spanker_operand { type_: 0, ..floats(handle, offset, stride) };
        spanker_op {
            opcode: SPANKER_OPCODE_COPY,
            m: rows as u32,
            k: bytes as u32,
            a: untyped(self.other),
            out: untyped(self.x),
            ..Default::default()
        }
    }

    /// An op that puts out to `x`, or adds to what is there. Its own `a` is of this type.
    fn put(
        &mut self,
        (a_type, flags): (u32, u32),
        offset: usize,
        stride: usize,
        (m, n): (usize, usize),
    ) -> spanker_op {
        spanker_op {
            opcode: SPANKER_OPCODE_MATMUL,
            flags,
            m: m as u32,
            n: n as u32,
            k: 256,
            a: self.operand(a_type, m, 256),
            b: self.operand(SPANKER_TYPE_Q4_K, n, 256),
            out: floats(self.x, offset, stride),
            ..Default::default()
        }
    }

    fn values(&mut self, bytes: usize) -> Vec<u8> {
        values(&mut self.random, Contents::Numbers, bytes / 4)
    }

    /// `a` is read, written to by `write`, and read again; as one batch, as two, and as three.
    fn read_write_read(&mut self, write: spanker_op) {
        let [first, second, third] = [self.reads[0], self.reads[1], self.reads[2]];
        self.script.batch(&[first, second, write, third, first]);
        self.script.batch(&[first, write]);
        self.script.batch(&[second, third]);
        self.script.batch(&[write]);
        self.script.batch(&[first, second]);
    }

    fn check(self, origin: &str) {
        let _ieee = FloatEnvironment::ieee();
        self.script.check(&Device::every(), origin);
    }
}

fn floats(handle: u32, offset: usize, stride: usize) -> spanker_operand {
    let (offset, row_stride) = (offset as u64, stride as u64);
    spanker_operand { handle, type_: SPANKER_TYPE_F32, offset, row_stride }
}

#[test]
fn an_a_that_a_copy_has_overwritten_is_read_again() {
    let last = OFFSET + (ROWS - 1) * STRIDE;
    for (what, offset, stride, shape) in [
        ("all", OFFSET, STRIDE, (ROWS, ROW)),
        ("all and what is around", 0, SIZE, (1, SIZE)),
        ("one row", OFFSET + STRIDE, STRIDE, (1, ROW)),
        ("the first value", OFFSET, STRIDE, (1, 4)),
        ("the last value", last + ROW - 4, STRIDE, (1, 4)),
        ("a byte of every row", OFFSET + 777, STRIDE, (ROWS, 1)),
        ("across the beginning", 0, STRIDE, (1, OFFSET + 4)),
        ("across the end", last + ROW - 4, STRIDE, (1, 64)),
    ] {
        let mut bench = Bench::new(0x5eed_0020);
        let copy = bench.copy(offset, stride, shape);
        bench.read_write_read(copy);
        bench.check(what);
    }
}

#[test]
fn what_is_written_between_the_rows_of_a_changes_nothing() {
    for (what, offset, stride, shape) in [
        ("a gap", OFFSET + ROW, STRIDE, (1, STRIDE - ROW)),
        ("every gap", OFFSET + ROW, STRIDE, (ROWS, STRIDE - ROW)),
        ("before the first row", 0, STRIDE, (1, OFFSET)),
    ] {
        let mut bench = Bench::new(0x5eed_0021);
        let copy = bench.copy(offset, stride, shape);
        bench.read_write_read(copy);
        bench.check(what);
    }
    let mut bench = Bench::new(0x5eed_0022);
    let put = bench.put(FLOATS, OFFSET + ROW + 4, STRIDE, (ROWS, 100));
    bench.read_write_read(put);
    bench.check("every gap, by MATMUL");
}

#[test]
fn an_a_that_a_matmul_has_put_out_is_read_again() {
    for (what, flags, offset, shape) in [
        ("all", 0, OFFSET, (ROWS, 512)),
        ("across the beginning", 0, 0, (1, 20)),
        ("all, added to", SPANKER_OP_ACCUMULATE, OFFSET, (ROWS, 512)),
        ("one column", 0, OFFSET + 4 * 300, (ROWS, 1)),
        ("one value, added to", SPANKER_OP_ACCUMULATE, OFFSET + STRIDE, (1, 1)),
        ("some of a gap and of a row", 0, OFFSET + ROW + 1000, (1, 200)),
    ] {
        for a_type in A_TYPES {
            let mut bench = Bench::new(0x5eed_0023);
            let put = bench.put((a_type, flags), offset, STRIDE, shape);
            bench.read_write_read(put);
            bench.check(what);
        }
    }
}

#[test]
fn another_a_of_the_same_buffer_is_another_a() {
    let mut bench = Bench::new(0x5eed_0024);
    let one = bench.reads[0];
    let mut ops = vec![one];
    for (offset, stride, shape) in [
        (OFFSET + 4, STRIDE, (ROWS, 512)),
        (0, STRIDE, (ROWS, 512)),
        (OFFSET, STRIDE + 4, (ROWS, 512)),
        (OFFSET, ROW, (ROWS, 512)),
        (OFFSET, STRIDE, (ROWS - 1, 512)),
        (OFFSET, STRIDE, (ROWS, 256)),
        (OFFSET, STRIDE, (1, 768)),
        (OFFSET, STRIDE, (ROWS + 1, 512)),
    ] {
        ops.push(bench.read(offset, stride, shape));
        ops.push(one);
    }
    bench.script.batch(&ops);
    ops.reverse();
    bench.script.batch(&ops);
    // The same place of another buffer; the same bytes as blocks of a type.
    let elsewhere = spanker_op { a: floats(bench.other, OFFSET, STRIDE), ..one };
    let blocks = |type_| spanker_op { a: spanker_operand { type_, ..one.a }, ..one };
    let as_blocks = [blocks(SPANKER_TYPE_Q8_K), blocks(SPANKER_TYPE_Q4_K)];
    bench.script.batch(&[one, elsewhere, one, as_blocks[0], one, as_blocks[1], one, elsewhere]);
    bench.check("other regions");
}

#[test]
fn a_write_to_the_other_of_two_shared_operands_changes_nothing() {
    let mut bench = Bench::new(0x5eed_0025);
    let [first, second, third] = [bench.reads[0], bench.reads[1], bench.reads[2]];
    // One a is overwritten while another is kept, and by turns.
    let elsewhere = spanker_op { a: floats(bench.other, OFFSET, STRIDE), ..second };
    let copy = bench.copy(OFFSET, STRIDE, (2, ROW));
    let back = spanker_op { a: copy.out, out: copy.a, ..copy };
    let scribble = bench.put(FLOATS, OFFSET + 8, STRIDE, (ROWS, 3));
    bench.script.batch(&[
        first, elsewhere, copy, third, elsewhere, first, scribble, back, elsewhere, first,
    ]);
    bench.check("two of them");
}

#[test]
fn a_long_a_that_was_overwritten_is_read_again() {
    // More rows than a tile has, more superblocks than are quantised at a time.
    const LONG: usize = 18 * 256;
    let mut bench = Bench::new(0x5eed_0026);
    let bytes = bench.values(4 * 66 * LONG);
    bench.x = bench.script.buffer(bytes);
    let bytes = bench.values(4 * 66 * LONG);
    bench.other = bench.script.buffer(bytes);
    let reads = [(); 2].map(|()| bench.read(0, 4 * LONG, (66, LONG)));
    let copies =
        [0, 65 * 4 * LONG, 66 * 4 * LONG - 4].map(|offset| bench.copy(offset, 4 * LONG, (1, 4)));
    for copy in copies {
        bench.script.batch(&[reads[0], copy, reads[1]]);
    }
    bench.check("66 rows");
}

#[test]
fn what_the_caller_has_written_between_batches_is_read() {
    let mut bench = Bench::new(0x5eed_0027);
    let [first, second, third] = [bench.reads[0], bench.reads[1], bench.reads[2]];
    bench.script.batch(&[first, second]);
    for (offset, bytes) in [(0, SIZE), (OFFSET, 4), (OFFSET + 2 * STRIDE + ROW - 4, 4), (0, 4)] {
        let (buffer, bytes) = (bench.x, bench.values(bytes));
        bench.script.steps.push(Step::Write { buffer, offset, bytes });
        bench.script.batch(&[second, third, first]);
    }
    bench.check("by the caller");
}

#[test]
fn a_buffer_made_again_is_read_again() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    let mut bench = Bench::new(0x5eed_0028);
    let [first, second, third] = [bench.reads[0], bench.reads[1], bench.reads[2]];
    bench.script.batch(&[first, second, third]);
    for _ in 0..8 {
        let (buffer, bytes) = (bench.x, bench.values(SIZE));
        bench.script.steps.push(Step::Renew { buffer, bytes });
        bench.script.batch(&[second, third]);
    }
    let shown = bench.script.check(&devices, "under another handle");
    println!("{} of them where the last was", shown.same_addresses);
    let mut bench = Bench::new(0x5eed_0029);
    let [first, second, third] = [bench.reads[0], bench.reads[1], bench.reads[2]];
    bench.script.batch(&[first, second, third]);
    for _ in 0..3 {
        let (buffer, bytes) = (bench.x, bench.values(SIZE));
        bench.script.steps.push(Step::RenewUnderItsHandle { buffer, bytes });
        bench.script.batch(&[second, third]);
    }
    bench.script.check(&devices, "under its handle");
}

/// Regions of one buffer, read and written by turns: few of them, so that many ops take the same.
#[test]
fn random_reads_and_writes_of_one_buffer_do_what_the_text_does() {
    let _ieee = FloatEnvironment::ieee();
    let devices = Device::every();
    for seed in 0x5eed_0200..0x5eed_0210 {
        let mut bench = Bench::new(seed);
        let shorter = bench.read(OFFSET, STRIDE, (2, 512));
        let later = bench.read(OFFSET + STRIDE, STRIDE, (2, 512));
        let narrower = bench.read(OFFSET, STRIDE, (ROWS, 256));
        let elsewhere = spanker_op { a: floats(bench.other, OFFSET, STRIDE), ..bench.reads[1] };
        let mut reads = vec![shorter, later, narrower, elsewhere];
        reads.extend_from_slice(&bench.reads);
        for _ in 0..3 {
            let mut ops = Vec::new();
            for _ in 0..10 {
                let offset = 4 * bench.random.below(SIZE / 8);
                ops.push(match bench.random.below(8) {
                    0 => bench.copy(offset, STRIDE, (1, 64)),
                    1 => {
                        let a_type = bench.random.pick(&A_TYPES);
                        bench.put((a_type, SPANKER_OP_ACCUMULATE), offset, STRIDE, (1, 9))
                    }
                    2 => {
                        let copy = bench.copy(offset, STRIDE, (1, 512));
                        spanker_op { a: copy.out, out: copy.a, ..copy }
                    }
                    _ => bench.random.pick(&reads),
                });
            }
            bench.script.batch(&ops);
            if bench.random.one_in(2) {
                let (buffer, offset) = (bench.x, 4 * bench.random.below(SIZE / 8));
                let bytes = garbage(&mut bench.random, 8);
                bench.script.steps.push(Step::Write { buffer, offset, bytes });
            }
        }
        bench.script.check(&devices, &format!("seed {seed:#x}"));
    }
}
