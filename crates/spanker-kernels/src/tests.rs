// SPDX-License-Identifier: Apache-2.0

//! Every kernel against [`text`], bit for bit, on random and on hostile operands.

mod quantise;

use super::{
    all, best, canonical, portable, text, ActivationQ4K, ActivationQ8K, FloatEnvironment, Kernel,
    Scratch,
};
use crate::random::{Random, SPECIAL_F32};
use crate::{BlockQ4K, BlockQ8K, SharedRows};

/// The two pairs of types, each with its method and its reference.
trait Pair: Copy {
    fn block(random: &mut Random) -> Self;
    fn tile(
        kernel: &dyn Kernel,
        scratch: &mut Scratch,
        a: &[Self],
        b: SharedRows<'_, BlockQ4K>,
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
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        let a: Vec<ActivationQ8K> = a.iter().map(ActivationQ8K::new).collect();
        kernel.tile_q8_k(scratch, &a, b, acc);
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
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        let a: Vec<ActivationQ4K> = a.iter().map(ActivationQ4K::new).collect();
        kernel.tile_q4_k(scratch, &a, b, acc);
    }
    fn dot(acc: f32, a: &[Self], b: &[BlockQ4K]) -> f32 {
        text::dot_q4_k_q4_k(acc, a, b)
    }
}

/// Rows of `b` as callers lay them: from any address, and with anything in between. Behind the last
/// there is nothing.
struct Spread {
    bytes: Vec<u8>,
    offset: usize,
    stride: usize,
    rows: usize,
    blocks: usize,
}

impl Spread {
    fn new(random: &mut Random, b: &[BlockQ4K], blocks: usize) -> Self {
        let row = blocks * std::mem::size_of::<BlockQ4K>();
        let offset = random.pick(&[0, 4, 12, 32, 36, 7]);
        let stride = row + random.pick(&[0, 0, 4, 20, 64, 132, 4096, 3]);
        let rows = b.len() / blocks;
        let mut bytes = vec![0xff; offset + (rows - 1) * stride + row];
        for (j, blocks) in b.chunks_exact(blocks).enumerate() {
            let blocks: Vec<u8> = blocks.iter().flat_map(BlockQ4K::to_bytes).collect();
            bytes[offset + j * stride..][..row].copy_from_slice(&blocks);
        }
        Self { bytes, offset, stride, rows, blocks }
    }

    fn rows(&self) -> SharedRows<'_, BlockQ4K> {
        SharedRows::in_bytes(&self.bytes[self.offset..], self.stride, self.rows, self.blocks)
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
    let spread = Spread::new(random, &b, blocks);
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
        T::tile(*kernel, scratch, &a, spread.rows(), &mut acc);
        for (at, (got, expected)) in acc.iter().zip(&expected).enumerate() {
            assert_eq!(
                canonical(*got).to_bits(),
                canonical(*expected).to_bits(),
                "{}: output ({}, {}) of {m}x{n} over {blocks} superblocks, {} bytes apart: {got:e}, \
                 not {expected:e}",
                kernel.name(),
                at / n,
                at % n,
                spread.stride,
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
    let mut scratch = Scratch::default();
    let mut compared = Compared::default();
    for m in 1..=9 {
        for n in 1..=20 {
            for blocks in 1..=5 {
                compare::<T>(&mut random, &mut scratch, (m, n, blocks), &mut compared);
            }
        }
    }
    // Two strips of `a` and three, of every height; rows of `b` around the end of two strips.
    for m in 10..=25 {
        for (n, blocks) in [(7, 4), (17, 2), (31, 1), (32, 1), (33, 1)] {
            compare::<T>(&mut random, &mut scratch, (m, n, blocks), &mut compared);
        }
    }
    // Around the end of two panels and of three, of few rows and of many.
    for m in [1, 2, 3, 5, 12] {
        for blocks in [7, 8, 9, 12, 13] {
            compare::<T>(&mut random, &mut scratch, (m, 17, blocks), &mut compared);
        }
    }
    // Around the end of what is unpacked of `a` at a time: rows, then superblocks of few rows.
    for m in [63, 64, 65, 127, 128, 129] {
        compare::<T>(&mut random, &mut scratch, (m, 3, 5), &mut compared);
    }
    for blocks in [127, 128, 129] {
        compare::<T>(&mut random, &mut scratch, (1, 9, blocks), &mut compared);
        compare::<T>(&mut random, &mut scratch, (2, 9, blocks), &mut compared);
    }
    for shape in [(67, 64, 9), (131, 33, 3), (300, 18, 1), (1, 64, 17)] {
        compare::<T>(&mut random, &mut scratch, shape, &mut compared);
    }
    for _ in 0..200 {
        compare::<T>(&mut random, &mut scratch, (12, 48, 1), &mut compared);
    }
    let Compared { outputs, numbers } = compared;
    println!("{outputs} outputs a kernel, {numbers} of them finite");
    assert!(outputs >= 160_000 && numbers >= 150_000, "{outputs} {numbers}");
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
    let mut scratch = Scratch::default();
    let one = 0x3c00_u16.to_le();
    let b = BlockQ4K { d: one, dmin: one, scales: [0xff; 12], qs: [0xff; 128] };
    for (q, bsum, expected) in [
        (-128, i16::MIN, -30_965_760.0 + 33_030_144.0),
        (127, i16::MIN, 30_723_840.0 + 33_030_144.0),
        (-128, i16::MAX, -30_965_760.0 - 33_029_136.0),
    ] {
        let a = BlockQ8K {
            d: 1_f32.to_bits().to_le(),
            qs: [q; 256],
            bsums: [(bsum as u16).to_le(); 16],
        };
        assert_eq!(text::dot_q8_k_q4_k(0.0, &[a], &[b]), expected);
        for kernel in all() {
            let mut acc = [0.0];
            kernel.tile_q8_k(
                &mut scratch,
                &[ActivationQ8K::new(&a)],
                SharedRows::of(&[b], 1),
                &mut acc,
            );
            assert_eq!(acc[0], expected, "{}", kernel.name());
        }
    }
    // (P - R) - (Q - S), each 63 · 63 · 256 times 15 · 15, 15, 15 and 1.
    let expected = 63.0 * 63.0 * 256.0 * (225.0 - 15.0 - 15.0 + 1.0);
    assert_eq!(text::dot_q4_k_q4_k(0.0, &[b], &[b]), expected);
    for kernel in all() {
        let mut acc = [0.0];
        kernel.tile_q4_k(
            &mut scratch,
            &[ActivationQ4K::new(&b)],
            SharedRows::of(&[b], 1),
            &mut acc,
        );
        assert_eq!(acc[0], expected, "{}", kernel.name());
    }
}

#[test]
fn splitting_k_at_superblocks_keeps_the_bits() {
    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(77);
    let a: Vec<BlockQ8K> = (0..7).map(|_| random.block_q8_k()).collect();
    let b: Vec<BlockQ4K> = (0..7).map(|_| random.block_q4_k()).collect();
    let activations: Vec<ActivationQ8K> = a.iter().map(ActivationQ8K::new).collect();
    let whole = canonical(text::dot_q8_k_q4_k(0.5, &a, &b)).to_bits();
    for kernel in all() {
        let mut scratch = Scratch::default();
        for split in 1..7 {
            let mut acc = [0.5];
            kernel.tile_q8_k(
                &mut scratch,
                &activations[..split],
                SharedRows::of(&b[..split], split),
                &mut acc,
            );
            kernel.tile_q8_k(
                &mut scratch,
                &activations[split..],
                SharedRows::of(&b[split..], 7 - split),
                &mut acc,
            );
            assert_eq!(canonical(acc[0]).to_bits(), whole, "{}", kernel.name());
        }
    }
}

#[test]
fn tiles_without_rows_are_left_alone() {
    let mut random = Random(5);
    for (rows, blocks) in [(1, 1), (1, 9), (6, 9)] {
        let block = |random: &mut Random| ActivationQ8K::new(&random.block_q8_k());
        let a: Vec<ActivationQ8K> = (0..rows * blocks).map(|_| block(&mut random)).collect();
        let b: Vec<BlockQ4K> = (0..rows * blocks).map(|_| random.block_q4_k()).collect();
        let a4: Vec<ActivationQ4K> = b.iter().map(ActivationQ4K::new).collect();
        for kernel in all() {
            let mut scratch = Scratch::default();
            kernel.tile_q8_k(&mut scratch, &[], SharedRows::of(&b, blocks), &mut []);
            kernel.tile_q8_k(&mut scratch, &a, SharedRows::of(&[], blocks), &mut []);
            kernel.tile_q4_k(&mut scratch, &[], SharedRows::of(&b, blocks), &mut []);
            kernel.tile_q4_k(&mut scratch, &a4, SharedRows::of(&[], blocks), &mut []);
        }
    }
    let block = random.block_q4_k().to_bytes();
    let endless = SharedRows::in_bytes(&block, 0, usize::MAX, 1);
    for kernel in all() {
        kernel.quantise_row(&[], &mut []);
        // None is looked at, however many there are.
        kernel.tile_q8_k(&mut Scratch::default(), &[], endless, &mut []);
        kernel.tile_q4_k(&mut Scratch::default(), &[], endless, &mut []);
    }
}

#[test]
fn a_tile_whose_sums_are_counted_wrong_is_refused() {
    let b = [Random(7).block_q4_k(); 2];
    let a = [ActivationQ8K::ZERO; 2];
    // Twice so many rows are none, if the product wraps.
    let bytes = b[0].to_bytes();
    let endless = SharedRows::in_bytes(&bytes, 0, usize::MAX / 2 + 1, 1);
    for kernel in all() {
        for (b, sums) in [(SharedRows::of(&b, 1), 3), (SharedRows::of(&b, 1), 5), (endless, 0)] {
            let mut acc = vec![0.0; sums];
            let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                kernel.tile_q8_k(&mut Scratch::default(), &a, b, &mut acc);
            }));
            assert!(refused.is_err(), "{}: {sums} sums", kernel.name());
        }
    }
}

#[test]
fn every_f16_widens_exactly() {
    let _ieee = FloatEnvironment::ieee();
    for bits in 0..=u16::MAX {
        let expected = canonical(text::widen(bits)).to_bits();
        assert_eq!(canonical(portable::widen(bits)).to_bits(), expected, "{bits:#x}");
        // As a kernel sees it: qs = 1, q = 1 and sc = 1 in one place alone make P = 1.
        let mut a = BlockQ8K { d: 1_f32.to_bits().to_le(), qs: [0; 256], bsums: [0; 16] };
        a.qs[0] = 1;
        let mut b = BlockQ4K { d: bits.to_le(), dmin: 0, scales: [0; 12], qs: [0; 128] };
        (b.scales[0], b.qs[0]) = (1, 1);
        for kernel in all() {
            let mut acc = [-0.0];
            kernel.tile_q8_k(
                &mut Scratch::default(),
                &[ActivationQ8K::new(&a)],
                SharedRows::of(&[b], 1),
                &mut acc,
            );
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
        assert_eq!(text::widen(bits).to_bits(), f32::to_bits(value), "{bits:#x}");
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
            assert_eq!(mn[j + 4], bits(&s, j + 8, 4, 4) + 16 * bits(&s, j + 4, 6, 2));
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
    let mut scratch = Scratch::default();
    let a8 = vec![ActivationQ8K::new(&random.block_q8_k()); 300 * 5];
    let a4: Vec<BlockQ4K> = (0..300 * 5).map(|_| random.block_q4_k()).collect();
    let unpacked: Vec<ActivationQ4K> = a4.iter().map(ActivationQ4K::new).collect();
    let mut acc = vec![0.0; 300 * 64];
    for kernel in all() {
        kernel.tile_q8_k(&mut scratch, &a8[..1], SharedRows::of(&a4[..1], 1), &mut acc[..1]);
        kernel.tile_q4_k(&mut scratch, &unpacked[..1], SharedRows::of(&a4[..1], 1), &mut acc[..1]);
    }
    let warm = scratch.bytes();
    for kernel in all() {
        kernel.tile_q8_k(&mut scratch, &a8, SharedRows::of(&a4[..64 * 5], 5), &mut acc);
        kernel.tile_q4_k(&mut scratch, &unpacked, SharedRows::of(&a4[..64 * 5], 5), &mut acc);
    }
    println!("{warm} bytes of scratch");
    assert_eq!(scratch.bytes(), warm);
    assert!(warm <= 1 << 20, "{warm} bytes");
}
