// SPDX-License-Identifier: Apache-2.0
//! The end of an open: "queued batches are dropped and the running op stops at
//! its next step; ending never waits for a whole op".

use std::time::{Duration, Instant};

use crate::busy::{endless, eventually, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::open::Open;
use crate::ops::{any_a_type, bytes, copy, copy_start, row_bytes, valid_copy, valid_matmul_of};
use crate::pages::page_size;

cases! {
    "ending":
    does_not_wait_for_a_whole_op,
    does_not_wait_for_a_whole_copy,
    does_not_wait_for_queued_batches,
    frees_the_memory_of_dropped_batches,
    lets_the_card_work_for_others,
    is_put_off_by_a_mapping,
    comes_with_the_last_of_two_mappings,
    comes_with_the_descriptor_when_mappings_went_first,
    comes_with_the_last_dup,
    leaves_other_opens_alone,
}

/// Far less than the ops here take.
const SOON: Duration = Duration::from_secs(5);

/// "ending never waits for a whole op"
fn does_not_wait_for_a_whole_op(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    let limits = open.device_info();
    let k = (limits.max_k as usize).min(1 << 16) / 256 * 256;
    // So that all three operands fit the card's memory.
    let most = (32 << 20).min(limits.mem_size / 4) as usize;
    let rows = (most / row_bytes(any_a_type(&open), k)).max(1);
    let (m, n) = ((limits.max_m as usize).min(rows), (limits.max_n as usize).min(rows));
    let op = valid_matmul_of(&open, any_a_type(&open), (m, n, k)).op;
    open.submit(&vec![op; limits.max_ops as usize]);
    ends_soon(open, &watcher, before);
}

/// "ending never waits for a whole op": COPY is one too.
fn does_not_wait_for_a_whole_copy(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    let limits = open.device_info();
    let len = limits.max_buf_size.min(32 << 20).min(limits.mem_size / 4) as usize;
    let (from, to) = (open.create(len), open.create(len));
    open.submit(&vec![
        copy((1, len), bytes(&from, 0, len), bytes(&to, 0, len));
        limits.max_ops as usize
    ]);
    ends_soon(open, &watcher, before);
}

/// "queued batches are dropped"
fn does_not_wait_for_queued_batches(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    let ops = endless(&open);
    for _ in 0..open.device_info().max_inflight {
        open.submit(&ops);
    }
    ends_soon(open, &watcher, before);
}

/// What dropped batches name ends with the open, destroyed or not.
fn frees_the_memory_of_dropped_batches(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    submit_endless(&open);
    let valid = valid_copy(&open);
    open.submit(&[valid.op]);
    open.destroy(&valid.a);
    drop(open);
    eventually("the memory of dropped work is free", || watcher.telemetry().mem_used == before);
}

/// A card that is rid of its work does other work.
fn lets_the_card_work_for_others(context: &Context) {
    for _ in 0..5 {
        let busy = context.card();
        submit_endless(&busy);
        drop(busy);
        let open = context.card();
        open.run(&[valid_copy(&open).op]);
    }
}

/// "A mapping of a buffer pins the open: it ends at the last close *and* the last
/// munmap." Until then its work goes on.
fn is_put_off_by_a_mapping(context: &Context) {
    let (open, mapping) = while_running(context, |open, _| {
        let (from, to) = (open.create_holding(&[7; 100]), open.create(100));
        let mapping = open.map(&to);
        open.submit(&[copy_start(&from, &to, 100)]);
        mapping
    });
    drop(open);
    eventually("a batch submitted before close has run", || {
        let mut bytes = [0; 100];
        mapping.read(0, &mut bytes);
        bytes == [7; 100]
    });
}

/// "the last munmap"
fn comes_with_the_last_of_two_mappings(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    let (first, second) = (open.create(page_size()), open.create(page_size()));
    let mappings = (open.map(&first), open.map(&second));
    submit_endless(&open);
    let held = watcher.telemetry().mem_used;
    drop(open);
    drop(mappings.0);
    assert_eq!(watcher.telemetry().mem_used, held, "the open has not ended");
    let start = Instant::now();
    drop(mappings.1);
    assert!(start.elapsed() < SOON, "munmap took {:?}", start.elapsed());
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// "the last close *and* the last munmap", in any order.
fn comes_with_the_descriptor_when_mappings_went_first(context: &Context) {
    let (watcher, before, open) = beside_a_watcher(context);
    let mapping = open.map(&open.create(page_size()));
    submit_endless(&open);
    drop(mapping);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    drop(open);
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// "dup, fork and passing a descriptor share one open": it takes the last close.
fn comes_with_the_last_dup(context: &Context) {
    let (open, last) = while_running(context, |open, _| open.submit(&[valid_copy(open).op]));
    let dup = open.clone();
    drop(open);
    dup.wait(last);
}

/// "Nothing is shared between two opens."
fn leaves_other_opens_alone(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[5; 100]), open.create(100));
    for _ in 0..10 {
        let other = context.card();
        submit_endless(&other);
        let seqno = open.submit(&[copy_start(&from, &to, 100)]);
        drop(other);
        open.wait(seqno);
        assert_eq!(open.contents(&to), [5; 100]);
    }
}

/// An open, beside another that tells what mem_used was before.
#[track_caller]
fn beside_a_watcher(context: &Context) -> (Open, u64, Open) {
    let watcher = context.card();
    let mem_used = watcher.telemetry().mem_used;
    (watcher, mem_used, context.card())
}

/// close returns soon, and the open has ended soon after.
#[track_caller]
fn ends_soon(open: Open, watcher: &Open, mem_used: u64) {
    let info = open.context_info();
    let start = Instant::now();
    drop(open);
    let took = start.elapsed();
    assert!(took < SOON, "close took {took:?}");
    assert!(info.completed < info.submitted, "nothing was left to do: {info:?}");
    eventually("the memory of the open is free", || watcher.telemetry().mem_used == mem_used);
    assert!(start.elapsed() < 2 * SOON, "the open went on for {:?}", start.elapsed());
}
