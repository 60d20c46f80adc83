// SPDX-License-Identifier: Apache-2.0

//! The kernel for x86-64 CPUs with AVX-512 and VNNI.
//!
//! As with AVX2, lane r of a vector belongs to row r of `b`, but there are sixteen rows in a vector,
//! and one instruction multiplies and adds what takes AVX2 two. [`few_rows`] of `a` are multiplied as
//! with AVX2, but for that instruction; QUANTISE is left to the AVX2 kernel.
//!
//! Every `unsafe fn` here needs a CPU with AVX-512 F, BW, VL and VNNI, which a value of [`Avx512`]
//! proves.

// This module is left out where the compiler is older than these intrinsics: see build/main.rs.
#![allow(clippy::incompatible_msrv)]

mod few_rows;
mod many_rows;
mod pairs;
mod panel;
mod q4_k_rows;
mod transpose;

use std::sync::OnceLock;

use self::panel::Panel;
use self::transpose::LANES;
use super::avx2::Avx2;
use super::sweep::{sweep, Strips};
use super::{shape, ActivationQ4K, ActivationQ8K, Kernel, Scratch, DEPTH, SUPERBLOCK};
use crate::{BlockQ4K, SharedRows};

/// Rows of `a` up to which the weights are multiplied as they lie.
const FEW_ROWS: usize = 2;

/// AVX-512 F, BW, VL and VNNI. A value of this type exists only where the CPU has them, and AVX2.
#[derive(Debug)]
pub(super) struct Avx512 {
    avx2: &'static Avx2,
}

impl Avx512 {
    /// The kernel, if this CPU can run it.
    pub(super) fn detect() -> Option<&'static Self> {
        static AVX512: OnceLock<Option<Avx512>> = OnceLock::new();
        let detected = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        let avx2 = Avx2::detect().filter(|_| detected);
        AVX512.get_or_init(|| avx2.map(|avx2| Self { avx2 })).as_ref()
    }
}

impl Kernel for Avx512 {
    fn name(&self) -> &'static str {
        "avx512"
    }

    fn macs_per_ns(&self) -> u64 {
        40
    }

    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]) {
        self.avx2.quantise_row(x, out);
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
        if m <= FEW_ROWS {
            // SAFETY: an `Avx512` exists, so the CPU has its features.
            return unsafe {
                match m {
                    0 => {}
                    1 => few_rows::multiply::<1>(a, b, acc),
                    _ => few_rows::multiply::<2>(a, b, acc),
                }
            };
        }
        sweep(self, &mut scratch.avx512.0, a, b, acc);
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        shape(a.len(), b, acc.len());
        sweep(self, &mut scratch.avx512.0, a, b, acc);
    }
}

impl Strips<ActivationQ8K, LANES> for Avx512 {
    type Panel = Panel;
    const STRIP: usize = 8;

    fn unpack(&self, panels: &mut [Panel], b: SharedRows<'_, BlockQ4K>, first: usize, at: usize) {
        // SAFETY: an `Avx512` exists, so the CPU has its features.
        unsafe { panel::unpack(panels, b, first, at, false) };
    }

    fn multiply(&self, panels: &[Panel], rows: &[&[ActivationQ8K]], sums: &mut [[f32; LANES]]) {
        // SAFETY: an `Avx512` exists, so the CPU has its features.
        unsafe {
            match rows.len() {
                1 => many_rows::multiply::<1>(panels, rows, sums),
                2 => many_rows::multiply::<2>(panels, rows, sums),
                3 => many_rows::multiply::<3>(panels, rows, sums),
                4 => many_rows::multiply::<4>(panels, rows, sums),
                5 => many_rows::multiply::<5>(panels, rows, sums),
                6 => many_rows::multiply::<6>(panels, rows, sums),
                7 => many_rows::multiply::<7>(panels, rows, sums),
                _ => many_rows::multiply::<8>(panels, rows, sums),
            }
        }
    }
}

impl Strips<ActivationQ4K, LANES> for Avx512 {
    type Panel = Panel;
    const STRIP: usize = 8;

    fn unpack(&self, panels: &mut [Panel], b: SharedRows<'_, BlockQ4K>, first: usize, at: usize) {
        // SAFETY: an `Avx512` exists, so the CPU has its features.
        unsafe { panel::unpack(panels, b, first, at, true) };
    }

    fn multiply(&self, panels: &[Panel], rows: &[&[ActivationQ4K]], sums: &mut [[f32; LANES]]) {
        // SAFETY: an `Avx512` exists, so the CPU has its features.
        unsafe {
            match rows.len() {
                1 => q4_k_rows::multiply::<1>(panels, rows, sums),
                2 => q4_k_rows::multiply::<2>(panels, rows, sums),
                3 => q4_k_rows::multiply::<3>(panels, rows, sums),
                4 => q4_k_rows::multiply::<4>(panels, rows, sums),
                5 => q4_k_rows::multiply::<5>(panels, rows, sums),
                6 => q4_k_rows::multiply::<6>(panels, rows, sums),
                7 => q4_k_rows::multiply::<7>(panels, rows, sums),
                _ => q4_k_rows::multiply::<8>(panels, rows, sums),
            }
        }
    }
}

/// Where the panels of a sweep are.
#[derive(Debug)]
pub(super) struct Panels(Box<[Panel; DEPTH]>);

impl Default for Panels {
    fn default() -> Self {
        Self(Box::new([Panel::ZERO; DEPTH]))
    }
}

impl Panels {
    /// The bytes they hold.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.0)
    }
}
