// SPDX-License-Identifier: Apache-2.0
//! Products of Q4_K matrices on Sails, for programs that hold their matrices as
//! ggml does: as raw bytes.
//!
//! ```
//! use ggml_spanker::{MatmulInt4, SailMatmul, OUTPUT_ELEM_BYTES, Q4_K_BLOCK_BYTES, QK_K};
//! use ggml_spanker::spanker::Sail;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sail = SailMatmul::new(Sail::software()?); // or Sail::from_environment()
//!
//! let (m, k, n) = (2, QK_K, 3);
//! let a = [0x27; 2 * Q4_K_BLOCK_BYTES]; // m rows of k
//! let b = [0x31; 3 * Q4_K_BLOCK_BYTES]; // n rows of k
//! let mut out = [0; 2 * 3 * OUTPUT_ELEM_BYTES]; // m rows of n
//! sail.matmul_q4_k(&a, &b, &mut out, m, k, n)?;
//!
//! let first = f32::from_le_bytes(out[..4].try_into()?);
//! println!("row 0 of a by row 0 of b: {first}");
//! # Ok(())
//! # }
//! ```
//!
//! A program that takes a [`MatmulInt4`] is tested without a Sail by a
//! [`MockSail`], which records what would have passed and computes nothing.
//!
//! For weights that stay on the card, activations in f32, and work that is in
//! flight while the program goes on, use the crate `spanker` itself.

// ggml tells layouts by its version, and this one was built for 64 bits.
#[cfg(all(target_endian = "little", target_pointer_width = "64"))]
mod backend;
mod error;
mod matmul_int4;
mod mock_sail;
mod sail_matmul;
mod shape;

pub use spanker;

pub use error::Error;
pub use matmul_int4::{MatmulInt4, OUTPUT_ELEM_BYTES, Q4_K_BLOCK_BYTES, QK_K};
pub use mock_sail::{MockSail, Region, Transaction};
pub use sail_matmul::SailMatmul;
