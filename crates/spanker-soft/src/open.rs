// SPDX-License-Identifier: Apache-2.0
//! One open of a card: a namespace of handles and a timeline.

use crate::buffer::Handles;
use crate::card::{Card, Outcome};
use crate::clock::now_ns;
use crate::event::Event;
use crate::op::{Op, Traffic};
use crate::request::Staging;
use crate::sync::{lock, Signal};
use crate::timeline::{Batch, Fault, Timeline};
use crate::workspace::Workspace;
use nix::errno::Errno;
use spanker_sys::{spanker_context_info, SPANKER_DEADLINE_NEVER, SPANKER_FAULT_ENGINE};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What poll reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollBits {
    /// `read` would not block.
    pub readable: bool,
    /// A batch would find room.
    pub writable: bool,
    /// The open is faulted.
    pub error: bool,
    /// Requests answer ENODEV.
    pub hangup: bool,
}

#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) card: Arc<Card>,
    pub(crate) handles: Mutex<Handles>,
    /// Who submits holds it until the batch is queued.
    pub(crate) staging: Mutex<Staging>,
    /// How many threads may compute a batch that is queued now.
    thread_limit: AtomicUsize,
    /// Who submits waits then, and computes: of a batch, nobody is told.
    waited_for: AtomicBool,
    timeline: Mutex<Timeline>,
    /// Signalled whenever the timeline changes in a way that someone may wait
    /// for.
    changed: Signal,
    /// The running op stops at its next tile: the open has ended or its card
    /// is gone.
    stopping: AtomicBool,
    /// The descriptor for event loops, and whether one has asked for it.
    event: Event,
    event_wanted: AtomicBool,
}

impl Open {
    /// # Errors
    /// ENOENT if the card is gone, EMFILE or ENFILE if there is no descriptor.
    pub(crate) fn new(card: Arc<Card>) -> Result<Arc<Self>, Errno> {
        let timeline = Timeline::with_room(card.limits.max_inflight);
        let open = Arc::new(Self {
            card,
            handles: Mutex::default(),
            staging: Mutex::default(),
            thread_limit: AtomicUsize::new(usize::MAX),
            waited_for: AtomicBool::new(false),
            timeline: Mutex::new(timeline),
            changed: Signal::default(),
            stopping: AtomicBool::new(false),
            event: Event::new()?,
            event_wanted: AtomicBool::new(false),
        });
        open.card.attach(&open)?;
        Ok(open)
    }

    /// # Errors
    /// ENODEV if the card is gone or was reset.
    pub(crate) fn check_alive(&self) -> Result<(), Errno> {
        if self.is_stopping() {
            return Err(Errno::ENODEV);
        }
        Ok(())
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The card is gone or was reset: every request answers ENODEV.
    pub(crate) fn revoke(&self) {
        let dropped = {
            let mut timeline = lock(&self.timeline);
            timeline.revoked = true;
            // Whoever sees the one under the lock sees the other.
            self.stopping.store(true, Ordering::Relaxed);
            std::mem::take(&mut timeline.queue)
        };
        drop(dropped);
        self.announce_change();
    }

    /// The last descriptor and the last mapping are gone.
    pub(crate) fn end(&self) {
        self.revoke();
        lock(&self.handles).clear();
    }

    /// Of batches that are queued from now on, so many threads compute each at a
    /// time, at most.
    pub(crate) fn limit_threads(&self, threads: usize) {
        self.thread_limit.store(threads, Ordering::Relaxed);
    }

    /// Batches that are queued from now on begin when somebody waits.
    pub(crate) fn compute_when_waited_for(&self, promised: bool) {
        self.waited_for.store(promised, Ordering::Relaxed);
    }

    fn announce_change(&self) {
        self.changed.notify_all();
        self.announce_event();
    }

    fn announce_event(&self) {
        if self.event_wanted.load(Ordering::Acquire) {
            self.event.announce();
        }
    }

    pub(crate) fn context(&self) -> spanker_context_info {
        let timeline = lock(&self.timeline);
        let fault = timeline.fault;
        spanker_context_info {
            submitted: timeline.submitted,
            completed: timeline.completed,
            fault_seqno: fault.map_or(0, |fault| fault.seqno),
            fault_op: fault.map_or(0, |fault| fault.op),
            fault_code: fault.map_or(0, |_| SPANKER_FAULT_ENGINE),
        }
    }

    /// Queues the ops of `batch`, which is empty then. `publish` gets its seqno
    /// before anybody else can know of it; when it fails, nothing was queued.
    ///
    /// # Errors
    /// ENODEV, EIO if the open is faulted, EAGAIN if the queue is full, or what
    /// `publish` says.
    pub(crate) fn queue(
        self: &Arc<Self>,
        batch: &mut Vec<Op>,
        publish: impl FnOnce(u64) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let mut timeline = lock(&self.timeline);
        if timeline.revoked {
            return Err(Errno::ENODEV);
        }
        if timeline.fault.is_some() {
            return Err(Errno::EIO);
        }
        if timeline.in_flight() >= u64::from(self.card.limits.max_inflight) {
            return Err(Errno::EAGAIN);
        }
        let seqno = timeline.submitted + 1;
        publish(seqno)?;
        timeline.submitted = seqno;
        batch.iter_mut().for_each(|op| op.seqno = seqno);
        let ops = std::mem::replace(batch, timeline.spare_batch());
        let threads = self.thread_limit.load(Ordering::Relaxed);
        timeline.queue.push_back(Batch { ops, done: 0, threads });
        let promised = self.waited_for.load(Ordering::Relaxed);
        let announce = !timeline.led && !timeline.announced && !promised;
        timeline.announced |= announce;
        let expected = announce && std::mem::take(&mut timeline.lent);
        drop(timeline);
        if announce {
            self.card.scheduler.announce(Arc::clone(self), expected);
        }
        Ok(())
    }

    /// Takes the batch at the front to run it; the caller must then call
    /// [`Open::retire`] or [`Open::postpone`], which also take the workspace
    /// back. `announced` says that the scheduler's note of this open has been
    /// used up. None if there is nothing to do, or someone is at it already.
    pub(crate) fn lead(&self, announced: bool) -> Option<(Batch, Workspace)> {
        let mut timeline = lock(&self.timeline);
        if announced {
            timeline.announced = false;
        }
        if timeline.led {
            return None;
        }
        let batch = timeline.queue.pop_front()?;
        timeline.led = true;
        Some((batch, std::mem::take(&mut timeline.workspace)))
    }

    /// Puts a batch that [`Open::lead`] gave back to the front, what has run of
    /// it noted. Returns whether the scheduler has to be told.
    pub(crate) fn postpone(&self, batch: Batch, workspace: Workspace) -> bool {
        self.card.engine_stops();
        let mut timeline = lock(&self.timeline);
        timeline.led = false;
        if timeline.revoked {
            drop(timeline);
            self.announce_change();
            return false;
        }
        timeline.queue.push_front(batch);
        timeline.workspace = workspace;
        // Nobody is told: others go first, and then one of the threads goes on.
        !std::mem::replace(&mut timeline.announced, true)
    }

    /// Ends the batch that [`Open::lead`] gave. `failed` is the op at which it
    /// failed. Returns whether more is queued; the scheduler then has to be
    /// told.
    pub(crate) fn retire(&self, batch: Batch, workspace: Workspace, failed: Option<u32>) -> bool {
        let mut batch = batch.ops;
        let seqno = batch.first().map_or(0, |op| op.seqno);
        let outcome = match failed {
            _ if self.is_stopping() => Outcome::Cancelled,
            None => Outcome::Succeeded,
            Some(_) => Outcome::Failed,
        };
        let mut traffic = Traffic::default();
        batch.iter().for_each(|op| traffic.add(&op.work));
        let ops = batch.len() as u64;
        // Whoever sees the batch completed sees what it held freed and counted.
        batch.clear();
        self.card.batch_ends(outcome, ops, traffic);

        let mut timeline = lock(&self.timeline);
        timeline.recycle(batch);
        timeline.led = false;
        if !timeline.revoked {
            timeline.workspace = workspace;
        }
        match (outcome, failed) {
            (Outcome::Succeeded, _) => timeline.completed = seqno,
            (Outcome::Failed, Some(op)) => {
                timeline.fault = Some(Fault { seqno, op });
                timeline.queue.clear();
            }
            _ => {}
        }
        let more = !timeline.queue.is_empty() && !timeline.announced;
        timeline.announced |= more;
        drop(timeline);
        self.announce_change();
        more
    }

    /// Waits until `seqno` has retired or the deadline has come. Returns what
    /// `completed` was then, and the answer.
    pub(crate) fn wait(self: &Arc<Self>, seqno: u64, deadline_ns: i64) -> (u64, Result<(), Errno>) {
        let never = deadline_ns == SPANKER_DEADLINE_NEVER as i64;
        let mut timeline = lock(&self.timeline);
        if seqno == 0 || seqno > timeline.submitted {
            let errno = if timeline.revoked { Errno::ENODEV } else { Errno::EINVAL };
            return (timeline.completed, Err(errno));
        }
        loop {
            if let Some(answer) = timeline.settled(seqno) {
                return (timeline.completed, answer);
            }
            if never && timeline.needs_leader() {
                // The waiting thread computes, rather than wake another.
                drop(timeline);
                let lent = self.card.scheduler.lend_thread(self);
                timeline = lock(&self.timeline);
                timeline.lent |= lent;
                if lent || timeline.settled(seqno).is_some() {
                    continue;
                }
            }
            if timeline.needs_leader() && !timeline.announced {
                timeline.announced = true;
                drop(timeline);
                self.card.scheduler.announce(Arc::clone(self), false);
                timeline = lock(&self.timeline);
                continue;
            }
            if never {
                timeline = self.changed.wait(timeline);
                continue;
            }
            let left = u64::try_from(deadline_ns).unwrap_or(0).saturating_sub(now_ns());
            if left == 0 {
                return (timeline.completed, Err(Errno::ETIMEDOUT));
            }
            timeline = self.changed.wait_timeout(timeline, Duration::from_nanos(left));
        }
    }

    /// Lets `time` pass, or as much of it as the open lives.
    pub(crate) fn pause(&self, time: Duration) {
        let mut timeline = lock(&self.timeline);
        let begin = Instant::now();
        while !timeline.revoked {
            let left = time.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return;
            }
            timeline = self.changed.wait_timeout(timeline, left);
        }
    }

    /// What read gives: `deliver` gets `completed`, and the cursor moves there
    /// if it succeeds.
    ///
    /// # Errors
    /// As the header's section 8 says for read.
    pub(crate) fn read(
        &self,
        room: usize,
        nonblocking: bool,
        mut deliver: impl FnMut(u64) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        self.quieten_event();
        let mut timeline = lock(&self.timeline);
        loop {
            if timeline.revoked {
                return Err(Errno::ENODEV);
            }
            if room < 8 {
                return Err(Errno::EINVAL);
            }
            if timeline.completed > timeline.cursor {
                deliver(timeline.completed)?;
                timeline.cursor = timeline.completed;
                if timeline.fault.is_some() {
                    // There is more to read, of which nobody else will tell.
                    self.announce_event();
                }
                return Ok(8);
            }
            if timeline.fault.is_some() {
                return Err(Errno::EIO);
            }
            if nonblocking {
                return Err(Errno::EAGAIN);
            }
            timeline = self.changed.wait(timeline);
        }
    }

    pub(crate) fn poll(&self) -> PollBits {
        self.quieten_event();
        let timeline = lock(&self.timeline);
        let fault = timeline.fault.is_some();
        let room = timeline.in_flight() < u64::from(self.card.limits.max_inflight);
        PollBits {
            readable: timeline.revoked || fault || timeline.completed > timeline.cursor,
            writable: !timeline.revoked && !fault && room,
            error: fault,
            hangup: timeline.revoked,
        }
    }

    /// Before the state is looked at, so that no later change goes unnoticed.
    fn quieten_event(&self) {
        if self.event_wanted.load(Ordering::Relaxed) {
            self.event.quieten();
        }
    }

    /// The descriptor that becomes readable when [`Open::poll`] may have
    /// changed.
    pub(crate) fn event_fd(&self) -> BorrowedFd<'_> {
        if !self.event_wanted.swap(true, Ordering::AcqRel) {
            // What happened before may be of interest.
            self.event.announce();
        }
        self.event.as_fd()
    }
}
