// SPDX-License-Identifier: Apache-2.0
//! Locks that outlive a panic elsewhere. No invariant of this crate is broken
//! in the middle of a critical section, so a poisoned lock is as good as any.

use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a thread looks for what it waits for before it sleeps: about as long as it takes to be
/// woken, so that it never costs more than twice what would have been best.
pub(crate) const POLL: Duration = Duration::from_micros(50);

/// Looks until something is there, or until `end`. Whoever else wants the processor gets it.
/// Returns whether it came.
pub(crate) fn poll(end: Instant, is_there: impl Fn() -> bool) -> bool {
    loop {
        for _ in 0..LOOKS {
            if is_there() {
                return true;
            }
            hint::spin_loop();
        }
        if Instant::now() >= end {
            return false;
        }
        thread::yield_now();
    }
}

/// How often [`poll`] looks before it offers the processor to others, which is a system call.
const LOOKS: u32 = 16;

/// A condition variable that knows whether anybody waits: telling nobody is no
/// system call.
///
/// What is waited for must change under the mutex that the waiting give away.
/// Who then tells them sees all that went to wait before the change, since they
/// are counted under the mutex.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    condvar: Condvar,
    waiting: AtomicUsize,
}

impl Signal {
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let guard = self.condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        guard
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> MutexGuard<'a, T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waited = self.condvar.wait_timeout(guard, time);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn notify_one(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.condvar.notify_one();
        }
    }

    pub(crate) fn notify_all(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.condvar.notify_all();
        }
    }
}
