// SPDX-License-Identifier: Apache-2.0
//! SPANKER_QUERY_TELEMETRY: "This card, over all opens, since it was plugged in.
//! Counters only grow; they have their new value when `completed` of the open
//! has." What mem_used is, the cases of memory tell.

use nix::errno::Errno;
use spanker_sys::{spanker_op, spanker_telemetry, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_Q4_K};

use crate::busy::{assert_unretired, eventually, now_ns, submit_endless, Load};
use crate::case::{cases, Context, Need};
use crate::open::{Open, NEVER};
use crate::ops::{bytes, copy, row_bytes, valid_copy, valid_matmul_of};

cases! {
    "telemetry":
    takes_the_time_on_clock_monotonic,
    counts_batches_and_their_ops,
    counts_the_row_bytes_of_copy,
    counts_the_row_bytes_of_matmul,
    counts_out_as_read_when_accumulating,
    counts_over_all_opens,
    counts_nothing_that_was_refused,
    counts_nothing_of_work_that_was_dropped,
    counts_a_batch_when_it_has_completed,
    keeps_what_ended_opens_did,
    knows_busy_time_from_idle_time;
    [Need::Faults]
    counts_faults_and_not_what_they_cancel;
    [Need::Plug]
    begins_with_nothing_when_a_card_is_plugged_in
}

/// "This card, over all opens, since it was plugged in." A card that can be
/// unplugged was plugged in for the case.
fn begins_with_nothing_when_a_card_is_plugged_in(context: &Context) {
    let now = context.card().telemetry();
    let nothing = spanker_telemetry { time_ns: now.time_ns, ..Default::default() };
    assert_eq!(now, nothing);
}

/// "time_ns: CLOCK_MONOTONIC when this was taken"
fn takes_the_time_on_clock_monotonic(context: &Context) {
    let open = context.card();
    for _ in 0..10 {
        let before = now_ns() as u64;
        let time = open.telemetry().time_ns;
        let after = now_ns() as u64;
        assert!(before <= time && time <= after, "{before} <= {time} <= {after}");
    }
}

/// "ops: ops of batches that succeeded", "batches: batches that succeeded"
fn counts_batches_and_their_ops(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for ops in [1, 2, 7] {
        let before = open.telemetry();
        open.run(&vec![op; ops]);
        let now = open.telemetry();
        assert_eq!((now.ops - before.ops, now.batches - before.batches), (ops as u64, 1));
        assert_eq!((now.faults, now.resets), (before.faults, before.resets));
    }
}

/// "row bytes of the operands read by those ops", "row bytes written by those
/// ops": not what lies between rows.
fn counts_the_row_bytes_of_copy(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create(1000), open.create(1000));
    let op = copy((3, 50), bytes(&from, 0, 100), bytes(&to, 0, 300));
    assert_eq!(traffic(&open, &[op]), (150, 150));
    assert_eq!(traffic(&open, &[op, op]), (300, 300));
}

/// "row bytes of the operands read by those ops", "row bytes written by those
/// ops"
fn counts_the_row_bytes_of_matmul(context: &Context) {
    let open = context.card();
    let (m, n, k) = (3, 5, 768);
    for a_type in open.a_types() {
        let op = valid_matmul_of(&open, a_type, (m, n, k)).op;
        let read = m * row_bytes(a_type, k) + n * row_bytes(SPANKER_TYPE_Q4_K, k);
        assert_eq!(traffic(&open, &[op]), (read as u64, (m * n * 4) as u64), "type {a_type}");
    }
}

/// "row bytes of the operands read": with ACCUMULATE, out is read as well.
fn counts_out_as_read_when_accumulating(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        let op = valid_matmul_of(&open, a_type, (2, 3, 256)).op;
        let (read, written) = traffic(&open, &[op]);
        let adding = spanker_op { flags: SPANKER_OP_ACCUMULATE, ..op };
        assert_eq!(traffic(&open, &[adding]), (read + 24, written), "type {a_type}");
    }
}

/// "This card, over all opens"
fn counts_over_all_opens(context: &Context) {
    let (first, second) = (context.card(), context.card());
    let before = first.telemetry();
    first.run(&[valid_copy(&first).op]);
    second.run(&[valid_copy(&second).op; 2]);
    for open in [first, second] {
        let now = open.telemetry();
        assert_eq!((now.ops - before.ops, now.batches - before.batches), (3, 2));
    }
}

/// A batch that was refused is none.
fn counts_nothing_that_was_refused(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let before = open.telemetry();
    let bad = spanker_op { m: 0, ..op };
    assert_eq!(open.try_submit(&[op, bad]).result, Err(Errno::EINVAL));
    assert_eq!(open.try_destroy(999), Err(Errno::ENOENT));
    let now = open.telemetry();
    let counters = |telemetry: spanker_telemetry| spanker_telemetry { time_ns: 0, ..telemetry };
    assert_eq!(counters(now), counters(before));
}

/// What ends with its open neither succeeded nor failed.
fn counts_nothing_of_work_that_was_dropped(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry();
    for _ in 0..3 {
        let open = context.card();
        submit_endless(&open);
        open.submit(&[valid_copy(&open).op]);
    }
    eventually("the memory of dropped work is free", || {
        watcher.telemetry().mem_used == before.mem_used
    });
    let counters = |now: spanker_telemetry| {
        [now.ops, now.batches, now.bytes_in, now.bytes_out, now.faults, now.resets]
    };
    assert_eq!(counters(watcher.telemetry()), counters(before));
}

/// "they have their new value when `completed` of the open has", and not before.
fn counts_a_batch_when_it_has_completed(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let before = open.telemetry();
    for round in 1..200 {
        let seqno = open.submit(&[op]);
        while open.context_info().completed < seqno {}
        let now = open.telemetry();
        assert_eq!(now.batches - before.batches, round);
        assert_eq!(now.ops - before.ops, round);
        assert_eq!(now.bytes_in - before.bytes_in, 60 * round);
        assert_eq!(now.bytes_out - before.bytes_out, 60 * round);
    }
    let seqno = submit_endless(&open);
    assert_eq!(open.telemetry().batches - before.batches, 199);
    assert_eq!(open.telemetry().ops - before.ops, 199);
    assert_unretired(&open, seqno);
}

/// "since it was plugged in. Counters only grow".
fn keeps_what_ended_opens_did(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry();
    {
        let open = context.card();
        open.run(&[valid_copy(&open).op]);
    }
    let now = watcher.telemetry();
    assert_eq!(now.batches - before.batches, 1);
    assert!(now.busy_ns >= before.busy_ns);
}

/// "busy_ns: time in which at least one op was running"
fn knows_busy_time_from_idle_time(context: &Context) {
    let watcher = context.card();
    let open = context.card();
    let before = watcher.telemetry();
    let seqno = submit_endless(&open);
    // Time passes, and work goes on in it.
    assert_eq!(open.try_wait(seqno, now_ns() + 50_000_000).result, Err(Errno::ETIMEDOUT));
    assert_unretired(&open, seqno);
    drop(open);
    eventually("the card is idle again", || {
        let first = watcher.telemetry().busy_ns;
        let later = now_ns() + 1_000_000;
        while now_ns() < later {}
        watcher.telemetry().busy_ns == first
    });
    let now = watcher.telemetry();
    let (busy, passed) = (now.busy_ns - before.busy_ns, now.time_ns - before.time_ns);
    assert!(busy <= passed, "busy for {busy} ns of {passed} ns");
    assert!(busy >= 20_000_000, "busy for {busy} ns only");
}

/// "faults: batches that failed": one that was cancelled did not fail, and
/// neither succeeded.
fn counts_faults_and_not_what_they_cancel(context: &Context) {
    let load = Load::lasting(context, std::time::Duration::from_millis(100));
    let before = context.card().telemetry();
    context.faults().fault_next_open(2, 1);
    let open = context.card();
    open.submit(&load.ops(&open));
    let op = valid_copy(&open).op;
    open.submit(&[op, op, op]);
    // Whether they are still accepted is a matter of time.
    let _ = open.try_submit(&[op]);
    let _ = open.try_submit(&[op]);
    assert_eq!(open.try_wait(2, NEVER).result, Err(Errno::EIO));
    let now = open.telemetry();
    assert_eq!(now.faults - before.faults, 1);
    assert_eq!(now.batches - before.batches, 1);
    assert_eq!(now.ops - before.ops, load.count() as u64);
}

/// bytes_in and bytes_out of a batch.
#[track_caller]
fn traffic(open: &Open, ops: &[spanker_op]) -> (u64, u64) {
    let before = open.telemetry();
    open.run(ops);
    let now = open.telemetry();
    (now.bytes_in - before.bytes_in, now.bytes_out - before.bytes_out)
}
