// SPDX-License-Identifier: Apache-2.0
//! The command line.

use crate::exit;
use clap::{Args, Parser, Subcommand};
use spanker::SailName;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Parser)]
#[command(
    name = "spanker",
    version,
    about = "See what Sails there are, and multiply int4 matrices on them",
    after_help = with_exit_codes(
        "Examples:
  spanker demo                    a layer of a language model on the software Sail
  spanker list                    the Sails there are
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight --verify

Without --sail, commands use the Sail that the environment variable SPANKER_SAIL
names, else the first card, else the software Sail, which is always there; only
demo always uses the software Sail.",
    )
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArguments),
    List(ListArguments),
    Info(InfoArguments),
    Ping(PingArguments),
    Version(VersionArguments),
    Matmul(MatmulArguments),
}

/// Run a layer of a language model on a Sail and check the result
///
/// The layer is out = x · weightsᵀ, with random weights of 4 bits (Q4_K). It goes
/// the whole way of the ABI: buffers are created and mapped, the product is
/// submitted and waited for, and the result is held against a product in f64 that
/// shares no code with the Sail. One run warms up, the others are timed, from
/// submission to completion.
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker demo
  spanker demo --sail 0           on the first card
  spanker demo --tokens 1         as when a model writes, one token at a time
  spanker demo --json | jq .gflops_best

Fields of --json: sail, card, abi, weight_rows, k, tokens, runs, weights_bytes,
make_ms, open_ms, upload_ms, warm_up_ms, best_ms, median_ms, download_ms,
reference_ms, gflops_best, gflops_median, card_busy_ms, card_ops, nmse, most_nmse,
right."
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
    pub(crate) output: JsonOption,
}

/// List the Sails there are
///
/// The software Sail is always one of them.
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker list
  spanker list --json | jq -r '.sails[].sail'

Fields of --json: driver {node, abi, problem}, sails [{sail, node, card, virtual,
memory_bytes, problem}]. What is not known is null."
))]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Show what a Sail is, its limits and its counters
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker info
  spanker info --sail soft --json | jq .limits

Fields of --json: sail, node, card, index, virtual, uuid, pci, abi, memory_bytes,
limits {buffer_bytes, buffers, ops, in_flight, m, n, k, operand_align},
products [{types, bit_exact}], counters {busy_ns, ops, batches, bytes_in,
bytes_out, faults, resets, memory_used_bytes}. pci is null where there is none."
))]
pub(crate) struct InfoArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Ask a Sail whether it is there
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker ping
  spanker ping --sail /dev/spanker0 && echo there

Fields of --json: sail, node, card, pings, best_ns, median_ns."
))]
pub(crate) struct PingArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Show versions: of this command, its library, and the Sail's ABI
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker version                 what to say in a bug report
  spanker version --sail 0

Fields of --json: command, library_abi, mirror (bindgen or committed), sail, node,
device_abi, compatible. The last four are null where there is no Sail."
))]
pub(crate) struct VersionArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Multiply activations with the weights of a model
///
/// Computes out = x · weightsᵀ: x has N rows of k activations, the tensor has rows
/// of k weights of Q4_K, out has N rows, with a column for each row of weights.
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(
    "Examples:
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight \\
      --input x.npy --output y.npy --verify
  spanker matmul --weights model.gguf --tensor blk.0.attn_output.weight \\
      --random 32 --seed 7 --sail soft --threads 1 --json

Fields of --json: sail, node, card, threads, weights, tensor, type, weight_rows, k,
input, random, seed, input_rows, output, read_ms, upload_ms, compute_ms,
download_ms, verify_ms, gflops, first (up to 8 values of the first row of out),
not_finite (how many values are NaN or infinite), nmse, verified. What was not
asked for, and numbers that are not finite, are null."
))]
pub(crate) struct MatmulArguments {
    /// The model, a GGUF file
    #[arg(long, value_name = "M.gguf")]
    pub(crate) weights: PathBuf,

    /// A tensor in it, of type Q4_K
    #[arg(long, value_name = "NAME")]
    pub(crate) tensor: String,

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
    pub(crate) json: JsonOption,
}

#[derive(Debug, Args)]
pub(crate) struct SailOption {
    /// The Sail: soft, a card's index, or the path of its node [default: SPANKER_SAIL, else
    /// the first card, else soft]
    #[arg(long = "sail", value_name = "SAIL")]
    pub(crate) name: Option<SailName>,
}

#[derive(Debug, Args)]
pub(crate) struct ThreadsOption {
    /// Threads of the software Sail [default: SPANKER_SOFT_THREADS, else one for each processor]
    #[arg(long = "threads", value_name = "T", value_parser = thread_count)]
    pub(crate) count: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct JsonOption {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn with_exit_codes(examples: &str) -> String {
    format!("{examples}\n\n{}", exit::HELP)
}

fn whole_superblocks(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(k) if k > 0 && k % 256 == 0 && k <= 1 << 16 => Ok(k),
        _ => Err("use a multiple of 256, up to 65536".to_owned()),
    }
}

fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(count) if count.get() <= 1024 => Ok(count),
        _ => Err("use a number from 1 to 1024".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommand_shows_examples_and_exit_codes() {
        let mut command = Arguments::command();
        for subcommand in command.get_subcommands_mut() {
            let help = subcommand.render_long_help().to_string();
            let name = subcommand.get_name().to_owned();
            assert!(help.contains(&format!("Examples:\n  spanker {name}")), "{help}");
            assert!(help.contains(exit::HELP), "{help}");
            assert!(help.contains("--json"), "{help}");
        }
    }
}
