// SPDX-License-Identifier: Apache-2.0
//! Random products against the scalar text: every shape, place and pattern, and
//! every byte of out.

use spanker_sys::{
    spanker_operand, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K,
};

use super::goldens;
use crate::case::{cases, Context, Need};
use crate::open::{Buffer, Open};
use crate::ops::{bytes, matmul, row_bytes};
use crate::product::{row, words, Product};
use crate::random::Random;
use crate::text;

cases! {
    "properties": ;
    [Need::BitExact(SPANKER_TYPE_F32)]
    random_products_of_f32_have_the_bits_of_the_text,
    larger_products_of_f32_have_the_bits_of_the_text;
    [Need::BitExact(SPANKER_TYPE_Q8_K)]
    random_products_of_q8_k_have_the_bits_of_the_text,
    larger_products_of_q8_k_have_the_bits_of_the_text;
    [Need::BitExact(SPANKER_TYPE_Q4_K)]
    random_products_of_q4_k_have_the_bits_of_the_text,
    larger_products_of_q4_k_have_the_bits_of_the_text
}

/// m, n and k around likely borders of tiles and panels: few and many rows,
/// short and long ones.
const LARGER: [(usize, usize, usize); 11] = [
    (61, 37, 512),
    (1, 300, 256),
    (130, 3, 512),
    (17, 16, 4096),
    (64, 64, 256),
    (65, 17, 512),
    (1, 31, 8448),
    (2, 9, 16128),
    (3, 18, 4352),
    (4, 33, 2304),
    (5, 8, 9216),
];

/// "A card that offers a combination as BIT_EXACT gives these bits".
fn random_products_of_f32_have_the_bits_of_the_text(context: &Context) {
    check(context, SPANKER_TYPE_F32);
}

/// "A card that offers a combination as BIT_EXACT gives these bits".
fn random_products_of_q8_k_have_the_bits_of_the_text(context: &Context) {
    check(context, SPANKER_TYPE_Q8_K);
}

/// "A card that offers a combination as BIT_EXACT gives these bits".
fn random_products_of_q4_k_have_the_bits_of_the_text(context: &Context) {
    check(context, SPANKER_TYPE_Q4_K);
}

/// "whatever the number of its threads, the split into batches and tiles, and
/// the width of its vectors"
fn larger_products_of_f32_have_the_bits_of_the_text(context: &Context) {
    check_larger(context, SPANKER_TYPE_F32);
}

/// "whatever the number of its threads, the split into batches and tiles, and
/// the width of its vectors"
fn larger_products_of_q8_k_have_the_bits_of_the_text(context: &Context) {
    check_larger(context, SPANKER_TYPE_Q8_K);
}

/// "whatever the number of its threads, the split into batches and tiles, and
/// the width of its vectors"
fn larger_products_of_q4_k_have_the_bits_of_the_text(context: &Context) {
    check_larger(context, SPANKER_TYPE_Q4_K);
}

#[track_caller]
fn check(context: &Context, a_type: u32) {
    let open = context.card();
    for seed in 1..=100 {
        random_product(&open, a_type, seed);
    }
}

#[track_caller]
fn check_larger(context: &Context, a_type: u32) {
    let open = context.card();
    for (seed, (m, n, k)) in (0..).zip(LARGER) {
        let mut random = Random::new(1000 + seed);
        let a = superblocks(&mut random, a_type, m * k / 256);
        let b = superblocks(&mut random, SPANKER_TYPE_Q4_K, n * k / 256);
        Product::new(a_type, k, a, b).check(&open, &format!("type {a_type}, {m}x{n}x{k}"));
    }
}

/// An operand somewhere in a buffer full of random bytes.
struct Placed {
    rows: Vec<u8>,
    content: Vec<u8>,
    offset: usize,
    stride: usize,
}

impl Placed {
    fn new(random: &mut Random, type_: u32, rows: usize, k: usize) -> Placed {
        let row = row_bytes(type_, k);
        let content = if type_ == SPANKER_TYPE_F32 {
            random_f32s(random, rows * k)
        } else {
            superblocks(random, type_, rows * k / 256)
        };
        let offset = 4 * random.below(20);
        // Often dense, as what is likely is worth the most.
        let stride = row + if random.once_in(2) { 0 } else { 4 * random.below(30) };
        let mut placed = Placed { rows: content, content: Vec::new(), offset, stride };
        placed.content = random.bytes(offset + (rows - 1) * stride + row);
        for i in 0..rows {
            let at = offset + i * stride;
            placed.content[at..at + row].copy_from_slice(self::row(&placed.rows, row, i));
        }
        placed
    }

    fn operand(&self, buffer: &Buffer, type_: u32) -> spanker_operand {
        spanker_operand { type_, ..bytes(buffer, self.offset, self.stride) }
    }
}

#[track_caller]
fn random_product(open: &Open, a_type: u32, seed: u64) {
    let mut random = Random::new(seed);
    let (m, n) = (random.between(1, 9), random.between(1, 21));
    let k = 256 * random.between(1, 5);
    let accumulate = random.once_in(2);
    let a = Placed::new(&mut random, a_type, m, k);
    let b = Placed::new(&mut random, SPANKER_TYPE_Q4_K, n, k);
    let (offset, stride) = (4 * random.below(20), 4 * n + 4 * random.below(20));
    let behind = random.below(40);
    let before = {
        let len = offset + (m - 1) * stride + 4 * n + behind;
        let mut bytes = random_f32s(&mut random, len.div_ceil(4));
        bytes.truncate(len);
        bytes
    };

    let buffers = [&a.content, &b.content, &before].map(|bytes| open.create_holding(bytes));
    let out = spanker_operand { type_: SPANKER_TYPE_F32, ..bytes(&buffers[2], offset, stride) };
    let mut op = matmul(
        (m, n, k),
        a.operand(&buffers[0], a_type),
        b.operand(&buffers[1], SPANKER_TYPE_Q4_K),
        out,
    );
    op.flags = if accumulate { SPANKER_OP_ACCUMULATE } else { 0 };
    open.run(&[op]);
    let after = open.contents(&buffers[2]);

    let mut expected = before.clone();
    for i in 0..m {
        for j in 0..n {
            let at = offset + i * stride + 4 * j;
            let held = f32::from_bits(words(&before[at..at + 4])[0]);
            let start = if accumulate { held } else { 0.0 };
            let (a_row, b_row) = (row_bytes(a_type, k), row_bytes(SPANKER_TYPE_Q4_K, k));
            let bits =
                text::element(a_type, row(&a.rows, a_row, i), row(&b.rows, b_row, j), k, start);
            let stored = words(&after[at..at + 4])[0];
            assert_eq!(
                stored, bits,
                "seed {seed}: out[{i}][{j}] of type {a_type}, {m}x{n}x{k}, accumulate {accumulate}: \
                 {stored:#010x} is not {bits:#010x}",
            );
            expected[at..at + 4].copy_from_slice(&bits.to_le_bytes());
        }
    }
    assert!(after == expected, "seed {seed}: bytes beside the rows of out were written");
    for buffer in &buffers {
        open.destroy(buffer);
    }
}

/// Superblocks half of which have tame scales; of the others everything is
/// possible.
fn superblocks(random: &mut Random, type_: u32, count: usize) -> Vec<u8> {
    let tame = !random.once_in(4);
    (0..count)
        .flat_map(|_| {
            let hostile = !tame && random.once_in(2);
            goldens::operand(random, type_, 1, hostile)
        })
        .collect()
}

/// Floats of ordinary sizes, sprinkled with all others.
fn random_f32s(random: &mut Random, count: usize) -> Vec<u8> {
    const SPECIAL: [u32; 12] = [
        0,
        0x8000_0000,
        1,
        0x807f_ffff,
        0x0080_0000,
        0x02fe_0000,
        0x02fe_0001,
        0x7f7f_ffff,
        0xff7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0001,
    ];
    let (exponent, special) = (random.below(250) as u32, random.once_in(8));
    (0..count)
        .flat_map(|_| {
            let bits = random.bits();
            let word = if special && random.once_in(100) {
                random.one_of(&SPECIAL)
            } else {
                let near = exponent + (bits >> 60) as u32 % 5;
                (bits as u32 & 0x807f_ffff) | near << 23
            };
            word.to_le_bytes()
        })
        .collect()
}
