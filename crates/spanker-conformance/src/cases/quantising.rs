// SPDX-License-Identifier: Apache-2.0
//! QUANTISE, as it shows through F32 x Q4_K: one row of a, and rows of b that
//! pick out d * qs[l], or the sums.

use spanker_sys::SPANKER_TYPE_F32;

use crate::blocks::{showing_all, showing_all_sums, Weights};
use crate::case::{cases, Context, Need};
use crate::open::Open;
use crate::product::{assert_same_bits, little_endian, Product};
use crate::text::NAN;

cases! {
    "quantising": ;
    [Need::BitExact(SPANKER_TYPE_F32)]
    ties_go_to_even,
    the_first_of_two_largest_gives_the_sign,
    a_nan_anywhere_makes_the_block_nan,
    an_infinity_anywhere_makes_the_block_nan,
    a_nan_leaves_other_superblocks_alone,
    zeros_make_a_zero_block,
    values_too_small_to_scale_make_a_zero_block,
    the_smallest_values_that_scale_do,
    subnormals_beside_larger_values_are_kept,
    the_largest_values_scale,
    the_scale_is_a_quotient_and_its_inverse_another,
    the_product_is_rounded_before_it_is_made_an_integer,
    sums_are_of_what_was_quantised
}

/// "rounded to f32, then to an integer, ties to even"
fn ties_go_to_even(context: &Context) {
    // is is -1, and d too.
    let mut x = [0.0; 256];
    x[255] = 127.0;
    let ties = [0.5, 1.5, 2.5, 3.5, 125.5, 126.5, 100.49999, 100.50001];
    let even = [0.0, 2.0, 2.0, 4.0, 126.0, 126.0, 100.0, 101.0];
    for (l, tie) in ties.into_iter().enumerate() {
        x[l] = tie;
        x[8 + l] = -tie;
    }
    let out = shown(&context.card(), &bits(&x));
    for (l, even) in even.into_iter().enumerate() {
        assert_eq!(f32::from_bits(out[l]), even, "{}", x[l]);
        assert_eq!(f32::from_bits(out[8 + l]), -even, "{}", x[8 + l]);
    }
    assert_eq!(f32::from_bits(out[255]), 127.0);
}

/// "mx = the first x[j] of that magnitude, with its sign." A product of zeros
/// has the sign of d, which -0 lets through.
fn the_first_of_two_largest_gives_the_sign(context: &Context) {
    let open = context.card();
    for (first, second, sum) in [(100.0, -100.0, 0x8000_0000), (-100.0, 100.0, 0)] {
        for places in [(3, 7), (0, 255), (63, 64), (31, 32), (7, 8)] {
            let mut x = [1.0; 256];
            x[places.0] = first;
            x[places.1] = second;
            let a = little_endian(&bits(&x));
            let product = Product::new(SPANKER_TYPE_F32, 256, a, Weights::zero().bytes());
            let out = product.starting_from(&[0x8000_0000]).run(&open);
            assert_eq!(out, [sum], "{first} before {second} at {places:?}");
        }
    }
}

/// "amax >= 0x7f800000 (there is a NaN or an infinity): d = 0x7fc00000"
fn a_nan_anywhere_makes_the_block_nan(context: &Context) {
    makes_nan(context, &[0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xff80_0001, 0xffff_ffff]);
}

/// "amax >= 0x7f800000 (there is a NaN or an infinity): d = 0x7fc00000"
fn an_infinity_anywhere_makes_the_block_nan(context: &Context) {
    makes_nan(context, &[0x7f80_0000, 0xff80_0000]);
}

/// QUANTISE is of each superblock; only the sum carries the NaN on, and only in
/// its own row.
fn a_nan_leaves_other_superblocks_alone(context: &Context) {
    let open = context.card();
    let mut x = vec![f32::to_bits(1.0); 3 * 512];
    x[512 + 300] = 0x7fc0_0000;
    let b = Weights::showing(0).bytes().repeat(2);
    let out = Product::new(SPANKER_TYPE_F32, 512, little_endian(&x), b).run(&open);
    let two = f32::to_bits(2.0);
    assert_eq!(out, [two, NAN, two]);
}

/// "amax == 0: d = +0, all qs and bsums 0."
fn zeros_make_a_zero_block(context: &Context) {
    let open = context.card();
    let mut x = [0; 256];
    x[3] = 0x8000_0000;
    for x in [[0; 256], [0x8000_0000; 256], x] {
        assert_same_bits(&shown(&open, &x), &[0; 256], 256, "zeros");
        let a = little_endian(&x);
        let product = Product::new(SPANKER_TYPE_F32, 256, a, Weights::zero().bytes());
        assert_eq!(product.starting_from(&[0x8000_0000]).run(&open), [0], "d is +0");
    }
}

/// "If is is infinite: as 3." The largest such magnitude is 0x02fe0000.
fn values_too_small_to_scale_make_a_zero_block(context: &Context) {
    let open = context.card();
    for magnitude in [0x02fe_0000, 0x02fd_ffff, 0x0080_0000, 0x007f_ffff, 1] {
        for sign in [0, 0x8000_0000] {
            let mut x = [0; 256];
            x[5] = magnitude | sign;
            x[6] = 1;
            assert_same_bits(&shown(&open, &x), &[0; 256], 256, &format!("{magnitude:#x}"));
            let a = little_endian(&x);
            let product = Product::new(SPANKER_TYPE_F32, 256, a, Weights::zero().bytes());
            assert_eq!(product.starting_from(&[0x8000_0000]).run(&open), [0], "d is +0");
        }
    }
}

/// is is finite from 0x02fe0001 on: d is then a subnormal, and kept.
fn the_smallest_values_that_scale_do(context: &Context) {
    let mut x = [0; 256];
    x[5] = 0x02fe_0001;
    x[9] = 0x817f_0000;
    x[11] = 0x0040_0000;
    let mut expected = [0; 256];
    let d = f32::from_bits(0x8020_0000);
    expected[5] = (d * -127.0).to_bits();
    expected[9] = (d * 16.0).to_bits();
    expected[11] = (d * -2.0).to_bits();
    assert_same_bits(&shown(&context.card(), &x), &expected, 256, "is near the largest f32");
}

/// "subnormals are kept" on the way in too: they quantise to 0 beside 1, and
/// their sign is nobody's.
fn subnormals_beside_larger_values_are_kept(context: &Context) {
    let mut x = [0x8000_0001; 256];
    x[100] = f32::to_bits(1.0);
    // is is -127, d is -1/127.
    let mut expected = [0; 256];
    expected[100] = (f32::from_bits(0xbc01_0204) * -127.0).to_bits();
    assert_same_bits(&shown(&context.card(), &x), &expected, 256, "subnormals beside 1");
}

/// The largest finite value is no infinity, although d * 127 rounds to one.
fn the_largest_values_scale(context: &Context) {
    let mut x = [0; 256];
    x[0] = 0x7f7f_ffff;
    x[1] = 0xff7f_ffff;
    x[2] = 0x7eff_ffff;
    let mut expected = [0; 256];
    expected[0] = 0x7f80_0000;
    expected[1] = 0xff80_0000;
    expected[2] = (f32::from_bits(0xfc01_0204) * -64.0).to_bits();
    assert_same_bits(&shown(&context.card(), &x), &expected, 256, "the largest f32");
}

/// "is = -127 / mx", "d = 1 / is": with mx / -127, or by way of 1 / mx, other
/// bits come out.
fn the_scale_is_a_quotient_and_its_inverse_another(context: &Context) {
    let open = context.card();
    for (mx, d) in
        [(0x4276_4e94, 0xbef8_3f13), (0x41c3_fe94, 0xbe45_89a8), (0x4254_5625, 0xbed6_022a)]
    {
        let mut x = [0; 256];
        x[77] = mx;
        let mut expected = [0; 256];
        expected[77] = (f32::from_bits(d) * -127.0).to_bits();
        assert_same_bits(&shown(&open, &x), &expected, 256, &format!("mx {mx:#x}"));
    }
}

/// "is * x[j], rounded to f32, then to an integer": the exact product, or a
/// quotient for each element, would give another integer.
fn the_product_is_rounded_before_it_is_made_an_integer(context: &Context) {
    let open = context.card();
    for (mx, value, q) in [
        (0x42d9_ae0a, 0x42c9_658e, -118),
        (0x41b9_cf29, 0x41ad_5f88, -118),
        (0x403e_5e36, 0x3ff1_552b, -80),
        (0x4262_ccce, 0x425e_55e1, -124),
        (0x41d9_aeba, 0x41d5_65bf, -124),
        (0x4031_28da, 0x3f81_bb25, -46),
    ] {
        let mut x = [0; 256];
        x[200] = mx;
        x[201] = value;
        let out = shown(&open, &x);
        let [largest, given] = [out[200], out[201]].map(f32::from_bits);
        let integer = given / largest * -127.0;
        assert!((integer - q as f32).abs() < 0.01, "{value:#x} beside {mx:#x} is {integer}");
    }
}

/// "bsums[t] = sum of qs[16 t] ... qs[16 t + 15]."
fn sums_are_of_what_was_quantised(context: &Context) {
    let open = context.card();
    // is is -1: qs are -x, rounded.
    let mut x = [0.0; 256];
    for (l, value) in x.iter_mut().enumerate() {
        *value = (l % 32) as f32 * 3.71 - 40.0 + (l / 32) as f32;
    }
    x[0] = 127.0;
    let a = little_endian(&bits(&x));
    let out = Product::new(SPANKER_TYPE_F32, 256, a, showing_all_sums()).run(&open);
    for (s, sum) in out.into_iter().enumerate() {
        // d is -1, and so is the sign of a min.
        let expected: i32 = (0..32).map(|i| -rounded(x[32 * s + i])).sum();
        assert_eq!(f32::from_bits(sum), expected as f32, "sub-block {s}");
    }
}

/// d * qs[l] of all l.
#[track_caller]
fn shown(open: &Open, x: &[u32; 256]) -> Vec<u32> {
    Product::new(SPANKER_TYPE_F32, 256, little_endian(x), showing_all()).run(open)
}

fn bits(x: &[f32; 256]) -> [u32; 256] {
    x.map(f32::to_bits)
}

#[track_caller]
fn makes_nan(context: &Context, patterns: &[u32]) {
    let open = context.card();
    for &pattern in patterns {
        for place in [0, 1, 7, 8, 31, 100, 254, 255] {
            let mut x = [f32::to_bits(3.0); 256];
            x[place] = pattern;
            let a = little_endian(&x);
            let b = [Weights::showing(0).bytes(), Weights::zero().bytes()].concat();
            let out = Product::new(SPANKER_TYPE_F32, 256, a, b).run(&open);
            assert_eq!(out, [NAN, NAN], "{pattern:#x} at {place}");
        }
    }
}

/// No value here is a tie.
fn rounded(value: f32) -> i32 {
    value.round() as i32
}
