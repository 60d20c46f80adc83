// SPDX-License-Identifier: Apache-2.0
//! The product, whoever computes it.

use crate::error::Error;
use spanker::BlockQ4K;
use std::mem::size_of;

/// Weights in a superblock of Q4_K. Rows are a multiple of it.
pub const QK_K: usize = 256;

/// Bytes of a superblock of Q4_K: ggml's `block_q4_K`.
pub const Q4_K_BLOCK_BYTES: usize = 144;

/// Bytes of one result: an f32.
pub const OUTPUT_ELEM_BYTES: usize = size_of::<f32>();

const _: () = assert!(size_of::<BlockQ4K>() == Q4_K_BLOCK_BYTES);

/// Multiplies matrices of Q4_K blocks.
pub trait MatmulInt4 {
    /// `out = a · bᵀ`. `a` has `m` rows of `k` weights, `b` has `n` rows of `k`,
    /// both row after row as in a GGUF file: [`Q4_K_BLOCK_BYTES`] for each
    /// [`QK_K`] weights, and exactly as long as that makes them. `out` gets `m`
    /// rows of `n` results of [`OUTPUT_ELEM_BYTES`], f32 in little-endian; what
    /// is behind them in a longer `out` is left alone.
    ///
    /// With `m` or `n` 0, nothing is done, and no device is touched.
    ///
    /// # Errors
    /// [`Error::BadDims`] if `k` is 0 or not a multiple of [`QK_K`], if `a` or
    /// `b` is not as long as the shape makes it, or if the shape is larger than
    /// the address space; [`Error::OutputTooSmall`]; and what the device
    /// answers. After these of the shape, `out` is as before.
    fn matmul_q4_k(
        &self,
        a: &[u8],
        b: &[u8],
        out: &mut [u8],
        m: usize,
        k: usize,
        n: usize,
    ) -> Result<(), Error>;
}

/// So that a borrowed one can be handed on.
impl<T: MatmulInt4 + ?Sized> MatmulInt4 for &T {
    fn matmul_q4_k(
        &self,
        a: &[u8],
        b: &[u8],
        out: &mut [u8],
        m: usize,
        k: usize,
        n: usize,
    ) -> Result<(), Error> {
        (**self).matmul_q4_k(a, b, out, m, k, n)
    }
}
