// SPDX-License-Identifier: Apache-2.0
//! Q4_K x Q4_K at its edges: the product of what the weights of both stand for.

use spanker_sys::SPANKER_TYPE_Q4_K;

use crate::blocks::Weights;
use crate::case::{cases, Context, Need};
use crate::open::Open;
use crate::product::Product;
use crate::text::NAN;

cases! {
    "dequantised": ;
    [Need::BitExact(SPANKER_TYPE_Q4_K)]
    all_four_integer_sums_are_exact_at_their_largest,
    all_four_scales_take_their_sum,
    products_are_not_fused_with_differences,
    an_infinity_times_nothing_is_the_one_nan,
    blocks_of_all_ones_are_nan
}

/// "Integer sums are exact (32 bits are enough)".
fn all_four_integer_sums_are_exact_at_their_largest(context: &Context) {
    // P is 228614400, Q and R are 15240960, S is 1016064.
    let out = product(&context.card(), &Weights::largest(), &Weights::largest());
    assert_eq!(f32::from_bits(out), 199_148_544.0);
}

/// "t = f32(a.d) * f32(P) - f32(a.dmin) * f32(R)", and so on: -5 and 1, 32
/// times.
fn all_four_scales_take_their_sum(context: &Context) {
    let open = context.card();
    for s in 0..8 {
        // a is 2 * 2 * 1 - 3 * 3 and b is 5 * 5 * 2 - 7 * 7.
        let a = uniform(s, [0x4000, 0x4200], [2, 3], 1);
        let b = uniform(s, [0x4500, 0x4700], [5, 7], 2);
        assert_eq!(f32::from_bits(product(&open, &a, &b)), -160.0, "sub-block {s}");
        assert_eq!(f32::from_bits(product(&open, &b, &a)), -160.0, "sub-block {s}");
    }
}

/// "each product is rounded, then each difference."
fn products_are_not_fused_with_differences(context: &Context) {
    let open = context.card();
    let cases = [
        ([0x3dd1, 0x3d83], [12, 49], 11, [0x3c33, 0x3c06], [45, 35], 13, 0x4a0c_b018),
        ([0x3d59, 0x3e7a], [9, 63], 7, [0x3c21, 0x3fe7], [47, 40], 11, 0xc87c_9caa),
        ([0x3c67, 0x3fa9], [30, 57], 14, [0x3c34, 0x3ec2], [34, 16], 11, 0x4a7c_605a),
    ];
    for (a_ds, a_scales, a_q, b_ds, b_scales, b_q, bits) in cases {
        let a = uniform(0, a_ds, a_scales, a_q);
        let b = uniform(0, b_ds, b_scales, b_q);
        assert_eq!(product(&open, &a, &b), bits, "{a_ds:x?} {b_ds:x?}");
    }
}

/// IEEE-754: infinity times 0 is a NaN, and "a NaN is stored as 0x7fc00000".
fn an_infinity_times_nothing_is_the_one_nan(context: &Context) {
    let open = context.card();
    for half in [0x7c00, 0xfc00, 0x7e00, 0xfe01] {
        for infinite in
            [Weights { d: half, ..Weights::zero() }, Weights { dmin: half, ..Weights::zero() }]
        {
            assert_eq!(product(&open, &infinite, &Weights::largest()), NAN, "a {half:#x}");
            assert_eq!(product(&open, &Weights::largest(), &infinite), NAN, "b {half:#x}");
        }
    }
}

/// "Every byte pattern is a legal block."
fn blocks_of_all_ones_are_nan(context: &Context) {
    let open = context.card();
    let ones = vec![0xff; 144];
    for (a, b) in [
        (ones.clone(), ones.clone()),
        (ones.clone(), Weights::largest().bytes()),
        (Weights::largest().bytes(), ones),
    ] {
        assert_eq!(Product::new(SPANKER_TYPE_Q4_K, 256, a, b).run(&open), [NAN]);
    }
}

/// A block with one sub-block, of 32 equal weights.
fn uniform(s: usize, [d, dmin]: [u16; 2], [sc, mn]: [u8; 2], q: u8) -> Weights {
    let mut weights = Weights { d, dmin, ..Weights::zero() };
    weights.sc[s] = sc;
    weights.mn[s] = mn;
    weights.q[32 * s..32 * s + 32].fill(q);
    weights
}

#[track_caller]
fn product(open: &Open, a: &Weights, b: &Weights) -> u32 {
    Product::new(SPANKER_TYPE_Q4_K, 256, a.bytes(), b.bytes()).run(open)[0]
}
