// SPDX-License-Identifier: Apache-2.0

//! Every kernel against [`text`], bit for bit, on random and on hostile operands.

use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

use super::{all, best, canonical, portable, text, FloatEnvironment, Kernel, Scratch};

/// f16 bits of d and dmin: zeros, subnormals, the extremes, Inf, quiet and signalling NaN.
const SPECIAL_F16: [u16; 14] = [
    0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00,
    0x7c01, 0xffff,
];
/// f32 bits of the same.
const SPECIAL_F32: [u32; 14] = [
    0x0000_0000,
    0x8000_0000,
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x3f80_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x7f80_0001,
    0xffff_ffff,
];

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A value of either sign around 1, of 24 significant bits.
    fn f32(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// f16 bits of a normal value between 2⁻¹⁰ and 2⁻², of either sign.
    fn f16(&mut self) -> u16 {
        let exponent = 5 + self.below(8) as u16;
        self.next() as u16 & 0x83ff | exponent << 10
    }

    /// Random; often with a field at its extreme; seldom with a scale that makes NaN or Inf.
    fn block_q4_k(&mut self) -> BlockQ4K {
        let mut block = BlockQ4K {
            d: self.f16().to_le(),
            dmin: self.f16().to_le(),
            scales: [(); 12].map(|()| self.next() as u8),
            qs: [(); 128].map(|()| self.next() as u8),
        };
        match self.below(12) {
            0 => block.scales = [0xff; 12],
            1 => block.qs = [0xff; 128],
            2 => (block.scales, block.qs) = ([0xff; 12], [0xff; 128]),
            3 => block.qs = [self.pick(&[0x00, 0x0f, 0xf0]); 128],
            4 => block.scales = [0; 12],
            _ => {}
        }
        if self.one_in(400) {
            block.d = self.pick(&SPECIAL_F16).to_le();
        }
        if self.one_in(400) {
            block.dmin = self.pick(&SPECIAL_F16).to_le();
        }
        if self.one_in(1000) {
            block = BlockQ4K {
                d: 0xffff,
                dmin: 0xffff,
                scales: [0xff; 12],
                qs: [0xff; 128],
            };
        }
        block
    }

    /// Random, its sums unrelated to its values; often with a field at its extreme; seldom with a
    /// scale that makes NaN or Inf.
    fn block_q8_k(&mut self) -> BlockQ8K {
        let mut block = BlockQ8K {
            d: self.f32().to_bits().to_le(),
            qs: [(); 256].map(|()| self.next() as i8),
            bsums: [(); 16].map(|()| (self.next() as i16).to_le()),
        };
        match self.below(12) {
            0 => block.qs = [-128; 256],
            1 => block.qs = [127; 256],
            2 => block.bsums = [i16::MIN.to_le(); 16],
            3 => block.bsums = [i16::MAX.to_le(); 16],
            4 => (block.qs, block.bsums) = ([-128; 256], [i16::MIN.to_le(); 16]),
            5 => (block.qs, block.bsums) = ([0; 256], [0; 16]),
            _ => {}
        }
        if self.one_in(400) {
            block.d = self.pick(&SPECIAL_F32).to_le();
        }
        if self.one_in(1000) {
            block = BlockQ8K {
                d: u32::MAX,
                qs: [-1; 256],
                bsums: [-1; 16],
            };
        }
        block
    }

    /// Sums to start from: zeros, or values as large as a few terms.
    fn acc(&mut self, len: usize) -> Vec<f32> {
        let scale = self.pick(&[0.0, 1.0, 1e4, 1e7]);
        (0..len).map(|_| scale * self.f32()).collect()
    }
}

/// The two pairs of types, each with its method and its reference.
trait Pair: Copy {
    fn block(random: &mut Random) -> Self;
    fn tile(
        kernel: &dyn Kernel,
        scratch: &mut Scratch,
        a: &[Self],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    );
    fn dot(acc: f32, a: &[Self], b: &[BlockQ4K]) -> f32;
}

impl Pair for BlockQ8K {
    fn block(random: &mut Random) -> Self {
        random.block_q8_k()
    }
    fn tile(
        kernel: &dyn Kernel,
        scratch: &mut Scratch,
        a: &[Self],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    ) {
        kernel.tile_q8_k(scratch, a, b, blocks, acc);
    }
    fn dot(acc: f32, a: &[Self], b: &[BlockQ4K]) -> f32 {
        text::dot_q8_k_q4_k(acc, a, b)
    }
}

impl Pair for BlockQ4K {
    fn block(random: &mut Random) -> Self {
        random.block_q4_k()
    }
    fn tile(
        kernel: &dyn Kernel,
        scratch: &mut Scratch,
        a: &[Self],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    ) {
        kernel.tile_q4_k(scratch, a, b, blocks, acc);
    }
    fn dot(acc: f32, a: &[Self], b: &[BlockQ4K]) -> f32 {
        text::dot_q4_k_q4_k(acc, a, b)
    }
}

/// How many outputs were compared, and how many of them were numbers.
#[derive(Default)]
struct Compared {
    outputs: usize,
    numbers: usize,
}

/// One tile of random operands on every kernel against the text.
fn compare<T: Pair>(
    random: &mut Random,
    scratch: &mut Scratch,
    (m, n, blocks): (usize, usize, usize),
    compared: &mut Compared,
) {
    let a: Vec<T> = (0..m * blocks).map(|_| T::block(random)).collect();
    let b: Vec<BlockQ4K> = (0..n * blocks).map(|_| random.block_q4_k()).collect();
    let start = random.acc(m * n);
    let expected: Vec<f32> = (0..m * n)
        .map(|at| {
            let a = &a[at / n * blocks..][..blocks];
            let b = &b[at % n * blocks..][..blocks];
            T::dot(start[at], a, b)
        })
        .collect();
    for kernel in all() {
        let mut acc = start.clone();
        T::tile(kernel, scratch, &a, &b, blocks, &mut acc);
        for (at, (got, expected)) in acc.iter().zip(&expected).enumerate() {
            assert_eq!(
                canonical(*got).to_bits(),
                canonical(*expected).to_bits(),
                "{}: output ({}, {}) of {m}x{n} over {blocks} superblocks: {got:e}, not {expected:e}",
                kernel.name(),
                at / n,
                at % n,
            );
        }
    }
    compared.outputs += m * n;
    compared.numbers += expected.iter().filter(|x| x.is_finite()).count();
}

/// Every tail of every tile size, at every depth to beyond one panel, then shapes beyond one batch
/// of activations.
fn compare_every_shape<T: Pair>(seed: u64) {
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(seed);
    let mut scratch = Scratch::new();
    let mut compared = Compared::default();
    for _ in 0..2 {
        for m in 1..=9 {
            for n in 1..=20 {
                for blocks in 1..=5 {
                    let shape = (m, n, blocks);
                    compare::<T>(&mut random, &mut scratch, shape, &mut compared);
                }
            }
        }
    }
    for shape in [(67, 64, 9), (131, 33, 3), (300, 18, 1), (1, 64, 17)] {
        compare::<T>(&mut random, &mut scratch, shape, &mut compared);
    }
    for _ in 0..560 {
        compare::<T>(&mut random, &mut scratch, (6, 24, 2), &mut compared);
    }
    let Compared { outputs, numbers } = compared;
    println!("{outputs} outputs a kernel, {numbers} of them finite");
    assert!(
        outputs >= 160_000 && numbers >= 150_000,
        "{outputs} {numbers}"
    );
    assert!(numbers < outputs, "no NaN and no Inf among the outputs");
}

#[test]
fn q8_k_tiles_have_the_bits_of_the_text() {
    compare_every_shape::<BlockQ8K>(0x0123_4567_89ab_cdef);
}

#[test]
fn q4_k_tiles_have_the_bits_of_the_text() {
    compare_every_shape::<BlockQ4K>(0xfedc_ba98_7654_3210);
}

#[test]
fn extreme_integers_neither_wrap_nor_saturate() {
    let _ieee = FloatEnvironment::ieee();
    let mut scratch = Scratch::new();
    let one = 0x3c00_u16.to_le();
    let b = BlockQ4K {
        d: one,
        dmin: one,
        scales: [0xff; 12],
        qs: [0xff; 128],
    };
    for (q, bsum, expected) in [
        (-128, i16::MIN, -30_965_760.0 + 33_030_144.0),
        (127, i16::MIN, 30_723_840.0 + 33_030_144.0),
        (-128, i16::MAX, -30_965_760.0 - 33_029_136.0),
    ] {
        let a = BlockQ8K {
            d: 1_f32.to_bits().to_le(),
            qs: [q; 256],
            bsums: [bsum.to_le(); 16],
        };
        assert_eq!(text::dot_q8_k_q4_k(0.0, &[a], &[b]), expected);
        for kernel in all() {
            let mut acc = [0.0];
            kernel.tile_q8_k(&mut scratch, &[a], &[b], 1, &mut acc);
            assert_eq!(acc[0], expected, "{}", kernel.name());
        }
    }
    // (P - R) - (Q - S), each 63 · 63 · 256 times 15 · 15, 15, 15 and 1.
    let expected = 63.0 * 63.0 * 256.0 * (225.0 - 15.0 - 15.0 + 1.0);
    assert_eq!(text::dot_q4_k_q4_k(0.0, &[b], &[b]), expected);
    for kernel in all() {
        let mut acc = [0.0];
        kernel.tile_q4_k(&mut scratch, &[b], &[b], 1, &mut acc);
        assert_eq!(acc[0], expected, "{}", kernel.name());
    }
}

#[test]
fn splitting_k_at_superblocks_keeps_the_bits() {
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(77);
    let a: Vec<BlockQ8K> = (0..7).map(|_| random.block_q8_k()).collect();
    let b: Vec<BlockQ4K> = (0..7).map(|_| random.block_q4_k()).collect();
    let whole = canonical(text::dot_q8_k_q4_k(0.5, &a, &b)).to_bits();
    for kernel in all() {
        let mut scratch = Scratch::new();
        for split in 1..7 {
            let mut acc = [0.5];
            kernel.tile_q8_k(&mut scratch, &a[..split], &b[..split], split, &mut acc);
            kernel.tile_q8_k(&mut scratch, &a[split..], &b[split..], 7 - split, &mut acc);
            assert_eq!(canonical(acc[0]).to_bits(), whole, "{}", kernel.name());
        }
    }
}

#[test]
fn tiles_without_rows_are_left_alone() {
    let mut random = Random(5);
    let (a, b) = (random.block_q8_k(), random.block_q4_k());
    for kernel in all() {
        let mut scratch = Scratch::new();
        kernel.tile_q8_k(&mut scratch, &[], &[b], 1, &mut []);
        kernel.tile_q8_k(&mut scratch, &[a], &[], 1, &mut []);
        kernel.tile_q4_k(&mut scratch, &[], &[b], 1, &mut []);
        kernel.tile_q4_k(&mut scratch, &[b], &[], 1, &mut []);
        kernel.quantise_row(&[], &mut []);
    }
}

/// Asserts that every kernel quantises `x` as the text does.
fn assert_quantises(x: &[f32; 256]) -> BlockQ8K {
    let expected = text::quantise(x);
    for kernel in all() {
        // Stale contents, for every field must be written.
        let mut got = [BlockQ8K {
            d: 0x1234_5678,
            qs: [99; 256],
            bsums: [99; 16],
        }];
        kernel.quantise_row(x, &mut got);
        let [got] = got;
        let name = kernel.name();
        assert_eq!(got.d, expected.d, "{name}: d of {x:?}");
        assert_eq!(got.qs, expected.qs, "{name}: qs of {x:?}");
        assert_eq!(got.bsums, expected.bsums, "{name}: bsums of {x:?}");
    }
    expected
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
            assert_eq!(
                f32::from(block.qs[j]),
                sign * sign * f32::from(q as i8),
                "{j}"
            );
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
    for bits in [
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffff_ffff,
        0x7f80_0001,
    ] {
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
        let mut out: Vec<BlockQ8K> = (0..3).map(|_| random.block_q8_k()).collect();
        kernel.quantise_row(&x, &mut out);
        for (x, block) in x.chunks_exact(256).zip(out) {
            let expected = text::quantise(x.try_into().unwrap());
            assert_eq!(block.d, expected.d);
            assert_eq!(block.qs, expected.qs);
            assert_eq!(block.bsums, expected.bsums);
        }
    }
}

#[test]
fn every_f16_widens_exactly() {
    let _ieee = FloatEnvironment::ieee();
    for bits in 0..=u16::MAX {
        let expected = canonical(text::widen(bits)).to_bits();
        assert_eq!(
            canonical(portable::widen(bits)).to_bits(),
            expected,
            "{bits:#x}"
        );
        // As a kernel sees it: qs = 1, q = 1 and sc = 1 in one place alone make P = 1.
        let mut a = BlockQ8K {
            d: 1_f32.to_bits().to_le(),
            qs: [0; 256],
            bsums: [0; 16],
        };
        a.qs[0] = 1;
        let mut b = BlockQ4K {
            d: bits.to_le(),
            dmin: 0,
            scales: [0; 12],
            qs: [0; 128],
        };
        (b.scales[0], b.qs[0]) = (1, 1);
        for kernel in all() {
            let mut acc = [-0.0];
            kernel.tile_q8_k(&mut Scratch::new(), &[a], &[b], 1, &mut acc);
            let d = f32::from_bits(expected);
            let expected = canonical(-0.0 + (d - 0.0)).to_bits();
            assert_eq!(canonical(acc[0]).to_bits(), expected, "{bits:#x}");
        }
    }
}

#[test]
fn the_text_widens_the_known_f16() {
    for (bits, value) in [
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x3555, 0.333_251_95),
        (0x7bff, 65504.0),
        (0x0400, 6.103_515_6e-5),
        (0x0001, 5.960_464_5e-8),
        (0x8000, -0.0),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        assert_eq!(
            text::widen(bits).to_bits(),
            f32::to_bits(value),
            "{bits:#x}"
        );
    }
    assert!(text::widen(0x7c01).is_nan() && text::widen(0xfe00).is_nan());
}

#[test]
fn the_text_unpacks_each_six_bit_field_from_its_bits() {
    // Each field from the bits that the layout gives it: (byte, shift, width, place in the field).
    let bits = |s: &[u8; 12], at: usize, shift: u32, width: u32| {
        i32::from(s[at]) >> shift & ((1 << width) - 1)
    };
    let mut random = Random(11);
    for _ in 0..100 {
        let s = [(); 12].map(|()| random.next() as u8);
        let (sc, mn) = text::scales_and_mins(&s);
        for j in 0..4 {
            assert_eq!(sc[j], bits(&s, j, 0, 6));
            assert_eq!(mn[j], bits(&s, j + 4, 0, 6));
            assert_eq!(sc[j + 4], bits(&s, j + 8, 0, 4) + 16 * bits(&s, j, 6, 2));
            assert_eq!(
                mn[j + 4],
                bits(&s, j + 8, 4, 4) + 16 * bits(&s, j + 4, 6, 2)
            );
        }
    }
}

#[test]
fn canonical_changes_nothing_but_nan() {
    for bits in SPECIAL_F32 {
        let x = f32::from_bits(bits);
        let expected = if x.is_nan() { 0x7fc0_0000 } else { bits };
        assert_eq!(canonical(x).to_bits(), expected);
    }
}

#[test]
fn the_best_kernel_is_the_last_of_all() {
    assert_eq!(all().last().unwrap().name(), best().name());
}

#[test]
fn scratch_stays_below_one_mebibyte_and_stops_growing() {
    let mut random = Random(19);
    let mut scratch = Scratch::new();
    let a8: Vec<BlockQ8K> = (0..300 * 5).map(|_| random.block_q8_k()).collect();
    let a4: Vec<BlockQ4K> = (0..300 * 5).map(|_| random.block_q4_k()).collect();
    let mut acc = vec![0.0; 300 * 64];
    for kernel in all() {
        kernel.tile_q8_k(&mut scratch, &a8[..1], &a4[..1], 1, &mut acc[..1]);
        kernel.tile_q4_k(&mut scratch, &a4[..1], &a4[..1], 1, &mut acc[..1]);
    }
    let warm = scratch.bytes();
    for kernel in all() {
        kernel.tile_q8_k(&mut scratch, &a8, &a4[..64 * 5], 5, &mut acc);
        kernel.tile_q4_k(&mut scratch, &a4, &a4[..64 * 5], 5, &mut acc);
    }
    println!("{warm} bytes of scratch");
    assert_eq!(scratch.bytes(), warm);
    assert!(warm <= 1 << 20, "{warm} bytes");
}
