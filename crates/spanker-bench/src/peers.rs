// SPDX-License-Identifier: Apache-2.0
//! Other implementations of the same work.

pub(crate) mod ggml;
