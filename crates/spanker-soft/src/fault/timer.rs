// SPDX-License-Identifier: Apache-2.0
//! What comes at its time with nothing else going on: a thread that waits for
//! it.

use super::{FaultPlan, Reset};
use crate::clock::now_ns;
use crate::sync::{lock, Signal};
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// When the cards go, by the clock; the thread ends when this is stopped or
/// nothing more is to come.
#[derive(Debug)]
pub(crate) struct Timer {
    unplug: Option<Duration>,
    resets: Vec<Reset>,
    state: Mutex<State>,
    changed: Signal,
}

#[derive(Debug, Default)]
struct State {
    /// When a card was first opened.
    begin_ns: Option<u64>,
    stop: bool,
}

/// What happens to the cards at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Reset,
    Unplug,
}

/// Something that is still to come.
#[derive(Clone, Copy, Debug)]
struct Due {
    after_ns: u64,
    event: Event,
    period_ns: Option<u64>,
}

impl Timer {
    /// None if the plan has no time in it.
    pub(super) fn new(plan: &FaultPlan) -> Option<Self> {
        let wanted = plan.unplug.is_some() || !plan.resets.is_empty();
        wanted.then(|| Self {
            unplug: plan.unplug,
            resets: plan.resets.clone(),
            state: Mutex::default(),
            changed: Signal::default(),
        })
    }

    /// Starts the thread, which calls `act` when it is time.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(self: &Arc<Self>, act: impl Fn(Event) + Send + 'static) -> io::Result<()> {
        let timer = Arc::clone(self);
        thread::Builder::new().name("spanker-faults".into()).spawn(move || timer.serve(&act))?;
        Ok(())
    }

    /// Times count from now, if they do not yet.
    pub(super) fn begin(&self) {
        lock(&self.state).begin_ns.get_or_insert_with(now_ns);
        self.changed.notify_one();
    }

    /// Not joined: the last card may be dropped by the thread itself.
    pub(super) fn stop(&self) {
        lock(&self.state).stop = true;
        self.changed.notify_one();
    }

    fn serve(&self, act: &dyn Fn(Event)) {
        let mut due = self.due();
        while let Some(place) = (0..due.len()).min_by_key(|place| due[*place].after_ns) {
            let next = due[place];
            if !self.wait_until(next.after_ns) {
                return;
            }
            act(next.event);
            match next.period_ns {
                _ if next.event == Event::Unplug => return,
                Some(period) => due[place].after_ns = next.after_ns.saturating_add(period),
                None => drop(due.swap_remove(place)),
            }
        }
    }

    fn due(&self) -> Vec<Due> {
        let resets = self.resets.iter().map(|reset| {
            let after_ns = nanoseconds(reset.after);
            let period_ns = reset.repeated.then_some(after_ns);
            Due { after_ns, event: Event::Reset, period_ns }
        });
        let unplug = self.unplug.map(|after| Due {
            after_ns: nanoseconds(after),
            event: Event::Unplug,
            period_ns: None,
        });
        resets.chain(unplug).collect()
    }

    /// Returns false if it was stopped before the time had come.
    fn wait_until(&self, after_ns: u64) -> bool {
        let mut state = lock(&self.state);
        loop {
            if state.stop {
                return false;
            }
            let Some(begin) = state.begin_ns else {
                state = self.changed.wait(state);
                continue;
            };
            let left = begin.saturating_add(after_ns).saturating_sub(now_ns());
            if left == 0 {
                return true;
            }
            state = self.changed.wait_timeout(state, Duration::from_nanos(left));
        }
    }
}

/// More than fits is never.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
