// SPDX-License-Identifier: Apache-2.0
//! Work that is awaited.

use super::Pending;
use crate::error::Error;
use crate::waiters::Waiting;
use crate::work::Results;
use std::future::Future;
use std::pin::{pin, Pin};
use std::task::{ready, Context, Poll};

/// Awaiting a batch gives its results, like [`Pending::wait`], while other tasks
/// go on. Any number can be awaited at once on one thread; no thread waits for
/// them. Dropping it stops waiting and not the work, as always.
///
/// It has to be awaited within a tokio runtime ([`Error::EventLoop`] elsewhere),
/// by one task at a time. When it has given its results, all there is to get is
/// [`Error::ResultsTaken`]. As all of tokio's own I/O it panics in a runtime that
/// was built without `enable_io`.
///
/// What several tasks await of one Sail is watched by the runtime in which the
/// first of them waits: when that stands still, they all do. Tasks of several
/// runtimes each open the Sail for themselves.
impl<T: Results + Unpin> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A task that finds its work always done must let others run as well.
        ready!(pin!(tokio::task::consume_budget()).poll(context));
        let pending = self.get_mut();
        if pending.results.is_none() {
            return Poll::Ready(Err(Error::ResultsTaken { seqno: pending.seqno }));
        }
        if !pending.open.wait(pending.first, pending.seqno, 0)? {
            pending.awaited = true;
            match pending.open.waiters.join(&pending.open, pending.seqno, context.waker())? {
                Waiting::Waits => return Poll::Pending,
                Waiting::Over => {}
            }
            if !pending.open.wait(pending.first, pending.seqno, 0)? {
                // There is to be no more news, and this is not the end of it.
                return Poll::Ready(Err(pending.open.no_news()));
            }
        }
        pending.stop_waiting();
        Poll::Ready(pending.hand_out())
    }
}

impl<T> Pending<T> {
    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.awaited) {
            self.open.waiters.leave(self.seqno);
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.stop_waiting();
    }
}
