// SPDX-License-Identifier: Apache-2.0

//! The compute kernels: the ABI's arithmetic, over private memory.
//!
//! `text` is the specification, scalar and literal. Every [`Kernel`] gives the same bits as
//! `text`, whatever its speed; the tests hold them to that. A kernel sees only slices that no one
//! else can write, so the engine copies operands out of shared buffers before it calls one.
//!
//! Kernels compute in the float environment of their thread: hold a [`FloatEnvironment`] around
//! every call.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2;
mod float_environment;
mod portable;
mod scratch;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod text;

use spanker_sys::{spanker_block_q4_k as BlockQ4K, spanker_block_q8_k as BlockQ8K};

pub(crate) use float_environment::FloatEnvironment;
pub(crate) use scratch::Scratch;

/// Weights in a superblock, the unit of every quantised row.
pub(crate) const SUPERBLOCK: usize = 256;

/// One implementation of the ABI's arithmetic.
///
/// In a tile, `a` is m rows and `b` is n rows of `blocks` superblocks each, row after row, and
/// `acc` is m×n, row-major. On entry `acc` holds where each sum starts: +0, or `out` with
/// ACCUMULATE. On return it holds the sum over the `blocks` superblocks in ascending k. A NaN in
/// it has any sign and payload: apply [`canonical`] when storing.
pub(crate) trait Kernel: std::fmt::Debug + Send + Sync {
    /// The kernel's name, for logs and tests.
    fn name(&self) -> &'static str;

    /// Products of two elements that a thread forms in a ns with one row of `a`,
    /// about.
    fn macs_per_ns(&self) -> u64;

    /// QUANTISE: f32 to Q8_K, one superblock of 256 values into each block of `out`.
    ///
    /// # Panics
    /// If `x` is not 256 values for each block of `out`.
    fn quantise_row(&self, x: &[f32], out: &mut [BlockQ8K]);

    /// Q8_K (m×k) × Q4_K (n×k), added to `acc` (m×n).
    ///
    /// # Panics
    /// If `blocks` is 0 or the slices are not whole rows that fit each other.
    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[BlockQ8K],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    );

    /// Q4_K (m×k) × Q4_K (n×k), added to `acc` (m×n).
    ///
    /// # Panics
    /// If `blocks` is 0 or the slices are not whole rows that fit each other.
    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[BlockQ4K],
        b: &[BlockQ4K],
        blocks: usize,
        acc: &mut [f32],
    );
}

/// The fastest kernel that this CPU can run.
pub(crate) fn best() -> &'static dyn Kernel {
    detect().unwrap_or(&portable::Portable)
}

/// Every kernel that this CPU can run, the fastest last.
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) fn all() -> Vec<&'static dyn Kernel> {
    let portable: &'static dyn Kernel = &portable::Portable;
    [Some(portable), detect()].into_iter().flatten().collect()
}

/// The kernel that needs more than the target's baseline, if this CPU has it.
fn detect() -> Option<&'static dyn Kernel> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return avx2::Avx2::detect();
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    return None;
}

/// What is stored for `x`: itself, or 0x7fc00000 for any NaN.
///
/// The sign and payload of a computed NaN differ between CPUs; stored bits must not.
pub(crate) fn canonical(x: f32) -> f32 {
    if x.is_nan() {
        f32::from_bits(0x7fc0_0000)
    } else {
        x
    }
}

/// The rows of `a` (m) and `b` (n) of a tile.
///
/// # Panics
/// If `blocks` is 0, if a slice ends within a row, or if `acc` is not m×n.
fn shape(a: usize, b: usize, blocks: usize, acc: usize) -> (usize, usize) {
    assert!(
        blocks > 0 && a % blocks == 0 && b % blocks == 0,
        "rows of {blocks} superblocks do not divide operands of {a} and {b}"
    );
    let (m, n) = (a / blocks, b / blocks);
    assert_eq!(acc, m * n, "acc of a {m}x{n} tile");
    (m, n)
}
