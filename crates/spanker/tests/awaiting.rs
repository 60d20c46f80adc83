// SPDX-License-Identifier: Apache-2.0
//! Work that is awaited in a tokio runtime.

#[path = "engines/gate.rs"]
mod gate;

use gate::Gate;
use spanker::{Error, Matmul, Matrix, Pending, Ring, Sail, F32, Q4K};
use spanker_soft::{Config, Machine};
use std::future::{poll_fn, Future};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes: what is not done by then hangs.
const HANGS: Duration = Duration::from_secs(30);

struct Operands {
    a: Matrix<F32>,
    b: Matrix<Q4K>,
}

impl Operands {
    fn new(sail: &Sail) -> Self {
        let b = sail.upload_bytes(4, 256, &[7; 4 * 144]).unwrap();
        Self { a: sail.upload(1, 256, &[1.0; 256]).unwrap(), b }
    }

    fn submit(&self, sail: &Sail) -> Pending<Matrix<F32>> {
        sail.submit(Matmul::new(&self.a, &self.b, sail.matrix(1, 4).unwrap())).unwrap()
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn gated() -> (Machine, Arc<Gate>, Sail, Operands) {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    (machine, gate, sail, operands)
}

#[allow(deprecated)] // As a program does that was written some time ago.
fn watch(sail: &Sail) -> AsyncFd<BorrowedFd<'_>> {
    AsyncFd::with_interest(sail.as_fd(), Interest::READABLE).unwrap()
}

/// Polls once; the work is behind a gate that is shut.
async fn poll_once<T: Future + Unpin>(future: &mut T) -> Option<T::Output> {
    poll_fn(|context| match Pin::new(&mut *future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[test]
fn many_batches_are_awaited_at_once_on_one_thread() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let threads = threads_of_this_process();
        let mut tasks = JoinSet::new();
        for _ in 0..200 {
            tasks.spawn(operands.submit(&sail));
        }
        tokio::task::yield_now().await;
        assert_eq!(threads_of_this_process(), threads, "no thread waits for them");
        gate.open();
        let mut done = 0;
        while let Some(out) = timeout(HANGS, tasks.join_next()).await.unwrap() {
            assert_eq!(out.unwrap().unwrap().stored_len(), 4);
            done += 1;
        }
        assert_eq!(done, 200);
    });
}

fn threads_of_this_process() -> usize {
    // Tests run beside each other, so only what this one has named counts.
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("spanker") && !name.starts_with("spanker-soft")).count()
}

#[test]
fn a_result_that_is_there_already_needs_no_event() {
    let sail = Sail::software().unwrap();
    let operands = Operands::new(&sail);
    let (first, last) = (operands.submit(&sail), operands.submit(&sail));
    let _ = last.wait().unwrap();
    let first = one_thread().block_on(async move { poll_once(&mut { first }).await });
    assert!(first.unwrap().is_ok());
}

#[test]
fn the_results_are_handed_out_once() {
    let sail = Sail::software().unwrap();
    let mut pending = Operands::new(&sail).submit(&sail);
    one_thread().block_on(async {
        assert!((&mut pending).await.is_ok());
        let again = (&mut pending).await.unwrap_err();
        assert!(matches!(again, Error::ResultsTaken { seqno: 1 }), "{again}");
    });
    assert!(matches!(pending.wait(), Err(Error::ResultsTaken { seqno: 1 })));
}

#[test]
fn outside_a_runtime_it_says_what_to_do_and_can_still_be_waited_for() {
    let (_machine, gate, sail, operands) = gated();
    let mut pending = operands.submit(&sail);
    let mut context = Context::from_waker(futures_noop());
    let Poll::Ready(Err(error)) = Pin::new(&mut pending).poll(&mut context) else {
        panic!("it cannot be awaited here")
    };
    assert!(error.to_string().contains("inside a tokio runtime"), "{error}");
    gate.open();
    assert!(pending.wait().is_ok());
}

fn futures_noop() -> &'static Waker {
    struct Noop;
    impl Wake for Noop {
        fn wake(self: Arc<Self>) {}
    }
    Box::leak(Box::new(Waker::from(Arc::new(Noop))))
}

#[test]
fn a_dropped_await_wakes_nobody_and_keeps_nobody_from_being_woken() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let mut pending: Vec<_> = (0..6).map(|_| operands.submit(&sail)).collect();
        for pending in &mut pending {
            assert!(poll_once(pending).await.is_none());
        }
        // The first that waited, one in the middle, and the last.
        for index in [5, 2, 0] {
            drop(pending.remove(index));
        }
        gate.open();
        for pending in pending {
            assert!(timeout(HANGS, pending).await.unwrap().is_ok());
        }
    });
    let _ = operands.submit(&sail).wait().unwrap();
    assert_eq!(sail.telemetry().unwrap().batches, 7, "the work goes on");
}

#[test]
fn a_dropped_await_lets_its_waker_go() {
    struct Unwoken;
    impl Wake for Unwoken {
        fn wake(self: Arc<Self>) {}
    }
    let (_machine, _gate, sail, operands) = gated();
    let runtime = one_thread();
    let _inside = runtime.enter();
    let mut kept = operands.submit(&sail);
    assert!(Pin::new(&mut kept).poll(&mut Context::from_waker(futures_noop())).is_pending());
    let task = Arc::new(Unwoken);
    let waker = Waker::from(Arc::clone(&task));
    let mut pending = operands.submit(&sail);
    assert!(Pin::new(&mut pending).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&task), 2, "it waits");
    drop(pending);
    assert_eq!(Arc::strong_count(&task), 1, "and no more");
}

#[test]
fn an_await_that_timed_out_can_be_taken_up_again() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let mut pending = operands.submit(&sail);
        assert!(timeout(Duration::from_millis(5), &mut pending).await.is_err());
        gate.open();
        assert!(timeout(HANGS, &mut pending).await.unwrap().is_ok());
    });
}

/// One that was polled and is now only kept does not hold others up.
#[test]
fn nobody_depends_on_another_being_polled() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let (mut kept, mut awaited) = (operands.submit(&sail), operands.submit(&sail));
        assert!(poll_once(&mut kept).await.is_none());
        gate.open();
        assert!(timeout(HANGS, &mut awaited).await.unwrap().is_ok());
        assert!(poll_once(&mut kept).await.unwrap().is_ok());
    });
}

#[test]
fn a_fault_and_what_it_cancels_are_awaited_too() {
    let gate = Arc::new(Gate::default());
    let faults = "batch#2".parse().unwrap();
    let config = Config { engine: Arc::clone(&gate) as _, faults, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    one_thread().block_on(async {
        let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(operands.submit(&sail))).collect();
        // Now all of them wait.
        tokio::task::yield_now().await;
        gate.open();
        let mut ends = Vec::new();
        for task in tasks {
            ends.push(timeout(HANGS, task).await.unwrap().unwrap().map(drop));
        }
        assert!(ends[0].is_ok());
        assert!(matches!(ends[1], Err(Error::Fault { seqno: 2, op: 0, .. })), "{ends:?}");
        assert!(matches!(ends[2], Err(Error::Cancelled { seqno: 3, fault_seqno: 2 })), "{ends:?}");
        assert!(matches!(ends[3], Err(Error::Cancelled { seqno: 4, fault_seqno: 2 })), "{ends:?}");
    });
}

#[test]
fn a_card_that_goes_away_wakes_who_awaits() {
    let (machine, _gate, sail, operands) = gated();
    one_thread().block_on(async {
        let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(operands.submit(&sail))).collect();
        tokio::task::yield_now().await;
        machine.unplug(0);
        for task in tasks {
            let error = timeout(HANGS, task).await.unwrap().unwrap().unwrap_err();
            assert_eq!(error.errno(), Some(nix::errno::Errno::ENODEV as i32), "{error}");
        }
    });
}

/// The counter can be read once: whoever reads it tells those who await.
#[test]
fn reading_the_counter_elsewhere_loses_no_wake_up() {
    let sail = Sail::software().unwrap();
    let operands = Operands::new(&sail);
    one_thread().block_on(async {
        for _ in 0..300 {
            let mut pending = operands.submit(&sail);
            if poll_once(&mut pending).await.is_none() {
                while sail.completed().unwrap() < pending.seqno() {
                    std::thread::yield_now();
                }
                assert!(timeout(HANGS, pending).await.unwrap().is_ok());
            }
        }
    });
}

#[test]
fn a_descriptor_that_the_program_watches_itself_can_still_be_awaited() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let own = watch(&sail);
        let mut pending = operands.submit(&sail);
        assert!(poll_once(&mut pending).await.is_none());
        gate.open();
        assert!(timeout(HANGS, pending).await.unwrap().is_ok());
        drop(own);
    });
}

/// The other way round: the program registers it while it is awaited.
#[test]
fn a_descriptor_that_is_awaited_can_still_be_watched_by_the_program() {
    let (_machine, gate, sail, operands) = gated();
    one_thread().block_on(async {
        let mut pending = operands.submit(&sail);
        assert!(poll_once(&mut pending).await.is_none());
        drop(watch(&sail));
        gate.open();
        assert!(timeout(HANGS, pending).await.unwrap().is_ok());
    });
}

/// One that was given up in a runtime, which is kept, and is taken up in another.
#[test]
fn an_await_can_move_to_another_runtime() {
    let (_machine, gate, sail, operands) = gated();
    let (first, second) = (one_thread(), one_thread());
    let mut pending = operands.submit(&sail);
    assert!(first.block_on(poll_once(&mut pending)).is_none());
    second.block_on(async {
        let task = tokio::spawn(pending);
        tokio::task::yield_now().await;
        gate.open();
        assert!(timeout(HANGS, task).await.unwrap().unwrap().is_ok());
    });
}

/// A read that answers nothing, as when somebody else has read the counter.
#[test]
fn news_that_cannot_be_read_is_looked_for() {
    let gate = Arc::new(Gate::default());
    let faults = "READ%100*=EAGAIN".parse().unwrap();
    let config = Config { engine: Arc::clone(&gate) as _, faults, ..Config::default() };
    let sail = Sail::on_machine(&Machine::new(config).unwrap(), 0).unwrap();
    let operands = Operands::new(&sail);
    one_thread().block_on(async {
        let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(operands.submit(&sail))).collect();
        tokio::task::yield_now().await;
        gate.open();
        for task in tasks {
            assert!(timeout(HANGS, task).await.unwrap().unwrap().is_ok());
        }
    });
}

/// A waker may be the last of a task that awaits on the same Sail: dropping it
/// drops that await.
#[test]
fn a_waker_that_owns_another_await_does_not_lock_up() {
    struct Owner {
        _awaited: std::sync::Mutex<Pending<Matrix<F32>>>,
    }
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let (_machine, gate, sail, operands) = gated();
    let runtime = one_thread();
    let _inside = runtime.enter();
    let owned = |pending| Waker::from(Arc::new(Owner { _awaited: std::sync::Mutex::new(pending) }));
    let poll = |pending: &mut Pending<_>, waker: &Waker| {
        assert!(Pin::new(pending).poll(&mut Context::from_waker(waker)).is_pending());
    };
    let (mut inner, mut outer) = (operands.submit(&sail), operands.submit(&sail));
    poll(&mut inner, futures_noop());
    let waker = owned(inner);
    poll(&mut outer, &waker);
    drop(waker);
    // Replaces the waker that owns the other await, and then leaves.
    poll(&mut outer, futures_noop());
    let mut inner = operands.submit(&sail);
    poll(&mut inner, futures_noop());
    let waker = owned(inner);
    poll(&mut outer, &waker);
    drop(waker);
    drop(outer);
    gate.open();
    let _ = operands.submit(&sail).wait().unwrap();
}

#[test]
fn a_runtime_that_has_ended_does_not_keep_the_next_from_waiting() {
    let (_machine, gate, sail, operands) = gated();
    let mut first = operands.submit(&sail);
    let runtime = one_thread();
    assert!(runtime.block_on(poll_once(&mut first)).is_none());
    drop(runtime);
    let second = operands.submit(&sail);
    one_thread().block_on(async {
        let tasks = [tokio::spawn(second), tokio::spawn(first)];
        tokio::task::yield_now().await;
        gate.open();
        for task in tasks {
            assert!(timeout(HANGS, task).await.unwrap().unwrap().is_ok());
        }
    });
}

/// Registered while somebody waits and no longer: a runtime that is kept but
/// not run has nobody depend on it.
#[test]
fn a_runtime_that_stands_still_is_not_in_the_way_of_another() {
    let (_machine, gate, sail, operands) = gated();
    let (first, second) = (one_thread(), one_thread());
    for runtime in [&first, &second, &first, &second] {
        gate.shut();
        let pending = operands.submit(&sail);
        runtime.block_on(async {
            let task = tokio::spawn(pending);
            tokio::task::yield_now().await;
            gate.open();
            assert!(timeout(HANGS, task).await.unwrap().unwrap().is_ok());
        });
    }
}

/// A task that always finds its work done lets others run all the same.
#[test]
fn awaiting_what_is_done_leaves_others_their_turn() {
    let sail = Sail::software().unwrap();
    let operands = Operands::new(&sail);
    one_thread().block_on(async {
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&turns);
        let other = tokio::spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        // Submitted and completed beforehand, so that no await has to wait.
        let done: Vec<_> = (0..512).map(|_| operands.submit(&sail)).collect();
        let _ = operands.submit(&sail).wait().unwrap();
        for pending in done {
            let _ = pending.await.unwrap();
        }
        other.abort();
        assert!(turns.load(Ordering::Relaxed) > 1, "the other never ran");
    });
}

#[test]
fn a_ring_is_awaited() {
    let sail = Sail::software().unwrap();
    let weights = sail.upload_bytes::<Q4K>(4, 256, &[0x27; 4 * 144]).unwrap();
    one_thread().block_on(async {
        let mut ring = Ring::new(&sail, weights, 1, 3).unwrap();
        assert!(ring.next().await.unwrap().is_none());
        let mut firsts = Vec::new();
        for step in 0..10 {
            if ring.is_full() {
                firsts.push(ring.next().await.unwrap().unwrap().get(0, 0).unwrap());
            }
            ring.submit(&[step as f32; 256]).unwrap();
        }
        while let Some(out) = ring.next().await.unwrap() {
            firsts.push(out.get(0, 0).unwrap());
        }
        assert_eq!(firsts.len(), 10);
        assert!(firsts.windows(2).all(|pair| pair[0].abs() < pair[1].abs()), "{firsts:?}");
    });
}

/// 10⁵ ops from tasks on several threads and opens, many of them dropped while
/// they are awaited: all others come to their end.
#[test]
fn no_wake_up_is_lost_under_stress() {
    const OPENS: usize = 4;
    const TASKS: usize = 8;
    const OPS: usize = 100_000 / OPENS / TASKS;
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    let config = Config { threads: NonZeroUsize::new(2), ..Config::default() };
    let machine = Machine::new(config).unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..OPENS {
            let sail = Arc::new(Sail::on_machine(&machine, 0).unwrap());
            for task in 0..TASKS {
                let sail = Arc::clone(&sail);
                tasks.spawn(async move {
                    let operands = Operands::new(&sail);
                    let expected = operands.submit(&sail).await.unwrap().to_vec().unwrap();
                    let mut spare = None;
                    for op in 0..OPS {
                        let out = spare.take().unwrap_or_else(|| sail.matrix(1, 4).unwrap());
                        let matmul = Matmul::new(&operands.a, &operands.b, out);
                        let mut pending = sail.submit(matmul).unwrap();
                        if (op + task) % 16 == 0 {
                            let _ = poll_once(&mut pending).await;
                            continue;
                        }
                        let out = pending.await.unwrap();
                        assert_eq!(out.to_vec().unwrap(), expected);
                        spare = Some(out);
                    }
                });
            }
        }
        while let Some(done) = timeout(HANGS, tasks.join_next()).await.expect("a task hangs") {
            done.unwrap();
        }
    });
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    let _ = operands.submit(&sail).wait().unwrap();
    assert!(sail.telemetry().unwrap().ops >= 99_000);
}
