// SPDX-License-Identifier: Apache-2.0
//! Keeps an open busy. Batches of an open retire in order, so whatever is
//! submitted after a long batch stays unretired until that one has gone, or
//! until the open is closed, which ends it at once.

use std::time::{Duration, Instant};

use nix::time::{clock_gettime, ClockId};
use spanker_sys::spanker_op;

use crate::case::Context;
use crate::open::Open;
use crate::ops::{any_a_type, valid_matmul_of};

/// Now on CLOCK_MONOTONIC, in ns.
pub fn now_ns() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC");
    Duration::from(now).as_nanos() as i64
}

/// Submits a batch that takes far longer than a case: the largest that limits
/// and some megabytes of memory allow. It uses three buffers. Its seqno.
#[track_caller]
pub fn submit_endless(open: &Open) -> u64 {
    open.submit(&endless(open))
}

/// The ops of a batch that takes far longer than a case.
#[track_caller]
pub fn endless(open: &Open) -> Vec<spanker_op> {
    let limits = open.device_info();
    let shape = (
        at_most(512, limits.max_m),
        at_most(512, limits.max_n),
        at_most(8192, limits.max_k) / 256 * 256,
    );
    let valid = valid_matmul_of(open, any_a_type(open), shape);
    vec![valid.op; limits.max_ops as usize]
}

/// The ops of a batch that takes far longer than a case, while none of them
/// does: they are of the size that takes an idle card some hundredths of a
/// second, or of the largest of [`endless`]. Buffers are made on every open.
#[track_caller]
pub fn endless_of_short_ops(context: &Context, opens: &[Open]) -> Vec<Vec<spanker_op>> {
    let quiet = Quiet::now(context);
    let shape = short_shape(context.card());
    quiet.wait();
    let ops = |open: &Open| {
        let count = open.device_info().max_ops as usize;
        vec![valid_matmul_of(open, any_a_type(open), shape).op; count]
    };
    opens.iter().map(ops).collect()
}

/// m, n and k of an op that takes a while, and not long.
#[track_caller]
fn short_shape(trial: Open) -> (usize, usize, usize) {
    let limits = trial.device_info();
    let mut shape = (0, 0, 0);
    for doublings in 0..=15 {
        // One of the three after the other, so that the op before was half as
        // long.
        let times = |at: u32| 1 << ((doublings + at) / 3);
        shape = (
            at_most(16 * times(2), limits.max_m),
            at_most(16 * times(1), limits.max_n),
            at_most(256 * times(0), limits.max_k) / 256 * 256,
        );
        let valid = valid_matmul_of(&trial, any_a_type(&trial), shape);
        let start = Instant::now();
        trial.run(&[valid.op]);
        if start.elapsed() > Duration::from_millis(20) {
            break;
        }
        for buffer in [valid.a, valid.b, valid.out] {
            trial.destroy(&buffer);
        }
    }
    shape
}

/// Panics unless a batch is still unretired, which is what the observations
/// before depended on.
#[track_caller]
pub fn assert_unretired(open: &Open, seqno: u64) {
    assert!(
        open.context_info().completed < seqno,
        "batch {seqno} should have outlasted the case: the device is too fast for it",
    );
}

/// Looks at an open while its first batch runs, which takes a while and then
/// retires. `look` is given the open and that batch's seqno; what it returns
/// counts only if the batch had not retired when it returned, and else it is
/// asked again on an open that takes longer.
#[track_caller]
pub fn while_running<T>(context: &Context, mut look: impl FnMut(&Open, u64) -> T) -> (Open, T) {
    let mut duration = Duration::from_millis(100);
    for _ in 0..6 {
        let load = Load::lasting(context, duration);
        let quiet = Quiet::now(context);
        let open = context.card();
        let seqno = open.submit(&load.ops(&open));
        let seen = look(&open, seqno);
        if open.context_info().completed < seqno {
            return (open, seen);
        }
        drop((open, seen));
        quiet.wait();
        duration *= 2;
    }
    panic!("no batch was long enough to look at it while it ran");
}

/// A batch of a known duration.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    shape: (usize, usize, usize),
    count: usize,
}

impl Load {
    /// A load that takes about so long on an idle card, or as long as its limits
    /// allow. An open is used to find out, and has ended.
    #[track_caller]
    pub fn lasting(context: &Context, duration: Duration) -> Load {
        let quiet = Quiet::now(context);
        let load = Load::tried_on(context.card(), duration);
        quiet.wait();
        load
    }

    #[track_caller]
    fn tried_on(trial: Open, duration: Duration) -> Load {
        let limits = trial.device_info();
        let (m, n) = (at_most(64, limits.max_m), at_most(64, limits.max_n));
        let mut k = 256;
        loop {
            let valid = valid_matmul_of(&trial, any_a_type(&trial), (m, n, k));
            let start = Instant::now();
            trial.run(&[valid.op]);
            let took = start.elapsed();
            if took > duration / 50 || k * 2 > at_most(16384, limits.max_k) {
                let count = (duration.as_nanos() / took.as_nanos().max(1)) as usize;
                return Load { shape: (m, n, k), count: count.clamp(1, limits.max_ops as usize) };
            }
            for buffer in [valid.a, valid.b, valid.out] {
                trial.destroy(&buffer);
            }
            k *= 2;
        }
    }

    /// How many ops it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The ops of the load, on three buffers of `open`.
    #[track_caller]
    pub fn ops(&self, open: &Open) -> Vec<spanker_op> {
        vec![valid_matmul_of(open, any_a_type(open), self.shape).op; self.count]
    }
}

/// The card before something was opened, for when that has ended: close does not
/// wait for all of it.
struct Quiet {
    watcher: Open,
    mem_used: u64,
}

impl Quiet {
    #[track_caller]
    fn now(context: &Context) -> Quiet {
        let watcher = context.card();
        let mem_used = watcher.telemetry().mem_used;
        Quiet { watcher, mem_used }
    }

    #[track_caller]
    fn wait(&self) {
        eventually("an open that was closed has ended", || {
            self.watcher.telemetry().mem_used <= self.mem_used
        });
    }
}

/// Waits until a condition holds that comes about by itself.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "{what}: still not so after 20 s");
        std::thread::yield_now();
    }
}

fn at_most(wish: usize, limit: u32) -> usize {
    wish.min(limit as usize)
}
