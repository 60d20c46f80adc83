// SPDX-License-Identifier: Apache-2.0

//! The kernel for x86 CPUs with AVX2 and F16C.
//!
//! Many rows of `a` are multiplied by stored panels of rows of `b`: a vector holds eight rows of `b`,
//! so that it ends as eight neighbouring outputs and no horizontal sum exists: 32-bit lane r belongs
//! to row r. [`panel`] transposes the rows of `b` so; the bytes of `a` are broadcast against them in
//! [`many_rows`]. Few rows of `a` would not repay that: [`few_rows`] multiplies the weights as they
//! lie.
//!
//! Integer sums are exact in any order; the f32 operations are those of the ABI, in its order, and
//! never fused.
//!
//! Every `unsafe fn` here needs a CPU with AVX2 and F16C, which a value of [`Avx2`] proves.

// Intrinsics are safe within functions that enable their features, but only in newer compilers
// than the oldest supported one.
#![allow(unused_unsafe)]

pub(super) mod few_rows;
pub(crate) mod header;
mod many_rows;
mod panel;
mod q4_k_rows;
mod quantise;
pub(crate) mod transpose;

use self::panel::Panel;
use self::transpose::LANES;
use super::sweep::{sweep, Strips};
use super::{shape, ActivationQ4K, ActivationQ8K, Kernel, Scratch, DEPTH, SUPERBLOCK};
use crate::{BlockQ4K, SharedRows};

/// Panels side by side in the innermost loop.
const WIDTH: usize = 2;
/// Rows of `b` worked on together.
const B_ROWS: usize = WIDTH * LANES;

/// AVX2 and F16C. A value of this type exists only where the CPU has both.
#[derive(Debug)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The kernel, if this CPU can run it.
    pub(super) fn detect() -> Option<&'static Self> {
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

    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]) {
        assert_eq!(x.len(), SUPERBLOCK * out.len(), "values of a row");
        for (x, block) in x.chunks_exact(SUPERBLOCK).zip(out) {
            // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
            unsafe { quantise::quantise(x, block) }
        }
    }

    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ8K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        let (m, n) = shape(a.len(), b, acc.len());
        if n == 0 {
            return;
        }
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe {
            match m {
                0 => {}
                1 => few_rows::multiply::<1>(a, b, acc),
                2 => few_rows::multiply::<2>(a, b, acc),
                _ => sweep(self, &mut scratch.avx2.0, a, b, acc),
            }
        }
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        shape(a.len(), b, acc.len());
        sweep(self, &mut scratch.avx2.0, a, b, acc);
    }
}

impl Strips<ActivationQ8K, B_ROWS> for Avx2 {
    type Panel = [Panel; WIDTH];
    const STRIP: usize = 4;

    fn unpack(
        &self,
        panels: &mut [Self::Panel],
        b: SharedRows<'_, BlockQ4K>,
        first: usize,
        at: usize,
    ) {
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe { panel::unpack(panels, b, first, at, false) };
    }

    fn multiply(
        &self,
        panels: &[Self::Panel],
        rows: &[&[ActivationQ8K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe {
            match rows.len() {
                1 => many_rows::multiply::<1>(panels, rows, sums),
                2 => many_rows::multiply::<2>(panels, rows, sums),
                3 => many_rows::multiply::<3>(panels, rows, sums),
                _ => many_rows::multiply::<4>(panels, rows, sums),
            }
        }
    }
}

impl Strips<ActivationQ4K, B_ROWS> for Avx2 {
    type Panel = [Panel; WIDTH];
    const STRIP: usize = 4;

    fn unpack(
        &self,
        panels: &mut [Self::Panel],
        b: SharedRows<'_, BlockQ4K>,
        first: usize,
        at: usize,
    ) {
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe { panel::unpack(panels, b, first, at, true) };
    }

    fn multiply(
        &self,
        panels: &[Self::Panel],
        rows: &[&[ActivationQ4K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        // SAFETY: an `Avx2` exists, so the CPU has AVX2 and F16C.
        unsafe {
            match rows.len() {
                1 => q4_k_rows::multiply::<1>(panels, rows, sums),
                2 => q4_k_rows::multiply::<2>(panels, rows, sums),
                3 => q4_k_rows::multiply::<3>(panels, rows, sums),
                _ => q4_k_rows::multiply::<4>(panels, rows, sums),
            }
        }
    }
}

/// Where the panels of a sweep are.
#[derive(Debug)]
pub(super) struct Panels(Box<[[Panel; WIDTH]; DEPTH]>);

impl Default for Panels {
    fn default() -> Self {
        Self(Box::new([[Panel::ZERO; WIDTH]; DEPTH]))
    }
}

impl Panels {
    /// The bytes they hold.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.0)
    }
}
