// SPDX-License-Identifier: Apache-2.0
//! What it means that an open is gone, by whatever way: "every request, read and
//! mmap of that open answers ENODEV".

use std::thread;

use nix::errno::Errno;
use spanker_sys::{
    ioc, spanker_wait, IOC_NONE, IOC_READ, IOC_WRITE, SPANKER_IOC_MAGIC, SPANKER_IOC_PING,
    SPANKER_IOC_WAIT,
};

use super::requests::{Ready, Request};
use crate::busy::{now_ns, submit_endless};
use crate::case::Context;
use crate::device::{PollBits, Protection, Sharing};
use crate::open::{Open, NEVER};
use crate::ops::valid_copy;
use crate::pages::page_size;
use crate::user_bytes::UserBytes;

/// Makes all opens of a card be gone.
pub(super) type Leave = fn(&Context);

/// Requests that were valid answer ENODEV and write nothing.
pub(super) fn requests_answer_enodev(context: &Context, leave: Leave) {
    let ready = [
        Request::Query,
        Request::BufCreate,
        Request::BufDestroy,
        Request::WorkSubmit,
        Request::Wait,
    ]
    .map(|request| Ready::new(context, request));
    leave(context);
    for ready in &ready {
        let placed = UserBytes::new(&ready.bytes);
        let result = ready.open.file().request(ready.request.code(), placed.address());
        assert_eq!(result, Err(Errno::ENODEV), "{:?}", ready.request);
        assert_eq!(placed.bytes(), ready.bytes, "the struct of {:?}", ready.request);
    }
    let file = ready[0].open.file();
    assert_eq!(file.request(SPANKER_IOC_PING, 0), Err(Errno::ENODEV));
    let version = UserBytes::new(&[0xee; 8]);
    let get_version = ioc(IOC_READ, SPANKER_IOC_MAGIC, 0x02, 8);
    assert_eq!(file.request(get_version, version.address()), Err(Errno::ENODEV));
    assert_eq!(version.bytes(), [0xee; 8]);
}

/// ENODEV is the first check.
pub(super) fn enodev_goes_before_everything(context: &Context, leave: Leave) {
    let open = context.card();
    leave(context);
    for code in [
        // Another type, number and direction.
        ioc(IOC_NONE, SPANKER_IOC_MAGIC ^ 1, 0x01, 0),
        ioc(IOC_NONE, SPANKER_IOC_MAGIC, 0x7f, 0),
        ioc(IOC_WRITE, SPANKER_IOC_MAGIC, 0x10, 16),
        // Too short, and too long.
        ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC, 0x30, 4),
        ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC, 0x31, 40),
        // Unreadable.
        SPANKER_IOC_WAIT,
    ] {
        assert_eq!(open.file().request(code, 8), Err(Errno::ENODEV), "{code:#010x}");
    }
}

/// "read [...] answers ENODEV", first of all, also when there is something to
/// read.
pub(super) fn read_answers_enodev(context: &Context, leave: Leave) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    leave(context);
    for nonblocking in [false, true] {
        open.file().set_nonblocking(nonblocking);
        assert_eq!(open.read_seqno(), Err(Errno::ENODEV));
        assert_eq!(open.file().read(8, 8), Err(Errno::ENODEV));
        assert_eq!(open.file().read(8, 7), Err(Errno::ENODEV));
        assert_eq!(open.file().read(8, 0), Err(Errno::ENODEV));
    }
}

/// "mmap [...] answers ENODEV", first of all.
pub(super) fn mmap_answers_enodev(context: &Context, leave: Leave) {
    let open = context.card();
    let buffer = open.create(100);
    leave(context);
    for offset in [buffer.mmap_offset, 0] {
        for protection in [Protection::READ_WRITE, Protection::READ_EXEC] {
            for sharing in [Sharing::Shared, Sharing::Private] {
                let mapped = open.file().mmap(offset, page_size(), protection, sharing);
                assert_eq!(mapped.err(), Some(Errno::ENODEV));
            }
        }
    }
}

/// "POLLHUP  requests answer ENODEV (and then no POLLOUT)"; read would not
/// block.
pub(super) fn poll_tells_of_hangup(context: &Context, leave: Leave) {
    let (idle, busy) = (context.card(), context.card());
    submit_endless(&busy);
    leave(context);
    for open in [idle, busy] {
        let expected = PollBits { input: true, output: false, error: false, hangup: true };
        assert_eq!(open.file().poll(), expected);
    }
}

/// "Mappings stay readable and writable."
pub(super) fn mappings_stay(context: &Context, leave: Leave) {
    let open = context.card();
    let mapping = open.map(&open.create(page_size()));
    mapping.write(0, &[1, 2, 3]);
    leave(context);
    let mut bytes = [0; 4];
    mapping.read(0, &mut bytes);
    assert_eq!(bytes, [1, 2, 3, 0]);
    drop(open);
    mapping.write(3, &[4]);
    mapping.read(0, &mut bytes);
    assert_eq!(bytes, [1, 2, 3, 4]);
}

/// "Mappings stay readable and writable", also the pages that nobody had touched
/// before.
pub(super) fn mappings_stay_where_they_were_never_touched(context: &Context, leave: Leave) {
    let open = context.card();
    let buffer = open.create(4 * page_size());
    let (first, second) = (open.map(&buffer), open.map(&open.create(page_size())));
    open.destroy(&buffer);
    leave(context);
    let mut bytes = [9; 2];
    first.read(2 * page_size() - 1, &mut bytes);
    assert_eq!(bytes, [0, 0]);
    drop(open);
    first.write(4 * page_size() - 1, &[1]);
    second.write(0, &[2]);
    first.read(4 * page_size() - 1, &mut bytes[..1]);
    second.read(0, &mut bytes[1..]);
    assert_eq!(bytes, [1, 2]);
}

/// "whoever is blocked in WAIT or read is woken with ENODEV."
pub(super) fn who_is_blocked_is_woken(context: &Context, leave: Leave) {
    let open = context.card();
    let seqno = submit_endless(&open);
    thread::scope(|scope| {
        for deadline in [NEVER, NEVER, now_ns() + 3_600_000_000_000] {
            let open = &open;
            scope.spawn(move || {
                assert_eq!(open.try_wait(seqno, deadline).result, Err(Errno::ENODEV));
            });
            scope.spawn(|| assert_eq!(open.read_seqno(), Err(Errno::ENODEV)));
        }
        // By then they are most likely blocked; if not, the answer is the same.
        assert_eq!(open.try_wait(seqno, now_ns() + 50_000_000).result, Err(Errno::ETIMEDOUT));
        leave(context);
    });
}

/// "`completed` is written also when it fails": "ENODEV     the card went away
/// while waiting".
pub(super) fn who_is_woken_is_told_completed(context: &Context, leave: Leave) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    let seqno = submit_endless(&open);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let wait = spanker_wait {
                seqno,
                deadline_ns: NEVER,
                completed: u64::MAX,
                ..Default::default()
            };
            open.request(SPANKER_IOC_WAIT, &wait)
        });
        assert_eq!(open.try_wait(seqno, now_ns() + 50_000_000).result, Err(Errno::ETIMEDOUT));
        leave(context);
        let answer = waiter.join().expect("the waiter");
        assert_eq!(answer.result, Err(Errno::ENODEV));
        // Untouched if the request began only after the card had gone.
        assert!([1, u64::MAX].contains(&answer.after.completed), "{:?}", answer.after);
    });
}

/// Ending an open that is gone, with work in flight, is as quick as any.
pub(super) fn opens_end_quickly(context: &Context, leave: Leave) {
    let open = context.card();
    submit_endless(&open);
    let mapping = open.map(&open.create(1));
    leave(context);
    let start = now_ns();
    drop(open);
    drop(mapping);
    assert!(now_ns() - start < 5_000_000_000, "close took {} ns", now_ns() - start);
}

/// All threads of a process see it: no request succeeds any more.
pub(super) fn no_request_succeeds_afterwards(context: &Context, leave: Leave) {
    let open = context.card();
    let op = valid_copy(&open).op;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| until_gone(&open, || open.try_submit(&[op]).result));
            scope.spawn(|| until_gone(&open, || open.try_create(1, 0).result));
            scope.spawn(|| until_gone(&open, || open.try_wait(1, NEVER).result));
        }
        open.try_wait(1, now_ns() + 20_000_000).result.err();
        leave(context);
        assert_eq!(open.try_submit(&[op]).result, Err(Errno::ENODEV));
        assert_eq!(open.try_create(1, 0).result, Err(Errno::ENODEV));
    });
}

fn until_gone(open: &Open, request: impl Fn() -> Result<(), Errno>) {
    while request() != Err(Errno::ENODEV) {
        thread::yield_now();
    }
    assert_eq!(request(), Err(Errno::ENODEV), "it came back");
    assert!(open.file().poll().hangup);
}
