// SPDX-License-Identifier: Apache-2.0
//! Who awaits batches of an open, and how they are woken: by the descriptor of
//! the Sail, in the event loop of a tokio runtime. No thread and no task
//! belongs to it.
//!
//! The descriptor is registered while anybody waits, with the runtime of whoever
//! waited first, or waits alone. Its waker does the work itself: it reads the completion counter
//! and wakes those whose batches have retired. So nobody depends on another
//! future being polled, and whoever stops waiting just leaves.

use crate::error::Error;
use crate::open::Open;
use crate::transport::EventLoopFd;
use nix::errno::Errno;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use tokio::runtime::Handle;

/// The lock is held while the event loop is asked, registered with and left, so
/// that there is one registration at a time; the event loop holds none of its
/// own when it calls a waker.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// A duplicate of the Sail's descriptor, so that the program can register
    /// that one for itself.
    fd: Option<Arc<OwnedFd>>,
    /// By seqno, ascending.
    waiting: VecDeque<(u64, Waker)>,
    /// There if anybody waits.
    registration: Option<Registration>,
    /// What the counter answered when there was to be no more news.
    ended: Option<Errno>,
}

/// The descriptor's place in an event loop.
#[derive(Debug)]
struct Registration {
    fd: EventLoopFd,
    waker: Waker,
}

/// What the event loop wakes.
struct News {
    open: Weak<Open>,
}

impl Wake for News {
    fn wake(self: Arc<Self>) {
        if let Some(open) = self.open.upgrade() {
            open.waiters.advance(&open);
        }
    }
}

/// What became of an attempt to wait.
pub(crate) enum Waiting {
    /// The waker will be woken when the batch has retired.
    Waits,
    /// It has retired, or will never: WAIT tells.
    Over,
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `waker` woken when batch `seqno` has retired.
    ///
    /// # Errors
    /// [`Error::EventLoop`] if there is no event loop to wait in.
    pub(crate) fn join(
        &self,
        open: &Arc<Open>,
        seqno: u64,
        waker: &Waker,
    ) -> Result<Waiting, Error> {
        loop {
            self.register(open, seqno)?;
            self.advance(open);
            let mut state = self.lock();
            if seqno <= open.completed() || state.ended.is_some() {
                let waker = state.leave(seqno);
                drop(state);
                drop(waker);
                return Ok(Waiting::Over);
            }
            // What was read before the lock was taken is known by now; what is
            // read after it finds this waiter. Only if the last other one has
            // left meanwhile, nobody reads.
            if state.registration.is_some() {
                let replaced = state.wait(seqno, waker.clone());
                drop(state);
                drop(replaced);
                return Ok(Waiting::Waits);
            }
        }
    }

    /// Whoever awaited batch `seqno` does so no more.
    pub(crate) fn leave(&self, seqno: u64) {
        let waker = self.lock().leave(seqno);
        // Outside the lock: it may be the last of a task that awaits others.
        drop(waker);
    }

    /// What the counter answered when there was to be no more news.
    pub(crate) fn ended(&self) -> Option<Errno> {
        self.lock().ended
    }

    fn register(&self, open: &Arc<Open>, seqno: u64) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_alone(seqno) {
            // It may have come to another runtime since it was polled last.
            state.registration = None;
        }
        if state.registration.is_some() || state.ended.is_some() {
            return Ok(());
        }
        Handle::try_current()
            .map_err(|error| Error::EventLoop { source: io::Error::other(error) })?;
        let fd = state.descriptor(open).and_then(EventLoopFd::register);
        let fd = fd.map_err(|source| Error::EventLoop { source })?;
        let waker = Waker::from(Arc::new(News { open: Arc::downgrade(open) }));
        state.registration = Some(Registration { fd, waker });
        Ok(())
    }

    /// Reads the counter for as long as the event loop says there is news, and
    /// then has itself called when there is more.
    fn advance(&self, open: &Open) {
        loop {
            let news = match &self.lock().registration {
                Some(registration) => registration.poll_ready(),
                None => return,
            };
            match news {
                Poll::Pending => return,
                // To the end: behind the last number there may be a fault, of
                // which there is no event of its own. And if there is nothing
                // to be read, somebody else may have read it.
                Poll::Ready(Ok(())) => match open.read_completed() {
                    Ok(_) => while open.read_completed().is_ok() {},
                    Err(_) => open.look_for_news(),
                },
                // The runtime ends. Those who wait in another register anew.
                Poll::Ready(Err(_)) => {
                    self.lock().registration = None;
                    self.wake_while(|_| true);
                    return;
                }
            }
        }
    }

    /// All up to `completed` have retired. `ended` is why there will be no more
    /// news, if so.
    pub(crate) fn news(&self, completed: u64, ended: Option<Errno>) {
        if ended.is_some() {
            self.lock().ended = ended;
            self.wake_while(|_| true);
        } else {
            self.wake_while(|seqno| seqno <= completed);
        }
    }

    /// Wakes those who wait for the first seqnos, one after another, so that
    /// nothing has to be allocated to remember them.
    fn wake_while(&self, wanted: impl Fn(u64) -> bool) {
        loop {
            let waker = {
                let mut state = self.lock();
                if !state.waiting.front().is_some_and(|(seqno, _)| wanted(*seqno)) {
                    return;
                }
                let waker = state.waiting.pop_front();
                state.unregister_if_idle();
                waker
            };
            if let Some((_, waker)) = waker {
                waker.wake();
            }
        }
    }
}

impl State {
    /// Returns the waker that this one replaces, to be dropped outside the lock.
    #[must_use]
    fn wait(&mut self, seqno: u64, waker: Waker) -> Option<Waker> {
        match self.place_of(seqno) {
            Ok(place) => Some(std::mem::replace(&mut self.waiting[place].1, waker)),
            Err(place) => {
                self.waiting.insert(place, (seqno, waker));
                None
            }
        }
    }

    /// Returns the waker that waits no more, to be dropped outside the lock.
    #[must_use]
    fn leave(&mut self, seqno: u64) -> Option<Waker> {
        let left = self.place_of(seqno).ok().and_then(|place| self.waiting.remove(place));
        self.unregister_if_idle();
        left.map(|(_, waker)| waker)
    }

    fn place_of(&self, seqno: u64) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&seqno, |(seqno, _)| *seqno)
    }

    /// Whether nobody waits but who awaits this batch.
    fn is_alone(&self, seqno: u64) -> bool {
        self.waiting.iter().all(|(waiting, _)| *waiting == seqno)
    }

    fn descriptor(&mut self, open: &Open) -> io::Result<Arc<OwnedFd>> {
        if let Some(fd) = &self.fd {
            return Ok(Arc::clone(fd));
        }
        let fd = Arc::new(open.node.as_fd().try_clone_to_owned()?);
        self.fd = Some(Arc::clone(&fd));
        Ok(fd)
    }

    fn unregister_if_idle(&mut self) {
        if self.waiting.is_empty() {
            self.registration = None;
        }
    }
}

impl Registration {
    /// Whether there may be news, which is then taken note of; if not, the waker
    /// is called when there is.
    fn poll_ready(&self) -> Poll<io::Result<()>> {
        self.fd.poll_readable(&mut Context::from_waker(&self.waker))
    }
}
