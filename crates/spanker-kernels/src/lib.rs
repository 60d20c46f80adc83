// SPDX-License-Identifier: Apache-2.0

//! The compute kernels: the arithmetic of the Spanker ABI, over private memory.
//!
//! Q4_K weights by Q8_K or Q4_K rows, and QUANTISE, which makes Q8_K of f32; section 10 of the ABI's
//! header defines all of it to the bit. `text`, with the feature `reference`, is that section, scalar
//! and literal. Every [`Kernel`] gives the same bits as `text`, whatever its speed; the tests hold
//! them to that. The weights are read where they lie, which may be memory that a caller writes to
//! meanwhile; all else that a kernel sees is private.
//!
//! # A product
//!
//! 1. Hold a [`FloatEnvironment`] on each thread that computes, around every call: kernels compute
//!    in the environment of their thread.
//! 2. Choose a kernel: [`best`], or one of [`all`].
//! 3. Bring the rows of `a` into the form that kernels take: f32 by [`Kernel::quantise_row`], blocks
//!    as ggml writes them by [`BlockQ8K::from_bytes`] and [`ActivationQ8K::new`], or the same of
//!    Q4_K.
//! 4. Say where the rows of `b` are: [`SharedRows::in_bytes`] for the bytes of a file, from any
//!    address on, [`SharedRows::of`] for blocks.
//! 5. Add a tile of products to sums, +0 at first: [`Kernel::tile_q8_k`] or [`Kernel::tile_q4_k`].
//!    Any shape is a tile; one of up to 64 rows of `a` by 128 of `b` and 1,024 superblocks of `a`
//!    stays in the caches. Tiles of the same `out` may be of different threads, each with a
//!    [`Scratch`] of its own.
//! 6. Store each sum as [`canonical`] makes it.
//!
//! ```
//! use spanker_kernels::{best, canonical, ActivationQ8K, BlockQ4K};
//! use spanker_kernels::{FloatEnvironment, Scratch, SharedRows};
//!
//! // Two rows of 256 weights, as a file has them: all are 1, since d, scales and weights are.
//! let scales = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1];
//! let one = BlockQ4K { d: 0x3c00_u16.to_le(), dmin: 0, scales, qs: [0x11; 128] };
//! let file = [one.to_bytes(), one.to_bytes()].concat();
//!
//! let _ieee = FloatEnvironment::ieee();
//! let kernel = best();
//! // One row of 256 values.
//! let mut a = [ActivationQ8K::ZERO];
//! kernel.quantise_row(&[0.5; 256], &mut a);
//! // Rows are of one superblock, and each begins 144 bytes after the last.
//! let b = SharedRows::<BlockQ4K>::in_bytes(&file, 144, 2, 1);
//! let mut sums = [0.0; 2];
//! kernel.tile_q8_k(&mut Scratch::default(), &a, b, &mut sums);
//! assert_eq!(sums.map(canonical), [128.0; 2]);
//! ```

mod activation;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2;
#[cfg(spanker_avx512)]
mod avx512;
mod block;
mod float_environment;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod portable;
#[cfg(any(test, feature = "reference"))]
pub mod random;
mod rows;
mod scratch;
#[cfg(any(
    target_arch = "x86",
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
))]
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "reference"))]
pub mod text;

use std::sync::OnceLock;

pub use activation::{ActivationQ4K, ActivationQ8K};
pub use block::{Block, BlockQ4K, BlockQ8K};
pub use float_environment::FloatEnvironment;
pub use rows::SharedRows;
pub use scratch::Scratch;

/// Weights in a superblock, the unit of every quantised row.
pub const SUPERBLOCK: usize = 256;
/// Superblocks of each row that are unpacked at a time: their panels fit the first cache.
const DEPTH: usize = 4;

/// One implementation of the ABI's arithmetic.
///
/// In a tile, `a` is m rows of as many superblocks as each of the n rows of `b` has, row after row,
/// and `acc` is m×n, row-major. On entry `acc` holds where each sum starts: +0, or `out` with
/// ACCUMULATE. On return it holds the sum over the superblocks in ascending k. A NaN in
/// it has any sign and payload: apply [`canonical`] when storing.
pub trait Kernel: std::fmt::Debug + Send + Sync {
    /// The kernel's name, for logs and tests.
    fn name(&self) -> &'static str;

    /// Products of two elements that a thread forms in a ns with one row of `a`,
    /// about.
    fn macs_per_ns(&self) -> u64;

    /// QUANTISE: f32 to Q8_K, one superblock of 256 values into each block of `out`.
    ///
    /// # Panics
    /// If `x` is not 256 values for each block of `out`.
    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]);

    /// Q8_K (m×k) × Q4_K (n×k), added to `acc` (m×n).
    ///
    /// # Panics
    /// If rows have no superblocks, or `a` and `acc` are not whole rows that fit.
    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ8K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    );

    /// Q4_K (m×k) × Q4_K (n×k), added to `acc` (m×n).
    ///
    /// # Panics
    /// If rows have no superblocks, or `a` and `acc` are not whole rows that fit.
    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    );
}

/// The fastest kernel that this CPU can run.
pub fn best() -> &'static dyn Kernel {
    all().last().copied().unwrap_or(&portable::Portable)
}

/// Every kernel that this CPU can run, the fastest last.
pub fn all() -> &'static [&'static dyn Kernel] {
    static ALL: OnceLock<Vec<&'static dyn Kernel>> = OnceLock::new();
    ALL.get_or_init(|| {
        #[allow(unused_mut)]
        let mut kernels: Vec<&'static dyn Kernel> = vec![&portable::Portable];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        kernels.extend(avx2::Avx2::detect().map(|avx2| avx2 as &dyn Kernel));
        #[cfg(spanker_avx512)]
        kernels.extend(avx512::Avx512::detect().map(|avx512| avx512 as &dyn Kernel));
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        kernels.extend(neon::detect());
        kernels
    })
}

/// What is stored for `x`: itself, or 0x7fc00000 for any NaN.
///
/// The sign and payload of a computed NaN differ between CPUs; stored bits must not.
#[inline]
pub fn canonical(x: f32) -> f32 {
    if x.is_nan() {
        f32::from_bits(0x7fc0_0000)
    } else {
        x
    }
}

/// The rows of `a` (m) and of `b` (n) of a tile.
///
/// # Panics
/// If rows have no superblocks, if `a` ends within a row, or if `acc` is not m×n.
fn shape(a: usize, b: SharedRows<'_, BlockQ4K>, acc: usize) -> (usize, usize) {
    let (n, blocks) = (b.rows(), b.blocks());
    assert!(
        blocks > 0 && a % blocks == 0,
        "rows of {blocks} superblocks do not divide an operand of {a}"
    );
    let m = a / blocks;
    assert_eq!(Some(acc), m.checked_mul(n), "acc of a {m}x{n} tile");
    (m, n)
}
