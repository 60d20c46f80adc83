// SPDX-License-Identifier: Apache-2.0
//! Options that several commands take.

use clap::Args;
use spanker::SailName;
use std::num::NonZeroUsize;
use std::path::PathBuf;

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

#[derive(Debug, Args)]
pub(crate) struct RecordOption {
    /// Write down all requests to the Sail, operands and results in full, for `spanker replay`:
    /// a little over twice their size. The times shown then include the writing; a command that
    /// is interrupted leaves .spanker-PID.unfinished in the file's place
    #[arg(long = "record", value_name = "R.jsonl")]
    pub(crate) path: Option<PathBuf>,
}

/// One tensor of a model.
#[derive(Debug, Args)]
pub(crate) struct TensorOptions {
    /// The model, a GGUF file
    #[arg(long, value_name = "M.gguf")]
    pub(crate) weights: PathBuf,

    /// A tensor in it, of type Q4_K; `spanker tensors` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) tensor: String,
}

fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(count) if count.get() <= 1024 => Ok(count),
        _ => Err("use a number from 1 to 1024".to_owned()),
    }
}
