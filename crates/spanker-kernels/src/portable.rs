// SPDX-License-Identifier: Apache-2.0

//! The kernel for every CPU: safe Rust in the shape that compilers vectorise.
//!
//! q·sc is at most 15·63 and fits an i16, so a superblock's scales fold into its values once, and
//! every integer sum of the ABI becomes a dot product of i16 vectors into i32. SSE2 and POWER have
//! one instruction for that (`pmaddwd`, `vmsumshm`). For one or two rows of `a` folding does not
//! pay: the weights stay packed, and each sub-block's sum is multiplied by its scale.
//!
//! How far from the bound: with SSE2 a vector of 8 products takes a load, a `pmaddwd` from memory
//! and an addition, 96 instructions for a superblock, of which the compiled loop has 120. Measured
//! on one Zen 4 core that others kept busy too, F32 × weights 512×1024 through the whole machine, in
//! GFLOP/s: 16 for 1 row of `a`, 28 for 4, 36 for 8 and 46 for 64; the loop alone, without
//! unpacking, reached 51. One row pays for taking headers and nibbles apart, and for eight
//! horizontal sums where others have one. Two rows of `a` in one loop would save a quarter of the
//! loads, but compilers then no longer see the `pmaddwd`.

use super::{canonical, shape, ActivationQ4K, ActivationQ8K, Kernel, Scratch, DEPTH, SUPERBLOCK};
use crate::{BlockQ4K, SharedRows};

/// Rows of `a` for which unpacking `b` does not pay.
const FEW_ROWS: usize = 2;
/// Rows of `a` that are unpacked at a time: enough to repay the unpacking of `b`, within L2.
const A_ROWS: usize = 64;

/// Plain Rust, no instruction beyond the target's baseline.
#[derive(Debug)]
pub(super) struct Portable;

/// Unpacked rows of `a`, each of as many superblocks as are worked on.
#[derive(Debug)]
pub(super) struct Panels(Vec<Unpacked>);

impl Default for Panels {
    fn default() -> Self {
        Self(Vec::with_capacity(A_ROWS * DEPTH))
    }
}

impl Panels {
    /// The bytes they hold.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * std::mem::size_of::<Unpacked>()
    }
}

/// What stands beside a superblock's values, as the factors of i16 dot products.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Header {
    /// Eight of either kind, which add up, each to the sum of a sub-block. Q8_K: any i16. Q4_K,
    /// where asked for: the sums of 32 values, at most 30,240, and zeros.
    sums: [i16; 16],
    /// Q4_K: the eight mins, at most 63, and again.
    mins: [i16; 16],
    d: f32,
    /// Q4_K only.
    dmin: f32,
}

impl Header {
    const ZERO: Self = Self { sums: [0; 16], mins: [0; 16], d: 0.0, dmin: 0.0 };

    /// Sets all but the sums. Returns the scales.
    fn set_q4_k(&mut self, block: &BlockQ4K) -> [u8; 8] {
        let (scales, mins) = scales_and_mins(&block.scales);
        self.mins = eights(mins.map(i16::from), mins.map(i16::from));
        self.d = widen(u16::from_le(block.d));
        self.dmin = widen(u16::from_le(block.dmin));
        scales
    }
}

/// A superblock of either type as the factors of i16 dot products.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Unpacked {
    /// Q8_K: qs. Q4_K: q·sc, at most 945.
    values: [i16; SUPERBLOCK],
    header: Header,
}

impl Unpacked {
    const ZERO: Self = Self { values: [0; SUPERBLOCK], header: Header::ZERO };

    fn set_q8_k(&mut self, block: &ActivationQ8K) {
        for (value, q) in self.values.iter_mut().zip(&block.qs) {
            *value = i16::from(*q);
        }
        self.header.sums = eights(halves(&block.sums), halves(&block.beyond));
        self.header.d = block.d;
    }

    fn set_activation(&mut self, block: &ActivationQ4K) {
        let values = self.values.chunks_exact_mut(32).zip(block.qs.chunks_exact(32));
        for ((values, qs), scale) in values.zip(block.scales) {
            for (value, q) in values.iter_mut().zip(qs) {
                *value = i16::from(*q) * scale as i16;
            }
        }
        let (sums, mins) = (halves(&block.sums), halves(&block.mins));
        self.header.sums = eights(sums, [0; 8]);
        self.header.mins = eights(mins, mins);
        (self.header.d, self.header.dmin) = (block.d, block.dmin);
    }

    fn set_q4_k(&mut self, block: &BlockQ4K) {
        let scales = self.header.set_q4_k(block);
        let groups = self.values.chunks_exact_mut(64);
        for (g, (values, bytes)) in groups.zip(block.qs.chunks_exact(32)).enumerate() {
            let (low, high) = values.split_at_mut(32);
            for (value, byte) in low.iter_mut().zip(bytes) {
                *value = i16::from(byte & 15) * i16::from(scales[2 * g]);
            }
            for (value, byte) in high.iter_mut().zip(bytes) {
                *value = i16::from(byte >> 4) * i16::from(scales[2 * g + 1]);
            }
        }
    }

    /// [`Self::set_q4_k`], and the sums that only Q4_K × Q4_K needs.
    fn set_q4_k_with_sums(&mut self, block: &BlockQ4K) {
        self.set_q4_k(block);
        for (sum, values) in self.header.sums.iter_mut().zip(self.values.chunks_exact(32)) {
            *sum = values.iter().sum();
        }
    }
}

/// A superblock of `b` whose weights stay packed.
#[derive(Debug, Clone, Copy)]
struct Packed {
    qs: [u8; 128],
    scales: [u8; 8],
    header: Header,
}

impl Packed {
    const ZERO: Self = Self { qs: [0; 128], scales: [0; 8], header: Header::ZERO };

    fn set(&mut self, block: &BlockQ4K) {
        self.qs = block.qs;
        self.scales = self.header.set_q4_k(block);
    }
}

/// Eight numbers and eight more.
fn eights(first: [i16; 8], second: [i16; 8]) -> [i16; 16] {
    let mut all = [0; 16];
    all[..8].copy_from_slice(&first);
    all[8..].copy_from_slice(&second);
    all
}

/// The low and the high half of each word.
fn halves(words: &[i32; 4]) -> [i16; 8] {
    let mut halves = [0; 8];
    for (pair, word) in halves.chunks_exact_mut(2).zip(words) {
        pair.copy_from_slice(&[*word as i16, (*word >> 16) as i16]);
    }
    halves
}

impl Kernel for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn macs_per_ns(&self) -> u64 {
        2
    }

    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]) {
        assert_eq!(x.len(), SUPERBLOCK * out.len(), "values of a row");
        for (x, block) in x.chunks_exact(SUPERBLOCK).zip(out) {
            quantise(x, block);
        }
    }

    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ8K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        let panels = &mut scratch.portable;
        let a = (a, Unpacked::set_q8_k);
        if a.0.len() <= FEW_ROWS.saturating_mul(b.blocks()) {
            tile(panels, a, (b, [Packed::ZERO; DEPTH], Packed::set), acc, step_packed);
        } else {
            tile(panels, a, (b, [Unpacked::ZERO; DEPTH], Unpacked::set_q4_k), acc, step_q8_k);
        }
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        let a = (a, Unpacked::set_activation);
        let b = (b, [Unpacked::ZERO; DEPTH], Unpacked::set_q4_k_with_sums);
        tile(&mut scratch.portable, a, b, acc, step_q4_k);
    }
}

/// A tile of any pair of types: each operand comes with the function that unpacks it, `b` with
/// where to; and `step` adds one superblock's term to a sum.
fn tile<A, B>(
    Panels(panels): &mut Panels,
    (a, unpack_a): (&[A], impl Fn(&mut Unpacked, &A)),
    (b, mut column, unpack_b): (SharedRows<'_, BlockQ4K>, [B; DEPTH], impl Fn(&mut B, &BlockQ4K)),
    acc: &mut [f32],
    step: impl Fn(f32, &Unpacked, &B) -> f32,
) {
    let (_, n) = shape(a.len(), b, acc.len());
    let blocks = b.blocks();
    if acc.is_empty() {
        return;
    }
    panels.resize(A_ROWS * DEPTH, Unpacked::ZERO);
    for first in (0..blocks).step_by(DEPTH) {
        let depth = DEPTH.min(blocks - first);
        let column = &mut column[..depth];
        // So many rows may be more than an address space of 32 bits has room for.
        let groups = acc.chunks_mut(A_ROWS.saturating_mul(n));
        for (a, acc) in a.chunks(A_ROWS.saturating_mul(blocks)).zip(groups) {
            for (unpacked, row) in panels.chunks_exact_mut(depth).zip(a.chunks_exact(blocks)) {
                for (unpacked, block) in unpacked.iter_mut().zip(&row[first..]) {
                    unpack_a(unpacked, block);
                }
            }
            for j in 0..n {
                for (at, unpacked) in column.iter_mut().enumerate() {
                    unpack_b(unpacked, &b.read(j, first + at));
                }
                add_column(panels, column, &mut acc[j..], n, &step);
            }
        }
    }
}

/// Adds rows of `a` × one row of `b` to `acc`: to its first value, then to every `stride`th.
///
/// Never inlined, for the compiler would then forget that what it loads is aligned.
#[inline(never)]
fn add_column<B>(
    a: &[Unpacked],
    b: &[B],
    acc: &mut [f32],
    stride: usize,
    step: impl Fn(f32, &Unpacked, &B) -> f32,
) {
    for (a, acc) in a.chunks_exact(b.len()).zip(acc.iter_mut().step_by(stride)) {
        *acc = a.iter().zip(b).fold(*acc, |acc, (a, b)| step(acc, a, b));
    }
}

/// `acc` plus the term of one superblock of Q8_K × Q4_K.
#[inline(always)]
fn step_q8_k(acc: f32, a: &Unpacked, b: &Unpacked) -> f32 {
    add_term_q8_k(acc, dot(&a.values, &b.values), &a.header, &b.header)
}

/// [`step_q8_k`] without unpacking the weights.
#[inline(always)]
fn step_packed(acc: f32, a: &Unpacked, b: &Packed) -> f32 {
    add_term_q8_k(acc, dot_packed(&a.values, &b.qs, &b.scales), &a.header, &b.header)
}

/// [`step_q8_k`], given P.
#[inline(always)]
fn add_term_q8_k(acc: f32, p: i32, a: &Header, b: &Header) -> f32 {
    let m = dot(&a.sums, &b.mins);
    let t = b.d * p as f32;
    let u = b.dmin * m as f32;
    let v = t - u;
    let w = a.d * v;
    acc + w
}

/// `acc` plus the term of one superblock of Q4_K × Q4_K.
#[inline(always)]
fn step_q4_k(acc: f32, a: &Unpacked, b: &Unpacked) -> f32 {
    let p = dot(&a.values, &b.values);
    let (a, b) = (&a.header, &b.header);
    let q = dot(&a.sums, &b.mins);
    let r = dot(&a.mins, &b.sums);
    // Each min stands in `mins` twice: 16 · 2 = 32.
    let s = 16 * dot(&a.mins, &b.mins);
    let t = a.d * p as f32 - a.dmin * r as f32;
    let u = a.d * q as f32 - a.dmin * s as f32;
    let v = b.d * t - b.dmin * u;
    acc + v
}

/// The exact dot product; the bounds of the factors keep it within i32.
#[inline(always)]
fn dot<const N: usize>(a: &[i16; N], b: &[i16; N]) -> i32 {
    // Two vectors' worth of lanes: with one sum the compiler adds up within every step, or uses
    // half of each vector.
    let mut lanes = [0_i32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for l in 0..16 {
            lanes[l] += i32::from(a[l]) * i32::from(b[l]);
        }
    }
    lanes.iter().sum()
}

/// The exact dot product of values and packed weights, each sub-block of 32 times its scale: P.
#[inline(always)]
fn dot_packed(a: &[i16; SUPERBLOCK], qs: &[u8; 128], scales: &[u8; 8]) -> i32 {
    let mut p = 0;
    for (g, (a, bytes)) in a.chunks_exact(64).zip(qs.chunks_exact(32)).enumerate() {
        let (low, high) = a.split_at(32);
        p += i32::from(scales[2 * g]) * dot_nibbles(low, bytes, |byte| byte & 15);
        p += i32::from(scales[2 * g + 1]) * dot_nibbles(high, bytes, |byte| byte >> 4);
    }
    p
}

/// The exact dot product of a sub-block's values and the nibbles of as many bytes.
#[inline(always)]
fn dot_nibbles(a: &[i16], bytes: &[u8], nibble: impl Fn(u8) -> u8) -> i32 {
    let weights = bytes.iter().map(|byte| i32::from(nibble(*byte)));
    a.iter().zip(weights).map(|(a, q)| i32::from(*a) * q).sum()
}

/// QUANTISE of 256 values.
fn quantise(x: &[f32], out: &mut ActivationQ8K) {
    const INFINITY: u32 = 0x7f80_0000;

    *out = ActivationQ8K::ZERO;
    let amax = x.iter().fold(0, |amax, v| magnitude(*v).max(amax));
    if amax >= INFINITY {
        out.d = canonical(f32::NAN);
        return;
    }
    let Some(mx) = x.iter().find(|v| magnitude(**v) == amax) else {
        return;
    };
    // Infinite for zero too, whose block is the same.
    let is = -127.0 / mx;
    if is.is_infinite() {
        return;
    }
    for (q, v) in out.qs.iter_mut().zip(x) {
        *q = to_integer(is * v);
    }
    out.sum_values();
    out.d = 1.0 / is;
}

/// The bits of |x|; compared as integers they order as magnitudes do, with Inf and NaN on top.
fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// The nearest integer, ties to even, for |x| < 127.5: the spacing of f32 around 1.5·2²³ is 1, so
/// the addition rounds `x` to an integer in the low bits.
fn to_integer(x: f32) -> i8 {
    const SHIFT: f32 = 12_582_912.0;
    ((x + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32) as i8
}

/// The 6-bit scales and mins of a Q4_K block, four to a word: see the layout in the ABI's header.
pub(super) fn scales_and_mins(s: &[u8; 12]) -> ([u8; 8], [u8; 8]) {
    let word = |i: usize| u32::from_le_bytes([s[i], s[i + 1], s[i + 2], s[i + 3]]);
    let (scales, mins, rest) = (word(0), word(4), word(8));
    let bytes = |low: u32, high: u32| (u64::from(low) | u64::from(high) << 32).to_le_bytes();
    (
        bytes(scales & 0x3f3f_3f3f, rest & 0x0f0f_0f0f | scales >> 2 & 0x3030_3030),
        bytes(mins & 0x3f3f_3f3f, rest >> 4 & 0x0f0f_0f0f | mins >> 2 & 0x3030_3030),
    )
}

/// The f32 equal to the f16 with these bits; a NaN gives a NaN.
pub(super) fn widen(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 31);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormals count in units of 2⁻²⁴, a normal f32: the product is exact.
        0 => (fraction as f32 * f32::from_bits(0x3380_0000)).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}
