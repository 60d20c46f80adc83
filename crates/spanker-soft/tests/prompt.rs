// SPDX-License-Identifier: Apache-2.0
//! What is over sooner than another thread would be awake is run by the thread
//! that submits it, and nothing else is.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use spanker_soft::{Config, CpuEngine, Crew, Engine, FaultPlan, Machine, Op, Stop};
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};

/// Says how long each op takes, and notes which thread ran the last. What takes
/// [`HELD`] does not end before [`Estimating::let_go`].
#[derive(Debug, Default)]
struct Estimating {
    ns: Mutex<Option<u64>>,
    ran_on: Mutex<Option<ThreadId>>,
    held: Mutex<Held>,
    changed: Condvar,
}

const HELD: u64 = 1_000_000_000;

#[derive(Debug, Default)]
struct Held {
    reached: bool,
    let_go: bool,
}

impl Engine for Estimating {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let ns = *self.ns.lock().unwrap();
        if ns == Some(HELD) {
            let mut held = self.held.lock().unwrap();
            held.reached = true;
            self.changed.notify_all();
            drop(self.changed.wait_while(held, |held| !held.let_go).unwrap());
        }
        *self.ran_on.lock().unwrap() = Some(thread::current().id());
        CpuEngine::new().run(op, crew)
    }

    fn estimate_ns(&self, _op: &Op) -> Option<u64> {
        *self.ns.lock().unwrap()
    }
}

impl Estimating {
    fn machine(self: &Arc<Self>, faults: &str) -> Machine {
        let faults: FaultPlan = faults.parse().unwrap();
        let threads = NonZeroUsize::new(1);
        Machine::new(Config { threads, engine: self.clone(), faults, ..Config::default() }).unwrap()
    }

    fn will_take(&self, ns: Option<u64>) {
        *self.ns.lock().unwrap() = ns;
    }

    fn take_ran_on(&self) -> Option<ThreadId> {
        self.ran_on.lock().unwrap().take()
    }

    fn wait_until_reached(&self) {
        drop(self.changed.wait_while(self.held.lock().unwrap(), |held| !held.reached).unwrap());
    }

    fn let_go(&self) {
        self.held.lock().unwrap().let_go = true;
        self.changed.notify_all();
    }
}

/// Far away, so that the waiting thread does not compute itself.
const SOME_DAY: i64 = i64::MAX - 1;

#[test]
fn a_short_batch_has_completed_when_submit_comes_back() {
    let engine = Arc::new(Estimating::default());
    let card = Card::open(&engine.machine("")).unwrap();
    let op = card.copy_op().unwrap();
    engine.will_take(Some(100));
    for count in [1, 3] {
        let seqno = card.submit(&vec![op; count]).unwrap();
        assert_eq!(card.context().unwrap().completed, seqno);
        assert_eq!(engine.take_ran_on(), Some(thread::current().id()));
    }
}

#[test]
fn what_is_long_or_unknown_is_left_to_a_thread() {
    let engine = Arc::new(Estimating::default());
    let card = Card::open(&engine.machine("")).unwrap();
    let op = card.copy_op().unwrap();
    // The last is short op by op, and long as a whole.
    for (ns, count) in [(None, 1), (Some(1_000_000), 1), (Some(100), 100)] {
        engine.will_take(ns);
        let seqno = card.submit(&vec![op; count]).unwrap();
        card.wait_until(seqno, SOME_DAY).unwrap();
        assert_ne!(engine.take_ran_on(), Some(thread::current().id()), "{count} of {ns:?}");
    }
}

#[test]
fn a_short_batch_does_not_compute_beside_as_many_as_may() {
    let engine = Arc::new(Estimating::default());
    let machine = engine.machine("");
    let (busy, card) = (Card::open(&machine).unwrap(), Card::open(&machine).unwrap());
    engine.will_take(Some(HELD));
    busy.submit(&[busy.copy_op().unwrap()]).unwrap();
    engine.wait_until_reached();
    engine.will_take(Some(100));
    let seqno = card.submit(&[card.copy_op().unwrap()]).unwrap();
    assert_eq!((card.context().unwrap().completed, engine.take_ran_on()), (0, None));
    engine.let_go();
    card.wait_until(seqno, SOME_DAY).unwrap();
    assert_ne!(engine.take_ran_on(), Some(thread::current().id()));
}

#[test]
fn a_card_whose_ops_are_made_slow_does_not_keep_who_submits() {
    let engine = Arc::new(Estimating::default());
    let card = Card::open(&engine.machine("slow=1ms")).unwrap();
    engine.will_take(Some(100));
    let seqno = card.submit(&[card.copy_op().unwrap()]).unwrap();
    card.wait_until(seqno, SOME_DAY).unwrap();
    assert_ne!(engine.take_ran_on(), Some(thread::current().id()));
}
