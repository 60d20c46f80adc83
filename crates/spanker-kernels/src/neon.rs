// SPDX-License-Identifier: Apache-2.0

//! The kernels for aarch64: one for every CPU, one for those with the dot product instruction.
//!
//! A vector of NEON has 16 bytes, or four 32-bit lanes; here lane r of a vector belongs to row r of
//! `b`. Many rows of `a` are multiplied by stored panels of rows of `b`, which [`panel`] transposes
//! so that a vector ends as four neighbouring outputs; [`many_rows`] and [`q4_k_rows`] do that. Few
//! rows of `a` would not repay it: [`few_rows`] multiplies the weights as they lie, and adds lanes
//! together until each has a row to itself.
//!
//! The two kernels differ in nothing but how bytes are multiplied, [`Products`]: [`widening`] takes
//! twice the instructions of [`dot_product`]. How far from its bound each is stands there, derived
//! from the instructions of the compiled loops; none of it was measured on such a CPU.
//!
//! Integer sums are exact in any order; the f32 operations are those of the ABI, in its order, and
//! never fused.
//!
//! NEON is part of every CPU that this target stands for, so that its intrinsics need no proof. That
//! is what "the target has NEON" means wherever one is called.

mod dot_product;
mod few_rows;
mod header;
mod many_rows;
mod panel;
mod q4_k_rows;
mod quantise;
mod transpose;
mod widening;

use std::arch::aarch64::{int32x4_t, int8x16_t};
use std::fmt::Debug;
use std::sync::OnceLock;

use self::dot_product::DotProduct;
use self::panel::Panel;
use self::transpose::LANES;
use self::widening::Widening;
use super::sweep::{sweep, Strips};
use super::{shape, ActivationQ4K, ActivationQ8K, Kernel, Scratch, DEPTH, SUPERBLOCK};
use crate::{BlockQ4K, SharedRows};

/// Panels side by side in the innermost loop.
const WIDTH: usize = 2;
/// Rows of `b` worked on together.
const B_ROWS: usize = WIDTH * LANES;

/// The kernels that this CPU can run, the fastest last.
pub(super) fn detect() -> impl Iterator<Item = &'static dyn Kernel> {
    static WIDENING: Neon<Widening> = Neon(Widening);
    static DOT_PRODUCT: OnceLock<Option<Neon<DotProduct>>> = OnceLock::new();
    let dot_product = DOT_PRODUCT.get_or_init(|| DotProduct::detect().map(Neon)).as_ref();
    let dot_product = dot_product.map(|kernel| kernel as &dyn Kernel);
    [Some(&WIDENING as &dyn Kernel), dot_product].into_iter().flatten()
}

/// A way to multiply bytes.
trait Products: Copy + Debug + Send + Sync + 'static {
    /// The name of the kernel that multiplies so.
    const NAME: &'static str;
    /// See [`Kernel::macs_per_ns`]: of a middling core.
    const MACS_PER_NS: u64;

    /// Runs `work`, compiled for the instructions of this way if everything in it is inlined.
    fn run<R>(self, work: impl FnOnce() -> R) -> R;

    /// Of each of four rows, 32 weights × the 32 values `a`, summed: row r in lane r.
    fn as_they_lie(self, rows: &[[int8x16_t; 2]; LANES], a: [int8x16_t; 2]) -> int32x4_t;

    /// Sub-block `s` of M rows of `a` × a pair of panels: the sums of 32 products.
    fn by_panels<const M: usize>(
        self,
        panels: &[Panel; WIDTH],
        a: [&[i8; SUPERBLOCK]; M],
        s: usize,
    ) -> [[int32x4_t; WIDTH]; M];
}

/// The kernel that multiplies bytes in the way P.
#[derive(Debug)]
struct Neon<P>(P);

impl<P: Products> Kernel for Neon<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn macs_per_ns(&self) -> u64 {
        P::MACS_PER_NS
    }

    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]) {
        assert_eq!(x.len(), SUPERBLOCK * out.len(), "values of a row");
        for (x, block) in x.chunks_exact(SUPERBLOCK).zip(out) {
            quantise::quantise(x, block);
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
        match m {
            0 => {}
            1 => self.few_rows::<1>(a, b, acc),
            2 => self.few_rows::<2>(a, b, acc),
            3 => self.few_rows::<3>(a, b, acc),
            4 => self.few_rows::<4>(a, b, acc),
            _ => sweep(self, &mut scratch.neon.0, a, b, acc),
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
        sweep(self, &mut scratch.neon.0, a, b, acc);
    }
}

impl<P: Products> Strips<ActivationQ8K, B_ROWS> for Neon<P> {
    type Panel = [Panel; WIDTH];
    const STRIP: usize = 4;

    fn unpack(
        &self,
        panels: &mut [Self::Panel],
        b: SharedRows<'_, BlockQ4K>,
        first: usize,
        at: usize,
    ) {
        panel::unpack(panels, b, first, at, false);
    }

    fn multiply(
        &self,
        panels: &[Self::Panel],
        rows: &[&[ActivationQ8K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        match rows.len() {
            1 => self.many_rows::<1>(panels, rows, sums),
            2 => self.many_rows::<2>(panels, rows, sums),
            3 => self.many_rows::<3>(panels, rows, sums),
            _ => self.many_rows::<4>(panels, rows, sums),
        }
    }
}

impl<P: Products> Strips<ActivationQ4K, B_ROWS> for Neon<P> {
    type Panel = [Panel; WIDTH];
    const STRIP: usize = 4;

    fn unpack(
        &self,
        panels: &mut [Self::Panel],
        b: SharedRows<'_, BlockQ4K>,
        first: usize,
        at: usize,
    ) {
        panel::unpack(panels, b, first, at, true);
    }

    fn multiply(
        &self,
        panels: &[Self::Panel],
        rows: &[&[ActivationQ4K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        match rows.len() {
            1 => self.q4_k_rows::<1>(panels, rows, sums),
            2 => self.q4_k_rows::<2>(panels, rows, sums),
            3 => self.q4_k_rows::<3>(panels, rows, sums),
            _ => self.q4_k_rows::<4>(panels, rows, sums),
        }
    }
}

/// Each of these is compiled once for each way to multiply.
impl<P: Products> Neon<P> {
    fn few_rows<const M: usize>(
        &self,
        a: &[ActivationQ8K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        self.0.run(
            #[inline(always)]
            || few_rows::multiply::<P, M>(self.0, a, b, acc),
        );
    }

    fn many_rows<const M: usize>(
        &self,
        panels: &[[Panel; WIDTH]],
        rows: &[&[ActivationQ8K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        self.0.run(
            #[inline(always)]
            || many_rows::multiply::<P, M>(self.0, panels, rows, sums),
        );
    }

    fn q4_k_rows<const M: usize>(
        &self,
        panels: &[[Panel; WIDTH]],
        rows: &[&[ActivationQ4K]],
        sums: &mut [[f32; B_ROWS]],
    ) {
        self.0.run(
            #[inline(always)]
            || q4_k_rows::multiply::<P, M>(self.0, panels, rows, sums),
        );
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
