// SPDX-License-Identifier: Apache-2.0
//! ACCUMULATE: "the sum starts from what out holds".

use spanker_sys::{SPANKER_OP_ACCUMULATE, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K};

use super::goldens::operand;
use crate::blocks::Weights;
use crate::case::{cases, Context, Need};
use crate::open::Open;
use crate::ops::{dense, matmul, row_bytes};
use crate::product::{assert_same_bits, words, Product};
use crate::random::Random;
use crate::text::{BlockQ8K, NAN};

cases! {
    "adding":
    the_parts_of_a_split_k_gives_the_bits_of_the_whole;
    [Need::BitExact(SPANKER_TYPE_Q8_K)]
    starts_from_what_out_holds,
    to_a_nan_stores_the_one_nan,
    to_an_infinity_keeps_it,
    opposite_infinities_stores_the_one_nan,
    nothing_to_minus_zero_depends_on_the_sign,
    rounds_once_per_superblock
}

/// "a product split at superblocks of k, the parts accumulated in ascending
/// order, has the same bits as the whole."
fn the_parts_of_a_split_k_gives_the_bits_of_the_whole(context: &Context) {
    let open = context.card();
    let (m, n, k) = (3, 5, 2048);
    for a_type in open.a_types() {
        for hostile in [false, true] {
            let mut random = Random::new(51);
            let a = operand(&mut random, a_type, m * k / 256, hostile);
            let b = operand(&mut random, SPANKER_TYPE_Q4_K, n * k / 256, hostile);
            let whole = Product::new(a_type, k, a.clone(), b.clone());
            let bits = whole.run(&open);
            for cuts in [&[256][..], &[1024], &[512, 768], &[256, 512, 768, 1024, 1280, 1536, 1792]]
            {
                for batches in [false, true] {
                    let split = in_parts(&open, &whole, cuts, batches);
                    assert_same_bits(&split, &bits, n, &format!("type {a_type} cut at {cuts:?}"));
                }
            }
        }
    }
}

/// Makes a product in parts of k that end at `cuts`, in one batch or in one for
/// each part.
#[track_caller]
fn in_parts(open: &Open, whole: &Product, cuts: &[usize], batches: bool) -> Vec<u32> {
    let (m, n, k) = whole.shape;
    let (a, b) = (open.create_holding(&whole.a), open.create_holding(&whole.b));
    let out = open.create_holding(&vec![0xff; m * n * 4]);
    let mut ops = Vec::new();
    let mut start = 0;
    for &end in cuts.iter().chain([&k]) {
        let mut op = matmul(
            (m, n, end - start),
            dense(&a, whole.a_type, k),
            dense(&b, SPANKER_TYPE_Q4_K, k),
            dense(&out, SPANKER_TYPE_F32, n),
        );
        op.a.offset = row_bytes(whole.a_type, start) as u64;
        op.b.offset = row_bytes(SPANKER_TYPE_Q4_K, start) as u64;
        op.flags = if start == 0 { 0 } else { SPANKER_OP_ACCUMULATE };
        ops.push(op);
        start = end;
    }
    if batches {
        for op in &ops {
            open.run(&[*op]);
        }
    } else {
        open.run(&ops);
    }
    let bits = words(&open.contents(&out));
    for buffer in [a, b, out] {
        open.destroy(&buffer);
    }
    bits
}

/// "With SPANKER_OP_ACCUMULATE the sum starts from what out holds".
fn starts_from_what_out_holds(context: &Context) {
    let open = context.card();
    let (a, b) = (block(1.0, 2, [0; 16]), Weights::showing(9));
    // The product is 2.
    for (held, sum) in [(0.0, 2.0), (1.5, 3.5), (-2.0, 0.0), (1e30, 1e30), (-7.25, -5.25)] {
        assert_eq!(added(&open, f32::to_bits(held), &a, &b), f32::to_bits(sum), "{held} + 2");
    }
}

/// "a NaN is stored as 0x7fc00000", whichever it was.
fn to_a_nan_stores_the_one_nan(context: &Context) {
    let open = context.card();
    for held in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xffff_ffff, 0x7fc1_2345] {
        for q in [0, 2] {
            let sum = added(&open, held, &block(1.0, q, [0; 16]), &Weights::showing(9));
            assert_eq!(sum, NAN, "{held:#x} plus {q}");
        }
    }
}

/// "Infinities, overflow and NaN are results and not faults."
fn to_an_infinity_keeps_it(context: &Context) {
    let open = context.card();
    for held in [0x7f80_0000, 0xff80_0000] {
        for q in [-2, 0, 2] {
            let sum = added(&open, held, &block(1.0, q, [0; 16]), &Weights::showing(9));
            assert_eq!(sum, held, "{held:#x} plus {q}");
        }
    }
}

/// IEEE-754: the sum of opposite infinities is a NaN.
fn opposite_infinities_stores_the_one_nan(context: &Context) {
    let open = context.card();
    let infinite = block(f32::INFINITY, 1, [0; 16]);
    assert_eq!(added(&open, 0x7f80_0000, &infinite, &Weights::showing(9)), 0x7f80_0000);
    assert_eq!(added(&open, 0xff80_0000, &infinite, &Weights::showing(9)), NAN);
}

/// IEEE-754: -0 and -0 make -0, -0 and +0 make +0. The product of zeros has the
/// sign of a.d.
fn nothing_to_minus_zero_depends_on_the_sign(context: &Context) {
    let open = context.card();
    for (d, sum) in [(1.0, 0), (-1.0, 0x8000_0000)] {
        let zero = block(d, 0, [0; 16]);
        assert_eq!(added(&open, 0x8000_0000, &zero, &Weights::zero()), sum, "-0 and {d} * 0");
        assert_eq!(added(&open, 0, &zero, &Weights::zero()), 0, "+0 and {d} * 0");
    }
}

/// "acc = acc + w", for each superblock: 2^24 + 1 + 1 is 2^24, not 2^24 + 2.
fn rounds_once_per_superblock(context: &Context) {
    let open = context.card();
    let a = [block(1.0, 1, [0; 16]), block(1.0, 1, [0; 16])];
    let a: Vec<u8> = a.iter().flat_map(BlockQ8K::bytes).collect();
    let b = Weights::showing(0).bytes().repeat(2);
    let product = Product::new(SPANKER_TYPE_Q8_K, 512, a, b);
    let held = f32::to_bits(16_777_216.0);
    assert_eq!(product.clone().run(&open), [f32::to_bits(2.0)]);
    assert_eq!(product.starting_from(&[held]).run(&open), [held]);
}

fn block(d: f32, q: i8, bsums: [i16; 16]) -> BlockQ8K {
    BlockQ8K { d: d.to_bits(), qs: [q; 256], bsums }
}

/// What out holds when the product of two blocks was added to `held`.
#[track_caller]
fn added(open: &Open, held: u32, a: &BlockQ8K, b: &Weights) -> u32 {
    let product = Product::new(SPANKER_TYPE_Q8_K, 256, a.bytes(), b.bytes());
    product.starting_from(&[held]).run(open)[0]
}
