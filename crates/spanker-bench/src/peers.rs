// SPDX-License-Identifier: Apache-2.0
//! Other implementations of the same work.

#[cfg(feature = "candle")]
pub(crate) mod candle;
pub(crate) mod gemm;
pub(crate) mod ggml;
