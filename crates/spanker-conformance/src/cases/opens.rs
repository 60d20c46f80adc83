// SPDX-License-Identifier: Apache-2.0
//! Many opens and many threads: "Nothing is shared between two opens."

use std::thread;

use nix::errno::Errno;
use spanker_sys::{SPANKER_QUERY_CARDS, SPANKER_TYPE_Q4_K};

use super::goldens::operand;
use crate::busy::{assert_unretired, endless_of_short_ops, eventually};
use crate::case::{cases, Context};
use crate::open::Open;
use crate::ops::{copy_start, row_bytes, valid_copy};
use crate::product::{assert_same_bits, Product};
use crate::random::Random;

cases! {
    "opens":
    have_handles_and_contents_of_their_own,
    work_64_at_a_time,
    live_by_the_hundred,
    work_from_many_threads_at_once,
    share_one_queue_between_threads,
    create_and_destroy_from_many_threads,
    come_and_go_without_a_trace,
    of_the_control_node_work_beside_them,
    give_the_same_bits_alone_and_together,
    take_turns_while_long_batches_run,
}

/// "Opens take turns: between two ops at the latest, another open's work gets
/// its share." More opens are busy here than there are engines.
fn take_turns_while_long_batches_run(context: &Context) {
    let busy: Vec<Open> = (0..8).map(|_| context.card()).collect();
    // An op of the largest size would take its turn for as long as nobody waits
    // on a slow device.
    let batches = endless_of_short_ops(context, &busy);
    let long: Vec<_> =
        busy.iter().zip(&batches).map(|(open, ops)| (open, open.submit(ops))).collect();
    let open = context.card();
    let copy = valid_copy(&open).op;
    for _ in 0..3 {
        let seqno = open.submit(&[copy]);
        eventually("work of another open has had its turn", || {
            open.context_info().completed >= seqno
        });
    }
    for (open, seqno) in long {
        assert_unretired(open, seqno);
    }
}

/// The same handle on two opens is two buffers.
fn have_handles_and_contents_of_their_own(context: &Context) {
    let (first, second) = (context.card(), context.card());
    let ours = first.create_holding(&[1; 100]);
    let theirs = second.create_holding(&[2; 100]);
    assert_eq!(ours.handle, theirs.handle);
    for (open, buffer, byte) in [(&first, ours, 1), (&second, theirs, 2)] {
        let seen = open.create(100);
        open.run(&[copy_start(&buffer, &seen, 100)]);
        assert_eq!(open.contents(&seen), [byte; 100]);
    }
    second.destroy(&theirs);
    assert_eq!(first.contents(&ours), [1; 100]);
}

/// Opens are as many as descriptors.
fn work_64_at_a_time(context: &Context) {
    let opens: Vec<Open> = (0..64).map(|_| context.card()).collect();
    let pairs: Vec<_> = opens
        .iter()
        .zip(1..)
        .map(|(open, byte)| (open.create_holding(&[byte; 500]), open.create(500)))
        .collect();
    for (open, (from, to)) in opens.iter().zip(&pairs) {
        assert_eq!(open.submit(&[copy_start(from, to, 500)]), 1);
    }
    for ((open, (_, to)), byte) in opens.iter().zip(&pairs).zip(1..) {
        open.wait(1);
        assert_eq!(open.contents(to), [byte; 500]);
    }
}

/// Opens are as many as descriptors: no card says how many it has, and each of
/// them waits for its turn.
fn live_by_the_hundred(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry();
    let opens: Vec<Open> = (0..400).map(|_| context.card()).collect();
    for open in &opens {
        let valid = valid_copy(open);
        assert_eq!(open.submit(&[valid.op]), 1);
        assert_eq!(open.submit(&[valid.op; 2]), 2);
    }
    for open in &opens {
        open.wait(2);
    }
    let now = watcher.telemetry();
    assert_eq!((now.batches - before.batches, now.ops - before.ops), (800, 1200));
    drop(opens);
    eventually("the opens have ended", || watcher.telemetry().mem_used == before.mem_used);
}

/// Each thread with an open of its own.
fn work_from_many_threads_at_once(context: &Context) {
    thread::scope(|scope| {
        for byte in 1..=16 {
            scope.spawn(move || {
                let open = context.card();
                let (from, to) = (open.create_holding(&[byte; 3000]), open.create(3000));
                for seqno in 1..=20 {
                    open.fill(&to, &[0; 3000]);
                    assert_eq!(open.run(&[copy_start(&from, &to, 3000)]), seqno);
                    assert_eq!(open.contents(&to), [byte; 3000]);
                }
            });
        }
    });
}

/// One open, and buffers of each thread's own.
fn share_one_queue_between_threads(context: &Context) {
    let open = context.card();
    let threads = (open.device_info().max_bufs as usize / 2).min(8);
    thread::scope(|scope| {
        for byte in 1..=threads as u8 {
            let open = &open;
            scope.spawn(move || {
                let (from, to) = (open.create_holding(&[byte; 300]), open.create(300));
                for _ in 0..40 {
                    open.fill(&to, &[0; 300]);
                    let seqno = loop {
                        let answer = open.try_submit(&[copy_start(&from, &to, 300)]);
                        if answer.result != Err(Errno::EAGAIN) {
                            assert_eq!(answer.result, Ok(()));
                            break answer.after.seqno;
                        }
                        thread::yield_now();
                    };
                    open.wait(seqno);
                    assert_eq!(open.contents(&to), [byte; 300]);
                }
            });
        }
    });
    assert_eq!(open.context_info().completed, threads as u64 * 40);
}

/// No handle is given to two, and none is lost.
fn create_and_destroy_from_many_threads(context: &Context) {
    let open = context.card();
    let before = open.telemetry().mem_used;
    let threads = (open.device_info().max_bufs as usize).min(8);
    thread::scope(|scope| {
        for byte in 1..=threads as u8 {
            let open = &open;
            scope.spawn(move || {
                for _ in 0..40 {
                    let buffer = open.create_holding(&[byte; 50]);
                    assert_eq!(open.contents(&buffer), [byte; 50]);
                    open.destroy(&buffer);
                }
            });
        }
    });
    assert_eq!(open.telemetry().mem_used, before);
}

/// Opening and closing leaves nothing behind.
fn come_and_go_without_a_trace(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry().mem_used;
    for _ in 0..300 {
        let open = context.card();
        let valid = valid_copy(&open);
        open.submit(&[valid.op]);
    }
    eventually("the memory of ended opens is free", || watcher.telemetry().mem_used == before);
    assert_eq!(watcher.context_info().submitted, 0);
}

/// Opens of the control node are as many, and no card's.
fn of_the_control_node_work_beside_them(context: &Context) {
    let controls: Vec<Open> = (0..16).map(|_| context.control()).collect();
    let cards = controls[0].query(SPANKER_QUERY_CARDS);
    for control in &controls {
        assert_eq!(control.query(SPANKER_QUERY_CARDS), cards);
    }
}

/// A product has the same bits beside others as by itself.
fn give_the_same_bits_alone_and_together(context: &Context) {
    let alone = context.card();
    let mut random = Random::new(61);
    let (m, n, k) = (9, 33, 1024);
    for a_type in alone.a_types() {
        let a = operand(&mut random, a_type, m * k / 256, false);
        let b = random.bytes(n * row_bytes(SPANKER_TYPE_Q4_K, k));
        let product = Product::new(a_type, k, a, b);
        let bits = product.run(&alone);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let open = context.card();
                    for _ in 0..5 {
                        assert_same_bits(&product.run(&open), &bits, n, "beside others");
                    }
                });
            }
        });
    }
}
