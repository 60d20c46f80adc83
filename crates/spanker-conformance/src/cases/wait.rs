// SPDX-License-Identifier: Apache-2.0
//! WAIT.

use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use spanker_sys::{spanker_wait, SPANKER_IOC_WAIT};

use crate::busy::{assert_unretired, now_ns, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::open::{Open, LOOK, NEVER};
use crate::ops::valid_copy;
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "wait":
    ends_when_the_batch_has_retired,
    ends_with_its_batch_whatever_comes_after_it,
    answers_for_every_batch_that_has_retired,
    refuses_flags,
    refuses_reserved,
    refuses_seqno_0,
    refuses_a_seqno_not_submitted_yet,
    writes_completed_when_it_refuses,
    alters_nothing_but_completed,
    of_an_earlier_batch_tells_of_later_ones,
    blocks_with_o_nonblock_too,
    wakes_every_waiter,
    does_not_move_the_cursor_of_read,
    fails_where_completed_cannot_be_written,
}

/// "WAIT blocks until the batch `seqno` has retired".
fn ends_when_the_batch_has_retired(context: &Context) {
    let (open, seqno) = while_running(context, |_, seqno| seqno);
    let answer = open.try_wait(seqno, NEVER);
    assert_eq!(answer.result, Ok(()));
    assert_eq!(answer.after.completed, seqno);
    assert_eq!(open.context_info().completed, seqno);
}

/// "WAIT blocks until the batch `seqno` has retired": not until later ones have.
fn ends_with_its_batch_whatever_comes_after_it(context: &Context) {
    for deadline in [NEVER, now_ns() + Duration::from_secs(50).as_nanos() as i64] {
        let (open, last) = while_running(context, |open, _| submit_endless(open));
        let answer = open.try_wait(last - 1, deadline);
        assert_eq!((answer.result, answer.after.completed), (Ok(()), last - 1));
        assert_unretired(&open, last);
    }
}

/// A batch that has retired stays so.
fn answers_for_every_batch_that_has_retired(context: &Context) {
    let open = retired(context, 5);
    for seqno in [1, 5, 3, 1] {
        for deadline in [LOOK, NEVER] {
            let answer = open.try_wait(seqno, deadline);
            assert_eq!(answer.result, Ok(()), "seqno {seqno}");
            assert_eq!(answer.after.completed, 5);
        }
    }
}

/// "EINVAL     flags [...] not 0"
fn refuses_flags(context: &Context) {
    let open = retired(context, 1);
    for bit in 0..32 {
        refuses(&open, spanker_wait { seqno: 1, flags: 1 << bit, ..Default::default() });
    }
}

/// "EINVAL     [...] reserved not 0"
fn refuses_reserved(context: &Context) {
    let open = retired(context, 1);
    for bit in 0..32 {
        refuses(&open, spanker_wait { seqno: 1, reserved: 1 << bit, ..Default::default() });
    }
}

/// "EINVAL     [...] seqno 0"
fn refuses_seqno_0(context: &Context) {
    for open in [context.card(), retired(context, 1)] {
        for deadline_ns in [LOOK, NEVER] {
            refuses(&open, spanker_wait { seqno: 0, deadline_ns, ..Default::default() });
        }
    }
}

/// "EINVAL     [...] seqno [...] not submitted yet"
fn refuses_a_seqno_not_submitted_yet(context: &Context) {
    for batches in [0, 1, 3] {
        let open = retired(context, batches);
        for seqno in [batches + 1, batches + 2, 1 << 32, 1 << 63, u64::MAX] {
            for deadline_ns in [LOOK, NEVER] {
                refuses(&open, spanker_wait { seqno, deadline_ns, ..Default::default() });
            }
        }
    }
}

/// "`completed` is written also when it fails."
fn writes_completed_when_it_refuses(context: &Context) {
    let open = retired(context, 3);
    for wait in [
        spanker_wait { seqno: 0, ..Default::default() },
        spanker_wait { seqno: 4, ..Default::default() },
        spanker_wait { seqno: 1, flags: 1, ..Default::default() },
        spanker_wait { seqno: 1, reserved: 1, ..Default::default() },
    ] {
        let answer = open.request(SPANKER_IOC_WAIT, &spanker_wait { completed: 99, ..wait });
        assert_eq!(answer.result, Err(Errno::EINVAL));
        assert_eq!(answer.after, spanker_wait { completed: 3, ..wait });
    }
}

/// WAIT "alters no input".
fn alters_nothing_but_completed(context: &Context) {
    let open = retired(context, 2);
    for deadline_ns in [LOOK, NEVER, i64::MIN, 12_345] {
        let wait = spanker_wait { seqno: 1, deadline_ns, completed: 77, ..Default::default() };
        let answer = open.request(SPANKER_IOC_WAIT, &wait);
        assert_eq!(answer.result, Ok(()));
        assert_eq!(answer.after, spanker_wait { completed: 2, ..wait });
    }
}

/// completed is the last that succeeded, not the one waited for.
fn of_an_earlier_batch_tells_of_later_ones(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    open.run(&[op]);
    open.run(&[op]);
    let seqno = submit_endless(&open);
    let answer = open.try_wait(1, NEVER);
    assert_eq!((answer.result, answer.after.completed), (Ok(()), 2));
    assert_unretired(&open, seqno);
}

/// "O_NONBLOCK has no effect."
fn blocks_with_o_nonblock_too(context: &Context) {
    let (open, seqno) = while_running(context, |open, seqno| {
        open.file().set_nonblocking(true);
        seqno
    });
    open.wait(seqno);
    let last = submit_endless(&open);
    let deadline = now_ns() + 10_000_000;
    assert_eq!(open.try_wait(last, deadline).result, Err(Errno::ETIMEDOUT));
    assert!(now_ns() >= deadline, "it did not block");
    assert_unretired(&open, last);
}

/// Any number of threads may wait.
fn wakes_every_waiter(context: &Context) {
    let (open, seqnos) = while_running(context, |open, first| {
        let op = valid_copy(open).op;
        [first, open.submit(&[op]), open.submit(&[op])]
    });
    thread::scope(|scope| {
        for round in 0..12 {
            let (open, seqno) = (&open, seqnos[round % 3]);
            let deadline = if round < 6 {
                NEVER
            } else {
                now_ns() + Duration::from_secs(50).as_nanos() as i64
            };
            scope.spawn(move || assert_eq!(open.try_wait(seqno, deadline).result, Ok(())));
        }
    });
}

/// "WAIT does not move it."
fn does_not_move_the_cursor_of_read(context: &Context) {
    let open = retired(context, 2);
    open.wait(2);
    open.file().set_nonblocking(true);
    assert_eq!(open.read_seqno(), Ok(2));
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
    open.wait(1);
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
}

/// "A write that faults turns the answer into EFAULT", success and EINVAL
/// alike.
fn fails_where_completed_cannot_be_written(context: &Context) {
    let open = retired(context, 1);
    for wait in [
        spanker_wait { seqno: 1, ..Default::default() },
        spanker_wait { seqno: 0, ..Default::default() },
        spanker_wait { seqno: 2, ..Default::default() },
        spanker_wait { seqno: 1, flags: 1, ..Default::default() },
    ] {
        assert_eq!(unwritable(&open, &wait), Err(Errno::EFAULT));
    }
}

/// An open on which so many batches have retired.
#[track_caller]
pub(super) fn retired(context: &Context, batches: u64) -> Open {
    let open = context.card();
    let op = valid_copy(&open).op;
    for _ in 0..batches {
        open.run(&[op]);
    }
    open
}

pub(super) fn unwritable(open: &Open, wait: &spanker_wait) -> Result<(), Errno> {
    let placed = UserBytes::read_only(&encode(wait));
    open.file().request(SPANKER_IOC_WAIT, placed.address())
}

#[track_caller]
pub(super) fn refuses(open: &Open, wait: spanker_wait) {
    let answer = open.request(SPANKER_IOC_WAIT, &wait);
    assert_eq!(answer.result, Err(Errno::EINVAL), "{wait:?}");
}
