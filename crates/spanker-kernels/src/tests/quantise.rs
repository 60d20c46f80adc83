// SPDX-License-Identifier: Apache-2.0

//! Every kernel's QUANTISE against [`text`], bit for bit.

use crate::random::Random;
use crate::{all, text, ActivationQ8K, BlockQ8K, FloatEnvironment};

/// Asserts that every kernel quantises `x` as the text does.
fn assert_quantises(x: &[f32; 256]) -> BlockQ8K {
    let expected = text::quantise(x);
    for kernel in all() {
        // Stale contents, for every field must be written.
        let stale = BlockQ8K { d: 0x1234_5678, qs: [99; 256], bsums: [99; 16] };
        let mut got = [ActivationQ8K::new(&stale)];
        kernel.quantise_row(x, &mut got);
        assert_same(got[0], &expected, kernel.name(), x);
    }
    expected
}

/// Asserts that a kernel's block is what the text made of `x`.
fn assert_same(got: ActivationQ8K, expected: &BlockQ8K, name: &str, x: &[f32]) {
    let expected = ActivationQ8K::new(expected);
    assert_eq!(got.d.to_bits(), expected.d.to_bits(), "{name}: d of {x:?}");
    assert_eq!(got.qs, expected.qs, "{name}: qs of {x:?}");
    let sums = |block: ActivationQ8K| (block.sums, block.beyond, block.is_beyond);
    assert_eq!(sums(got), sums(expected), "{name}: sums of {x:?}");
}

#[test]
fn quantise_has_the_bits_of_the_text() {
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..500 {
        let scale = random.pick(&[1.0, 1e-3, 1e30, 1e-30, 3e-36, 1e-37, 1e-44, 3e38]);
        assert_quantises(&[(); 256].map(|()| scale * random.f32()));
        // Any bits; mostly a block without Inf and NaN, of every magnitude there is.
        let finite = !random.one_in(8);
        assert_quantises(&[(); 256].map(|()| {
            let x = f32::from_bits(random.next() as u32);
            if finite && !x.is_finite() {
                0.0
            } else {
                x
            }
        }));
    }
}

#[test]
fn quantise_rounds_ties_to_even() {
    let _ieee = FloatEnvironment::ieee();
    for sign in [1.0, -1.0] {
        // The maximum, ±127, makes is = ∓1, and each other value its own product.
        let mut x = [0.0; 256];
        for (j, x) in x.iter_mut().enumerate() {
            *x = sign * (j as f32 / 2.0 - 63.5);
        }
        x[200] = sign * 127.0;
        let block = assert_quantises(&x);
        assert_eq!(block.d, (-sign).to_bits().to_le());
        for (j, q) in [(126, 0), (128, 0), (124, 2), (130, -2), (122, 2), (132, -2)] {
            assert_eq!(f32::from(block.qs[j]), sign * sign * f32::from(q as i8), "{j}");
        }
    }
    // One step to either side of each tie.
    for step in [-1_i32, 1] {
        let mut x = [0.0; 256];
        for (j, x) in x.iter_mut().enumerate().skip(1) {
            let tie = j as f32 / 2.0 - 63.75;
            *x = f32::from_bits((tie.to_bits() as i32 + step) as u32);
        }
        x[0] = 127.0;
        assert_quantises(&x);
    }
}

#[test]
fn the_first_value_of_the_largest_magnitude_gives_the_sign() {
    let _ieee = FloatEnvironment::ieee();
    for (first, second) in [(0, 255), (3, 4), (7, 8), (100, 200), (31, 32)] {
        for sign in [1.0, -1.0] {
            let mut x = [0.25; 256];
            x[first] = sign * 2.0;
            x[second] = -sign * 2.0;
            let block = assert_quantises(&x);
            assert_eq!((block.qs[first], block.qs[second]), (-127, 127));
            assert_eq!(f32::from_bits(u32::from_le(block.d)).signum(), -sign);
        }
    }
}

#[test]
fn blocks_whose_inverse_scale_overflows_become_zero() {
    let _ieee = FloatEnvironment::ieee();
    // 127 / f32::MAX lies near 3.7322e-37; both sides of it, bit by bit.
    let limit = (127.0_f64 / f64::from(f32::MAX)) as f32;
    let (mut zeros, mut others) = (0, 0);
    for offset in -200_i32..200 {
        for sign in [1.0, -1.0] {
            let mut x = [0.0; 256];
            for (j, x) in x.iter_mut().enumerate() {
                *x = limit * (j as f32 / 512.0);
            }
            x[17] = sign * f32::from_bits((limit.to_bits() as i32 + offset) as u32);
            let block = assert_quantises(&x);
            if block.d == 0 {
                assert_eq!((block.qs, block.bsums), ([0; 256], [0; 16]));
                zeros += 1;
            } else {
                assert_eq!(block.qs[17], -127);
                others += 1;
            }
        }
    }
    assert!(zeros > 100 && others > 100, "{zeros} {others}");
}

#[test]
fn special_values_quantise_as_defined() {
    let _ieee = FloatEnvironment::ieee();
    let nan = 0x7fc0_0000_u32.to_le();
    for bits in [0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffff_ffff, 0x7f80_0001] {
        for at in [0, 9, 255] {
            let mut x = [1.5; 256];
            x[at] = f32::from_bits(bits);
            let block = assert_quantises(&x);
            assert_eq!((block.d, block.qs, block.bsums), (nan, [0; 256], [0; 16]));
        }
    }
    for value in [0.0, -0.0, 1e-45, -1e-45, 1.1e-38, -3e-37] {
        let mut x = [0.0; 256];
        x[40] = value;
        let block = assert_quantises(&x);
        assert_eq!((block.d, block.qs, block.bsums), (0, [0; 256], [0; 16]));
    }
    assert_quantises(&[f32::MAX; 256]);
    assert_quantises(&[f32::MIN; 256]);
    assert_quantises(&[-0.0; 256]);
}

#[test]
fn quantise_row_takes_one_superblock_after_the_other() {
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(3);
    let x: Vec<f32> = (0..768).map(|_| random.f32()).collect();
    for kernel in all() {
        let mut out = vec![ActivationQ8K::new(&random.block_q8_k()); 3];
        kernel.quantise_row(&x, &mut out);
        for (x, block) in x.chunks_exact(256).zip(out) {
            let expected = text::quantise(x.try_into().unwrap());
            assert_same(block, &expected, kernel.name(), x);
        }
    }
}
