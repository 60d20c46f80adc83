// SPDX-License-Identifier: Apache-2.0
//! The command lines of what looks into models.

use super::options::{JsonOption, TensorOptions};
use super::sections;
use clap::Args;
use std::path::PathBuf;

/// List the tensors of a model, and which of them a Sail multiplies
///
/// Reads the header only, so it is as quick for a large model as for a small one.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker tensors model.gguf
  spanker tensors model.gguf | grep ^yes
  spanker tensors model.gguf --json | jq -r '.tensors[] | select(.usable) | .name'

Fields of --json: weights, usable (how many are), tensors [{name, type, shape,
bytes, usable, problem}]. shape has k, the contiguous dimension, last; bytes and
problem are null where there is nothing to say."
))]
pub(crate) struct TensorsArguments {
    /// The model, a GGUF file
    #[arg(value_name = "M.gguf")]
    pub(crate) weights: PathBuf,

    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Write the weights of one tensor to a file
///
/// It is what a program uploads. The file has the blocks of Q4_K as they stand in the model, and nothing else:
/// rows · k/256 · 144 bytes. It appears whole or not at all.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker extract --weights model.gguf --tensor blk.0.attn_output.weight \\
      --output weights.q4_k

Fields of --json: weights, tensor, type, weight_rows, k, bytes, output."
))]
pub(crate) struct ExtractArguments {
    #[command(flatten)]
    pub(crate) model: TensorOptions,

    /// Where the weights go
    #[arg(long, value_name = "W.q4_k")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) json: JsonOption,
}
