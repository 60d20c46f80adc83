// SPDX-License-Identifier: Apache-2.0

//! The kernel for every CPU: safe Rust in the shape that compilers vectorise.
//!
//! q·sc is at most 15·63 and fits an i16, so a superblock's scales fold into its values once, and
//! every integer sum of the ABI becomes a dot product of i16 vectors into i32. SSE2 has one
//! instruction for that (`pmaddwd`), NEON two.
//!
//! How far from the bound, in cycles for a row of `b` × a superblock × a row of `a`, as compiled
//! for x86-64 without more than SSE2, on Zen 4, which starts four vector instructions a cycle, of
//! which two multiply, and two loads: with many rows of `a`, 34 `pmaddwd` take 17 cycles, all 80
//! vector instructions 20, but 70 loads 35, for both factors of each come from memory. Measured
//! with 64 rows of `a`, weights in the second cache: 43. With few, weights are widened again for
//! each row of `a`, which takes about 340 vector instructions, 85 cycles. Measured: 131 with one
//! row of `a`, 98 with two, which share the scales, unpacked one by one.

use spanker_sys::spanker_block_q4_k as BlockQ4K;

use super::{canonical, shape, ActivationQ4K, ActivationQ8K, Kernel, Scratch, DEPTH, SUPERBLOCK};
use crate::memory::SharedRows;

/// Rows of `a` for which unpacking `b` does not pay.
const FEW_ROWS: usize = 2;
/// Rows of `a` that are unpacked at a time: enough to repay the unpacking of `b`, within L2.
const A_ROWS: usize = 64;

/// Plain Rust, no instruction beyond the target's baseline.
#[derive(Debug)]
pub(super) struct Portable;

/// Unpacked operands of a tile.
#[derive(Debug)]
pub(super) struct Panels {
    a: Vec<Unpacked>,
    b: Vec<Unpacked>,
}

impl Default for Panels {
    fn default() -> Self {
        Self { a: Vec::with_capacity(A_ROWS * DEPTH), b: Vec::with_capacity(DEPTH) }
    }
}

impl Panels {
    /// The bytes they hold.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        (self.a.capacity() + self.b.capacity()) * std::mem::size_of::<Unpacked>()
    }
}

/// A superblock of either type as the factors of i16 dot products.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Unpacked {
    /// Q8_K: qs. Q4_K: q·sc, at most 945.
    values: [i16; SUPERBLOCK],
    /// Q8_K: bsums, any i16. Q4_K, where asked for: sums of 16 `values`, at most 15,120.
    sums: [i16; 16],
    /// Q4_K: each min twice, at most 63.
    mins: [i16; 16],
    d: f32,
    /// Q4_K only.
    dmin: f32,
}

impl Unpacked {
    const ZERO: Self =
        Self { values: [0; SUPERBLOCK], sums: [0; 16], mins: [0; 16], d: 0.0, dmin: 0.0 };

    fn set_q8_k(&mut self, block: &ActivationQ8K) {
        for (value, q) in self.values.iter_mut().zip(&block.qs) {
            *value = i16::from(*q);
        }
        for (sums, pair) in self.sums.chunks_exact_mut(2).zip(block.bsums) {
            sums.copy_from_slice(&[pair as i16, (pair >> 16) as i16]);
        }
        self.d = block.d;
    }

    fn set_q4_k(&mut self, block: &BlockQ4K) {
        let scales = self.set_q4_k_header(block);
        let groups = self.values.chunks_exact_mut(64);
        for (g, (values, bytes)) in groups.zip(block.qs.chunks_exact(32)).enumerate() {
            let (low, high) = values.split_at_mut(32);
            for (value, byte) in low.iter_mut().zip(bytes) {
                *value = i16::from(byte & 15) * scales[2 * g];
            }
            for (value, byte) in high.iter_mut().zip(bytes) {
                *value = i16::from(byte >> 4) * scales[2 * g + 1];
            }
        }
    }

    /// All of [`Self::set_q4_k`] but the values. Returns the scales.
    fn set_q4_k_header(&mut self, block: &BlockQ4K) -> [i16; 8] {
        let (scales, mins) = scales_and_mins(&block.scales);
        for (pair, min) in self.mins.chunks_exact_mut(2).zip(mins) {
            pair.fill(min);
        }
        self.d = widen(u16::from_le(block.d));
        self.dmin = widen(u16::from_le(block.dmin));
        scales
    }

    fn set_unpacked(&mut self, block: &ActivationQ4K) {
        let values = self.values.chunks_exact_mut(32).zip(block.qs.chunks_exact(32));
        for ((values, qs), scale) in values.zip(block.scales) {
            for (value, q) in values.iter_mut().zip(qs) {
                *value = i16::from(*q) * scale as i16;
            }
        }
        for (pair, min) in self.mins.chunks_exact_mut(2).zip(block.mins) {
            pair.fill(min as i16);
        }
        self.sum_values();
        (self.d, self.dmin) = (block.d, block.dmin);
    }

    /// [`Self::set_q4_k`], and the sums that only Q4_K × Q4_K needs.
    fn set_q4_k_with_sums(&mut self, block: &BlockQ4K) {
        self.set_q4_k(block);
        self.sum_values();
    }

    fn sum_values(&mut self) {
        for (sum, values) in self.sums.iter_mut().zip(self.values.chunks_exact(16)) {
            *sum = values.iter().sum();
        }
    }
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
        if a.len() <= FEW_ROWS * b.blocks() {
            return few_q8_k(&mut scratch.portable, a, b, acc);
        }
        tile(
            &mut scratch.portable,
            (a, Unpacked::set_q8_k),
            (b, Unpacked::set_q4_k),
            acc,
            step_q8_k,
        );
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        tile(
            &mut scratch.portable,
            (a, Unpacked::set_unpacked),
            (b, Unpacked::set_q4_k_with_sums),
            acc,
            step_q4_k,
        );
    }
}

/// A tile of any pair of types: each operand comes with the function that unpacks it, and `step`
/// adds one superblock's term to a sum.
fn tile<A>(
    panels: &mut Panels,
    (a, unpack_a): (&[A], impl Fn(&mut Unpacked, &A)),
    (b, unpack_b): (SharedRows<'_, BlockQ4K>, impl Fn(&mut Unpacked, &BlockQ4K)),
    acc: &mut [f32],
    step: impl Fn(f32, &Unpacked, &Unpacked) -> f32,
) {
    let (_, n) = shape(a.len(), b, acc.len());
    let blocks = b.blocks();
    if acc.is_empty() {
        return;
    }
    panels.a.resize(A_ROWS * DEPTH, Unpacked::ZERO);
    panels.b.resize(DEPTH, Unpacked::ZERO);
    for first in (0..blocks).step_by(DEPTH) {
        let depth = DEPTH.min(blocks - first);
        for (a, acc) in a.chunks(A_ROWS * blocks).zip(acc.chunks_mut(A_ROWS * n)) {
            let rows = a.chunks_exact(blocks).map(|row| &row[first..][..depth]);
            for (unpacked, row) in panels.a.chunks_exact_mut(depth).zip(rows) {
                unpack_row(unpacked, row, &unpack_a);
            }
            for j in 0..n {
                let unpacked = &mut panels.b[..depth];
                for (at, unpacked) in unpacked.iter_mut().enumerate() {
                    unpack_b(unpacked, &b.read(j, first + at));
                }
                for (a, acc) in panels.a.chunks_exact(depth).zip(acc.chunks_exact_mut(n)) {
                    for (a, b) in a.iter().zip(&*unpacked) {
                        acc[j] = step(acc[j], a, b);
                    }
                }
            }
        }
    }
}

/// Unpacks one row's superblocks.
fn unpack_row<T>(unpacked: &mut [Unpacked], row: &[T], unpack: impl Fn(&mut Unpacked, &T)) {
    for (unpacked, block) in unpacked.iter_mut().zip(row) {
        unpack(unpacked, block);
    }
}

/// A tile of Q8_K × Q4_K with at most [`FEW_ROWS`] rows of `a`, on the packed weights of `b`.
fn few_q8_k(
    panels: &mut Panels,
    a: &[ActivationQ8K],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    const FEW_DEPTH: usize = A_ROWS * DEPTH / FEW_ROWS;
    let (_, n) = shape(a.len(), b, acc.len());
    let blocks = b.blocks();
    panels.a.resize(A_ROWS * DEPTH, Unpacked::ZERO);
    let mut header = Unpacked::ZERO;
    for first in (0..blocks).step_by(FEW_DEPTH) {
        let depth = FEW_DEPTH.min(blocks - first);
        let rows = a.chunks_exact(blocks).map(|row| &row[first..][..depth]);
        for (unpacked, row) in panels.a.chunks_exact_mut(depth).zip(rows) {
            unpack_row(unpacked, row, Unpacked::set_q8_k);
        }
        for j in 0..n {
            for at in 0..depth {
                let block = b.read(j, first + at);
                let scales = header.set_q4_k_header(&block);
                let rows = panels.a.chunks_exact(depth);
                for (a, acc) in rows.zip(acc.chunks_exact_mut(n)) {
                    let p = dot_packed(&a[at].values, &block.qs, &scales);
                    acc[j] = add_term_q8_k(acc[j], p, &a[at], &header);
                }
            }
        }
    }
}

/// `acc` plus the term of one superblock of Q8_K × Q4_K.
#[inline(always)]
fn step_q8_k(acc: f32, a: &Unpacked, b: &Unpacked) -> f32 {
    add_term_q8_k(acc, dot(&a.values, &b.values), a, b)
}

/// [`step_q8_k`], given P.
#[inline(always)]
fn add_term_q8_k(acc: f32, p: i32, a: &Unpacked, b: &Unpacked) -> f32 {
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
    let q = dot(&a.sums, &b.mins);
    let r = dot(&a.mins, &b.sums);
    // Each min stands in `mins` twice: 16 · 2 = 32.
    let s = 16 * dot(&a.mins, &b.mins);
    let t = a.d * p as f32 - a.dmin * r as f32;
    let u = a.d * q as f32 - a.dmin * s as f32;
    let v = b.d * t - b.dmin * u;
    acc + v
}

/// The exact dot product; the bounds of [`Unpacked`] keep it within i32.
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
fn dot_packed(a: &[i16; SUPERBLOCK], qs: &[u8; 128], scales: &[i16; 8]) -> i32 {
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
pub(super) fn scales_and_mins(s: &[u8; 12]) -> ([i16; 8], [i16; 8]) {
    let word = |i: usize| u32::from_le_bytes([s[i], s[i + 1], s[i + 2], s[i + 3]]);
    let (scales, mins, rest) = (word(0), word(4), word(8));
    let bytes = |low: u32, high: u32| {
        let (low, high) = (low.to_le_bytes(), high.to_le_bytes());
        [low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]].map(i16::from)
    };
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
