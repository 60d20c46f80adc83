// SPDX-License-Identifier: Apache-2.0
//! "Every blocking call is interruptible, and ends when its process is killed."

use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use spanker_sys::{spanker_wait, SPANKER_IOC_WAIT};

use crate::busy::{assert_unretired, eventually, now_ns, submit_endless};
use crate::case::{cases, Context, Need};
use crate::kernel::{Child, Thread, Upon};
use crate::open::{Open, NEVER};
use crate::ops::valid_copy;
use crate::user_bytes::UserBytes;
use crate::wire::{decode, encode};

cases! {
    "signals": ;
    [Need::Descriptors]
    interrupt_wait,
    interrupt_wait_with_a_deadline,
    interrupt_read,
    restart_wait,
    restart_read,
    leave_the_open_alone,
    kill_who_waits,
    kill_who_waits_with_a_deadline,
    kill_who_reads,
    kill_a_process_with_work_in_flight,
}

/// "An interrupted WAIT answers EINTR [...]; it alters no input"; "`completed`
/// is written also when it fails."
fn interrupt_wait(context: &Context) {
    interrupted(context, NEVER);
}

/// A deadline makes no difference.
fn interrupt_wait_with_a_deadline(context: &Context) {
    interrupted(context, now_ns() + Duration::from_secs(3600).as_nanos() as i64);
}

fn interrupted(context: &Context, deadline_ns: i64) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    let seqno = submit_endless(&open);
    let wait = spanker_wait { seqno, deadline_ns, completed: u64::MAX, ..Default::default() };
    thread::scope(|scope| {
        let placed = UserBytes::new(&encode(&wait));
        let address = placed.address();
        let file = open.file();
        let (sleeper, answer) =
            asleep(scope, move || file.request(SPANKER_IOC_WAIT, address).map(|()| 0));
        sleeper.signal(Upon::Interrupt);
        assert_eq!(answer.join().expect("the waiter"), Err(Errno::EINTR));
        assert_eq!(decode::<spanker_wait>(&placed.bytes()), spanker_wait { completed: 1, ..wait });
    });
    assert_unretired(&open, seqno);
}

/// read blocks, and is interruptible.
fn interrupt_read(context: &Context) {
    let open = context.card();
    thread::scope(|scope| {
        let room = UserBytes::room(8);
        let address = room.address();
        let file = open.file();
        let (sleeper, answer) = asleep(scope, move || file.read(address, 8));
        sleeper.signal(Upon::Interrupt);
        assert_eq!(answer.join().expect("the reader"), Err(Errno::EINTR));
    });
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.read_seqno(), Ok(1), "the cursor has not moved");
}

/// "An interrupted WAIT [...] is restarted; it alters no input": the deadline is
/// absolute, and stays what it was.
fn restart_wait(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    for seconds in [2, 8, 32] {
        let deadline_ns = now_ns() + Duration::from_secs(seconds).as_nanos() as i64;
        let wait = spanker_wait { seqno, deadline_ns, completed: u64::MAX, ..Default::default() };
        let in_time = thread::scope(|scope| {
            let placed = UserBytes::new(&encode(&wait));
            let address = placed.address();
            let file = open.file();
            let (sleeper, answer) =
                asleep(scope, move || file.request(SPANKER_IOC_WAIT, address).map(|()| 0));
            for _ in 0..3 {
                let handled = Thread::signals_handled();
                sleeper.signal(Upon::Restart);
                eventually("the signal is handled, or WAIT has ended", || {
                    Thread::signals_handled() > handled || answer.is_finished()
                });
            }
            let in_time = now_ns() < deadline_ns;
            assert_eq!(answer.join().expect("the waiter"), Err(Errno::ETIMEDOUT));
            assert!(now_ns() >= deadline_ns, "it ended early");
            let expected = spanker_wait { completed: 0, ..wait };
            assert_eq!(decode::<spanker_wait>(&placed.bytes()), expected);
            in_time
        });
        if in_time {
            assert_unretired(&open, seqno);
            return;
        }
    }
    panic!("three signals were never handled before the deadline");
}

/// read that is restarted gives what comes then.
fn restart_read(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    thread::scope(|scope| {
        let room = UserBytes::room(8);
        let address = room.address();
        let file = open.file();
        let (sleeper, answer) = asleep(scope, move || file.read(address, 8));
        for _ in 0..3 {
            let handled = Thread::signals_handled();
            sleeper.signal(Upon::Restart);
            eventually("the signal is handled", || Thread::signals_handled() > handled);
            eventually("the reader sleeps again", || sleeper.sleeps());
        }
        open.run(&[op]);
        assert_eq!(answer.join().expect("the reader"), Ok(8));
        assert_eq!(decode::<u64>(&room.bytes()), 1);
    });
}

/// Who was interrupted waits again, and others were not disturbed.
fn leave_the_open_alone(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    thread::scope(|scope| {
        let rooms = [UserBytes::room(8), UserBytes::room(8)];
        let [first, second] = [rooms[0].address(), rooms[1].address()];
        let file = open.file();
        let (interrupted, answer) = asleep(scope, move || file.read(first, 8));
        let (undisturbed, other) = asleep(scope, move || file.read(second, 8));
        interrupted.signal(Upon::Interrupt);
        assert_eq!(answer.join().expect("the reader"), Err(Errno::EINTR));
        assert!(undisturbed.sleeps());
        assert_eq!(open.run(&[op]), 1);
        assert_eq!(other.join().expect("the other reader"), Ok(8));
    });
    assert_eq!(open.run(&[op]), 2);
}

/// "ends when its process is killed"
fn kill_who_waits(context: &Context) {
    killed(context, |open, seqno| waiting(open, seqno, NEVER));
}

/// A deadline far away holds nobody back.
fn kill_who_waits_with_a_deadline(context: &Context) {
    let deadline = now_ns() + Duration::from_secs(3600).as_nanos() as i64;
    killed(context, |open, seqno| waiting(open, seqno, deadline));
}

/// read is a blocking call too.
fn kill_who_reads(context: &Context) {
    killed(context, |open, _| {
        let room = UserBytes::room(8);
        let child = Child::that(|| open.file().read(room.address(), 8).is_ok());
        eventually("the child sleeps", || child.thread().sleeps());
        child
    });
}

/// The process that is killed has the only descriptor and the only mapping: what
/// it had ends with it.
fn kill_a_process_with_work_in_flight(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry().mem_used;
    for _ in 0..3 {
        let open = context.card();
        let mapping = open.map(&open.create(100));
        let seqno = submit_endless(&open);
        let child = waiting(&open, seqno, NEVER);
        drop(open);
        drop(mapping);
        assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
        let start = Instant::now();
        child.kill();
        assert!(start.elapsed() < SOON, "the process went on for {:?}", start.elapsed());
        eventually("the open has ended", || watcher.telemetry().mem_used == before);
    }
}

/// Far less than the batches here take.
const SOON: Duration = Duration::from_secs(5);

/// Kills a child that blocks; its parent's open is none the worse.
fn killed(context: &Context, blocked: impl Fn(&Open, u64) -> Child) {
    let open = context.card();
    let seqno = submit_endless(&open);
    let child = blocked(&open, seqno);
    let start = Instant::now();
    child.kill();
    assert!(start.elapsed() < SOON, "the process went on for {:?}", start.elapsed());
    assert_eq!(open.context_info().submitted, 1);
    assert_unretired(&open, seqno);
}

/// A child that is blocked in WAIT.
#[track_caller]
fn waiting(open: &Open, seqno: u64, deadline_ns: i64) -> Child {
    let wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
    let placed = UserBytes::new(&encode(&wait));
    let child = Child::that(|| open.file().request(SPANKER_IOC_WAIT, placed.address()).is_ok());
    eventually("the child sleeps", || child.thread().sleeps());
    child
}

/// A thread that blocks in a call, once it does. The call allocates nothing, so
/// that it is in the call that it sleeps.
#[track_caller]
fn asleep<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    call: impl FnOnce() -> Result<usize, Errno> + Send + 'scope,
) -> (Thread, ScopedJoinHandle<'scope, Result<usize, Errno>>) {
    let (sender, receiver) = mpsc::channel();
    let handle = scope.spawn(move || {
        sender.send(Thread::current()).expect("the case wants to know");
        call()
    });
    let sleeper = receiver.recv().expect("the thread says which it is");
    eventually("the thread sleeps", || sleeper.sleeps() || handle.is_finished());
    (sleeper, handle)
}
