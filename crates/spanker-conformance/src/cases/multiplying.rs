// SPDX-License-Identifier: Apache-2.0
//! MATMUL: which element comes from where, and where it goes.

use spanker_sys::{
    spanker_op, spanker_operand, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K,
};

use crate::blocks::{showing_all, Weights};
use crate::case::{cases, Context, Need};
use crate::open::{Buffer, Open, NEVER};
use crate::ops::{bytes, copy_start, dense, matmul, row_bytes, valid_matmul_of};
use crate::product::{assert_same_bits, little_endian, words, Product};
use crate::random::Random;
use crate::text::BlockQ8K;

cases! {
    "multiplying":
    leaves_the_operands_as_they_were,
    ignores_what_out_held,
    keeps_the_gaps_of_out,
    takes_offsets_and_strides,
    survives_operands_that_change_in_flight;
    [Need::BitExact(SPANKER_TYPE_Q8_K)]
    puts_row_i_of_a_and_row_j_of_b_at_i_j,
    finds_every_weight_in_its_nibble,
    finds_every_scale_and_min_in_its_bits,
    uses_bsums_as_they_stand;
    [Need::BitExact(SPANKER_TYPE_Q4_K)]
    takes_the_same_rows_as_a_and_b;
    [Need::BitExact(SPANKER_TYPE_F32)]
    sees_what_the_op_before_wrote,
    is_not_seen_by_the_op_before;
    [Need::BitExact(SPANKER_TYPE_F32), Need::BitExact(SPANKER_TYPE_Q8_K)]
    quantises_as_if_the_caller_had
}

/// An op writes its out and nothing else.
fn leaves_the_operands_as_they_were(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        let mut random = Random::new(41);
        let valid = valid_matmul_of(&open, a_type, (3, 5, 512));
        let (a, b) = (random.bytes(valid.a.size as usize), random.bytes(valid.b.size as usize));
        open.fill(&valid.a, &a);
        open.fill(&valid.b, &b);
        open.run(&[valid.op]);
        assert!(open.contents(&valid.a) == a, "a of type {a_type}");
        assert!(open.contents(&valid.b) == b, "b");
    }
}

/// "If operand bytes change while a batch is in flight, the output of the ops
/// that name them is unspecified, and nothing else is affected: no operand byte
/// ever steers an address, a size or a loop."
fn survives_operands_that_change_in_flight(context: &Context) {
    let open = context.card();
    let (m, n, k) = (4, 6, 1024);
    for a_type in open.a_types() {
        let valid = valid_matmul_of(&open, a_type, (m, n, k));
        let (row, gap) = (n * 4, 40);
        let out = open.create_holding(&vec![0x5a; m * (row + gap)]);
        let mut op = valid.op;
        op.out = spanker_operand { handle: out.handle, row_stride: (row + gap) as u64, ..op.out };
        let mappings = [open.map(&valid.a), open.map(&valid.b)];
        let mut random = Random::new(47);
        for _ in 0..5 {
            let seqno = open.submit(&[op; 8]);
            while open.context_info().completed < seqno {
                for mapping in &mappings {
                    mapping.write(random.below(mapping.len() - 64), &random.bytes(64));
                }
            }
            assert_eq!(open.try_wait(seqno, NEVER).result, Ok(()));
        }
        let content = open.contents(&out);
        for (i, row_and_gap) in content.chunks_exact(row + gap).enumerate() {
            assert_eq!(row_and_gap[row..], [0x5a; 40], "behind row {i}, a of type {a_type}");
        }
        for buffer in [valid.a, valid.b, valid.out, out] {
            open.destroy(&buffer);
        }
    }
}

/// Without ACCUMULATE the sum starts from +0.
fn ignores_what_out_held(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        let valid = valid_matmul_of(&open, a_type, (3, 5, 512));
        for bits in [0x7fc0_0000, 0x7f80_0000, 0x8000_0000, 0x3f80_0000] {
            open.fill(&valid.out, &little_endian(&[bits; 15]));
            open.run(&[valid.op]);
            // All operands are 0.
            assert_eq!(words(&open.contents(&valid.out)), [0; 15], "out held {bits:#x}");
        }
    }
}

/// "Only row_bytes of each row of out are written; the gaps keep what they held."
fn keeps_the_gaps_of_out(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        let mut valid = valid_matmul_of(&open, a_type, (4, 7, 256));
        let out = open.create_holding(&[0xee; 400]);
        valid.op.out = spanker_operand { type_: SPANKER_TYPE_F32, ..bytes(&out, 12, 7 * 4 + 20) };
        open.run(&[valid.op]);
        let mut expected = [0xee; 400];
        for i in 0..4 {
            expected[12 + 48 * i..][..28].fill(0);
        }
        assert_eq!(open.contents(&out), expected);
    }
}

/// The same rows elsewhere give the same product.
fn takes_offsets_and_strides(context: &Context) {
    let open = context.card();
    let (m, n, k) = (3, 5, 512);
    for a_type in open.a_types() {
        let mut random = Random::new(42);
        let a = random.bytes(m * row_bytes(a_type, k));
        let b = random.bytes(n * row_bytes(SPANKER_TYPE_Q4_K, k));
        let expected = Product::new(a_type, k, a.clone(), b.clone()).run(&open);
        let a = spread(&open, &a, a_type, k, 8, 36);
        let b = spread(&open, &b, SPANKER_TYPE_Q4_K, k, 20, 4);
        let out = open.create(m * n * 4);
        open.run(&[matmul((m, n, k), a, b, dense(&out, SPANKER_TYPE_F32, n))]);
        assert_same_bits(&words(&open.contents(&out)), &expected, n, "elsewhere");
    }
}

/// "out[i][j] = sum over l < k of a[i][l] * b[j][l]"
fn puts_row_i_of_a_and_row_j_of_b_at_i_j(context: &Context) {
    let open = context.card();
    let (m, n) = (5, 7);
    // Row i of a is i + 1 everywhere, and row j of b a single j + 1.
    let a = (0..m).flat_map(|i| ones(1.0, i as i8 + 1).bytes()).collect();
    let b = (0..n).flat_map(|j| {
        let mut weights = Weights::showing(17 * j);
        weights.q[17 * j] = j as u8 + 1;
        weights.bytes()
    });
    let out = Product::new(SPANKER_TYPE_Q8_K, 256, a, b.collect()).run(&open);
    for i in 0..m {
        for j in 0..n {
            assert_eq!(f32::from_bits(out[i * n + j]), ((i + 1) * (j + 1)) as f32, "[{i}][{j}]");
        }
    }
}

/// "weight 64 g + i is the low nibble of qs[32 g + i] and weight 64 g + 32 + i
/// its high nibble."
fn finds_every_weight_in_its_nibble(context: &Context) {
    let open = context.card();
    let mut a = ones(1.0, 0);
    for (l, q) in a.qs.iter_mut().enumerate() {
        *q = l as u8 as i8;
    }
    let out = Product::new(SPANKER_TYPE_Q8_K, 256, a.bytes(), showing_all()).run(&open);
    for (l, bits) in out.into_iter().enumerate() {
        assert_eq!(f32::from_bits(bits), f32::from(a.qs[l]), "weight {l}");
    }
}

/// "scales holds eight 6-bit scales sc[] and eight 6-bit mins mn[]".
fn finds_every_scale_and_min_in_its_bits(context: &Context) {
    let open = context.card();
    let mut a = ones(1.0, 1);
    a.bsums = [1; 16];
    for s in 0..8 {
        for bit in 0..6 {
            let mut scale = Weights { q: [1; 256], ..Weights::zero() };
            scale.sc[s] = 1 << bit;
            let mut min = Weights::zero();
            min.mn[s] = 1 << bit;
            let b = [scale.bytes(), min.bytes()].concat();
            let out = Product::new(SPANKER_TYPE_Q8_K, 256, a.bytes(), b).run(&open);
            let values = [f32::from_bits(out[0]), f32::from_bits(out[1])];
            let factor = (1 << bit) as f32;
            assert_eq!(values, [32.0 * factor, -2.0 * factor], "sub-block {s}, bit {bit}");
        }
    }
}

/// bsums "is used as it stands, whether it is right or not."
fn uses_bsums_as_they_stand(context: &Context) {
    let open = context.card();
    let mut a = ones(1.0, 3);
    for (t, sum) in a.bsums.iter_mut().enumerate() {
        *sum = [-32768, 32767, 12345, -1][t % 4];
    }
    let b: Vec<u8> = (0..8).flat_map(|s| Weights::showing_sums(s).bytes()).collect();
    let out = Product::new(SPANKER_TYPE_Q8_K, 256, a.bytes(), b).run(&open);
    for (s, bits) in out.into_iter().enumerate() {
        let expected = if s % 2 == 0 { 1.0 } else { -12344.0 };
        assert_eq!(f32::from_bits(bits), expected, "sub-block {s}");
    }
}

/// a and b may be the same bytes.
fn takes_the_same_rows_as_a_and_b(context: &Context) {
    let open = context.card();
    let (rows, k) = (6, 512);
    let content = Random::new(43).bytes(rows * row_bytes(SPANKER_TYPE_Q4_K, k));
    let apart = Product::new(SPANKER_TYPE_Q4_K, k, content.clone(), content.clone());
    let both = open.create_holding(&content);
    let out = open.create(rows * rows * 4);
    let operand = dense(&both, SPANKER_TYPE_Q4_K, k);
    open.run(&[matmul((rows, rows, k), operand, operand, dense(&out, SPANKER_TYPE_F32, rows))]);
    assert_same_bits(&words(&open.contents(&out)), &apart.expected(), rows, "a as b");
}

/// "Its ops behave as if run one after another in the order of the array": the
/// second multiplies what the first made.
fn sees_what_the_op_before_wrote(context: &Context) {
    let open = context.card();
    let layers = Layers::new(&open);
    open.run(&layers.ops);
    layers.check(&open);
}

/// "as if run one after another": what a later op writes is not what an earlier
/// one reads.
fn is_not_seen_by_the_op_before(context: &Context) {
    let open = context.card();
    let layers = Layers::new(&open);
    let len = layers.input.size as usize;
    let zeros = open.create(len);
    let overwrite = copy_start(&zeros, &layers.input, len);
    open.run(&[layers.ops[0], overwrite, layers.ops[1]]);
    layers.check(&open);
    assert!(open.contents(&layers.input).iter().all(|&byte| byte == 0));
}

/// "F32 (a) x Q4_K (b): QUANTISE each superblock of a, then as above."
fn quantises_as_if_the_caller_had(context: &Context) {
    let open = context.card();
    let mut random = Random::new(44);
    let (m, n, k) = (4, 9, 1024);
    let values: Vec<f32> =
        (0..m * k).map(|_| random.below(2_000_001) as f32 / 1000.0 - 1000.0).collect();
    let f32s = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let q8_k = values.chunks(256).flat_map(|x| BlockQ8K::quantise(x).bytes()).collect();
    let b = random.bytes(n * row_bytes(SPANKER_TYPE_Q4_K, k));
    assert_same_bits(
        &Product::new(SPANKER_TYPE_F32, k, f32s, b.clone()).run(&open),
        &Product::new(SPANKER_TYPE_Q8_K, k, q8_k, b).run(&open),
        n,
        "F32 against its quantised rows",
    );
}

/// A block of Q8_K with one value everywhere.
fn ones(d: f32, q: i8) -> BlockQ8K {
    BlockQ8K { d: d.to_bits(), qs: [q; 256], bsums: [i16::from(q) * 16; 16] }
}

/// Rows moved apart, with other bytes between them.
#[track_caller]
fn spread(
    open: &Open,
    rows: &[u8],
    type_: u32,
    k: usize,
    offset: usize,
    gap: usize,
) -> spanker_operand {
    let row = row_bytes(type_, k);
    let mut content = vec![0xa5; offset];
    for bytes in rows.chunks_exact(row) {
        content.extend_from_slice(bytes);
        content.extend(vec![0x5a; gap]);
    }
    let buffer = open.create_holding(&content);
    spanker_operand { type_, ..bytes(&buffer, offset, row + gap) }
}

/// Two products, of which the second takes what the first makes.
struct Layers {
    first: Product,
    ops: [spanker_op; 2],
    input: Buffer,
    out: Buffer,
}

impl Layers {
    const ROWS: usize = 3;

    #[track_caller]
    fn new(open: &Open) -> Layers {
        let mut random = Random::new(45);
        let values: Vec<u8> = (0..Layers::ROWS * 256)
            .flat_map(|_| (random.below(2001) as f32 / 8.0 - 125.0).to_le_bytes())
            .collect();
        let mut weights = random.bytes(256 * 144);
        for block in weights.chunks_exact_mut(144) {
            // Scales that keep the values of both layers finite.
            block[..4].copy_from_slice(&[0x34, 0x1c, 0x12, 0x18]);
        }
        let (input, b) = (open.create_holding(&values), open.create_holding(&weights));
        let (hidden, out) = (open.create(Layers::ROWS * 1024), open.create(Layers::ROWS * 1024));
        let layer = |from: &Buffer, to: &Buffer| {
            matmul(
                (Layers::ROWS, 256, 256),
                dense(from, SPANKER_TYPE_F32, 256),
                dense(&b, SPANKER_TYPE_Q4_K, 256),
                dense(to, SPANKER_TYPE_F32, 256),
            )
        };
        let ops = [layer(&input, &hidden), layer(&hidden, &out)];
        let first = Product::new(SPANKER_TYPE_F32, 256, values, weights);
        Layers { first, ops, input, out }
    }

    #[track_caller]
    fn check(&self, open: &Open) {
        let hidden = little_endian(&self.first.expected());
        let second = Product::new(SPANKER_TYPE_F32, 256, hidden, self.first.b.clone());
        let out = words(&open.contents(&self.out));
        assert_same_bits(&out, &second.expected(), 256, "second layer");
    }
}
