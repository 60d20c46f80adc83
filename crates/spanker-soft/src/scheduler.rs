// SPDX-License-Identifier: Apache-2.0
//! The threads that compute, and which of them does what.
//!
//! An open with work is *led* by one thread at a time, which runs its front
//! batch op by op. Opens take turns: a leader goes on to the next op only while
//! no other open waits. An op that is large enough
//! is cut into tiles, of which idle threads take some. A thread that waits for
//! a batch leads as well; then one of the others stays idle, so that never more
//! compute than were asked for.

mod crew;

use crate::engine::{Engine, Scratch, Stop};
use crate::op::Op;
use crate::open::Open;
use crate::sync::{lock, poll, Signal, POLL};
use crate::timeline::Batch;
use crate::workspace::Workspace;
pub use crew::Crew;
pub(crate) use crew::SharedOp;
use spanker_kernels::FloatEnvironment;
use std::collections::VecDeque;
use std::io;
use std::mem::take;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// The threads; they stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Scheduler {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Arc<dyn Engine>,
    threads: usize,
    ready: Mutex<Ready>,
    /// How many opens there are in `ready`, to be looked at between ops.
    waiting: AtomicUsize,
    /// How many ops have been shared, ever: threads that poll see by it that there
    /// is another.
    ops_shared: AtomicUsize,
    /// Threads that have helped and look for more of that before they sleep.
    polling: AtomicUsize,
    /// They are to look what else there is.
    called: AtomicBool,
    /// Signalled when there is something in `ready`.
    work: Signal,
    /// Panels for threads that lend themselves, as many as can at a time.
    /// Boxed, since they move in and out for each short op.
    #[allow(clippy::vec_box)]
    scratch: Mutex<Vec<Box<Scratch>>>,
}

#[derive(Debug, Default)]
struct Ready {
    /// Notes of opens with work; one whose work somebody has taken up without it
    /// is of no more use.
    opens: VecDeque<Arc<Open>>,
    shared_ops: Vec<Arc<SharedOp>>,
    /// Threads that compute now, lent ones included.
    computing: usize,
    idle: usize,
    /// One of the idle threads comes back by itself.
    napping: bool,
    /// A caller's thread has taken up noted work since a thread last looked.
    lent: bool,
    stop: bool,
}

impl Ready {
    fn has_work(&self) -> bool {
        !self.opens.is_empty() || self.shared_ops.iter().any(|op| op.wants_help())
    }

    /// Whether an open other than this one waits for its turn.
    fn others_wait(&self, open: &Arc<Open>) -> bool {
        self.opens.iter().any(|other| !Arc::ptr_eq(other, open))
    }
}

impl Scheduler {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// If one cannot be started; those that were stop again.
    pub(crate) fn start(threads: usize, engine: Arc<dyn Engine>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            engine,
            threads,
            ready: Mutex::new(Ready {
                shared_ops: Vec::with_capacity(threads),
                ..Ready::default()
            }),
            waiting: AtomicUsize::new(0),
            ops_shared: AtomicUsize::new(0),
            polling: AtomicUsize::new(0),
            called: AtomicBool::new(false),
            work: Signal::default(),
            scratch: Mutex::new((0..threads).map(|_| Box::default()).collect()),
        });
        let scheduler = Self { shared: Arc::clone(&shared) };
        for index in 0..threads {
            let shared = Arc::clone(&shared);
            let name = format!("spanker-soft-{index}");
            let scratch = Scratch::default();
            thread::Builder::new().name(name).spawn(move || shared.serve(scratch))?;
        }
        Ok(scheduler)
    }

    /// Tells the threads of an open that has work. `expected` says that a
    /// caller's thread will probably take it up itself.
    pub(crate) fn announce(&self, open: Arc<Open>, expected: bool) {
        self.shared.announce(open, expected);
    }

    /// Lets the calling thread lead the front batch of `open`, if nobody does.
    /// Returns false if as many threads compute as may, or others wait for their
    /// turn: one of the threads will do it.
    pub(crate) fn lend_thread(&self, open: &Arc<Open>) -> bool {
        let shared = &self.shared;
        let Some(noted) = shared.enter(open) else {
            return false;
        };
        let mut more = false;
        if let Some((batch, workspace)) = open.lead(noted) {
            let mut scratch = lock(&shared.scratch).pop().unwrap_or_default();
            let environment = FloatEnvironment::ieee();
            more = shared.lead(open, batch, workspace, &mut scratch);
            drop(environment);
            lock(&shared.scratch).push(scratch);
        }
        shared.leave(more.then(|| Arc::clone(open)));
        true
    }
}

/// What waking a thread costs the one that wakes it, about, in ns: it is a
/// system call, and on a virtual machine a way out of it and back.
const WAKING_NS: u64 = 5_000;

/// How late a thread may come to work that was to be taken up by who waits for
/// it: some times what waking a thread takes, and a small part of a thread's time
/// if it does nothing but nap.
const NAP: Duration = Duration::from_micros(100);

impl Drop for Scheduler {
    fn drop(&mut self) {
        // Not joined: the last open may be dropped by one of the threads.
        lock(&self.shared.ready).stop = true;
        self.shared.work.notify_all();
    }
}

/// What an idle thread finds to do.
enum Task {
    Lead(Arc<Open>),
    Join(Arc<SharedOp>),
}

impl Shared {
    fn announce(&self, open: Arc<Open>, expected: bool) {
        let mut ready = lock(&self.ready);
        self.note(&mut ready, open);
        if !(expected && (ready.napping || self.polling.load(Ordering::Relaxed) > 0)) {
            self.call(ready);
        }
    }

    /// Tells a thread that there is work: one that sleeps, or all that poll.
    fn call(&self, ready: MutexGuard<'_, Ready>) {
        self.called.store(true, Ordering::Relaxed);
        let wake = ready.idle > 0;
        drop(ready);
        if wake {
            self.work.notify_one();
        }
    }

    /// Puts an open where the next idle thread finds it.
    fn note(&self, ready: &mut Ready, open: Arc<Open>) {
        ready.opens.push_back(open);
        self.waiting.store(ready.opens.len(), Ordering::Relaxed);
    }

    /// Lets the calling thread compute for `open`, unless as many do as may or
    /// others wait for their turn. The caller must then call [`Shared::leave`].
    /// Returns whether there was a note of the open, which is used up.
    fn enter(&self, open: &Arc<Open>) -> Option<bool> {
        let mut ready = lock(&self.ready);
        // Who has waited longer goes first: this thread could otherwise take
        // its turn again and again before another one wakes up.
        if ready.computing >= self.threads || ready.others_wait(open) {
            return None;
        }
        ready.computing += 1;
        let noted = ready.opens.pop_front().is_some();
        ready.lent |= noted;
        self.waiting.store(ready.opens.len(), Ordering::Relaxed);
        Some(noted)
    }

    /// The calling thread has computed, and another may. `open` is one that has
    /// more work.
    fn leave(&self, open: Option<Arc<Open>>) {
        let mut ready = lock(&self.ready);
        ready.computing -= 1;
        if let Some(open) = open {
            self.note(&mut ready, open);
        }
        if ready.has_work() {
            self.call(ready);
        }
    }

    /// The life of a thread.
    fn serve(&self, mut scratch: Scratch) {
        let _environment = FloatEnvironment::ieee();
        let mut ready = lock(&self.ready);
        // Until when this thread is rather awake than asleep: it has helped, and may again.
        let mut awake_until = None;
        while !ready.stop {
            let Some(task) = self.next_task(&mut ready) else {
                ready = match awake_until.filter(|end| *end > Instant::now()) {
                    Some(end) => self.poll(ready, end),
                    None => self.idle(ready),
                };
                continue;
            };
            ready.computing += 1;
            // Of what came while a thread napped or polled, nobody was told.
            if !ready.opens.is_empty() && ready.computing < self.threads {
                self.call(ready);
            } else {
                drop(ready);
            }
            let again = match task {
                Task::Lead(open) => {
                    let led = open.lead(true);
                    let more = led.is_some_and(|(batch, workspace)| {
                        self.lead(&open, batch, workspace, &mut scratch)
                    });
                    more.then_some(open)
                }
                Task::Join(op) => {
                    op.help(&mut scratch, |open| self.others_wait(open));
                    awake_until = Some(Instant::now() + POLL);
                    None
                }
            };
            ready = lock(&self.ready);
            ready.computing -= 1;
            if let Some(open) = again {
                self.note(&mut ready, open);
            }
        }
    }

    /// Looks until `end` whether there is another op to help with, rather than
    /// sleep and be woken for it.
    fn poll<'a>(&'a self, ready: MutexGuard<'a, Ready>, end: Instant) -> MutexGuard<'a, Ready> {
        self.polling.fetch_add(1, Ordering::Relaxed);
        self.called.store(false, Ordering::Relaxed);
        // Of those in `ready`, none is for this thread.
        let seen = self.ops_shared.load(Ordering::Relaxed);
        drop(ready);
        poll(end, || {
            self.ops_shared.load(Ordering::Relaxed) != seen || self.called.load(Ordering::Relaxed)
        });
        let ready = lock(&self.ready);
        self.polling.fetch_sub(1, Ordering::Relaxed);
        ready
    }

    /// Sleeps until there may be something to do. If a caller's thread has taken
    /// up the work that this one was woken for, the next caller may do so, too:
    /// then this is a nap, during which such callers need not wake it.
    fn idle<'a>(&self, mut ready: MutexGuard<'a, Ready>) -> MutexGuard<'a, Ready> {
        ready.idle += 1;
        let naps = take(&mut ready.lent) && !ready.napping;
        if naps {
            ready.napping = true;
            ready = self.work.wait_timeout(ready, NAP);
            ready.napping = false;
        } else {
            ready = self.work.wait(ready);
        }
        ready.idle -= 1;
        ready
    }

    /// Takes what is to be done first, if one more thread may compute.
    fn next_task(&self, ready: &mut Ready) -> Option<Task> {
        if ready.computing >= self.threads {
            return None;
        }
        if let Some(open) = ready.opens.pop_front() {
            self.waiting.store(ready.opens.len(), Ordering::Relaxed);
            return Some(Task::Lead(open));
        }
        let op = ready.shared_ops.iter().find(|op| op.wants_help())?;
        op.join();
        Some(Task::Join(Arc::clone(op)))
    }

    /// Runs a batch that [`Open::lead`] gave: to its end, or until another open
    /// waits for its turn. Returns whether there is more to do, of which nobody
    /// else will tell.
    fn lead(
        &self,
        open: &Arc<Open>,
        mut batch: Batch,
        mut workspace: Workspace,
        scratch: &mut Scratch,
    ) -> bool {
        open.card.engine_starts();
        let mut failed = None;
        while let Some(op) = batch.next_op() {
            if self.run(open, op, batch.threads, scratch, &mut workspace).is_err() {
                failed = Some(op.index());
                break;
            }
            batch.op_is_done();
            if batch.next_op().is_some() && self.others_wait(open) {
                return open.postpone(batch, workspace);
            }
        }
        open.retire(batch, workspace, failed)
    }

    fn others_wait(&self, open: &Arc<Open>) -> bool {
        // A note that is missed now is seen after the next op.
        self.waiting.load(Ordering::Relaxed) > 0 && lock(&self.ready).others_wait(open)
    }

    fn run(
        &self,
        open: &Arc<Open>,
        op: &Op,
        threads: usize,
        scratch: &mut Scratch,
        workspace: &mut Workspace,
    ) -> Result<(), Stop> {
        if open.is_stopping() {
            return Err(Stop::Cancelled);
        }
        if let Some(faults) = &open.card.faults {
            faults.before_op(open, op)?;
        }
        let threads = threads.min(self.threads);
        let expected_ns = u64::MAX;
        let mut crew = Crew { shared: self, open, threads, scratch, workspace, expected_ns };
        // An engine that panics has failed at this op; the device lives on.
        match catch_unwind(AssertUnwindSafe(|| self.engine.run(op, &mut crew))) {
            Ok(result) => result,
            Err(payload) => {
                // Dropping it could panic again, where nothing catches it.
                std::mem::forget(payload);
                Err(Stop::Failed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Card;
    use crate::config::CardConfig;
    use crate::engine::CpuEngine;
    use std::time::Instant;

    #[test]
    fn work_that_comes_during_a_nap_is_found() {
        let scheduler = Arc::new(Scheduler::start(1, Arc::new(CpuEngine::new())).unwrap());
        let shared = &scheduler.shared;
        let card = Card::new(0, CardConfig::default(), Arc::clone(&scheduler), None);
        let open = Open::new(Arc::new(card)).unwrap();
        let mut ready = lock(&shared.ready);
        while !ready.napping {
            ready.lent = true;
            drop(ready);
            shared.work.notify_one();
            thread::yield_now();
            ready = lock(&shared.ready);
        }
        shared.note(&mut ready, open);
        let begin = Instant::now();
        while !ready.opens.is_empty() {
            drop(ready);
            assert!(begin.elapsed() < Duration::from_secs(20), "the thread still naps");
            thread::yield_now();
            ready = lock(&shared.ready);
        }
    }
}
