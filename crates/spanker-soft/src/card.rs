// SPDX-License-Identifier: Apache-2.0
//! One card: its limits, its memory, its counters.

use crate::clock::now_ns;
use crate::config::CardConfig;
use crate::fault::Injector;
use crate::memory::{page_size, Storage};
use crate::op::Traffic;
use crate::open::Open;
use crate::scheduler::Scheduler;
use crate::sync::lock;
use nix::errno::Errno;
use spanker_sys::*;
use std::sync::{Arc, Mutex, Weak};

/// The combinations that the engine computes, all with the bits of the ABI.
pub(crate) const MATMUL_CAPS: [spanker_matmul_cap; 3] = [
    bit_exact(SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K),
    bit_exact(SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K),
    bit_exact(SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q4_K),
];

const fn bit_exact(a_type: u32, b_type: u32) -> spanker_matmul_cap {
    spanker_matmul_cap {
        a_type,
        b_type,
        out_type: SPANKER_TYPE_F32,
        flags: SPANKER_MATMUL_CAP_BIT_EXACT,
    }
}

#[derive(Debug)]
pub(crate) struct Card {
    index: u32,
    pub(crate) limits: CardConfig,
    pub(crate) scheduler: Arc<Scheduler>,
    /// What is to go wrong, if anything.
    pub(crate) faults: Option<Arc<Injector>>,
    state: Mutex<CardState>,
}

#[derive(Debug, Default)]
struct CardState {
    unplugged: bool,
    counters: spanker_telemetry,
    /// Threads that run ops now, and since when there has been one.
    running: u32,
    busy_since: u64,
    opens: Vec<Weak<Open>>,
}

impl CardState {
    fn engine_stops(&mut self) {
        self.running -= 1;
        if self.running == 0 {
            self.counters.busy_ns += now_ns().saturating_sub(self.busy_since);
        }
    }
}

/// What became of a batch that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
}

impl Card {
    pub(crate) fn new(
        index: u32,
        limits: CardConfig,
        scheduler: Arc<Scheduler>,
        faults: Option<Arc<Injector>>,
    ) -> Self {
        Self { index, limits, scheduler, faults, state: Mutex::default() }
    }

    /// Takes note of an open, to be told when the card goes.
    ///
    /// # Errors
    /// ENOENT if it is gone already.
    pub(crate) fn attach(&self, open: &Arc<Open>) -> Result<(), Errno> {
        let mut state = lock(&self.state);
        if state.unplugged {
            return Err(Errno::ENOENT);
        }
        state.opens.retain(|open| open.strong_count() > 0);
        state.opens.push(Arc::downgrade(open));
        Ok(())
    }

    pub(crate) fn unplug(&self) {
        let opens = {
            let mut state = lock(&self.state);
            state.unplugged = true;
            std::mem::take(&mut state.opens)
        };
        revoke(opens);
    }

    pub(crate) fn reset(&self) {
        let opens = {
            let mut state = lock(&self.state);
            state.counters.resets += 1;
            std::mem::take(&mut state.opens)
        };
        revoke(opens);
    }

    pub(crate) fn info(&self) -> spanker_device_info {
        let limits = &self.limits;
        let mut info = spanker_device_info {
            card_index: self.index,
            flags: SPANKER_DEVICE_VIRTUAL,
            uuid: *b"spanker-soft\0\0\0\0",
            mem_size: limits.mem_size,
            max_buf_size: limits.max_buf_size,
            max_ops: limits.max_ops,
            max_inflight: limits.max_inflight,
            max_bufs: limits.max_bufs,
            operand_align: 64,
            max_m: limits.max_m,
            max_n: limits.max_n,
            max_k: limits.max_k,
            ..Default::default()
        };
        info.uuid[12..].copy_from_slice(&self.index.to_be_bytes());
        let name = b"software Sail";
        info.name[..name.len()].copy_from_slice(name);
        info
    }

    pub(crate) fn telemetry(&self) -> spanker_telemetry {
        let state = lock(&self.state);
        let mut counters = state.counters;
        counters.time_ns = now_ns();
        if state.running > 0 {
            counters.busy_ns += counters.time_ns.saturating_sub(state.busy_since);
        }
        counters
    }

    /// A thread begins to run ops.
    pub(crate) fn engine_starts(&self) {
        let mut state = lock(&self.state);
        if state.running == 0 {
            state.busy_since = now_ns();
        }
        state.running += 1;
    }

    /// A thread that ran ops has stopped, in the middle of a batch.
    pub(crate) fn engine_stops(&self) {
        lock(&self.state).engine_stops();
    }

    /// A thread that ran ops has stopped: its batch has come to its end.
    pub(crate) fn batch_ends(&self, outcome: Outcome, ops: u64, traffic: Traffic) {
        let mut state = lock(&self.state);
        state.engine_stops();
        match outcome {
            Outcome::Succeeded => {
                state.counters.batches += 1;
                state.counters.ops += ops;
                state.counters.bytes_in += traffic.bytes_in;
                state.counters.bytes_out += traffic.bytes_out;
            }
            Outcome::Failed => state.counters.faults += 1,
            Outcome::Cancelled => {}
        }
    }

    /// Memory for a buffer of `size` bytes, in whole pages.
    ///
    /// # Errors
    /// ENOSPC if the card is full, ENOMEM if the host is.
    pub(crate) fn allocate(self: &Arc<Self>, size: u64) -> Result<Allocation, Errno> {
        let page = page_size();
        let rounded = size.checked_add(page - 1).ok_or(Errno::ENOSPC)? / page * page;
        {
            let mut state = lock(&self.state);
            let used = state.counters.mem_used;
            if rounded > self.limits.mem_size.saturating_sub(used) {
                return Err(Errno::ENOSPC);
            }
            state.counters.mem_used = used + rounded;
        }
        match Storage::new(rounded) {
            Ok(storage) => Ok(Allocation { storage, card: Arc::clone(self) }),
            Err(errno) => {
                self.give_back(rounded);
                Err(errno)
            }
        }
    }

    fn give_back(&self, bytes: u64) {
        lock(&self.state).counters.mem_used -= bytes;
    }
}

fn revoke(opens: Vec<Weak<Open>>) {
    for open in opens.iter().filter_map(Weak::upgrade) {
        open.revoke();
    }
}

/// Memory of a card, given back when dropped.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) storage: Storage,
    card: Arc<Card>,
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.card.give_back(self.storage.len());
    }
}
