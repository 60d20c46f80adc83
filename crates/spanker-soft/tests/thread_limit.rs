// SPDX-License-Identifier: Apache-2.0
//! How many threads compute a batch is for its open to say.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use spanker_soft::{Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

const THREADS: usize = 3;

/// Takes down how many threads each op may have, in order.
#[derive(Debug)]
struct Recording {
    inside: CpuEngine,
    threads: Arc<Mutex<Vec<usize>>>,
}

impl Engine for Recording {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        self.threads.lock().unwrap().push(crew.threads());
        self.inside.run(op, crew)
    }
}

#[test]
fn a_limit_is_of_what_an_open_submits_from_then_on() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let engine = Arc::new(Recording { inside: CpuEngine::new(), threads: Arc::clone(&threads) });
    let count = NonZeroUsize::new(THREADS);
    let config = Config { threads: count, engine, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let (card, other) = (Card::open(&machine).unwrap(), Card::open(&machine).unwrap());
    let op = card.copy_op().unwrap();
    let limits = [None, NonZeroUsize::new(1), NonZeroUsize::new(2), NonZeroUsize::new(9), None];
    let mut last = 0;
    // No op runs before all have been submitted.
    let hold = threads.lock().unwrap();
    for limit in limits {
        card.file.limit_threads(limit);
        last = card.submit(&[op, op]).unwrap();
    }
    drop(hold);
    card.wait(last).unwrap();
    let expected = [THREADS, THREADS, 1, 1, 2, 2, THREADS, THREADS, THREADS, THREADS];
    assert_eq!(*threads.lock().unwrap(), expected);

    // Another open has its own.
    card.file.limit_threads(NonZeroUsize::new(1));
    let op = other.copy_op().unwrap();
    other.wait(other.submit(&[op]).unwrap()).unwrap();
    assert_eq!(threads.lock().unwrap().last(), Some(&THREADS));
    machine.open_control().limit_threads(NonZeroUsize::new(1));
}
