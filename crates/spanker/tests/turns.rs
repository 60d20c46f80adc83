// SPDX-License-Identifier: Apache-2.0
//! Opens take turns, also with a thread that does nothing but submit and wait.

use spanker::{Batch, Error, Matmul, Progress, Sail, F32, Q4K};
use spanker_soft::{Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Counts the ops that it starts, and notes the count at a batch's second op.
#[derive(Debug, Default)]
struct Counting {
    started: AtomicU32,
    at_second_op: AtomicU32,
}

impl Engine for Counting {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let started = self.started.fetch_add(1, Ordering::SeqCst);
        if op.index() == 1 {
            self.at_second_op.store(started, Ordering::SeqCst);
        }
        CpuEngine::new().run(op, crew)
    }
}

#[test]
fn a_thread_that_submits_and_waits_all_the_time_keeps_nobody_from_their_turn() {
    let engine = Arc::new(Counting::default());
    let threads = NonZeroUsize::new(1);
    let config = Config { threads, engine: Arc::clone(&engine) as _, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let sail = Sail::on_machine(&machine, 0).unwrap();
            let a = sail.matrix::<F32>(1, 256).unwrap();
            let b = sail.matrix::<Q4K>(64, 256).unwrap();
            let mut out = sail.matrix(1, 64).unwrap();
            while !stop.load(Ordering::Relaxed) {
                out = sail.submit(Matmul::new(&a, &b, out)).unwrap().wait().unwrap();
            }
        });
        let mut others = started_meanwhile(&machine, &engine).unwrap();
        stop.store(true, Ordering::Relaxed);
        others.sort_unstable();
        // An op of the other before each of the two, and one that was running.
        // Between counting and submitting the thread can be held up, so a few
        // rounds may see more.
        let most = others[others.len() * 3 / 4];
        assert!(most <= 6, "ops of the other, by round: {others:?}");
    });
}

/// How many ops started while a batch of two waited for its turns, in each of
/// many rounds.
fn started_meanwhile(machine: &Machine, engine: &Counting) -> Result<Vec<u32>, Error> {
    let sail = Sail::on_machine(machine, 0)?;
    let (a, b) = (sail.matrix::<F32>(1, 256)?, sail.matrix::<Q4K>(4, 256)?);
    let mut others = Vec::new();
    for _ in 0..201 {
        let mut batch = Batch::new(&sail);
        batch.push(Matmul::new(&a, &b, sail.matrix(1, 4)?))?;
        batch.push(Matmul::new(&a, &b, sail.matrix(1, 4)?))?;
        let before = engine.started.load(Ordering::SeqCst);
        // With a deadline, a waiting thread does not compute.
        let progress = sail.submit(batch)?.wait_timeout(Duration::from_secs(60))?;
        assert!(matches!(progress, Progress::Done(_)));
        others.push(engine.at_second_op.load(Ordering::SeqCst) - before - 1);
    }
    Ok(others)
}
