// SPDX-License-Identifier: Apache-2.0
//! The descriptor of a node in the event loop of a tokio runtime.

use super::Node;
use std::future::{poll_fn, Future};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
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
struct Descriptor {
    node: Arc<Node>,
    /// Another number for the same, where that one is taken.
    duplicate: Option<OwnedFd>,
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        match &self.duplicate {
            Some(duplicate) => duplicate.as_raw_fd(),
            None => self.node.as_fd().as_raw_fd(),
        }
    }
}

impl EventLoopFd {
    /// Registers `node` for reading with the current runtime, of which there is
    /// one.
    pub(crate) fn register(node: &Arc<Node>) -> io::Result<Self> {
        let descriptor = Descriptor { node: Arc::clone(node), duplicate: None };
        Self::register_descriptor(descriptor).or_else(|error| {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            // The program has registered it for itself.
            let duplicate = Some(node.as_fd().try_clone_to_owned()?);
            Self::register_descriptor(Descriptor { node: Arc::clone(node), duplicate })
        })
    }

    fn register_descriptor(descriptor: Descriptor) -> io::Result<Self> {
        // SAFETY: the descriptor is the duplicate, which is owned, or the
        // node's, which has the same one for as long as it lives; both live
        // until this registration is dropped.
        let fd = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
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
