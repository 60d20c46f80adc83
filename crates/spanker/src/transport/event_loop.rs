// SPDX-License-Identifier: Apache-2.0
//! The descriptor of a node in the event loop of a tokio runtime.

use std::future::{poll_fn, Future};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::pin::pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::task::unconstrained;

/// Registered while it lives.
#[derive(Debug)]
pub(crate) struct EventLoopFd {
    fd: AsyncFd<Descriptor>,
}

#[derive(Debug)]
struct Descriptor(Arc<OwnedFd>);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl EventLoopFd {
    /// Registers a descriptor for reading with the current runtime, of which
    /// there is one.
    pub(crate) fn register(fd: Arc<OwnedFd>) -> io::Result<Self> {
        // SAFETY: the descriptor is open until the last reference to it is
        // dropped, of which this registration holds one, and it is always the
        // same.
        let fd = unsafe { AsyncFd::register_with_interest(Descriptor(fd), Interest::READABLE) }?;
        Ok(Self { fd })
    }

    /// Whether the descriptor has become readable since this was last asked; if
    /// not, the waker is called when it does.
    ///
    /// # Errors
    /// If the runtime is ending.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The budget of the task that happens to run must not keep the
        // descriptor from being looked at: it is not that task's alone.
        let ready = unconstrained(poll_fn(|context| self.fd.poll_read_ready(context)));
        let mut guard = ready!(pin!(ready).poll(context))?;
        // Before anybody reads, so that what comes in between is told again.
        guard.clear_ready();
        Poll::Ready(Ok(()))
    }
}
