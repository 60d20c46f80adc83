// SPDX-License-Identifier: Apache-2.0

//! The kernel for x86 CPUs with AVX2 and F16C.
//!
//! A vector holds eight rows of `b`, so it ends as eight neighbouring outputs and no horizontal sum
//! exists. [`Panel`] is that transposition of eight rows × one superblock: 32-bit lane r of each of
//! its vectors belongs to row r. Bytes of `a` are broadcast against it.
//!
//! Integer sums are exact in any order; the f32 operations are those of the ABI, in its order, and
//! never fused.

// Intrinsics are safe within functions that enable their feature, but only in newer compilers than
// the oldest supported one.
#![allow(unused_unsafe)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

use super::{shape, Kernel, Scratch, SUPERBLOCK};

/// Rows of `b` in a vector.
const LANES: usize = 8;
/// Panels side by side in the innermost loop.
const WIDTH: usize = 2;
/// Rows of `b` worked on together.
const B_ROWS: usize = WIDTH * LANES;
/// Superblocks of each row that are unpacked at a time: 2 × 4 panels fit L1.
const DEPTH: usize = 4;
/// Rows of Q4_K `a` that are unpacked at a time: enough to repay the unpacking of `b`, within L2.
const A_ROWS: usize = 128;

/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Stands in for the rows that the last vector of a tile lacks.
static ZERO_BLOCK: BlockQ4K = BlockQ4K {
    d: 0,
    dmin: 0,
    scales: [0; 12],
    qs: [0; 128],
};

/// AVX2 and F16C. A value of this type exists only where the CPU has both.
#[derive(Debug)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The kernel, if this CPU can run it.
    pub(super) fn detect() -> Option<&'static dyn Kernel> {
        static AVX2: Avx2 = Avx2(());
        let detected = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
        detected.then_some(&AVX2)
    }
}

impl Kernel for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
    }

    fn quantise_row(&self, x: &[f32], out: &mut [BlockQ8K]) {
        assert_eq!(x.len(), SUPERBLOCK * out.len(), "values of a row");
        for (x, block) in x.chunks_exact(SUPERBLOCK).zip(out) {
            // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
            unsafe { quantise(x, block) }
        }
    }

    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[BlockQ8K],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    ) {
        let (m, _) = shape(a.len(), b.len(), blocks, acc.len());
        let (a, b) = (Rows::new(a, blocks), Rows::new(b, blocks));
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe {
            match m {
                0 => {}
                1 => few_q8_k::<1>(a, b, acc),
                2 => few_q8_k::<2>(a, b, acc),
                3 => few_q8_k::<3>(a, b, acc),
                4 => few_q8_k::<4>(a, b, acc),
                _ => {
                    for first in (0..blocks).step_by(DEPTH) {
                        let depth = DEPTH.min(blocks - first);
                        let (a, b) = (a.from(first), b.from(first));
                        sweep(&mut scratch.avx2.b, a, b, depth, acc);
                    }
                }
            }
        }
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[BlockQ4K],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    ) {
        let (_, n) = shape(a.len(), b.len(), blocks, acc.len());
        if acc.is_empty() {
            return;
        }
        let Panels {
            a: nibbles,
            b: panels,
        } = &mut scratch.avx2;
        nibbles.reserve_exact(A_ROWS * DEPTH - nibbles.len());
        for first in (0..blocks).step_by(DEPTH) {
            let depth = DEPTH.min(blocks - first);
            let b = Rows::new(b, blocks).from(first);
            for (a, acc) in a.chunks(A_ROWS * blocks).zip(acc.chunks_mut(A_ROWS * n)) {
                nibbles.clear();
                for row in a.chunks_exact(blocks) {
                    nibbles.extend(row[first..][..depth].iter().map(Nibbles::unpack));
                }
                let a = Rows::new(nibbles, depth);
                // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
                unsafe { sweep(panels, a, b, depth, acc) }
            }
        }
    }
}

/// Unpacked operands of a tile.
#[derive(Debug, Default)]
pub(super) struct Panels {
    a: Vec<Nibbles>,
    b: Vec<[Panel; WIDTH]>,
}

impl Panels {
    /// The bytes they hold.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.a.capacity() * std::mem::size_of::<Nibbles>()
            + self.b.capacity() * std::mem::size_of::<[Panel; WIDTH]>()
    }
}

/// Rows of equally many superblocks, the start of each `stride` after the last.
#[derive(Debug)]
struct Rows<'a, T> {
    blocks: &'a [T],
    stride: usize,
}

impl<T> Clone for Rows<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rows<'_, T> {}

impl<'a, T> Rows<'a, T> {
    fn new(blocks: &'a [T], stride: usize) -> Self {
        Self { blocks, stride }
    }

    /// The same rows without their first superblocks.
    fn from(self, first: usize) -> Self {
        Self::new(&self.blocks[first..], self.stride)
    }

    /// The number of rows. The last may end before its stride does.
    fn count(self) -> usize {
        (self.blocks.len() + self.stride - 1) / self.stride
    }

    /// The first `depth` superblocks of row `i`.
    fn row(self, i: usize, depth: usize) -> &'a [T] {
        &self.blocks[i * self.stride..][..depth]
    }
}

impl<'a> Rows<'a, BlockQ4K> {
    /// Superblock `at` of eight rows from row `first`, zeros where there is no row.
    #[inline]
    fn eight(self, first: usize, at: usize) -> [&'a BlockQ4K; LANES] {
        let mut rows = [&ZERO_BLOCK; LANES];
        for (r, block) in rows.iter_mut().enumerate() {
            if let Some(row) = self.blocks.get((first + r) * self.stride + at) {
                *block = row;
            }
        }
        rows
    }
}

/// Eight rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
struct Panel {
    /// `q[s][j]`, four bytes a row: its weights 32s+4j to 32s+4j+3, 0 to 15.
    q: [[__m256i; 8]; 8],
    /// `sums[s]`, two i16 a row that add up to sc\[s\] · (sum of its 32 weights). Q4_K × Q4_K only.
    sums: [__m256i; 8],
    header: Header,
}

/// What scales the weights of a [`Panel`].
#[derive(Debug, Clone, Copy)]
struct Header {
    /// `scales[s]`, two i16 a row: its sc\[s\] twice.
    scales: [__m256i; 8],
    /// `mins[s]`, two i16 a row: its mn\[s\] twice.
    mins: [__m256i; 8],
    /// Each row's d.
    d: __m256,
    /// Each row's dmin.
    dmin: __m256,
}

/// A superblock of Q4_K `a`, unpacked for broadcasting: an i32 is two i16 lanes of a [`Panel`].
#[derive(Debug, Clone, Copy)]
struct Nibbles {
    /// The weights, 0 to 15.
    qs: [i8; SUPERBLOCK],
    /// sc\[s\] in both lanes.
    scales: [i32; 8],
    /// mn\[s\] in both lanes.
    mins: [i32; 8],
    /// sc\[s\] · (sum of 32 weights), at most 30,240, in the low lane alone.
    sums: [i32; 8],
    /// The f16 bits of d and dmin.
    d: [u16; 2],
}

impl Nibbles {
    fn unpack(block: &BlockQ4K) -> Self {
        let mut qs = [0; SUPERBLOCK];
        for (qs, bytes) in qs.chunks_exact_mut(64).zip(block.qs.chunks_exact(32)) {
            let (low, high) = qs.split_at_mut(32);
            for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
                *low = (byte & 15) as i8;
                *high = (byte >> 4) as i8;
            }
        }
        let [low, mins, high] = [0, 4, 8].map(|at| word(&block.scales, at) as u32);
        let scales = [
            low & 0x3f3f_3f3f,
            high & 0x0f0f_0f0f | low >> 2 & 0x3030_3030,
        ];
        let mins = [
            mins & 0x3f3f_3f3f,
            high >> 4 & 0x0f0f_0f0f | mins >> 2 & 0x3030_3030,
        ];
        let byte = |words: [u32; 2], s: usize| i32::from(words[s / 4].to_le_bytes()[s % 4]);

        let mut unpacked = Self {
            qs,
            scales: [0; 8],
            mins: [0; 8],
            sums: [0; 8],
            d: [u16::from_le(block.d), u16::from_le(block.dmin)],
        };
        for s in 0..8 {
            let sum: i32 = qs[32 * s..][..32].iter().map(|q| i32::from(*q)).sum();
            unpacked.scales[s] = byte(scales, s) * 0x0001_0001;
            unpacked.mins[s] = byte(mins, s) * 0x0001_0001;
            unpacked.sums[s] = byte(scales, s) * sum;
        }
        unpacked
    }
}

/// Adds the first `depth` superblocks of every row of `a` × every row of `b` to `acc`.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn sweep<A: Factor>(
    panels: &mut Vec<[Panel; WIDTH]>,
    a: Rows<'_, A>,
    b: Rows<'_, BlockQ4K>,
    depth: usize,
    acc: &mut [f32],
) {
    let n = b.count();
    for j in (0..n).step_by(B_ROWS) {
        let width = B_ROWS.min(n - j);
        // SAFETY: the caller's promise.
        unsafe { unpack::<A>(panels, b, j, depth) };
        let mut i = 0;
        while i < a.count() {
            let acc = &mut acc[i * n + j..];
            // SAFETY: the caller's promise.
            i += unsafe {
                match a.count() - i {
                    1 => strip::<A, 1>(panels, a, i, acc, n, width),
                    2 => strip::<A, 2>(panels, a, i, acc, n, width),
                    3 => strip::<A, 3>(panels, a, i, acc, n, width),
                    _ => strip::<A, 4>(panels, a, i, acc, n, width),
                }
            };
        }
    }
}

/// Adds M rows of `a` from row `i` × `width` rows of `b` in `panels` to the M×`width` corner of
/// `acc`, whose rows are `stride` apart. Returns M.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn strip<A: Factor, const M: usize>(
    panels: &[[Panel; WIDTH]],
    a: Rows<'_, A>,
    i: usize,
    acc: &mut [f32],
    stride: usize,
    width: usize,
) -> usize {
    let mut rows = [&a.blocks[..0]; M];
    let mut sums = [[0.0; B_ROWS]; M];
    for r in 0..M {
        rows[r] = a.row(i + r, panels.len());
        sums[r][..width].copy_from_slice(&acc[r * stride..][..width]);
    }
    // SAFETY: the caller's promise.
    unsafe { A::accumulate(panels, rows, &mut sums) };
    for r in 0..M {
        acc[r * stride..][..width].copy_from_slice(&sums[r][..width]);
    }
    M
}

/// An operand `a` as the innermost loops take it.
trait Factor: Sized {
    /// Whether they need [`Panel::sums`].
    const WANTS_SUMS: bool;

    /// Adds M rows × `panels` to `sums`. A row has as many superblocks as there are `panels`.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    );
}

impl Factor for BlockQ8K {
    const WANTS_SUMS: bool = false;

    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    ) {
        // SAFETY: the caller's promise.
        unsafe { accumulate_q8_k(panels, rows, sums) }
    }
}

impl Factor for Nibbles {
    const WANTS_SUMS: bool = true;

    unsafe fn accumulate<const M: usize>(
        panels: &[[Panel; WIDTH]],
        rows: [&[Self]; M],
        sums: &mut [[f32; B_ROWS]; M],
    ) {
        // SAFETY: the caller's promise.
        unsafe { accumulate_q4_k(panels, rows, sums) }
    }
}

/// Q8_K × Q4_K: P and M of the ABI in i32 lanes, then its five f32 operations.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn accumulate_q8_k<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: [&[BlockQ8K]; M],
    sums: &mut [[f32; B_ROWS]; M],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = load(sums);
        for (at, panel) in panels.iter().enumerate() {
            let mut a = [&rows[0][at]; M];
            let mut qs = [&a[0].qs; M];
            for i in 0..M {
                a[i] = &rows[i][at];
                qs[i] = &a[i].qs;
            }

            let mut p = [[_mm256_setzero_si256(); WIDTH]; M];
            for s in 0..8 {
                let products = sub_block(panel, qs, s);
                for i in 0..M {
                    for r in 0..WIDTH {
                        let scale = panel[r].header.scales[s];
                        p[i][r] = add_pairs(p[i][r], products[i][r], scale);
                    }
                }
            }
            for i in 0..M {
                for r in 0..WIDTH {
                    acc[i][r] = add_term(acc[i][r], a[i], &panel[r].header, p[i][r]);
                }
            }
        }
        store(acc, sums);
    }
}

/// `acc` plus the term of one superblock of Q8_K × Q4_K, given P.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn add_term(acc: __m256, a: &BlockQ8K, b: &Header, p: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let mut m = _mm256_setzero_si256();
        for s in 0..8 {
            m = add_pairs(m, _mm256_set1_epi32(pair(&a.bsums, s)), b.mins[s]);
        }
        let t = _mm256_mul_ps(b.d, _mm256_cvtepi32_ps(p));
        let u = _mm256_mul_ps(b.dmin, _mm256_cvtepi32_ps(m));
        let v = _mm256_sub_ps(t, u);
        let w = _mm256_mul_ps(_mm256_set1_ps(f32::from_bits(a.d)), v);
        _mm256_add_ps(acc, w)
    }
}

/// Q8_K × Q4_K for so few rows of `a` that a stored panel would not repay its stores: transposes in
/// registers and multiplies at once. `a` has M rows.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn few_q8_k<const M: usize>(a: Rows<'_, BlockQ8K>, b: Rows<'_, BlockQ4K>, acc: &mut [f32]) {
    let n = b.count();
    for j in (0..n).step_by(LANES) {
        let width = LANES.min(n - j);
        let mut sums = [[0.0; LANES]; M];
        for i in 0..M {
            sums[i][..width].copy_from_slice(&acc[i * n + j..][..width]);
        }
        for at in 0..b.stride {
            let rows = b.eight(j, at);
            let mut blocks = [&a.blocks[at]; M];
            for i in 1..M {
                blocks[i] = &a.blocks[i * a.stride + at];
            }
            // SAFETY: the caller's promise; `sums` has rows of 8 f32.
            unsafe {
                let header = unpack_header(rows);
                let p = multiply_q8_k(rows, blocks, &header.scales);
                for i in 0..M {
                    let acc = _mm256_loadu_ps(sums[i].as_ptr());
                    let acc = add_term(acc, blocks[i], &header, p[i]);
                    _mm256_storeu_ps(sums[i].as_mut_ptr(), acc);
                }
            }
        }
        for i in 0..M {
            acc[i * n + j..][..width].copy_from_slice(&sums[i][..width]);
        }
    }
}

/// P of M blocks × eight rows.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn multiply_q8_k<const M: usize>(
    rows: [&BlockQ4K; LANES],
    a: [&BlockQ8K; M],
    scales: &[__m256i; 8],
) -> [__m256i; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let low_nibbles = _mm256_set1_epi8(15);
        let mut p = [_mm256_setzero_si256(); M];
        for g in 0..4 {
            let mut low = [_mm256_setzero_si256(); M];
            let mut high = [_mm256_setzero_si256(); M];
            for half in 0..2 {
                let columns = transpose(rows, QS + 32 * g + 16 * half);
                for j in 0..4 {
                    let at = 64 * g + 16 * half + 4 * j;
                    let q_low = _mm256_and_si256(columns[j], low_nibbles);
                    let q_high = _mm256_srli_epi16::<4>(columns[j]);
                    let q_high = _mm256_and_si256(q_high, low_nibbles);
                    for i in 0..M {
                        let a_low = _mm256_set1_epi32(quad(&a[i].qs, at));
                        let a_high = _mm256_set1_epi32(quad(&a[i].qs, at + 32));
                        low[i] = _mm256_add_epi16(low[i], _mm256_maddubs_epi16(q_low, a_low));
                        high[i] = _mm256_add_epi16(high[i], _mm256_maddubs_epi16(q_high, a_high));
                    }
                }
            }
            for i in 0..M {
                p[i] = add_pairs(p[i], low[i], scales[2 * g]);
                p[i] = add_pairs(p[i], high[i], scales[2 * g + 1]);
            }
        }
        p
    }
}

/// Q4_K × Q4_K: P, Q, R and S of the ABI in i32 lanes, then its f32 operations.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn accumulate_q4_k<const M: usize>(
    panels: &[[Panel; WIDTH]],
    rows: [&[Nibbles]; M],
    sums: &mut [[f32; B_ROWS]; M],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = load(sums);
        for (at, panel) in panels.iter().enumerate() {
            let mut a = [&rows[0][at]; M];
            let mut qs = [&a[0].qs; M];
            for i in 0..M {
                a[i] = &rows[i][at];
                qs[i] = &a[i].qs;
            }

            let mut p = [[_mm256_setzero_si256(); WIDTH]; M];
            for s in 0..8 {
                let products = sub_block(panel, qs, s);
                for i in 0..M {
                    let scale = _mm256_set1_epi32(a[i].scales[s]);
                    for r in 0..WIDTH {
                        // At most 63 · 63.
                        let scales = _mm256_mullo_epi16(scale, panel[r].header.scales[s]);
                        p[i][r] = add_pairs(p[i][r], products[i][r], scales);
                    }
                }
            }

            for i in 0..M {
                let [d, dmin] = widen(a[i].d);
                for r in 0..WIDTH {
                    let [q, r_sum, s] = min_sums(a[i], &panel[r]);
                    let p = _mm256_cvtepi32_ps(p[i][r]);
                    let t = _mm256_sub_ps(_mm256_mul_ps(d, p), _mm256_mul_ps(dmin, r_sum));
                    let u = _mm256_sub_ps(_mm256_mul_ps(d, q), _mm256_mul_ps(dmin, s));
                    let t = _mm256_mul_ps(panel[r].header.d, t);
                    let u = _mm256_mul_ps(panel[r].header.dmin, u);
                    let v = _mm256_sub_ps(t, u);
                    acc[i][r] = _mm256_add_ps(acc[i][r], v);
                }
            }
        }
        store(acc, sums);
    }
}

/// f32(Q), f32(R) and f32(S) of one row of `a` and eight of `b`.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn min_sums(a: &Nibbles, panel: &Panel) -> [__m256; 3] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [_mm256_setzero_si256(); 3];
        for s in 0..8 {
            let a_min = _mm256_set1_epi32(a.mins[s]);
            let a_sum = _mm256_set1_epi32(a.sums[s]);
            sums[0] = add_pairs(sums[0], a_sum, panel.header.mins[s]);
            sums[1] = add_pairs(sums[1], a_min, panel.sums[s]);
            sums[2] = add_pairs(sums[2], a_min, panel.header.mins[s]);
        }
        // Both lanes hold each min, so the factor 32 has one 2 already.
        sums[2] = _mm256_slli_epi32::<4>(sums[2]);
        [
            _mm256_cvtepi32_ps(sums[0]),
            _mm256_cvtepi32_ps(sums[1]),
            _mm256_cvtepi32_ps(sums[2]),
        ]
    }
}

/// Sub-block `s` of M rows × a pair of panels: of each row of `b` two i16 that add up to
/// Σ a·q over 32 weights.
///
/// A lane adds 16 products of at most 15 · 128 = 30,720 together, within i16 for any bytes; so the
/// scale need not be applied before a whole sub-block is summed.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn sub_block<const M: usize>(
    panel: &[Panel; WIDTH],
    a: [&[i8; SUPERBLOCK]; M],
    s: usize,
) -> [[__m256i; WIDTH]; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[_mm256_setzero_si256(); WIDTH]; M];
        for j in 0..8 {
            for i in 0..M {
                let a = _mm256_set1_epi32(quad(a[i], 32 * s + 4 * j));
                for r in 0..WIDTH {
                    let products = _mm256_maddubs_epi16(panel[r].q[s][j], a);
                    sums[i][r] = in_order(_mm256_add_epi16(sums[i][r], products));
                }
            }
        }
        sums
    }
}

/// `sum`, computed before what is added to it next.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn in_order(mut sum: __m256i) -> __m256i {
    // SAFETY: no instruction; the value passes through unchanged.
    unsafe {
        std::arch::asm!("/* {} */", inout(ymm_reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// `sum` plus, in each i32 lane, the dot product of two pairs of i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn add_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
}

/// The sums in memory as vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn load<const M: usize>(sums: &[[f32; B_ROWS]; M]) -> [[__m256; WIDTH]; M] {
    // SAFETY: the caller's promise; each load reads 8 of the 16 f32 of a row, at 0 or 8.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); WIDTH]; M];
        for i in 0..M {
            for r in 0..WIDTH {
                acc[i][r] = _mm256_loadu_ps(sums[i][LANES * r..][..LANES].as_ptr());
            }
        }
        acc
    }
}

/// The counterpart of [`load`].
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn store<const M: usize>(acc: [[__m256; WIDTH]; M], sums: &mut [[f32; B_ROWS]; M]) {
    for i in 0..M {
        for r in 0..WIDTH {
            let lanes = &mut sums[i][LANES * r..][..LANES];
            // SAFETY: the caller's promise; `lanes` has room for the 8 f32 written.
            unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), acc[i][r]) };
        }
    }
}

/// Unpacks 16 rows of `b` from row `first`, `depth` superblocks each, into `panels`.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[target_feature(enable = "avx2,f16c")]
unsafe fn unpack<A: Factor>(
    panels: &mut Vec<[Panel; WIDTH]>,
    b: Rows<'_, BlockQ4K>,
    first: usize,
    depth: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        panels.reserve_exact(DEPTH - panels.len());
        panels.resize(depth, [zero_panel(); WIDTH]);
        for (at, pair) in panels.iter_mut().enumerate() {
            for (p, panel) in pair.iter_mut().enumerate() {
                let rows = b.eight(first + LANES * p, at);
                unpack_weights(panel, rows);
                panel.header = unpack_header(rows);
                if A::WANTS_SUMS {
                    sum_weights(panel);
                }
            }
        }
    }
}

/// A panel of zeros.
///
/// # Safety
/// The CPU has AVX2.
#[target_feature(enable = "avx2,f16c")]
unsafe fn zero_panel() -> Panel {
    // SAFETY: the caller's promise.
    let (zero, zero_f32) = unsafe { (_mm256_setzero_si256(), _mm256_setzero_ps()) };
    Panel {
        q: [[zero; 8]; 8],
        sums: [zero; 8],
        header: Header {
            scales: [zero; 8],
            mins: [zero; 8],
            d: zero_f32,
            dmin: zero_f32,
        },
    }
}

/// Sets [`Panel::q`]. Bytes 32g to 32g+31 of `qs` hold sub-block 2g in their low nibbles and 2g+1
/// in their high ones.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn unpack_weights(panel: &mut Panel, rows: [&BlockQ4K; LANES]) {
    // SAFETY: the caller's promise.
    unsafe {
        let low_nibbles = _mm256_set1_epi8(15);
        for g in 0..4 {
            for half in 0..2 {
                let columns = transpose(rows, QS + 32 * g + 16 * half);
                for (j, bytes) in columns.into_iter().enumerate() {
                    let high = _mm256_srli_epi16::<4>(bytes);
                    panel.q[2 * g][4 * half + j] = _mm256_and_si256(bytes, low_nibbles);
                    panel.q[2 * g + 1][4 * half + j] = _mm256_and_si256(high, low_nibbles);
                }
            }
        }
    }
}

/// The header of eight blocks, from the first 16 bytes of each: d, dmin, three words of scales.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn unpack_header(rows: [&BlockQ4K; LANES]) -> Header {
    // SAFETY: the caller's promise.
    unsafe {
        let [d, scales, mins, rest] = transpose(rows, 0);
        // The 6-bit values of eight rows at once: byte s mod 4 of a lane belongs to sub-block s.
        let low6 = _mm256_set1_epi8(0x3f);
        let low4 = _mm256_set1_epi8(0x0f);
        let bits45 = _mm256_set1_epi8(0x30);
        let scales_high = _mm256_and_si256(_mm256_srli_epi32::<2>(scales), bits45);
        let mins_high = _mm256_and_si256(_mm256_srli_epi32::<2>(mins), bits45);
        let rest_high = _mm256_and_si256(_mm256_srli_epi32::<4>(rest), low4);
        Header {
            scales: twice([
                _mm256_and_si256(scales, low6),
                _mm256_or_si256(_mm256_and_si256(rest, low4), scales_high),
            ]),
            mins: twice([
                _mm256_and_si256(mins, low6),
                _mm256_or_si256(rest_high, mins_high),
            ]),
            d: widen_lanes(_mm256_and_si256(d, _mm256_set1_epi32(0xffff))),
            dmin: widen_lanes(_mm256_srli_epi32::<16>(d)),
        }
    }
}

/// Each of the eight bytes of a row, which are a lane of the first and of the second vector, as
/// two equal i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn twice(bytes: [__m256i; 2]) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        // Byte 0 of each lane to both of its i16; 0x80 gives zero.
        let byte0 = _mm256_broadcastsi128_si256(_mm_setr_epi32(
            0x8000_8000_u32 as i32,
            0x8004_8004_u32 as i32,
            0x8008_8008_u32 as i32,
            0x800c_800c_u32 as i32,
        ));
        let mut pairs = [_mm256_setzero_si256(); 8];
        for (s, pair) in pairs.iter_mut().enumerate() {
            let byte = _mm256_set1_epi32(0x0001_0001 * (s % 4) as i32);
            *pair = _mm256_shuffle_epi8(bytes[s / 4], _mm256_add_epi32(byte0, byte));
        }
        pairs
    }
}

/// The f32 of the f16 in the low half of each lane, whose high half is 0.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen_lanes(bits: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let halves = _mm256_packus_epi32(bits, bits);
        // Quarters 0 and 2: packing works within halves.
        let packed = _mm256_permute4x64_epi64::<0b10_00>(halves);
        _mm256_cvtph_ps(_mm256_castsi256_si128(packed))
    }
}

/// Bytes `at` to `at`+15 of eight blocks, four bytes of every block to a vector.
///
/// # Safety
/// The CPU has AVX2. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn transpose(rows: [&BlockQ4K; LANES], at: usize) -> [__m256i; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        // Rows 0 to 3 in the low half, 4 to 7 in the high half, where unpacking keeps them.
        let mut pairs = [_mm256_setzero_si256(); 4];
        for r in 0..4 {
            pairs[r] = _mm256_set_m128i(bytes(rows[r + 4], at), bytes(rows[r], at));
        }
        let low01 = _mm256_unpacklo_epi32(pairs[0], pairs[1]);
        let low23 = _mm256_unpacklo_epi32(pairs[2], pairs[3]);
        let high01 = _mm256_unpackhi_epi32(pairs[0], pairs[1]);
        let high23 = _mm256_unpackhi_epi32(pairs[2], pairs[3]);
        [
            _mm256_unpacklo_epi64(low01, low23),
            _mm256_unpackhi_epi64(low01, low23),
            _mm256_unpacklo_epi64(high01, high23),
            _mm256_unpackhi_epi64(high01, high23),
        ]
    }
}

/// Bytes `at` to `at`+15 of a block.
///
/// # Safety
/// The CPU has AVX2. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn bytes(block: &BlockQ4K, at: usize) -> __m128i {
    let start: *const BlockQ4K = block;
    // SAFETY: the caller's promises; a block is 144 bytes without padding, and the load needs no
    // alignment.
    unsafe { _mm_loadu_si128(start.cast::<u8>().add(at).cast()) }
}

/// Sets [`Panel::sums`] from the weights and scales.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn sum_weights(panel: &mut Panel) {
    // SAFETY: the caller's promise.
    unsafe {
        for s in 0..8 {
            let mut sum = panel.q[s][0];
            for j in 1..8 {
                // At most 8 · 15 in a byte.
                sum = _mm256_add_epi8(sum, panel.q[s][j]);
            }
            // At most 2 · 120, times 63: 15,120.
            let sum = _mm256_maddubs_epi16(sum, _mm256_set1_epi8(1));
            panel.sums[s] = _mm256_mullo_epi16(sum, panel.header.scales[s]);
        }
    }
}

/// The f32 of two f16, each in every lane.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen(bits: [u16; 2]) -> [__m256; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        [
            _mm256_cvtph_ps(_mm_set1_epi16(bits[0] as i16)),
            _mm256_cvtph_ps(_mm_set1_epi16(bits[1] as i16)),
        ]
    }
}

/// Values `at` to `at`+3 as the bytes of a word.
#[inline]
fn quad(qs: &[i8; SUPERBLOCK], at: usize) -> i32 {
    let q = &qs[at..][..4];
    i32::from_le_bytes([q[0] as u8, q[1] as u8, q[2] as u8, q[3] as u8])
}

/// Sums 2s and 2s+1 as the halves of a word.
#[inline]
fn pair(bsums: &[u16; 16], s: usize) -> i32 {
    let [low, high] = [bsums[2 * s], bsums[2 * s + 1]].map(u16::from_le);
    (u32::from(low) | u32::from(high) << 16) as i32
}

/// Packed scales `at` to `at`+3 as the bytes of a word.
#[inline]
fn word(scales: &[u8; 12], at: usize) -> i32 {
    let s = &scales[at..][..4];
    i32::from_le_bytes([s[0], s[1], s[2], s[3]])
}

/// QUANTISE of 256 values.
///
/// # Safety
/// The CPU has AVX2.
#[target_feature(enable = "avx2,f16c")]
unsafe fn quantise(x: &[f32], out: &mut BlockQ8K) {
    const INFINITY: u32 = 0x7f80_0000;
    const NAN: u32 = 0x7fc0_0000;

    out.d = 0;
    out.qs = [0; SUPERBLOCK];
    out.bsums = [0; 16];
    // SAFETY: the caller's promise.
    let amax = unsafe { largest_magnitude(x) };
    if amax >= INFINITY {
        out.d = NAN;
        return;
    }
    // SAFETY: the caller's promise.
    let is = -127.0 / unsafe { first_of_magnitude(x, amax) };
    // Infinite for zero too, whose block is the same.
    if is.is_infinite() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { scale_to_integers(x, is, &mut out.qs) };
    for (sum, qs) in out.bsums.iter_mut().zip(out.qs.chunks_exact(16)) {
        *sum = qs.iter().map(|q| i16::from(*q)).sum::<i16>() as u16;
    }
    out.d = (1.0 / is).to_bits();
}

/// The largest bits of |x|. No sign bit is left, so signed comparison is right.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn largest_magnitude(x: &[f32]) -> u32 {
    let mut lanes = [0_u32; LANES];
    // SAFETY: the caller's promise; the store writes 8 u32 to an array of 8.
    unsafe {
        let mut max = _mm256_setzero_si256();
        for x in x.chunks_exact(LANES) {
            max = _mm256_max_epi32(max, magnitudes(x));
        }
        _mm256_storeu_si256(lanes.as_mut_ptr().cast(), max);
    }
    lanes.into_iter().fold(0, u32::max)
}

/// The first value whose |x| has the bits `amax`; 0 if there is none.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn first_of_magnitude(x: &[f32], amax: u32) -> f32 {
    for x in x.chunks_exact(LANES) {
        // SAFETY: the caller's promise.
        let found = unsafe {
            let equal = _mm256_cmpeq_epi32(magnitudes(x), _mm256_set1_epi32(amax as i32));
            _mm256_movemask_ps(_mm256_castsi256_ps(equal))
        };
        if found != 0 {
            return x[found.trailing_zeros() as usize];
        }
    }
    0.0
}

/// The bits of |x| of the first eight values.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn magnitudes(x: &[f32]) -> __m256i {
    let x = &x[..LANES];
    // SAFETY: the caller's promise; `x` has the 8 f32 read.
    unsafe {
        let bits = _mm256_loadu_si256(x.as_ptr().cast());
        _mm256_and_si256(bits, _mm256_set1_epi32(0x7fff_ffff))
    }
}

/// qs\[j\] = is · x\[j\], rounded to an integer as the float environment says: ties to even.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn scale_to_integers(x: &[f32], is: f32, qs: &mut [i8; SUPERBLOCK]) {
    for (x, qs) in x.chunks_exact(32).zip(qs.chunks_exact_mut(32)) {
        // SAFETY: the caller's promise; the loads read 8 f32 each of the 32 in `x`, the store
        // writes the 32 bytes of `qs`.
        unsafe {
            let is = _mm256_set1_ps(is);
            let mut q = [_mm256_setzero_si256(); 4];
            for (q, x) in q.iter_mut().zip(x.chunks_exact(LANES)) {
                *q = _mm256_cvtps_epi32(_mm256_mul_ps(is, _mm256_loadu_ps(x.as_ptr())));
            }
            // Packing works within halves and leaves fours of values in the order 0 2 4 6 1 3 5 7.
            let low = _mm256_packs_epi32(q[0], q[1]);
            let high = _mm256_packs_epi32(q[2], q[3]);
            let fours = _mm256_packs_epi16(low, high);
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            let packed = _mm256_permutevar8x32_epi32(fours, order);
            _mm256_storeu_si256(qs.as_mut_ptr().cast(), packed);
        }
    }
}
