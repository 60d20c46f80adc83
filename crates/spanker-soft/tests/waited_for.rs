// SPDX-License-Identifier: Apache-2.0
//! Who promises to wait computes, and nobody is woken for it.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use nix::time::{clock_gettime, ClockId};
use nix::unistd::gettid;
use spanker_soft::{Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use std::fs;
use std::num::NonZeroUsize;
use std::sync::{mpsc, Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Takes down which thread leads each op. The first meets the test twice.
#[derive(Debug)]
struct Recording {
    inside: CpuEngine,
    leaders: Mutex<Vec<ThreadId>>,
    meets: Barrier,
    meetings: bool,
}

impl Recording {
    fn new(meetings: bool) -> Arc<Self> {
        let (leaders, meets) = (Mutex::default(), Barrier::new(2));
        Arc::new(Self { inside: CpuEngine::new(), leaders, meets, meetings })
    }
}

impl Engine for Recording {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let mut leaders = self.leaders.lock().unwrap();
        leaders.push(thread::current().id());
        let meet = self.meetings && leaders.len() == 1;
        drop(leaders);
        if meet {
            self.meets.wait();
            self.meets.wait();
        }
        self.inside.run(op, crew)
    }
}

fn machine(engine: &Arc<Recording>, threads: usize) -> Machine {
    let (threads, engine) = (NonZeroUsize::new(threads), Arc::clone(engine) as _);
    Machine::new(Config { threads, engine, ..Config::default() }).unwrap()
}

#[test]
fn who_waits_computes() {
    let engine = Recording::new(false);
    let card = Card::open(&machine(&engine, 1)).unwrap();
    let op = card.copy_op().unwrap();
    // The machine's thread is up, and known by its name.
    wait(&card, card.submit(&[op]).unwrap(), true);
    card.file.compute_when_waited_for(true);
    for _ in 0..3 {
        let seqno = card.submit(&[op, op]).unwrap();
        // Nobody was woken, and nobody will begin.
        machines_threads().for_each(until_asleep);
        assert_eq!(card.context().unwrap().completed, seqno - 1);
        card.wait(seqno).unwrap();
    }
    let leaders = engine.leaders.lock().unwrap();
    assert_eq!(leaders[1..], [thread::current().id(); 6]);
}

/// The threads of all machines of this process.
fn machines_threads() -> impl Iterator<Item = i32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let id = task.file_name().to_str()?.parse().ok()?;
        name.starts_with("spanker-soft").then_some(id)
    })
}

const LONG: Duration = Duration::from_secs(20);

/// Returns once that thread of this process sleeps or is no more.
fn until_asleep(thread: i32) {
    let begin = Instant::now();
    loop {
        let Ok(stat) = fs::read_to_string(format!("/proc/self/task/{thread}/stat")) else {
            // It has ended, with its machine.
            return;
        };
        if stat.rsplit_once(") ").unwrap().1.starts_with('S') {
            return;
        }
        assert!(begin.elapsed() < LONG, "thread {thread} does not sleep");
        thread::yield_now();
    }
}

fn wait(card: &Card, seqno: u64, deadline: bool) {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap());
    let end = (now + LONG).as_nanos() as i64;
    if deadline { card.wait_until(seqno, end) } else { card.wait(seqno) }.unwrap();
}

#[test]
fn it_is_computed_where_no_more_threads_may_compute() {
    for deadline in [false, true] {
        let engine = Recording::new(true);
        let machine = machine(&engine, 1);
        let (first, second) = (Card::open(&machine).unwrap(), Card::open(&machine).unwrap());
        second.file.compute_when_waited_for(true);
        first.submit(&[first.copy_op().unwrap()]).unwrap();
        engine.meets.wait();
        let seqno = second.submit(&[second.copy_op().unwrap()]).unwrap();
        let (say, said) = mpsc::channel();
        let waiting = thread::spawn(move || {
            say.send(gettid().as_raw()).unwrap();
            wait(&second, seqno, deadline);
        });
        until_asleep(said.recv().unwrap());
        engine.meets.wait();
        waiting.join().unwrap();
    }
}

#[test]
fn a_deadline_is_no_reason_to_compute_nothing() {
    let engine = Recording::new(false);
    let card = Card::open(&machine(&engine, 1)).unwrap();
    card.file.compute_when_waited_for(true);
    let seqno = card.submit(&[card.copy_op().unwrap()]).unwrap();
    wait(&card, seqno, true);
}
