// SPDX-License-Identifier: Apache-2.0
//! Who sleeps in poll, ppoll or epoll is woken by what poll tells of.

use std::os::fd::BorrowedFd;
use std::thread;

use nix::errno::Errno;
use nix::poll::{poll, ppoll, PollFd, PollFlags, PollTimeout};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::SigSet;
use nix::sys::time::{TimeSpec, TimeValLike};

use crate::busy::{eventually, submit_endless, while_running};
use crate::case::{cases, Context, Need};
use crate::kernel::Thread;
use crate::open::Open;
use crate::ops::valid_copy;

cases! {
    "wakeups": ;
    [Need::Descriptors]
    of_poll_by_a_batch,
    of_poll_by_room,
    of_ppoll_by_a_batch,
    of_poll_reach_every_sleeper,
    of_poll_come_to_nobody_who_waits_for_nothing,
    of_epoll_by_a_batch,
    of_epoll_as_long_as_there_is_something_to_read,
    of_edges_by_every_batch,
    of_edges_by_room
    ; [Need::Descriptors, Need::Faults]
    of_poll_by_a_fault,
    of_edges_by_a_fault
    ; [Need::Descriptors, Need::Plug]
    of_poll_by_unplug,
    of_edges_by_unplug
    ; [Need::Descriptors, Need::Resets]
    of_poll_by_a_reset,
    of_edges_by_a_reset
}

/// Longer than anything here takes, in ms.
const LONG: u16 = 40_000;

/// "POLLIN   read would not block"
fn of_poll_by_a_batch(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for seqno in 1..4 {
        let told = woken(context, &open, PollFlags::POLLIN, || {
            open.submit(&[op]);
        });
        assert_eq!(told, PollFlags::POLLIN);
        assert_eq!(open.read_seqno(), Ok(seqno));
    }
}

/// "POLLOUT  [...] a batch would find room"
fn of_poll_by_room(context: &Context) {
    let (open, ()) = while_running(context, |open, _| fill(open));
    let told = sleep(context.descriptor(&open), PollFlags::POLLOUT);
    assert_eq!(told, PollFlags::POLLOUT);
    assert!(open.try_submit(&[valid_copy(&open).op]).result.is_ok(), "poll told of room");
}

/// ppoll is poll.
fn of_ppoll_by_a_batch(context: &Context) {
    let (open, seqno) = while_running(context, |_, seqno| seqno);
    let mut fds = [PollFd::new(context.descriptor(&open), PollFlags::POLLIN)];
    let ready = ppoll(&mut fds, Some(TimeSpec::seconds(40)), Some(SigSet::empty()));
    assert_eq!(ready, Ok(1));
    assert_eq!(fds[0].revents(), Some(PollFlags::POLLIN));
    assert_eq!(open.read_seqno(), Ok(seqno));
}

/// Threads and other descriptors of the open alike.
fn of_poll_reach_every_sleeper(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let dup = context.descriptor(&open).try_clone_to_owned().expect("dup");
    thread::scope(|scope| {
        let sleepers: Vec<_> = (0..6)
            .map(|at| {
                let dup = &dup;
                let fd = context.descriptor(&open);
                sleeper(scope, move || {
                    let fd = if at % 2 == 0 { fd } else { std::os::fd::AsFd::as_fd(dup) };
                    sleep(fd, PollFlags::POLLIN)
                })
            })
            .collect();
        open.submit(&[op]);
        for sleeper in sleepers {
            assert_eq!(sleeper.join().expect("a sleeper"), PollFlags::POLLIN);
        }
    });
}

/// A poll that comes back has something to tell.
fn of_poll_come_to_nobody_who_waits_for_nothing(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let mut fds = [PollFd::new(context.descriptor(&open), PollFlags::empty())];
    open.run(&[op]);
    assert_eq!(poll(&mut fds, PollTimeout::from(20u8)), Ok(0));
    assert_eq!(fds[0].revents(), Some(PollFlags::empty()));
}

/// epoll is poll.
fn of_epoll_by_a_batch(context: &Context) {
    let (open, seqno) = while_running(context, |_, seqno| seqno);
    let epoll = watching(context, &open, EpollFlags::EPOLLIN);
    assert_eq!(next(&epoll), EpollFlags::EPOLLIN);
    assert_eq!(open.read_seqno(), Ok(seqno));
}

/// Without edges it is told as long as it is so.
fn of_epoll_as_long_as_there_is_something_to_read(context: &Context) {
    let open = context.card();
    let epoll = watching(context, &open, EpollFlags::EPOLLIN);
    open.run(&[valid_copy(&open).op]);
    for _ in 0..3 {
        assert_eq!(next(&epoll), EpollFlags::EPOLLIN);
    }
    assert_eq!(open.read_seqno(), Ok(1));
    assert!(!another(&epoll), "the cursor is there");
}

/// Every batch is an edge, whether the one before was read or not.
fn of_edges_by_every_batch(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let epoll = watching(context, &open, EpollFlags::EPOLLIN | EpollFlags::EPOLLET);
    for _ in 0..50 {
        while another(&epoll) {}
        open.submit(&[op]);
        assert_eq!(next(&epoll), EpollFlags::EPOLLIN);
    }
}

/// Room that comes is an edge.
fn of_edges_by_room(context: &Context) {
    let (open, ()) = while_running(context, |open, _| fill(open));
    let epoll = watching(context, &open, EpollFlags::EPOLLOUT | EpollFlags::EPOLLET);
    assert_eq!(next(&epoll), EpollFlags::EPOLLOUT);
}

/// "POLLERR  the open is faulted"
fn of_poll_by_a_fault(context: &Context) {
    for events in [PollFlags::empty(), PollFlags::POLLIN] {
        context.faults().fault_next_open(1, 0);
        let open = context.card();
        let op = valid_copy(&open).op;
        let told = woken(context, &open, events, || {
            open.submit(&[op]);
        });
        assert_eq!(told, events | PollFlags::POLLERR);
    }
}

fn of_edges_by_a_fault(context: &Context) {
    context.faults().fault_next_open(1, 0);
    let open = context.card();
    let op = valid_copy(&open).op;
    let epoll = watching(context, &open, EpollFlags::EPOLLET);
    assert!(!another(&epoll));
    open.submit(&[op]);
    assert_eq!(next(&epoll), EpollFlags::EPOLLERR);
}

/// "POLLHUP  requests answer ENODEV"
fn of_poll_by_unplug(context: &Context) {
    hangup(context, || context.plug().unplug());
}

fn of_poll_by_a_reset(context: &Context) {
    hangup(context, || context.resets().reset());
}

fn hangup(context: &Context, leave: impl FnOnce()) {
    let (idle, busy, full) = (context.card(), context.card(), context.card());
    submit_endless(&busy);
    submit_endless(&full);
    fill(&full);
    let sleepers = [
        (&idle, PollFlags::empty()),
        (&idle, PollFlags::POLLIN),
        (&busy, PollFlags::empty()),
        (&busy, PollFlags::POLLIN),
        (&full, PollFlags::POLLIN | PollFlags::POLLOUT),
    ];
    thread::scope(|scope| {
        let handles = sleepers.map(|(open, events)| {
            let fd = context.descriptor(open);
            sleeper(scope, move || sleep(fd, events))
        });
        leave();
        for (handle, (_, events)) in handles.into_iter().zip(sleepers) {
            let expected = (events & PollFlags::POLLIN) | PollFlags::POLLHUP;
            assert_eq!(handle.join().expect("a sleeper"), expected, "of {events:?}");
        }
    });
}

fn of_edges_by_unplug(context: &Context) {
    edge_of_hangup(context, || context.plug().unplug());
}

fn of_edges_by_a_reset(context: &Context) {
    edge_of_hangup(context, || context.resets().reset());
}

fn edge_of_hangup(context: &Context, leave: impl FnOnce()) {
    let (idle, busy) = (context.card(), context.card());
    submit_endless(&busy);
    let epolls = [&idle, &busy].map(|open| watching(context, open, EpollFlags::EPOLLET));
    leave();
    for epoll in &epolls {
        assert_eq!(next(epoll), EpollFlags::EPOLLHUP);
    }
}

/// Submits until there is no room.
fn fill(open: &Open) {
    let op = valid_copy(open).op;
    while open.try_submit(&[op]).result != Err(Errno::EAGAIN) {}
}

/// What poll tells a thread that slept in it until `happen`.
#[track_caller]
fn woken(context: &Context, open: &Open, events: PollFlags, happen: impl FnOnce()) -> PollFlags {
    thread::scope(|scope| {
        let fd = context.descriptor(open);
        let sleeper = sleeper(scope, move || sleep(fd, events));
        assert!(!sleeper.is_finished(), "poll did not block");
        happen();
        sleeper.join().expect("the sleeper")
    })
}

/// A thread that sleeps, once it does.
#[track_caller]
fn sleeper<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    call: impl FnOnce() -> T + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let handle = scope.spawn(move || {
        sender.send(Thread::current()).expect("the case wants to know");
        call()
    });
    let thread = receiver.recv().expect("the thread says which it is");
    eventually("the thread sleeps", || thread.sleeps() || handle.is_finished());
    handle
}

/// Polls until there is something to tell.
fn sleep(fd: BorrowedFd<'_>, events: PollFlags) -> PollFlags {
    let mut fds = [PollFd::new(fd, events)];
    assert_eq!(poll(&mut fds, PollTimeout::from(LONG)), Ok(1), "nothing came of {events:?}");
    fds[0].revents().expect("bits that nix knows")
}

#[track_caller]
fn watching(context: &Context, open: &Open, events: EpollFlags) -> Epoll {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll_create1");
    epoll.add(context.descriptor(open), EpollEvent::new(events, 0)).expect("EPOLL_CTL_ADD");
    epoll
}

/// The next event.
#[track_caller]
fn next(epoll: &Epoll) -> EpollFlags {
    let mut events = [EpollEvent::empty()];
    assert_eq!(epoll.wait(&mut events, EpollTimeout::from(LONG)), Ok(1), "no event came");
    events[0].events()
}

/// Whether there is another event already.
fn another(epoll: &Epoll) -> bool {
    epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::ZERO) == Ok(1)
}
