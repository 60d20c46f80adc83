// SPDX-License-Identifier: Apache-2.0
//! The threads at an op, and what they share while they are at it.

use super::{Shared, WAKING_NS};
use crate::engine::{Scratch, Stop, Tiles};
use crate::open::Open;
use crate::spare::{emptied, refilled};
use crate::sync::{lock, poll, Signal, POLL};
use crate::workspace::Workspace;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The threads at an op: the one that leads, and whoever is idle.
pub struct Crew<'a> {
    pub(super) shared: &'a Shared,
    pub(super) open: &'a Arc<Open>,
    /// How many may be at it.
    pub(super) threads: usize,
    pub(super) scratch: &'a mut Scratch,
    pub(super) workspace: &'a mut Workspace,
    /// How long the op takes one thread, about.
    pub(super) expected_ns: u64,
}

/// How long an op has to take for each thread that is woken for it, in ns: that
/// costs the leader a third of this, and comes as much later or more. But then
/// it is awake for the next op.
const HELPER_NS: u64 = 3 * WAKING_NS;

/// The same for one that is awake.
const AWAKE_HELPER_NS: u64 = 3_000;

impl std::fmt::Debug for Crew<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

impl Crew<'_> {
    /// How many threads there are at most.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the op should stop now: nobody wants the result any more.
    pub fn is_cancelled(&self) -> bool {
        self.open.is_stopping()
    }

    /// Takes note of how long the op takes one thread, about, in ns: a short one
    /// is not worth the waking of others.
    pub(crate) fn expect(&mut self, ns: u64) {
        self.expected_ns = ns;
    }

    /// What is kept from op to op.
    pub(crate) fn workspace(&mut self) -> &mut Workspace {
        self.workspace
    }

    /// Runs all of `tiles`, in any order and several at a time, and comes back
    /// when none is running and no other thread holds them. Looks for
    /// cancellation before each.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] if not all were run, [`Stop::Failed`] if one
    /// panicked.
    pub(crate) fn run(&mut self, tiles: Arc<dyn Tiles>) -> Result<(), Stop> {
        let helpers = self.worth().min(tiles.count()) - 1;
        if helpers == 0 {
            return self.run_alone(&*tiles);
        }
        let work = SharedWork { open: Arc::clone(self.open), tiles, helpers: self.threads - 1 };
        let op = refilled(self.workspace.shared_op.take(), |op: &mut SharedOp| op.begin(work));
        let mut ready = lock(&self.shared.ready);
        ready.shared_ops.push(Arc::clone(&op));
        self.shared.ops_shared.fetch_add(1, Ordering::Relaxed);
        let polling = self.shared.polling.load(Ordering::Relaxed);
        let wake = helpers.saturating_sub(polling).min(ready.idle);
        drop(ready);
        (0..wake).for_each(|_| self.shared.work.notify_one());
        op.run_tiles(self.scratch, |_| false);
        let mut ready = lock(&self.shared.ready);
        ready.shared_ops.retain(|other| !Arc::ptr_eq(other, &op));
        drop(ready);
        op.helpers.wait_until_all_have_left();
        let failed = op.failed.load(Ordering::Acquire);
        let all_run = op.next.load(Ordering::Relaxed) >= op.count;
        self.workspace.shared_op = emptied(op, SharedOp::end);
        if failed {
            return Err(Stop::Failed);
        }
        if !all_run || self.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// How many threads the op is worth: the leader, and those to wake.
    pub(crate) fn worth(&self) -> usize {
        let worth = |ns| usize::try_from(self.expected_ns / ns).unwrap_or(usize::MAX);
        let awake = self.shared.polling.load(Ordering::Relaxed).min(worth(AWAKE_HELPER_NS));
        1 + awake.max(worth(HELPER_NS)).min(self.threads - 1)
    }

    /// Runs all of `tiles` on this thread, with nothing in between. One that
    /// panics takes the op with it.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] if not all were run.
    pub(crate) fn run_alone(&mut self, tiles: &dyn Tiles) -> Result<(), Stop> {
        for tile in 0..tiles.count() {
            if self.open.is_stopping() {
                return Err(Stop::Cancelled);
            }
            tiles.run(tile, self.scratch);
        }
        if self.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }
}

/// An op that several threads compute; a spare one has no tiles.
#[derive(Default)]
pub(crate) struct SharedOp {
    work: Option<SharedWork>,
    count: usize,
    next: AtomicUsize,
    failed: AtomicBool,
    helpers: Arc<Helpers>,
}

struct SharedWork {
    open: Arc<Open>,
    tiles: Arc<dyn Tiles>,
    /// How many may help at a time.
    helpers: usize,
}

/// The threads other than the leader that are at an op.
#[derive(Default)]
struct Helpers {
    count: Mutex<usize>,
    left: Signal,
}

impl Helpers {
    fn leave(&self) {
        *lock(&self.count) -= 1;
        self.left.notify_one();
    }

    fn wait_until_all_have_left(&self) {
        if poll(Instant::now() + POLL, || *lock(&self.count) == 0) {
            return;
        }
        let mut count = lock(&self.count);
        while *count > 0 {
            count = self.left.wait(count);
        }
    }
}

impl std::fmt::Debug for SharedOp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedOp").field("count", &self.count).finish_non_exhaustive()
    }
}

impl SharedOp {
    fn begin(&mut self, work: SharedWork) {
        self.count = work.tiles.count();
        self.work = Some(work);
        *self.next.get_mut() = 0;
        *self.failed.get_mut() = false;
    }

    /// Lets go of what it held.
    fn end(&mut self) {
        self.count = 0;
        self.work = None;
    }

    /// Whether one more thread may help, and finds something to do.
    pub(super) fn wants_help(&self) -> bool {
        let most = self.work.as_ref().map_or(0, |work| work.helpers);
        self.next.load(Ordering::Relaxed) < self.count && *lock(&self.helpers.count) < most
    }

    /// Takes tiles until there is none left, the open is ending, or the thread
    /// is wanted elsewhere.
    fn run_tiles(&self, scratch: &mut Scratch, is_wanted: impl Fn(&Arc<Open>) -> bool) {
        let Some(SharedWork { open, tiles, .. }) = &self.work else {
            return;
        };
        while !open.is_stopping() && !is_wanted(open) {
            let tile = self.next.fetch_add(1, Ordering::Relaxed);
            if tile >= self.count {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| tiles.run(tile, scratch)));
            if let Err(payload) = result {
                // Dropping it could panic again, where nothing catches it.
                std::mem::forget(payload);
                self.failed.store(true, Ordering::Release);
            }
        }
    }

    /// One more thread is at it.
    pub(super) fn join(&self) {
        *lock(&self.helpers.count) += 1;
    }

    /// Helps until there is nothing to do, or the thread is wanted elsewhere.
    pub(super) fn help(
        self: Arc<Self>,
        scratch: &mut Scratch,
        is_wanted: impl Fn(&Arc<Open>) -> bool,
    ) {
        self.run_tiles(scratch, is_wanted);
        let helpers = Arc::clone(&self.helpers);
        // What the op holds is let go before its leader may retire it.
        drop(self);
        helpers.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scheduler;
    use super::*;
    use crate::card::Card;
    use crate::config::CardConfig;
    use crate::engine::CpuEngine;
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    /// Tiles that look whether other threads could find them.
    struct Seen {
        shared: Arc<Shared>,
        findable: AtomicBool,
    }

    impl Tiles for Seen {
        fn count(&self) -> usize {
            2
        }

        fn run(&self, _tile: usize, _scratch: &mut Scratch) {
            if !lock(&self.shared.ready).shared_ops.is_empty() {
                self.findable.store(true, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn only_an_op_that_is_worth_it_is_shared() {
        let scheduler = Arc::new(Scheduler::start(2, Arc::new(CpuEngine::new())).unwrap());
        let shared = &scheduler.shared;
        let card = Card::new(0, CardConfig::default(), Arc::clone(&scheduler), None);
        let open = Open::new(Arc::new(card)).unwrap();
        let (mut scratch, mut workspace) = (Scratch::default(), Workspace::default());
        for (threads, awake, expected_ns, worth) in [
            (2, 0, 0, false),
            (2, 0, HELPER_NS - 1, false),
            (2, 0, HELPER_NS, true),
            (2, 1, AWAKE_HELPER_NS - 1, false),
            (2, 1, AWAKE_HELPER_NS, true),
            (1, 0, u64::MAX, false),
            (1, 1, u64::MAX, false),
        ] {
            shared.polling.store(awake, Ordering::Relaxed);
            let mut crew = Crew {
                shared,
                open: &open,
                threads,
                scratch: &mut scratch,
                workspace: &mut workspace,
                expected_ns: u64::MAX,
            };
            crew.expect(expected_ns);
            let seen = Arc::new(Seen { shared: Arc::clone(shared), findable: false.into() });
            crew.run(Arc::clone(&seen) as _).unwrap();
            let found = seen.findable.load(Ordering::Relaxed);
            assert_eq!(found, worth, "{threads} threads, {expected_ns} ns, {awake} awake");
        }
    }

    #[test]
    fn no_more_help_than_may() {
        let scheduler = Arc::new(Scheduler::start(1, Arc::new(CpuEngine::new())).unwrap());
        let shared = &scheduler.shared;
        let card = Card::new(0, CardConfig::default(), Arc::clone(&scheduler), None);
        let open = Open::new(Arc::new(card)).unwrap();
        let tiles = Arc::new(Seen { shared: Arc::clone(shared), findable: false.into() });
        for helpers in 0..3 {
            let mut op = SharedOp::default();
            let (open, tiles) = (Arc::clone(&open), Arc::clone(&tiles));
            op.begin(SharedWork { open, tiles, helpers });
            let op = Arc::new(op);
            for _ in 0..helpers {
                assert!(op.wants_help());
                op.join();
            }
            assert!(!op.wants_help(), "{helpers} help");
            if helpers > 0 {
                // One leaves at once, since it is wanted elsewhere.
                Arc::clone(&op).help(&mut Scratch::default(), |_| true);
                assert!(op.wants_help());
            }
        }
    }

    /// Tiles that two threads run at the same time.
    struct Together(Barrier);

    impl Tiles for Together {
        fn count(&self) -> usize {
            2
        }

        fn run(&self, _tile: usize, _scratch: &mut Scratch) {
            self.0.wait();
        }
    }

    #[test]
    fn who_has_helped_looks_for_the_next_op_before_it_sleeps() {
        let scheduler = Arc::new(Scheduler::start(2, Arc::new(CpuEngine::new())).unwrap());
        let shared = &scheduler.shared;
        let card = Card::new(0, CardConfig::default(), Arc::clone(&scheduler), None);
        let open = Open::new(Arc::new(card)).unwrap();
        let (mut scratch, mut workspace) = (Scratch::default(), Workspace::default());
        let begin = Instant::now();
        let is_late = || begin.elapsed() > Duration::from_secs(20);
        let is_looking = || shared.polling.load(Ordering::Relaxed) > 0;
        // It looks for a moment, which this thread may sleep through.
        while !is_looking() {
            assert!(!is_late(), "nobody who has helped was seen awake");
            let mut crew = Crew {
                shared,
                open: &open,
                threads: 2,
                scratch: &mut scratch,
                workspace: &mut workspace,
                expected_ns: u64::MAX,
            };
            crew.run(Arc::new(Together(Barrier::new(2)))).unwrap();
            poll(Instant::now() + POLL, is_looking);
        }
        while is_looking() || lock(&shared.ready).idle < 2 {
            assert!(!is_late(), "somebody does not sleep although there is nothing to do");
            thread::yield_now();
        }
    }
}
