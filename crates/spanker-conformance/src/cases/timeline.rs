// SPDX-License-Identifier: Apache-2.0
//! "The seqno starts at 1 on each open, one per accepted batch, and batches
//! retire strictly in order".

use std::thread;

use nix::errno::Errno;
use spanker_sys::{spanker_context_info, spanker_op};

use crate::busy::while_running;
use crate::case::{cases, Context};
use crate::open::LOOK;
use crate::ops::{bytes, copy, copy_start, valid_copy};

cases! {
    "timeline":
    is_empty_at_first,
    counts_from_1_without_gaps,
    is_each_opens_own,
    counts_no_refused_batch,
    completes_in_order,
    runs_batches_in_order,
    never_goes_back,
    gives_concurrent_submitters_different_seqnos,
    of_a_dup_is_the_same,
}

/// "submitted: seqno of the last accepted batch, 0: none"; "All fault fields are
/// 0 while there was no fault."
fn is_empty_at_first(context: &Context) {
    assert_eq!(context.card().context_info(), spanker_context_info::default());
}

/// "The seqno starts at 1 on each open, one per accepted batch".
fn counts_from_1_without_gaps(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for seqno in 1..=40 {
        assert_eq!(open.run(&[op]), seqno);
        // "All fault fields are 0 while there was no fault."
        let expected =
            spanker_context_info { submitted: seqno, completed: seqno, ..Default::default() };
        assert_eq!(open.context_info(), expected);
    }
}

/// "This open." "Nothing is shared between two opens."
fn is_each_opens_own(context: &Context) {
    let (first, second) = (context.card(), context.card());
    let op = valid_copy(&first).op;
    for _ in 0..5 {
        first.run(&[op]);
    }
    assert_eq!(second.context_info(), spanker_context_info::default());
    assert_eq!(second.run(&[valid_copy(&second).op]), 1);
    assert_eq!(first.context_info().submitted, 5);
}

/// "one per accepted batch"
fn counts_no_refused_batch(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    assert_eq!(open.run(&[op]), 1);
    let bad = spanker_op { opcode: 0, ..op };
    assert_eq!(open.try_submit(&[bad]).result, Err(Errno::EINVAL));
    assert_eq!(open.run(&[op]), 2);
}

/// "batches retire strictly in order": while the first runs, none has retired.
fn completes_in_order(context: &Context) {
    let (open, (last, seen)) = while_running(context, |open, first| {
        let op = valid_copy(open).op;
        let later = [open.submit(&[op]), open.submit(&[op])];
        let seen = later.map(|seqno| open.try_wait(seqno, LOOK).result);
        assert_eq!(later, [first + 1, first + 2]);
        (later[1], seen)
    });
    assert_eq!(seen, [Err(Errno::ETIMEDOUT); 2]);
    open.wait(last);
    assert_eq!(open.context_info().completed, last);
}

/// A batch sees what the batches before it wrote.
fn runs_batches_in_order(context: &Context) {
    let open = context.card();
    let len = 1000;
    let inflight = (open.device_info().max_inflight as usize).min(16);
    let buffer = open.create_holding(&vec![7; (inflight + 1) * len]);
    open.fill(&buffer, &vec![1; len]);
    let mut last = 0;
    for step in 0..inflight {
        let (from, to) = (step * len, (step + 1) * len);
        last = open.submit(&[copy((1, len), bytes(&buffer, from, len), bytes(&buffer, to, len))]);
    }
    open.wait(last);
    assert!(open.contents(&buffer).iter().all(|&byte| byte == 1));
}

/// `completed` only grows, and never beyond `submitted`.
fn never_goes_back(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create(1 << 20), open.create(1 << 20));
    let op = copy_start(&from, &to, 1 << 20);
    let mut before = 0;
    for _ in 0..50 {
        let Ok(()) = open.try_submit(&[op]).result else {
            continue;
        };
        let info = open.context_info();
        assert!(before <= info.completed && info.completed <= info.submitted, "{info:?}");
        before = info.completed;
    }
    open.wait(open.context_info().submitted);
}

/// "one per accepted batch": no two have the same.
fn gives_concurrent_submitters_different_seqnos(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let each = 100;
    let mut seqnos: Vec<u64> = thread::scope(|scope| {
        let submit = || {
            let mut seqnos = Vec::new();
            while seqnos.len() < each {
                match open.try_submit(&[op]) {
                    answer if answer.result == Err(Errno::EAGAIN) => thread::yield_now(),
                    answer => {
                        assert_eq!(answer.result, Ok(()));
                        seqnos.push(answer.after.seqno);
                    }
                }
            }
            assert!(seqnos.windows(2).all(|pair| pair[0] < pair[1]), "not ascending: {seqnos:?}");
            seqnos
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(submit)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a submitter")).collect()
    });
    seqnos.sort_unstable();
    assert_eq!(seqnos, (1..=4 * each as u64).collect::<Vec<_>>());
    open.wait(4 * each as u64);
}

/// "dup, fork and passing a descriptor share one open."
fn of_a_dup_is_the_same(context: &Context) {
    let open = context.card();
    let dup = open.clone();
    let op = valid_copy(&open).op;
    assert_eq!(open.run(&[op]), 1);
    assert_eq!(dup.run(&[op]), 2);
    drop(open);
    assert_eq!(dup.run(&[op]), 3);
}
