// SPDX-License-Identifier: Apache-2.0
//! The driver's engine against sections 7 and 10 of the header.

use spanker_conformance::ops::{row_bytes, A_TYPES};
use spanker_conformance::random::Random;
use spanker_conformance::text;
use spanker_driver_arithmetic::{run, Ended, Op, Rows};
use spanker_sys::{
    SPANKER_OPCODE_COPY, SPANKER_OPCODE_MATMUL, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K,
    SPANKER_TYPE_Q8_K,
};

const ECANCELED: i32 = 125;
/// What is between the rows.
const GAP: u8 = 0xa5;

const HALVES: [u16; 12] = [
    0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7c01, 0xfe00,
];
const SINGLES: [u32; 14] = [
    0x0000_0000,
    0x8000_0000,
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x3f80_0000,
    0x7e80_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7f80_0001,
    0xffff_ffff,
];

/// A normal binary16 of moderate size.
fn half(random: &mut Random) -> u16 {
    random.bits() as u16 & 0x83ff | (5 + random.below(8) as u16) << 10
}

/// A binary32 between -1 and 1.
fn single(random: &mut Random) -> f32 {
    (random.bits() >> 40) as f32 / 8_388_608.0 - 1.0
}

fn q4_k(random: &mut Random) -> Vec<u8> {
    let mut block = random.bytes(144);
    for at in [0, 2] {
        let bits = if random.once_in(100) { random.one_of(&HALVES) } else { half(random) };
        block[at..at + 2].copy_from_slice(&bits.to_le_bytes());
    }
    match random.below(8) {
        0 => block[4..].fill(0xff),
        1 => block[4..16].fill(0xff),
        2 => block[16..].fill(random.one_of(&[0x00, 0x0f, 0xf0, 0xff])),
        _ => {}
    }
    block
}

fn q8_k(random: &mut Random) -> Vec<u8> {
    let mut block = random.bytes(292);
    let bits = if random.once_in(50) { random.one_of(&SINGLES) } else { single(random).to_bits() };
    block[..4].copy_from_slice(&bits.to_le_bytes());
    match random.below(8) {
        0 => block[4..260].fill(0x80),
        1 => block[4..260].fill(0x7f),
        2 => block[260..].fill(0x80),
        3 => block[260..].copy_from_slice(&[0xff, 0x7f].repeat(16)),
        4 => block[4..].fill(0),
        _ => {}
    }
    block
}

fn f32s(random: &mut Random) -> Vec<u8> {
    let scale = random.one_of(&[1.0, 1e-44, 1e-38, 1e-36, 3e38]);
    let mut x: Vec<f32> = (0..256).map(|_| scale * single(random)).collect();
    match random.below(10) {
        // Ties, the scale being -1.
        0 => {
            x.iter_mut().for_each(|x| *x = random.below(253) as f32 - 126.0 + 0.5);
            x[random.below(256)] = 127.0;
        }
        // The largest magnitude in both signs.
        1 => {
            let (one, other) = (random.below(256), random.below(256));
            (x[one], x[other]) = (scale, -scale);
        }
        2 => x.iter_mut().for_each(|x| *x = -0.0),
        3 => x[random.below(256)] = f32::from_bits(random.one_of(&SINGLES)),
        _ => {}
    }
    x.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect()
}

fn row(random: &mut Random, type_: u32, blocks: usize) -> Vec<u8> {
    let block = match type_ {
        SPANKER_TYPE_F32 => f32s,
        SPANKER_TYPE_Q8_K => q8_k,
        SPANKER_TYPE_Q4_K => q4_k,
        _ => panic!("no blocks of type {type_}"),
    };
    (0..blocks).flat_map(|_| block(random)).collect()
}

/// Rows with gaps before, between and behind them.
fn placed(rows: &[Vec<u8>], offset: usize, gap: usize) -> Rows {
    let stride = rows[0].len() + gap;
    let mut bytes = vec![GAP; offset + rows.len() * stride];
    for (index, row) in rows.iter().enumerate() {
        bytes[offset + index * stride..][..row.len()].copy_from_slice(row);
    }
    Rows { bytes, offset, stride }
}

fn product(
    random: &mut Random,
    a_type: u32,
    accumulate: bool,
    (m, n, blocks): (usize, usize, usize),
) -> Op {
    let a: Vec<_> = (0..m).map(|_| row(random, a_type, blocks)).collect();
    let b: Vec<_> = (0..n).map(|_| row(random, SPANKER_TYPE_Q4_K, blocks)).collect();
    let out: Vec<Vec<u8>> = (0..m)
        .map(|_| {
            let start = |random: &mut Random| {
                if random.once_in(20) {
                    random.one_of(&SINGLES)
                } else {
                    (1e4 * single(random)).to_bits()
                }
            };
            (0..n).flat_map(|_| start(random).to_le_bytes()).collect()
        })
        .collect();
    Op {
        opcode: SPANKER_OPCODE_MATMUL,
        a_type,
        accumulate,
        m: m as u32,
        n: n as u32,
        k: 256 * blocks as u32,
        row_bytes: [a[0].len(), b[0].len(), 4 * n],
        a: placed(&a, 4 * random.below(5), 4 * random.below(3)),
        b: placed(&b, 4 * random.below(5), 4 * random.below(3)),
        out: placed(&out, 4 * random.below(5), 4 * random.below(3)),
    }
}

fn bits(row: &[u8], j: usize) -> u32 {
    u32::from_le_bytes([row[4 * j], row[4 * j + 1], row[4 * j + 2], row[4 * j + 3]])
}

/// What out holds when the header is followed.
fn expected(op: &Op) -> Vec<u8> {
    let k = op.k as usize;
    let mut bytes = op.out.bytes.clone();
    for i in 0..op.m as usize {
        let a = op.a.row(i, row_bytes(op.a_type, k));
        for j in 0..op.n as usize {
            let b = op.b.row(j, row_bytes(SPANKER_TYPE_Q4_K, k));
            let held = bits(op.out.row(i, 4 * op.n as usize), j);
            let start = if op.accumulate { f32::from_bits(held) } else { 0.0 };
            bytes[op.out.offset + i * op.out.stride + 4 * j..][..4]
                .copy_from_slice(&text::element(op.a_type, a, b, k, start).to_le_bytes());
        }
    }
    bytes
}

#[test]
fn products_have_the_bits_of_the_header() {
    let mut random = Random::new(0x5eed);
    // Borders of the tiles, 16 rows by 256, and of the chunks, 16 superblocks.
    let shapes =
        [(1, 1, 1), (3, 5, 2), (17, 2, 16), (2, 257, 1), (16, 4, 17), (33, 3, 35), (1, 7, 9)];
    let (mut outputs, mut finite) = (0, 0);
    for a_type in A_TYPES {
        for accumulate in [false, true] {
            for shape in shapes.into_iter().chain([(15, 9, 1); 20]) {
                let mut op = product(&mut random, a_type, accumulate, shape);
                let expected = expected(&op);
                assert_eq!(run(&mut op, None).result, 0);
                let place = Rows { bytes: expected, ..op.out.clone() };
                for i in 0..shape.0 {
                    let rows = (op.out.row(i, 4 * shape.1), place.row(i, 4 * shape.1));
                    for j in 0..shape.1 {
                        let (got, expected) = (bits(rows.0, j), bits(rows.1, j));
                        assert_eq!(
                            got, expected,
                            "type {a_type}, accumulate {accumulate}, {shape:?}: ({i}, {j}) is \
                             {got:#x}, not {expected:#x}"
                        );
                        outputs += 1;
                        finite += usize::from(f32::from_bits(got).is_finite());
                    }
                }
                assert!(op.out.bytes == place.bytes, "{shape:?}: the gaps have changed");
            }
        }
    }
    println!("{outputs} outputs, {finite} of them finite");
    assert!(finite > outputs / 2 && finite < outputs, "{finite} of {outputs} are finite");
}

#[test]
fn the_largest_integers_do_not_wrap() {
    let mut block = vec![0xff; 144];
    block[..4].copy_from_slice(&[0x00, 0x3c, 0x00, 0x3c]);
    let weights = [block.clone()];
    for (q, sums, result) in [
        (0x80, [0x00, 0x80], -30_965_760.0 + 33_030_144.0_f32),
        (0x7f, [0x00, 0x80], 30_723_840.0 + 33_030_144.0),
        (0x80, [0xff, 0x7f], -30_965_760.0 - 33_029_136.0),
    ] {
        let mut a = 1_f32.to_bits().to_le_bytes().to_vec();
        a.extend([q; 256]);
        a.extend(sums.repeat(16));
        assert_eq!(accumulated(0.0, SPANKER_TYPE_Q8_K, a, &weights), result.to_bits());
    }
    let result = 63.0 * 63.0 * 256.0 * (225.0 - 15.0 - 15.0 + 1.0_f32);
    assert_eq!(accumulated(0.0, SPANKER_TYPE_Q4_K, block, &weights), result.to_bits());
}

#[test]
fn the_first_of_the_largest_magnitude_gives_the_sign_of_d() {
    // Weights of 0 leave of a term the sign of d, which a sum of -0 shows.
    let mut weights = vec![0; 144];
    weights[1] = 0x3c;
    for (one, other) in [(1.0_f32, -1.0_f32), (-1.0, 1.0)] {
        let mut x = [0.5; 256];
        (x[3], x[200]) = (one, other);
        let a = x.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect();
        let sum = accumulated(-0.0, SPANKER_TYPE_F32, a, &[weights.clone()]);
        // d is negative where that value is positive.
        assert_eq!(sum, if one > 0.0 { -0.0_f32 } else { 0.0 }.to_bits(), "{one} first");
    }
}

fn accumulated(start: f32, a_type: u32, a: Vec<u8>, weights: &[Vec<u8>]) -> u32 {
    let mut op = Op {
        opcode: SPANKER_OPCODE_MATMUL,
        a_type,
        accumulate: true,
        m: 1,
        n: 1,
        k: 256,
        row_bytes: [a.len(), 144, 4],
        a: placed(&[a], 0, 0),
        b: placed(weights, 0, 0),
        out: placed(&[start.to_bits().to_le_bytes().to_vec()], 0, 0),
    };
    assert_eq!(run(&mut op, None).result, 0);
    bits(&op.out.bytes, 0)
}

#[test]
fn every_binary16_widens_exactly() {
    // qs, q and sc of 1 in one place alone, and no mins.
    let mut a = vec![0; 292];
    a[..4].copy_from_slice(&1_f32.to_bits().to_le_bytes());
    a[4] = 1;
    let weights: Vec<Vec<u8>> = (0..=u16::MAX)
        .map(|bits| {
            let mut block = vec![0; 144];
            block[..2].copy_from_slice(&bits.to_le_bytes());
            (block[4], block[16]) = (1, 1);
            block
        })
        .collect();
    let n = weights.len();
    let mut op = Op {
        opcode: SPANKER_OPCODE_MATMUL,
        a_type: SPANKER_TYPE_Q8_K,
        accumulate: false,
        m: 1,
        n: n as u32,
        k: 256,
        row_bytes: [292, 144, 4 * n],
        a: placed(&[a], 0, 0),
        b: placed(&weights, 0, 0),
        out: placed(&[vec![0; 4 * n]], 0, 0),
    };
    assert_eq!(run(&mut op, None).result, 0);
    for half in 0..=u16::MAX {
        // The sum starts from +0, which is what -0 becomes.
        let expected = text::store(0.0 + text::widen(half));
        assert_eq!(bits(&op.out.bytes, half.into()), expected, "{half:#x}");
    }
}

fn copy(rows: &[Vec<u8>], offsets: (usize, usize), gaps: (usize, usize)) -> Op {
    let bytes = rows[0].len();
    let none = Rows { bytes: Vec::new(), offset: 0, stride: 0 };
    Op {
        opcode: SPANKER_OPCODE_COPY,
        a_type: 0,
        accumulate: false,
        m: rows.len() as u32,
        n: 0,
        k: bytes as u32,
        row_bytes: [bytes, 0, bytes],
        a: placed(rows, offsets.0, gaps.0),
        b: none,
        out: placed(&vec![vec![GAP; bytes]; rows.len()], offsets.1, gaps.1),
    }
}

#[test]
fn copies_move_rows_and_keep_gaps() {
    let mut random = Random::new(7);
    for (m, k) in [(1, 1), (5000, 3), (3, 65_536), (2, 65_537), (2, 200_001)] {
        let rows: Vec<_> = (0..m).map(|_| random.bytes(k)).collect();
        let mut op = copy(&rows, (1, 3), (5, 2));
        let expected = placed(&rows, 3, 2).bytes;
        assert_eq!(run(&mut op, None).result, 0);
        assert!(op.out.bytes == expected, "{m} rows of {k}");
    }
}

#[test]
fn an_op_stops_at_any_of_its_steps() {
    let mut random = Random::new(9);
    let rows = vec![vec![1; 100_000]; 3];
    for op in [
        product(&mut random, SPANKER_TYPE_F32, false, (17, 3, 17)),
        copy(&rows, (0, 0), (0, 0)),
        copy(&vec![vec![1]; 5000], (0, 0), (0, 0)),
    ] {
        let Ended { result, steps } = run(&mut op.clone(), None);
        assert_eq!(result, 0);
        assert!(steps > 2, "{steps} steps");
        for stop_after in 1..=steps {
            let ended = run(&mut op.clone(), Some(stop_after));
            assert_eq!(ended, Ended { result: -ECANCELED, steps: stop_after });
        }
    }
}
