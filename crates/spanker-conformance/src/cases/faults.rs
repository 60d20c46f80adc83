// SPDX-License-Identifier: Apache-2.0
//! "When an op fails, its batch is the fault: all before it succeeded, all after
//! it are cancelled [...] and the open stays faulted until it ends."

use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use spanker_sys::{
    spanker_context_info, spanker_op, spanker_wait, SPANKER_FAULT_ENGINE, SPANKER_IOC_WAIT,
    SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP,
};

use super::refusal::refuses;
use crate::busy::{eventually, Load};
use crate::case::{cases, Context, Need};
use crate::device::PollBits;
use crate::open::{batch, Open, LOOK, NEVER};
use crate::ops::{bytes, copy, copy_start, valid_copy};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "faults": ;
    [Need::Faults]
    name_their_batch_op_and_code,
    of_the_first_batch_leave_nothing_completed,
    are_told_by_wait_for_each_batch,
    are_told_by_wait_before_the_deadline,
    are_told_by_wait_after_bad_arguments,
    are_told_by_submit,
    are_told_by_submit_after_a_bad_op,
    are_told_by_submit_before_an_unwritable_struct,
    are_told_by_read_after_what_completed,
    are_told_by_read_after_little_room,
    are_told_by_poll,
    wake_who_waits,
    wake_who_reads,
    stay_with_their_open,
    leave_the_batches_before_as_they_were,
    stay_within_footprints,
    let_buffers_go,
    leave_buffers_to_be_used
}

/// "fault_seqno: the batch that failed", "fault_op: index of the op in that
/// batch", "completed [...] stops short of a fault".
fn name_their_batch_op_and_code(context: &Context) {
    for (seqno, op) in [(2, 0), (2, 2), (3, 1), (5, 0)] {
        let open = faulted(context, seqno, op, 5);
        let expected = spanker_context_info {
            submitted: open.context_info().submitted,
            completed: seqno - 1,
            fault_seqno: seqno,
            fault_op: op,
            fault_code: SPANKER_FAULT_ENGINE,
        };
        assert_eq!(open.context_info(), expected);
    }
}

/// "completed: batches retired successfully"
fn of_the_first_batch_leave_nothing_completed(context: &Context) {
    let open = faulted(context, 1, 0, 1);
    let answer = open.try_wait(1, NEVER);
    assert_eq!((answer.result, answer.after.completed), (Err(Errno::EIO), 0));
    assert_eq!(open.context_info().completed, 0);
    open.file().set_nonblocking(true);
    assert_eq!(open.read_seqno(), Err(Errno::EIO));
}

/// "EIO        this batch is the fault", "ECANCELED  this batch was cancelled by
/// a fault before it".
fn are_told_by_wait_for_each_batch(context: &Context) {
    let (open, _) = three_batches(context);
    for _ in 0..2 {
        for (seqno, result) in [(1, Ok(())), (2, Err(Errno::EIO)), (3, Err(Errno::ECANCELED))] {
            let answer = open.try_wait(seqno, NEVER);
            assert_eq!((answer.result, answer.after.completed), (result, 1), "seqno {seqno}");
        }
    }
}

/// "what the state is goes before what the time is."
fn are_told_by_wait_before_the_deadline(context: &Context) {
    let (open, _) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    for deadline in [LOOK, -1, i64::MIN] {
        assert_eq!(open.try_wait(1, deadline).result, Ok(()));
        assert_eq!(open.try_wait(2, deadline).result, Err(Errno::EIO));
        assert_eq!(open.try_wait(3, deadline).result, Err(Errno::ECANCELED));
    }
}

/// EINVAL comes before EIO and ECANCELED; "`completed` is written also when it
/// fails", and where it cannot be that is EFAULT.
fn are_told_by_wait_after_bad_arguments(context: &Context) {
    let (open, _) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    for wait in [
        spanker_wait { seqno: 2, flags: 1, ..Default::default() },
        spanker_wait { seqno: 3, reserved: 1, ..Default::default() },
        spanker_wait { seqno: 4, ..Default::default() },
        spanker_wait { seqno: 0, ..Default::default() },
    ] {
        let answer = open.request(SPANKER_IOC_WAIT, &wait);
        assert_eq!((answer.result, answer.after.completed), (Err(Errno::EINVAL), 1));
    }
    for seqno in [2, 3] {
        let wait = UserBytes::read_only(&encode(&spanker_wait { seqno, ..Default::default() }));
        let result = open.file().request(SPANKER_IOC_WAIT, wait.address());
        assert_eq!(result, Err(Errno::EFAULT));
    }
}

/// "EIO         this open is faulted"
fn are_told_by_submit(context: &Context) {
    let (open, op) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    for _ in 0..3 {
        refuses(&open, &[op], Errno::EIO, SPANKER_NO_OP);
    }
}

/// "then for the whole batch": each op is checked before.
fn are_told_by_submit_after_a_bad_op(context: &Context) {
    let (open, op) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    refuses(&open, &[op, spanker_op { opcode: 0, ..op }], Errno::EINVAL, 1);
    let mut far = op;
    far.a.offset = 1 << 40;
    refuses(&open, &[far], Errno::ERANGE, 0);
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(8, 1));
    assert_eq!(answer.result, Err(Errno::EFAULT));
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(8, 0));
    assert_eq!(answer.result, Err(Errno::EINVAL));
}

/// "A write that faults turns the answer into EFAULT": bad_op is written for EIO
/// as well.
fn are_told_by_submit_before_an_unwritable_struct(context: &Context) {
    let (open, op) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    let array = UserBytes::new(&encode(&op));
    let placed = UserBytes::read_only(&encode(&batch(array.address(), 1)));
    let result = open.file().request(SPANKER_IOC_WORK_SUBMIT, placed.address());
    assert_eq!(result, Err(Errno::EFAULT));
}

/// "success, if completed exceeds the cursor", then "EIO     the open is
/// faulted".
fn are_told_by_read_after_what_completed(context: &Context) {
    for nonblocking in [false, true] {
        let (open, _) = three_batches(context);
        open.file().set_nonblocking(nonblocking);
        assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
        assert_eq!(open.file().read(8, 8), Err(Errno::EFAULT));
        assert_eq!(open.read_seqno(), Ok(1));
        assert_eq!(open.read_seqno(), Err(Errno::EIO));
        assert_eq!(open.file().read(8, 8), Err(Errno::EIO), "nothing is written");
    }
}

/// "EINVAL  room for less than 8 bytes" comes first.
fn are_told_by_read_after_little_room(context: &Context) {
    let open = faulted(context, 1, 0, 1);
    assert_eq!(open.file().read(8, 7), Err(Errno::EINVAL));
}

/// "POLLERR  the open is faulted"; POLLIN as read does not block; no POLLOUT.
fn are_told_by_poll(context: &Context) {
    let (open, _) = three_batches(context);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    let faulted = PollBits { input: true, output: false, error: true, hangup: false };
    assert_eq!(open.file().poll(), faulted);
    assert_eq!(open.read_seqno(), Ok(1));
    assert_eq!(open.file().poll(), faulted);
}

/// Whoever waits for the fault, or for what comes after it, is woken.
fn wake_who_waits(context: &Context) {
    let load = Load::lasting(context, Duration::from_millis(200));
    context.faults().fault_next_open(2, 0);
    let open = context.card();
    open.submit(&load.ops(&open));
    let op = valid_copy(&open).op;
    let last = [open.submit(&[op]), open.submit(&[op])][1];
    assert_eq!(last, 3);
    thread::scope(|scope| {
        for (seqno, result) in [(1, Ok(())), (2, Err(Errno::EIO)), (3, Err(Errno::ECANCELED))] {
            let open = &open;
            scope.spawn(move || assert_eq!(open.try_wait(seqno, NEVER).result, result, "{seqno}"));
        }
    });
}

/// Whoever reads is woken.
fn wake_who_reads(context: &Context) {
    let load = Load::lasting(context, Duration::from_millis(200));
    context.faults().fault_next_open(1, load.count() as u32 - 1);
    let open = context.card();
    open.submit(&load.ops(&open));
    assert_eq!(open.read_seqno(), Err(Errno::EIO));
}

/// "the open stays faulted until it ends": that open alone.
fn stay_with_their_open(context: &Context) {
    let other = context.card();
    other.run(&[valid_copy(&other).op]);
    let open = faulted(context, 1, 0, 1);
    other.run(&[valid_copy(&other).op]);
    assert_eq!(other.context_info().fault_seqno, 0);
    let later = context.card();
    assert_eq!(later.run(&[valid_copy(&later).op]), 1);
    assert_ne!(open.context_info().fault_seqno, 0);
}

/// "all before it succeeded"
fn leave_the_batches_before_as_they_were(context: &Context) {
    context.faults().fault_next_open(2, 0);
    let open = context.card();
    let (from, to, other) = (open.create_holding(&[7; 500]), open.create(500), open.create(500));
    open.submit(&[copy_start(&from, &to, 500)]);
    let failing = open.submit(&[copy_start(&from, &other, 500)]);
    assert_eq!(open.try_wait(failing, NEVER).result, Err(Errno::EIO));
    assert_eq!(open.contents(&to), [7; 500]);
}

/// "the outputs of both are unspecified within their footprints", and nowhere
/// else.
fn stay_within_footprints(context: &Context) {
    context.faults().fault_next_open(1, 1);
    let open = context.card();
    let (from, to) = (open.create_holding(&[7; 100]), open.create_holding(&[9; 300]));
    let op = copy((2, 10), bytes(&from, 0, 10), bytes(&to, 100, 50));
    open.submit(&[op, op, op]);
    assert_eq!(open.try_wait(1, NEVER).result, Err(Errno::EIO));
    let content = open.contents(&to);
    assert_eq!(content[..100], [9; 100]);
    assert_eq!(content[160..], [9; 140]);
    assert_eq!(open.contents(&from), [7; 100]);
}

/// The batches that failed or were cancelled have retired: what only they held
/// is free.
fn let_buffers_go(context: &Context) {
    context.faults().fault_next_open(1, 0);
    let open = context.card();
    let before = open.telemetry().mem_used;
    let op = valid_copy(&open);
    open.submit(&[op.op]);
    // Whether it is still accepted is a matter of time.
    let _ = open.try_submit(&[op.op]);
    assert_eq!(open.try_wait(1, NEVER).result, Err(Errno::EIO));
    open.destroy(&op.a);
    open.destroy(&op.out);
    eventually("the memory of cancelled work is free", || open.telemetry().mem_used == before);
}

/// Only submitting is refused on a faulted open.
fn leave_buffers_to_be_used(context: &Context) {
    let open = faulted(context, 1, 0, 1);
    let buffer = open.create_holding(&[3; 100]);
    assert_eq!(open.contents(&buffer), [3; 100]);
    open.destroy(&buffer);
    assert!(open.device_info().max_ops > 0);
}

/// An open whose batch `seqno` fails at `op`, and has failed. The batches before
/// it succeed; as many as are taken are submitted, up to `batches`.
#[track_caller]
fn faulted(context: &Context, seqno: u64, op: u32, batches: u64) -> Open {
    context.faults().fault_next_open(seqno, op);
    let open = context.card();
    let valid = valid_copy(&open).op;
    for at in 1..=batches {
        if at > seqno {
            // It may be too late already.
            let _ = open.try_submit(&[valid; 3]);
        } else {
            while open.try_submit(&[valid; 3]).result == Err(Errno::EAGAIN) {}
        }
    }
    assert_eq!(open.try_wait(seqno, NEVER).result, Err(Errno::EIO));
    open
}

/// An open with three batches of which the second fails, and a valid op. The
/// third was accepted because the first takes a while.
#[track_caller]
fn three_batches(context: &Context) -> (Open, spanker_op) {
    let mut duration = Duration::from_millis(50);
    for _ in 0..6 {
        let load = Load::lasting(context, duration);
        context.faults().fault_next_open(2, 1);
        let open = context.card();
        open.submit(&load.ops(&open));
        let op = valid_copy(&open).op;
        open.submit(&[op, op]);
        if open.try_submit(&[op]).result.is_ok() {
            return (open, op);
        }
        duration *= 2;
    }
    panic!("the second batch always failed before the third was submitted");
}
