// SPDX-License-Identifier: Apache-2.0
//! "EAGAIN      max_inflight batches of this open have not retired".

use nix::errno::Errno;
use spanker_sys::{spanker_op, SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP};

use super::refusal::refuses;
use crate::busy::{assert_unretired, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::open::{batch, Open};
use crate::ops::{copy_start, valid_copy};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "queue":
    takes_as_many_batches_as_the_limit,
    is_each_opens_own,
    full_goes_after_a_bad_op,
    full_goes_after_a_bad_batch,
    full_with_an_unwritable_struct_is_a_fault,
    full_is_no_place_to_poll_for_output,
    has_room_again_when_batches_have_retired,
    full_changes_nothing,
}

/// max_inflight is "unretired batches of one open".
fn takes_as_many_batches_as_the_limit(context: &Context) {
    let (open, op) = full(context);
    refuses(&open, &[op], Errno::EAGAIN, SPANKER_NO_OP);
    assert_unretired(&open, 1);
}

/// "of this open": the others have room of their own.
fn is_each_opens_own(context: &Context) {
    let (full, op) = full(context);
    let other = context.card();
    let copied = valid_copy(&other).op;
    assert!(other.file().poll().output);
    for _ in 0..other.device_info().max_inflight {
        other.submit(&[copied]);
    }
    refuses(&full, &[op], Errno::EAGAIN, SPANKER_NO_OP);
    assert_unretired(&full, 1);
}

/// "then for the whole batch": every op is checked before.
fn full_goes_after_a_bad_op(context: &Context) {
    let (open, op) = full(context);
    let mut far = op;
    far.a.offset = 1 << 40;
    let mut unknown = op;
    unknown.out.handle = 999;
    refuses(&open, &[op, far], Errno::ERANGE, 1);
    refuses(&open, &[unknown], Errno::ENOENT, 0);
    refuses(&open, &[spanker_op { opcode: 0, ..op }], Errno::EINVAL, 0);
    assert_unretired(&open, 1);
}

/// "then for the whole batch": op_count and the array are checked before.
fn full_goes_after_a_bad_batch(context: &Context) {
    let (open, _) = full(context);
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(8, 0));
    assert_eq!(answer.result, Err(Errno::EINVAL));
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(8, 1));
    assert_eq!(answer.result, Err(Errno::EFAULT));
    assert_unretired(&open, 1);
}

/// "A write that faults turns the answer into EFAULT": bad_op is written for
/// EAGAIN as well.
fn full_with_an_unwritable_struct_is_a_fault(context: &Context) {
    let (open, op) = full(context);
    let array = UserBytes::new(&encode(&op));
    let placed = UserBytes::read_only(&encode(&batch(array.address(), 1)));
    let result = open.file().request(SPANKER_IOC_WORK_SUBMIT, placed.address());
    assert_eq!(result, Err(Errno::EFAULT));
    assert_unretired(&open, 1);
}

/// "POLLOUT  the open is live, not faulted, and a batch would find room"
fn full_is_no_place_to_poll_for_output(context: &Context) {
    let open = context.card();
    submit_endless(&open);
    let op = valid_copy(&open).op;
    for _ in 1..open.device_info().max_inflight {
        assert!(open.file().poll().output, "there is room");
        open.submit(&[op]);
    }
    assert!(!open.file().poll().output, "there is no room");
    assert_unretired(&open, 1);
}

/// A retired batch leaves its place.
fn has_room_again_when_batches_have_retired(context: &Context) {
    let (open, (last, op, refused)) = while_running(context, |open, first| {
        let op = valid_copy(open).op;
        let more = u64::from(open.device_info().max_inflight) - 1;
        let last = (0..more).map(|_| open.submit(&[op])).max().unwrap_or(first);
        (last, op, open.try_submit(&[op]).result)
    });
    assert_eq!(refused, Err(Errno::EAGAIN));
    open.wait(last);
    assert!(open.file().poll().output);
    for _ in 0..open.device_info().max_inflight {
        open.submit(&[op]);
    }
    open.wait(open.context_info().submitted);
}

/// "when it is rejected, nothing ran": the buffers it names are not held.
fn full_changes_nothing(context: &Context) {
    let (open, _) = full(context);
    let before = open.telemetry().mem_used;
    let (from, to) = (open.create(100), open.create(100));
    refuses(&open, &[copy_start(&from, &to, 100)], Errno::EAGAIN, SPANKER_NO_OP);
    open.destroy(&from);
    open.destroy(&to);
    assert_eq!(open.telemetry().mem_used, before, "a refused batch holds no buffer");
    assert_unretired(&open, 1);
}

/// An open whose first batch lasts and whose queue is full, and a valid op.
#[track_caller]
fn full(context: &Context) -> (Open, spanker_op) {
    let open = context.card();
    submit_endless(&open);
    let op = valid_copy(&open).op;
    for _ in 1..open.device_info().max_inflight {
        open.submit(&[op]);
    }
    (open, op)
}
