// SPDX-License-Identifier: Apache-2.0
//! What matrices are made of.

use spanker_sys::{
    spanker_block_q4_k, spanker_block_q8_k, Plain, SPANKER_QK_K, SPANKER_TYPE_F32,
    SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K,
};
use std::fmt::Debug;

mod sealed {
    /// Keeps the element types to those the ABI defines.
    #[allow(unreachable_pub)]
    pub trait Sealed {}
}

/// 256 weights of 4 bits, 144 bytes: ggml's `block_q4_K`. The fields of two
/// bytes are little-endian on every host.
pub type BlockQ4K = spanker_block_q4_k;

/// 256 activations of 8 bits, 292 bytes: ggml's `block_q8_K`. The fields of
/// more than one byte are little-endian on every host.
pub type BlockQ8K = spanker_block_q8_k;

/// The type of a matrix's elements.
pub trait Element: sealed::Sealed + Copy + Debug + Send + Sync + 'static {
    /// What a matrix of this type is stored as: single values or whole blocks.
    type Stored: Plain + Debug + PartialEq + Send + Sync;

    /// The number of the type in the ABI, which is ggml's.
    const TYPE: u32;
    /// The name of the type.
    const NAME: &'static str;
    /// Elements in one stored value or block. The columns of a matrix are a
    /// multiple of it.
    const PER_STORED: usize;

    /// A stored value between host and device byte order; the same both ways.
    #[doc(hidden)]
    fn swap_if_big_endian(stored: Self::Stored) -> Self::Stored;
}

/// Single-precision floats (IEEE-754 binary32).
#[derive(Clone, Copy, Debug)]
pub enum F32 {}

/// Weights of 4 bits in superblocks of 256, about 4.5 bits a weight.
#[derive(Clone, Copy, Debug)]
pub enum Q4K {}

/// Activations of 8 bits in superblocks of 256.
#[derive(Clone, Copy, Debug)]
pub enum Q8K {}

impl sealed::Sealed for F32 {}
impl Element for F32 {
    type Stored = f32;
    const TYPE: u32 = SPANKER_TYPE_F32;
    const NAME: &'static str = "F32";
    const PER_STORED: usize = 1;

    fn swap_if_big_endian(stored: f32) -> f32 {
        f32::from_bits(stored.to_bits().to_le())
    }
}

impl sealed::Sealed for Q4K {}
impl Element for Q4K {
    type Stored = BlockQ4K;
    const TYPE: u32 = SPANKER_TYPE_Q4_K;
    const NAME: &'static str = "Q4_K";
    const PER_STORED: usize = SPANKER_QK_K as usize;

    fn swap_if_big_endian(stored: BlockQ4K) -> BlockQ4K {
        stored
    }
}

impl sealed::Sealed for Q8K {}
impl Element for Q8K {
    type Stored = BlockQ8K;
    const TYPE: u32 = SPANKER_TYPE_Q8_K;
    const NAME: &'static str = "Q8_K";
    const PER_STORED: usize = SPANKER_QK_K as usize;

    fn swap_if_big_endian(stored: BlockQ8K) -> BlockQ8K {
        stored
    }
}

/// Element types that a matrix of [`Q4K`] weights is multiplied with: [`F32`]
/// (the device quantises it), [`Q8K`] (quantised already) and [`Q4K`].
pub trait Activation: Element {}
impl Activation for F32 {}
impl Activation for Q8K {}
impl Activation for Q4K {}
