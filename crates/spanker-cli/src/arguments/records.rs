// SPDX-License-Identifier: Apache-2.0
//! The command line of `replay`.

use super::options::{JsonOption, SailOption, ThreadsOption};
use super::sections;
use clap::Args;
use std::path::PathBuf;

/// Run again what was recorded, and compare the results bit for bit
///
/// A record is what `--record` of demo and matmul writes, or `spanker::Recorder` in
/// a program. Its batches run in their order, with the operands that they had, on
/// any Sail. Requests that failed then are left out, and so are those that only
/// ask. The exit code is 1 if any result has other bits than the record.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker replay work.jsonl
  spanker replay work.jsonl --sail soft --threads 1
  zstd -dc work.jsonl.zst | spanker replay - --json | jq .same
  spanker demo --record work.jsonl && spanker replay work.jsonl --sail 0

Fields of --json: sail, node, card, threads, record, batches, ops, results,
compared_bytes, recorded_ms, replayed_ms, complete, same, differences [{line,
seqno, handle, offset_bytes, differing_bytes}]. recorded_ms and replayed_ms are those of
submissions and waits."
))]
pub(crate) struct ReplayArguments {
    /// The record; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) record: PathBuf,

    #[command(flatten)]
    pub(crate) sail: SailOption,

    #[command(flatten)]
    pub(crate) threads: ThreadsOption,

    #[command(flatten)]
    pub(crate) json: JsonOption,
}
