// SPDX-License-Identifier: Apache-2.0
//! poll of an open that is neither faulted nor gone.

use crate::busy::{assert_unretired, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::device::PollBits;
use crate::ops::valid_copy;
use crate::user_bytes::UserBytes;

cases! {
    "poll":
    tells_of_room_on_a_new_open,
    tells_of_input_when_a_batch_has_completed,
    tells_of_no_input_when_it_was_read,
    tells_of_input_when_read_failed,
    is_not_changed_by_wait,
    tells_of_no_input_while_a_batch_runs,
    is_each_opens_own,
    moves_with_the_batches,
}

const ROOM: PollBits = PollBits { input: false, output: true, error: false, hangup: false };
const INPUT: PollBits = PollBits { input: true, ..ROOM };

/// "POLLOUT  the open is live, not faulted, and a batch would find room"
fn tells_of_room_on_a_new_open(context: &Context) {
    assert_eq!(context.card().file().poll(), ROOM);
}

/// "POLLIN   read would not block"
fn tells_of_input_when_a_batch_has_completed(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.file().poll(), INPUT);
}

/// "POLLIN   read would not block": the cursor is there now.
fn tells_of_no_input_when_it_was_read(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.read_seqno(), Ok(1));
    assert_eq!(open.file().poll(), ROOM);
}

/// A read that fails does not move the cursor.
fn tells_of_input_when_read_failed(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    let room = UserBytes::room(8);
    assert!(open.file().read(8, 8).is_err());
    assert!(open.file().read(room.address(), 7).is_err());
    assert_eq!(open.file().poll(), INPUT);
}

/// "WAIT does not move it [the cursor]."
fn is_not_changed_by_wait(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    open.wait(1);
    assert_eq!(open.file().poll(), INPUT);
}

/// A batch that has not retired is none to read of.
fn tells_of_no_input_while_a_batch_runs(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    let bits = open.file().poll();
    assert!(!bits.input && !bits.error && !bits.hangup, "{bits:?}");
    assert_unretired(&open, seqno);
}

/// "Nothing is shared between two opens."
fn is_each_opens_own(context: &Context) {
    let (first, second) = (context.card(), context.card());
    first.run(&[valid_copy(&first).op]);
    assert_eq!(second.file().poll(), ROOM);
    assert_eq!(first.file().poll(), INPUT);
}

/// What poll tells is what read does, at every moment.
fn moves_with_the_batches(context: &Context) {
    let (open, last) = while_running(context, |open, _| {
        let op = valid_copy(open).op;
        open.submit(&[op]);
        open.submit(&[op])
    });
    open.file().set_nonblocking(true);
    let mut read = 0;
    while read < last {
        if open.file().poll().input {
            read = open.read_seqno().expect("poll said that read would not block");
        }
    }
    assert!(!open.file().poll().input);
}
