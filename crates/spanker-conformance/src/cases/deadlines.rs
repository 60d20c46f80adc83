// SPDX-License-Identifier: Apache-2.0
//! The deadline of WAIT: "deadline_ns, on CLOCK_MONOTONIC".

use nix::errno::Errno;
use spanker_sys::spanker_wait;

use super::wait::{refuses, retired, unwritable};
use crate::busy::{assert_unretired, now_ns, submit_endless};
use crate::case::{cases, Context};
use crate::open::LOOK;
use crate::ops::valid_copy;

cases! {
    "deadlines":
    that_have_come_only_look,
    come_after_the_state,
    end_the_wait,
    do_not_end_the_wait_early,
    leave_completed_written,
    are_faults_where_completed_cannot_be_written,
    come_after_bad_arguments,
}

/// EINVAL comes before ETIMEDOUT.
fn come_after_bad_arguments(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    for wait in [
        spanker_wait { seqno: seqno + 1, ..Default::default() },
        spanker_wait { seqno: 0, ..Default::default() },
        spanker_wait { seqno, flags: 1, ..Default::default() },
        spanker_wait { seqno, reserved: 1, ..Default::default() },
    ] {
        refuses(&open, wait);
    }
    assert_unretired(&open, seqno);
}

/// "A deadline at or before now, also a negative one, only looks."
fn that_have_come_only_look(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    for deadline in [LOOK, 1, -1, i64::MIN, now_ns() - 1_000_000, now_ns()] {
        assert_eq!(open.try_wait(seqno, deadline).result, Err(Errno::ETIMEDOUT), "{deadline}");
    }
    assert_unretired(&open, seqno);
}

/// "what the state is goes before what the time is."
fn come_after_the_state(context: &Context) {
    let open = retired(context, 1);
    for deadline in [LOOK, -1, i64::MIN, now_ns()] {
        assert_eq!(open.try_wait(1, deadline).result, Ok(()), "{deadline}");
    }
}

/// "ETIMEDOUT  not retired at the deadline"
fn end_the_wait(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    let deadline = now_ns() + 50_000_000;
    assert_eq!(open.try_wait(seqno, deadline).result, Err(Errno::ETIMEDOUT));
    assert!(now_ns() - deadline < 5_000_000_000, "it ended long after its deadline");
    assert_unretired(&open, seqno);
}

/// "deadline_ns, on CLOCK_MONOTONIC"
fn do_not_end_the_wait_early(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    for duration in [1, 1_000, 999_999, 20_000_000, 30_000_001] {
        let deadline = now_ns() + duration;
        assert_eq!(open.try_wait(seqno, deadline).result, Err(Errno::ETIMEDOUT));
        assert!(now_ns() >= deadline, "it ended {} ns early", deadline - now_ns());
    }
    assert_unretired(&open, seqno);
}

/// "`completed` is written also when it fails."
fn leave_completed_written(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    open.run(&[op]);
    open.run(&[op]);
    let seqno = submit_endless(&open);
    for deadline in [LOOK, now_ns() + 1_000_000] {
        let answer = open.try_wait(seqno, deadline);
        assert_eq!(answer.result, Err(Errno::ETIMEDOUT));
        assert_eq!(answer.after.completed, 2);
        assert_eq!((answer.after.seqno, answer.after.deadline_ns), (seqno, deadline));
    }
    assert_unretired(&open, seqno);
}

/// "A write that faults turns the answer into EFAULT", ETIMEDOUT too.
fn are_faults_where_completed_cannot_be_written(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    for deadline_ns in [LOOK, now_ns() + 10_000_000] {
        let wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
        assert_eq!(unwritable(&open, &wait), Err(Errno::EFAULT));
    }
    assert_unretired(&open, seqno);
}
