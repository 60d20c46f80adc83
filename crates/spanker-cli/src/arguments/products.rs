// SPDX-License-Identifier: Apache-2.0
//! The command lines of `demo` and `matmul`.

use super::options::{JsonOption, RecordOption, SailOption, TensorOptions, ThreadsOption};
use super::sections;
use clap::Args;
use spanker::SailName;
use std::path::PathBuf;

/// Run a layer of a language model on a Sail and check the result
///
/// The layer is out = x · weightsᵀ, with random weights of 4 bits (Q4_K). It goes
/// the whole way of the ABI: buffers are created and mapped, the product is
/// submitted and waited for, and the result is held against a product in f64 that
/// shares no code with the Sail. One run warms up, the others are timed, from
/// submission to completion.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker demo
  spanker demo --sail 0           on the first card
  spanker demo --tokens 1         as when a model writes, one token at a time
  spanker demo --record work.jsonl && spanker replay work.jsonl --sail 0
  spanker demo --json | jq .gflops_best

Fields of --json: sail, card, abi, weight_rows, k, tokens, runs, weights_bytes,
make_ms, open_ms, upload_ms, warm_up_ms, best_ms, median_ms, download_ms,
reference_ms, gflops_best, gflops_median, card_busy_ms, card_ops, nmse, most_nmse,
right, record (null where none was asked for)."
))]
pub(crate) struct DemoArguments {
    /// The Sail: soft, a card's index, or the path of its node
    #[arg(long, value_name = "SAIL", default_value = "soft")]
    pub(crate) sail: SailName,

    #[command(flatten)]
    pub(crate) threads: ThreadsOption,

    /// Rows of weights: outputs of the layer; at least 64, so that an NMSE means something
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..=65536))]
    pub(crate) rows: u32,

    /// Weights in a row, a multiple of 256: inputs of the layer
    #[arg(long, value_name = "K", default_value_t = 4096, value_parser = whole_superblocks)]
    pub(crate) k: u32,

    /// Rows of activations
    #[arg(long, value_name = "M", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) tokens: u32,

    /// Runs that are timed
    #[arg(long, value_name = "R", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) runs: u32,

    #[command(flatten)]
    pub(crate) record: RecordOption,

    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Multiply activations with the weights of a model
///
/// Computes out = x · weightsᵀ: x has N rows of k activations, the tensor has rows
/// of k weights of Q4_K, out has N rows, with a column for each row of weights.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight \\
      --input x.npy --output y.npy --verify
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight \\
      --random 32 --seed 7 --sail soft --threads 1 --json

Fields of --json: sail, node, card, threads, weights, tensor, type, weight_rows, k,
input, random, seed, input_rows, output, read_ms, upload_ms, compute_ms,
download_ms, verify_ms, gflops, first (up to 8 values of the first row of out),
not_finite (how many values are NaN or infinite), nmse, verified, record. What was
not asked for, and numbers that are not finite, are null."
))]
pub(crate) struct MatmulArguments {
    #[command(flatten)]
    pub(crate) model: TensorOptions,

    /// The activations: an array of float32, N×k
    #[arg(long, value_name = "X.npy", conflicts_with_all = ["random", "seed"])]
    pub(crate) input: Option<PathBuf>,

    /// N rows of random activations instead [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) random: Option<u32>,

    /// What the random activations follow from
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Where the results go: an array of float32, N×rows
    #[arg(long, value_name = "Y.npy")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sail: SailOption,

    #[command(flatten)]
    pub(crate) threads: ThreadsOption,

    /// Hold the results against a product in f64; exit code 1 if they differ
    #[arg(long)]
    pub(crate) verify: bool,

    #[command(flatten)]
    pub(crate) record: RecordOption,

    #[command(flatten)]
    pub(crate) json: JsonOption,
}

fn whole_superblocks(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(k) if k > 0 && k % 256 == 0 && k <= 1 << 16 => Ok(k),
        _ => Err("use a multiple of 256, up to 65536".to_owned()),
    }
}
