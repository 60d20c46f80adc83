// SPDX-License-Identifier: Apache-2.0
//! "or has been reset since the open was made".

use spanker_sys::{spanker_telemetry, SPANKER_QUERY_CARDS};

use super::gone;
use crate::busy::{eventually, submit_endless};
use crate::case::{Case, Context, Need};
use crate::open::Open;
use crate::ops::{copy_start, valid_copy};
use crate::wire::decode_all;

/// Gives what is so of every open that is gone to opens from before a reset.
macro_rules! cases_of_the_gone {
    ($($name:ident),*; $($own:ident),*) => {
        pub(super) const CASES: &[Case] = &[
            $(Case::new("resets", stringify!($name), |context| gone::$name(context, reset))
                .needing(&[Need::Resets]),)*
            $(Case::new("resets", stringify!($own), $own).needing(&[Need::Resets]),)*
        ];
    };
}

cases_of_the_gone! {
    requests_answer_enodev,
    enodev_goes_before_everything,
    read_answers_enodev,
    mmap_answers_enodev,
    poll_tells_of_hangup,
    mappings_stay,
    mappings_stay_where_they_were_never_touched,
    who_is_blocked_is_woken,
    who_is_woken_is_told_completed,
    opens_end_quickly,
    no_request_succeeds_afterwards;
    leave_later_opens_alone,
    are_counted,
    keep_the_card_listed,
    take_no_counter_back,
    free_the_memory_of_earlier_opens_when_they_end
}

fn reset(context: &Context) {
    context.resets().reset();
}

/// "reset since the open was made": later opens are not concerned.
fn leave_later_opens_alone(context: &Context) {
    for _ in 0..3 {
        let open = context.card();
        let (from, to) = (open.create_holding(&[4; 100]), open.create(100));
        assert_eq!(from.handle, 1);
        assert_eq!(open.run(&[copy_start(&from, &to, 100)]), 1);
        assert_eq!(open.contents(&to), [4; 100]);
        submit_endless(&open);
        reset(context);
        assert!(open.file().poll().hangup);
    }
}

/// Telemetry counts resets.
fn are_counted(context: &Context) {
    let count = || context.card().telemetry().resets;
    let before = count();
    reset(context);
    assert_eq!(count(), before + 1);
    reset(context);
    assert_eq!(count(), before + 2);
}

/// A card that was reset is still plugged in.
fn keep_the_card_listed(context: &Context) {
    let control = context.control();
    let before: Vec<u32> = decode_all(&control.query(SPANKER_QUERY_CARDS));
    reset(context);
    assert_eq!(decode_all::<u32>(&control.query(SPANKER_QUERY_CARDS)), before);
}

/// Telemetry is "since it was plugged in. Counters only grow".
fn take_no_counter_back(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op; 3]);
    let before = open.telemetry();
    assert_eq!((before.batches, before.ops), (1, 3));
    reset(context);
    let now = context.card().telemetry();
    assert!(now.busy_ns >= before.busy_ns && now.time_ns >= before.time_ns);
    let counters =
        |of: &spanker_telemetry| [of.ops, of.batches, of.bytes_in, of.bytes_out, of.faults];
    assert_eq!(counters(&now), counters(&before));
}

/// mem_used is of "buffers alive", and they end with their open.
fn free_the_memory_of_earlier_opens_when_they_end(context: &Context) {
    let open = context.card();
    let before = open.telemetry().mem_used;
    submit_endless(&open);
    let _ = valid_copy(&open);
    reset(context);
    drop::<Open>(open);
    let watcher = context.card();
    eventually("the memory of an ended open is free", || watcher.telemetry().mem_used == before);
}
