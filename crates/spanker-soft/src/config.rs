// SPDX-License-Identifier: Apache-2.0
//! What a [`Machine`](crate::Machine) is made of.

use crate::engine::{CpuEngine, Engine};
use crate::fault::FaultPlan;
use crate::memory::page_size;
use nix::unistd::{sysconf, SysconfVar};
use spanker_sys::SPANKER_QK_K;
use std::env;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

/// The variable that [`Config::from_environment`] reads: the number of threads
/// that compute.
pub const THREADS_VARIABLE: &str = "SPANKER_SOFT_THREADS";

/// The variable that [`Config::from_environment`] reads: what is to go wrong, as
/// the text of a [`FaultPlan`].
pub const FAULTS_VARIABLE: &str = "SPANKER_SOFT_FAULTS";

/// A machine to be made: its cards, and what they compute with.
#[derive(Clone, Debug)]
pub struct Config {
    /// One entry a card; the index in here is the card's index.
    pub cards: Vec<CardConfig>,
    /// Threads that compute at a time, for all cards together; `None` is one
    /// for each processor that this process may use. A thread that waits for a
    /// batch without a deadline takes the place of one of them.
    pub threads: Option<NonZeroUsize>,
    /// What executes ops.
    pub engine: Arc<dyn Engine>,
    /// What is to go wrong.
    pub faults: FaultPlan,
}

impl Default for Config {
    /// One card with [`CardConfig::default`], a thread for each processor, the
    /// fastest engine for this CPU, no faults.
    fn default() -> Self {
        Self {
            cards: vec![CardConfig::default()],
            threads: None,
            engine: Arc::new(CpuEngine::new()),
            faults: FaultPlan::default(),
        }
    }
}

impl Config {
    /// The most threads that a machine can have.
    pub const MAX_THREADS: usize = 1024;

    /// The default, with the number of threads from `SPANKER_SOFT_THREADS` and
    /// the faults from `SPANKER_SOFT_FAULTS`, where they are set.
    ///
    /// # Errors
    /// If a variable is set to something that is not a positive number, or not a
    /// [`FaultPlan`].
    pub fn from_environment() -> io::Result<Self> {
        let threads = match env::var_os(THREADS_VARIABLE) {
            Some(text) if !text.is_empty() => {
                let number = text.to_str().and_then(|text| text.parse().ok());
                Some(number.ok_or_else(|| {
                    let text = text.to_string_lossy();
                    invalid(format!("{THREADS_VARIABLE}={text} is not a positive number"))
                })?)
            }
            _ => None,
        };
        let faults = env::var_os(FAULTS_VARIABLE).unwrap_or_default();
        let faults = faults
            .to_string_lossy()
            .parse()
            .map_err(|error| invalid(format!("{FAULTS_VARIABLE}: {error}")))?;
        Ok(Self { threads, faults, ..Self::default() })
    }

    /// # Errors
    /// If more than [`Config::MAX_THREADS`] are asked for.
    pub(crate) fn thread_count(&self) -> io::Result<usize> {
        let all = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        match self.threads.map(NonZeroUsize::get) {
            None => Ok(all().min(Self::MAX_THREADS)),
            Some(threads) if threads <= Self::MAX_THREADS => Ok(threads),
            Some(threads) => Err(invalid(format!(
                "a machine of {threads} threads cannot be made ({THREADS_VARIABLE}, or `threads` \
                 of its configuration): {} is the most",
                Self::MAX_THREADS
            ))),
        }
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// The limits of a card, as QUERY reports them.
#[derive(Clone, Debug)]
pub struct CardConfig {
    /// Bytes of card memory; buffers take whole pages of it.
    pub mem_size: u64,
    /// Bytes in one buffer; at most [`CardConfig::MAX_BUF_SIZE`].
    pub max_buf_size: u64,
    /// Ops in one batch; at most [`CardConfig::MAX_OPS`].
    pub max_ops: u32,
    /// Unretired batches of one open.
    pub max_inflight: u32,
    /// Live handles of one open; at most [`CardConfig::MAX_BUFS`].
    pub max_bufs: u32,
    /// Rows of `a`.
    pub max_m: u32,
    /// Rows of `b`.
    pub max_n: u32,
    /// Elements in a row of `a` and `b`.
    pub max_k: u32,
}

impl CardConfig {
    /// The largest buffer a software Sail can have, in bytes.
    pub const MAX_BUF_SIZE: u64 = 1 << 39;
    /// The most handles one open can have.
    pub const MAX_BUFS: u32 = (1 << 23) - 1;

    /// The most ops a batch can have: so many that an array of them, with the
    /// widest stride, still fits the address space of a small machine.
    pub const MAX_OPS: u32 = 1 << 16;

    pub(crate) fn within_bounds(mut self) -> Self {
        self.max_buf_size = self.max_buf_size.min(Self::MAX_BUF_SIZE);
        self.max_bufs = self.max_bufs.min(Self::MAX_BUFS);
        self.max_ops = self.max_ops.min(Self::MAX_OPS);
        self
    }
}

impl Default for CardConfig {
    /// As much memory as the machine has, and limits that are out of the way.
    fn default() -> Self {
        let pages = sysconf(SysconfVar::_PHYS_PAGES).ok().flatten();
        let pages = pages.and_then(|pages| u64::try_from(pages).ok()).unwrap_or(1 << 18);
        let mem_size = pages.saturating_mul(page_size());
        Self {
            mem_size,
            max_buf_size: mem_size.min(Self::MAX_BUF_SIZE),
            max_ops: 4096,
            max_inflight: 1024,
            max_bufs: 1 << 16,
            max_m: 1 << 24,
            max_n: 1 << 24,
            max_k: SPANKER_QK_K << 16,
        }
    }
}
