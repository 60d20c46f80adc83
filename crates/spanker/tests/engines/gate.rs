// SPDX-License-Identifier: Apache-2.0
//! An engine that runs nothing until it is told to, so that work is in flight
//! for as long as a test wants.

use spanker_soft::{CardConfig, Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    reached: bool,
}

impl Gate {
    /// A machine with one card behind a gate that is shut.
    #[allow(dead_code)] // Not every test has a plain one.
    pub(crate) fn machine() -> (Machine, Arc<Self>) {
        Self::machine_with(CardConfig::default())
    }

    #[allow(dead_code)] // Nor one with limits.
    pub(crate) fn machine_with(card: CardConfig) -> (Machine, Arc<Self>) {
        let gate = Arc::new(Self::default());
        let engine: Arc<dyn Engine> = Arc::clone(&gate) as _;
        let config = Config { cards: vec![card], engine, ..Config::default() };
        (Machine::new(config).unwrap(), gate)
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    #[allow(dead_code)] // Not every test shuts it again.
    pub(crate) fn shut(&self) {
        self.state.lock().unwrap().open = false;
    }

    /// Waits until an op runs, as far as the gate.
    #[allow(dead_code)] // Not every test that has a gate needs to know.
    pub(crate) fn wait_until_reached(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| !state.reached).unwrap());
    }
}

impl Engine for Gate {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let mut state = self.state.lock().unwrap();
        state.reached = true;
        self.changed.notify_all();
        while !state.open {
            if crew.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            // Nobody signals a cancellation, so it is looked for.
            state = self.changed.wait_timeout(state, Duration::from_millis(1)).unwrap().0;
        }
        drop(state);
        CpuEngine::new().run(op, crew)
    }
}
