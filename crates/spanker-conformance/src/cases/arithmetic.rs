// SPDX-License-Identifier: Apache-2.0
//! Q8_K x Q4_K at its edges: one superblock, or a few, and the bits that come
//! out.

use spanker_sys::SPANKER_TYPE_Q8_K;

use crate::blocks::{activations, counting, Weights, ONE};
use crate::case::{cases, Context, Need};
use crate::open::Open;
use crate::product::Product;
use crate::text::{BlockQ8K, NAN};

cases! {
    "arithmetic": ;
    [Need::BitExact(SPANKER_TYPE_Q8_K)]
    integer_sums_are_exact_at_their_largest,
    sums_of_mins_do_not_saturate,
    integers_are_rounded_to_f32_ties_to_even,
    superblocks_are_added_in_ascending_order,
    scales_multiply_one_after_another,
    products_are_not_fused_with_the_difference,
    products_are_not_fused_with_the_sum,
    subnormal_results_are_kept,
    subnormal_halves_widen_exactly,
    overflow_is_an_infinity,
    infinite_halves_are_infinities,
    an_infinity_times_nothing_is_the_one_nan,
    a_nan_anywhere_is_stored_as_the_one_nan,
    blocks_of_all_ones_are_nan
}

/// "Integer sums are exact (32 bits are enough)".
fn integer_sums_are_exact_at_their_largest(context: &Context) {
    let open = context.card();
    // P is -30965760 or 30723840, M -33030144 or 33029136.
    for (q, sum, v) in [(-128, -32768, 2_064_384.0), (127, 32767, -2_305_296.0)] {
        let a = BlockQ8K { d: f32::to_bits(1.0), qs: [q; 256], bsums: [sum; 16] };
        assert_eq!(f32::from_bits(q8_k(&open, &a, &Weights::largest())), v);
    }
}

/// "no intermediate of them may wrap or saturate": not two bsums in 16 bits
/// either.
fn sums_of_mins_do_not_saturate(context: &Context) {
    let open = context.card();
    for mn in [1, 2, 63] {
        for (sum, m) in [(-32768, -65536.0), (32767, 65534.0)] {
            for s in 0..8 {
                let mut b = Weights::zero();
                b.mn[s] = mn;
                let a = BlockQ8K { d: f32::to_bits(1.0), qs: [0; 256], bsums: [sum; 16] };
                let expected: f32 = -m * f32::from(mn);
                assert_eq!(f32::from_bits(q8_k(&open, &a, &b)), expected, "{mn} * 2 * {sum}");
            }
        }
    }
}

/// "f32(i) rounds an i32 to nearest, ties to even."
fn integers_are_rounded_to_f32_ties_to_even(context: &Context) {
    let open = context.card();
    for (integer, rounded) in [
        (16_777_215, 16_777_215.0),
        (16_777_217, 16_777_216.0),
        (16_777_219, 16_777_220.0),
        (16_777_221, 16_777_220.0),
        (16_777_223, 16_777_224.0),
    ] {
        for sign in [1, -1] {
            let value = rounded * sign as f32;
            let p = q8_k(&open, &activations(1.0, sign * integer, 0), &counting(ONE, ONE));
            assert_eq!(f32::from_bits(p), value, "P is {integer} * {sign}");
            let m = q8_k(&open, &activations(1.0, 0, sign * integer), &counting(ONE, ONE));
            assert_eq!(f32::from_bits(m), -value, "M is {integer} * {sign}");
        }
    }
}

/// "For each superblock, k ascending".
fn superblocks_are_added_in_ascending_order(context: &Context) {
    let open = context.card();
    for (ds, sum) in [
        ([1e30, -1e30, 1.0], 1.0),
        ([1e30, 1.0, -1e30], 0.0),
        ([1.0, 1e30, -1e30], 0.0),
        ([-1e30, 1e30, 1.0], 1.0),
    ] {
        let a = ds.iter().flat_map(|&d| activations(d, 1, 0).bytes()).collect();
        let b = counting(ONE, ONE).bytes().repeat(3);
        let out = Product::new(SPANKER_TYPE_Q8_K, 768, a, b).run(&open);
        assert_eq!(f32::from_bits(out[0]), sum, "{ds:?}");
    }
}

/// "t = f32(b.d) * f32(P)", then "w = a.d * v": the scales are not multiplied
/// with one another.
fn scales_multiply_one_after_another(context: &Context) {
    let open = context.card();
    for (a_d, b_d, p, bits) in [
        (0x3fa4_ede6, 0x3cf1, 1170, 0x44e8_cb9b),
        (0x3f90_a3d6, 0x3c7c, 1498, 0x44ed_370a),
        (0x3ff6_31a9, 0x3ed7, 345, 0x448d_d5b5),
    ] {
        let a = activations(f32::from_bits(a_d), p, 0);
        assert_eq!(q8_k(&open, &a, &counting(b_d, ONE)), bits, "{a_d:#x} {b_d:#x} {p}");
    }
}

/// "No contraction into fused operations": t and u are rounded before v is.
fn products_are_not_fused_with_the_difference(context: &Context) {
    let open = context.card();
    for (d, dmin, p, m, bits) in [
        (0x3ef5, 0x3cfe, 137_074, 135_253, 0x4787_f27a),
        (0x3fab, 0x3f7d, 162_924, 53_891, 0x484e_7b12),
        (0x3e24, 0x3d7b, 192_626, 181_230, 0x4739_2ca8),
    ] {
        let out = q8_k(&open, &activations(1.0, p, m), &counting(d, dmin));
        assert_eq!(out, bits, "{d:#x} {dmin:#x} {p} {m}");
    }
}

/// "No contraction into fused operations": w is rounded before it is added.
fn products_are_not_fused_with_the_sum(context: &Context) {
    let open = context.card();
    for (d, p, acc, bits) in [
        (0x3f8d_d27a, 936, 0xc479_6376, 0x421e_1520),
        (0x3fa6_b94c, 1099, 0xc0cf_cc8c, 0x44b2_1f91),
        (0x3fe0_5091, 305, 0xc204_9fb6, 0x43fa_ac05),
    ] {
        let a = activations(f32::from_bits(d), p, 0).bytes();
        let product = Product::new(SPANKER_TYPE_Q8_K, 256, a, counting(ONE, ONE).bytes());
        assert_eq!(product.starting_from(&[acc]).run(&open), [bits], "{acc:#x} + {d:#x} * {p}");
    }
}

/// "subnormals are kept", as scales and as results, and rounded like others.
fn subnormal_results_are_kept(context: &Context) {
    let open = context.card();
    let half = 0x3800;
    for (a_d, b_d, bits) in [
        (1, ONE, 1),
        (0x0001_16c2, ONE, 0x0001_16c2),
        (0x8000_0001, ONE, 0x8000_0001),
        (0x0080_0000, half, 0x0040_0000),
        (3, half, 2),
        (5, half, 2),
        (7, half, 4),
        (1, half, 0),
        (0x007f_ffff, ONE, 0x007f_ffff),
    ] {
        let out = q8_k(&open, &activations(f32::from_bits(a_d), 1, 0), &counting(b_d, ONE));
        assert_eq!(out, bits, "{a_d:#x} times the half {b_d:#x}");
    }
    let tiny = activations(f32::from_bits(1), 1, 0).bytes();
    let product = Product::new(SPANKER_TYPE_Q8_K, 256, tiny, counting(ONE, ONE).bytes());
    assert_eq!(product.starting_from(&[2]).run(&open), [3], "a sum of subnormals");
}

/// "binary16 widens exactly."
fn subnormal_halves_widen_exactly(context: &Context) {
    let open = context.card();
    for (half, bits) in [
        (0x0001, 0x3380_0000),
        (0x8001, 0xb380_0000),
        (0x0003, 0x3440_0000),
        (0x03ff, 0x387f_c000),
        (0x0400, 0x3880_0000),
        (0x7bff, 0x477f_e000),
        (0xfbff, 0xc77f_e000),
    ] {
        let p = q8_k(&open, &activations(1.0, 1, 0), &counting(half, ONE));
        assert_eq!(p, bits, "d {half:#x}");
        let m = q8_k(&open, &activations(1.0, 0, -1), &counting(ONE, half));
        assert_eq!(m, bits, "dmin {half:#x}");
    }
}

/// "Infinities, overflow and NaN are results and not faults."
fn overflow_is_an_infinity(context: &Context) {
    let open = context.card();
    for (d, p, bits) in [
        (f32::MAX, 2, 0x7f80_0000),
        (f32::MAX, -2, 0xff80_0000),
        (-f32::MAX, 2, 0xff80_0000),
        (f32::INFINITY, 1, 0x7f80_0000),
        (f32::MAX, 1, 0x7f7f_ffff),
    ] {
        assert_eq!(q8_k(&open, &activations(d, p, 0), &counting(ONE, ONE)), bits, "{d:e} * {p}");
    }
    assert_eq!(open.context_info().fault_seqno, 0);
}

/// Scales may be infinite: "Every byte pattern is a legal block."
fn infinite_halves_are_infinities(context: &Context) {
    let open = context.card();
    let infinity = 0x7c00;
    let out = |p, m, d, dmin| q8_k(&open, &activations(1.0, p, m), &counting(d, dmin));
    assert_eq!(out(1, 0, infinity, ONE), 0x7f80_0000);
    assert_eq!(out(-1, 0, infinity, ONE), 0xff80_0000);
    assert_eq!(out(1, 0, 0xfc00, ONE), 0xff80_0000);
    assert_eq!(out(0, 1, ONE, infinity), 0xff80_0000);
    assert_eq!(out(0, -1, ONE, infinity), 0x7f80_0000);
    assert_eq!(out(1, -1, infinity, infinity), 0x7f80_0000);
    assert_eq!(out(1, 1, infinity, infinity), NAN);
}

/// IEEE-754: infinity times 0 is a NaN, and "a NaN is stored as 0x7fc00000".
fn an_infinity_times_nothing_is_the_one_nan(context: &Context) {
    let open = context.card();
    for half in [0x7c00, 0xfc00] {
        let nothing = activations(1.0, 0, 0);
        assert_eq!(q8_k(&open, &nothing, &counting(half, ONE)), NAN, "d {half:#x}, P 0");
        assert_eq!(q8_k(&open, &nothing, &counting(ONE, half)), NAN, "dmin {half:#x}, M 0");
    }
    for d in [f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(q8_k(&open, &activations(d, 0, 0), &counting(ONE, ONE)), NAN, "a.d {d}");
    }
}

/// "a NaN is stored as 0x7fc00000"
fn a_nan_anywhere_is_stored_as_the_one_nan(context: &Context) {
    let open = context.card();
    for half in [0x7e00, 0x7c01, 0xfe00, 0xffff, 0x7dff] {
        let a = activations(1.0, 1, 1);
        assert_eq!(q8_k(&open, &a, &counting(half, ONE)), NAN, "d {half:#x}");
        assert_eq!(q8_k(&open, &a, &counting(ONE, half)), NAN, "dmin {half:#x}");
    }
    for d in [0x7fc1_2345, 0xff80_0001, 0x7f80_0001, 0xffff_ffff] {
        let a = activations(f32::from_bits(d), 1, 1);
        assert_eq!(q8_k(&open, &a, &counting(ONE, ONE)), NAN, "a.d {d:#x}");
    }
}

/// "Every byte pattern is a legal block."
fn blocks_of_all_ones_are_nan(context: &Context) {
    let open = context.card();
    let (a, b) = (vec![0xff; 292], vec![0xff; 144]);
    for (a, b) in [
        (a.clone(), b.clone()),
        (activations(1.0, 1, 1).bytes(), b),
        (a, counting(ONE, ONE).bytes()),
    ] {
        assert_eq!(Product::new(SPANKER_TYPE_Q8_K, 256, a, b).run(&open), [NAN]);
    }
}

#[track_caller]
fn q8_k(open: &Open, a: &BlockQ8K, b: &Weights) -> u32 {
    Product::new(SPANKER_TYPE_Q8_K, 256, a.bytes(), b.bytes()).run(open)[0]
}
