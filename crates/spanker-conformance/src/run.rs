// SPDX-License-Identifier: Apache-2.0
//! Runs one case to an outcome: a panic is a failure, and so is a case that
//! does not end.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use crate::case::{Case, Context};
use crate::device::Device;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device does what the case demands.
    Passed,
    /// It does not, and how.
    Failed(String),
    /// The device cannot be put to the case, and why.
    Skipped(String),
}

thread_local! {
    /// On the thread of a case: what its panic said.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a case on a device that no case has touched, which `make` makes. When it has not ended after `limit` it has
/// failed, and its thread is left behind.
pub fn run<M>(case: Case, make: M, limit: Duration) -> Outcome
where
    M: FnOnce() -> Result<Box<dyn Device>, String> + Send + 'static,
{
    record_panics();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name(case.full_name()).spawn(move || {
        // The receiver is gone when the limit was passed; nobody is interested then.
        let _ = sender.send(outcome(case, make));
    });
    let thread = match thread {
        Ok(thread) => thread,
        Err(error) => return Outcome::Failed(format!("no thread for the case: {error}")),
    };
    match receiver.recv_timeout(limit) {
        Ok(outcome) => {
            // It has nothing left to do but to end.
            let _ = thread.join();
            outcome
        }
        Err(RecvTimeoutError::Timeout) => {
            Outcome::Failed(format!("{} has not ended after {limit:?}", case.full_name()))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Outcome::Failed(format!("{} ended without an outcome", case.full_name()))
        }
    }
}

fn outcome<M>(case: Case, make: M) -> Outcome
where
    M: FnOnce() -> Result<Box<dyn Device>, String>,
{
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let context = match make() {
            Ok(device) => Context::new(device),
            Err(reason) => return Outcome::Failed(format!("no device: {reason}")),
        };
        if let Some(reason) = case.needs.iter().find_map(|&need| context.lacks(need)) {
            return Outcome::Skipped(reason);
        }
        (case.run)(&context);
        Outcome::Passed
    }));
    result.unwrap_or_else(|_| {
        let said = PANIC.with(|panic| panic.borrow_mut().take());
        Outcome::Failed(said.unwrap_or_else(|| "panicked without a message".into()))
    })
}

/// Keeps what panics say for the outcome, on threads of cases.
fn record_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Only cases have a subject in their thread's name.
            if thread::current().name().is_some_and(|name| name.contains('/')) {
                PANIC.with(|panic| *panic.borrow_mut() = Some(info.to_string()));
            } else {
                previous(info);
            }
        }));
    });
}
