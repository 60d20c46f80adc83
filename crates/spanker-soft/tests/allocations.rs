// SPDX-License-Identifier: Apache-2.0
//! From submit to retired, nothing is allocated once the shapes are known: by no
//! thread of the process. One test: every allocation is counted.

#[path = "seam/card.rs"]
mod card;
#[path = "seam/ops.rs"]
mod ops;

use card::Card;
use nix::unistd::{getpid, gettid};
use ops::every_kind;
use spanker_soft::{Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use spanker_sys::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes of the last one, to find it by.
static LAST: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    // The first thread is the test harness, which has affairs of its own.
    if gettid() == getpid() {
        return;
    }
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    LAST.store(bytes, Ordering::Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(start, layout, size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A thread may still be starting when work begins, or compute for the first
/// time in the middle of it: what comes once is over after a few rounds, and
/// what is allocated for each op never is.
#[track_caller]
fn allocates_nothing(what: &str, mut act: impl FnMut()) {
    (0..WARM_UP).for_each(|_| act());
    let mut allocations = 0;
    for _ in 0..TRIES {
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        (0..ROUNDS).for_each(|_| act());
        allocations = ALLOCATIONS.load(Ordering::SeqCst) - before;
        if allocations == 0 {
            break;
        }
    }
    let last = LAST.load(Ordering::Relaxed);
    assert_eq!(allocations, 0, "{what}: {allocations} allocations, the last of {last} bytes");
}

/// More than there are threads.
const TRIES: usize = 8;
const WARM_UP: usize = 2;
// Emulated, without a fast kernel, fewer have to do.
const ROUNDS: usize = if cfg!(target_arch = "x86_64") { 40 } else { 10 };

/// Works when it is open.
#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.opened.notify_all();
    }
}

#[derive(Debug)]
struct Gated {
    gate: Arc<Gate>,
    inner: CpuEngine,
}

impl Engine for Gated {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let open = self.gate.open.lock().unwrap();
        drop(self.gate.opened.wait_while(open, |open| !*open).unwrap());
        self.inner.run(op, crew)
    }
}

fn soon() -> i64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
    (Duration::from(now) + Duration::from_secs(100)).as_nanos() as i64
}

fn checks(threads: usize, kernel: &str) {
    let gate = Arc::new(Gate::default());
    gate.set(true);
    let inner = CpuEngine::with_kernel(kernel).unwrap();
    let engine = Arc::new(Gated { gate: Arc::clone(&gate), inner });
    let config = Config { threads: NonZeroUsize::new(threads), engine, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let card = Card::open(&machine).unwrap();
    let kinds = every_kind(&card);
    for (kind, op) in &kinds {
        let what = format!("{threads} threads, {kind}");
        allocates_nothing(&what, || {
            let seqno = card.submit(std::slice::from_ref(op)).unwrap();
            card.wait(seqno).unwrap();
        });
        allocates_nothing(&format!("{what}, with a deadline"), || {
            let seqno = card.submit(std::slice::from_ref(op)).unwrap();
            card.wait_until(seqno, soon()).unwrap();
        });
    }
    let mixed: Vec<_> = kinds.iter().map(|(_, op)| *op).collect();
    allocates_nothing(&format!("{threads} threads, a batch of every kind"), || {
        let seqno = card.submit(&mixed).unwrap();
        card.wait(seqno).unwrap();
    });
    let many = vec![kinds[6].1; 256];
    allocates_nothing(&format!("{threads} threads, batches of 256 ops"), || {
        let seqno = card.submit(&many).unwrap();
        card.wait(seqno).unwrap();
    });
    allocates_nothing(&format!("{threads} threads, a full queue"), || {
        gate.set(false);
        for _ in 0..1000 {
            card.submit(&many[..1]).unwrap();
        }
        gate.set(true);
        card.wait(card.context().unwrap().submitted).unwrap();
    });
    card.file.event_fd().unwrap();
    allocates_nothing(&format!("{threads} threads, by poll and read"), || {
        card.submit(&mixed[3..5]).unwrap();
        while !card.file.poll().readable {
            thread::yield_now();
        }
        card.read(true).unwrap();
    });
    allocates_nothing(&format!("{threads} threads, refused"), || {
        card.submit(&[many[0], spanker_op::default()]).unwrap_err();
    });
}

#[test]
fn from_submit_to_retired_nothing_is_allocated() {
    let best = CpuEngine::new().kernel();
    for (threads, kernel) in [(1, best), (2, best), (4, best), (2, "portable")] {
        // Not on the first thread, wherever the harness runs this.
        thread::scope(|scope| scope.spawn(|| checks(threads, kernel)).join().unwrap());
    }
}
