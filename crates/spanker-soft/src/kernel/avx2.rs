// SPDX-License-Identifier: Apache-2.0

//! The kernel for x86 CPUs with AVX2 and F16C.
//!
//! A vector holds eight rows of `b`, so it ends as eight neighbouring outputs and no horizontal sum
//! exists: 32-bit lane r belongs to row r. [`panel`] transposes the rows of `b` so; the bytes of
//! `a` are broadcast against them in [`multiply`]. Outputs of few rows of `a` do not repay a stored
//! panel; they multiply while transposing.
//!
//! Integer sums are exact in any order; the f32 operations are those of the ABI, in its order, and
//! never fused.
//!
//! Every `unsafe fn` here needs a CPU with AVX2 and F16C, which a value of [`Avx2`] proves.

// Intrinsics are safe within functions that enable their features, but only in newer compilers
// than the oldest supported one.
#![allow(unused_unsafe)]

mod activation;
mod multiply;
mod panel;
mod quantise;

use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

use self::activation::Nibbles;
use self::multiply::Factor;
use self::panel::{Panel, LANES};
use super::{shape, Kernel, Scratch, SUPERBLOCK};

/// Panels side by side in the innermost loop.
const WIDTH: usize = 2;
/// Rows of `b` worked on together.
const B_ROWS: usize = WIDTH * LANES;
/// Superblocks of each row that are unpacked at a time: 2 × 4 panels fit L1.
const DEPTH: usize = 4;
/// Rows of Q4_K `a` that are unpacked at a time: enough to repay the unpacking of `b`, within L2.
const A_ROWS: usize = 128;

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

    fn macs_per_ns(&self) -> u64 {
        32
    }

    fn quantise_row(&self, x: &[f32], out: &mut [BlockQ8K]) {
        assert_eq!(x.len(), SUPERBLOCK * out.len(), "values of a row");
        for (x, block) in x.chunks_exact(SUPERBLOCK).zip(out) {
            // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
            unsafe { quantise::quantise(x, block) }
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
        if acc.is_empty() {
            return;
        }
        let (a, b) = (Rows::new(a, blocks), Rows::new(b, blocks));
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe {
            match m {
                1 => multiply::few_q8_k::<1>(a, b, acc),
                2 => multiply::few_q8_k::<2>(a, b, acc),
                3 => multiply::few_q8_k::<3>(a, b, acc),
                4 => multiply::few_q8_k::<4>(a, b, acc),
                _ => {
                    for first in (0..blocks).step_by(DEPTH) {
                        let depth = DEPTH.min(blocks - first);
                        let (a, b) = (a.skip(first), b.skip(first));
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
        let Panels { a: unpacked, b: panels } = &mut scratch.avx2;
        unpacked.clear();
        unpacked.reserve_exact(A_ROWS * DEPTH);
        for first in (0..blocks).step_by(DEPTH) {
            let depth = DEPTH.min(blocks - first);
            let b = Rows::new(b, blocks).skip(first);
            for (a, acc) in a.chunks(A_ROWS * blocks).zip(acc.chunks_mut(A_ROWS * n)) {
                unpacked.clear();
                for row in a.chunks_exact(blocks) {
                    for block in &row[first..][..depth] {
                        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
                        unpacked.push(unsafe { Nibbles::unpack(block) });
                    }
                }
                let a = Rows::new(unpacked, depth);
                // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
                unsafe { sweep(panels, a, b, depth, acc) }
            }
        }
    }
}

/// Unpacked operands of a tile.
#[derive(Debug)]
pub(super) struct Panels {
    a: Vec<Nibbles>,
    b: Vec<[Panel; WIDTH]>,
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
    fn skip(self, superblocks: usize) -> Self {
        Self::new(&self.blocks[superblocks..], self.stride)
    }

    /// The number of rows. The last may end before its stride does.
    fn count(self) -> usize {
        self.blocks.len().div_ceil(self.stride)
    }

    /// The first `depth` superblocks of row `i`.
    fn row(self, i: usize, depth: usize) -> &'a [T] {
        &self.blocks[i * self.stride..][..depth]
    }
}

/// Adds the first `depth` superblocks, at most [`DEPTH`], of every row of `a` × every row of `b` to
/// `acc`.
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
    let (m, n) = (a.count(), b.count());
    if panels.len() < DEPTH {
        // SAFETY: the caller's promise.
        panels.resize(DEPTH, unsafe { [Panel::zero(); WIDTH] });
    }
    let panels = &mut panels[..depth];
    for j in (0..n).step_by(B_ROWS) {
        let width = B_ROWS.min(n - j);
        for (at, pair) in panels.iter_mut().enumerate() {
            for (p, panel) in pair.iter_mut().enumerate() {
                let rows = panel::eight(b, j + LANES * p, at);
                // SAFETY: the caller's promise.
                unsafe { panel.unpack(rows, A::WANTS_SUMS) };
            }
        }
        let mut i = 0;
        while i < m {
            let acc = &mut acc[i * n + j..];
            // SAFETY: the caller's promise.
            i += unsafe {
                match m - i {
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
