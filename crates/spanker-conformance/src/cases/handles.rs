// SPDX-License-Identifier: Apache-2.0
//! Handles: one namespace per open, max_bufs of them.

use nix::errno::Errno;

use super::refusal::State;
use crate::case::{cases, Context, Need};
use crate::open::{Buffer, Open};
use crate::ops::copy_start;

cases! {
    "handles":
    start_at_1,
    are_not_soon_handed_out_again,
    differ_while_they_live,
    name_buffers_of_their_own_open_only,
    of_another_open_are_not_destroyed;
    [Need::BuffersUpTo(4096)]
    are_refused_beyond_max_bufs,
    are_counted_for_each_open,
    are_free_again_after_destroy,
    are_never_handed_out_twice_when_they_come_round,
    limit_goes_after_a_bad_size,
    limit_goes_after_a_bad_flag,
    do_not_come_back_within_a_round,
}

/// "Handles start at 1".
fn start_at_1(context: &Context) {
    for open in [context.card(), context.card()] {
        assert_eq!(open.create(1).handle, 1);
    }
}

/// "handed out cyclically, so that a stale one is not soon valid again".
fn are_not_soon_handed_out_again(context: &Context) {
    let open = context.card();
    let stale = open.create(1);
    open.destroy(&stale);
    let fresh = open.create(1);
    assert_ne!(fresh.handle, stale.handle);
    assert_eq!(open.try_destroy(stale.handle), Err(Errno::ENOENT));
    let answer = open.try_submit(&[copy_start(&stale, &fresh, 1)]);
    assert_eq!(answer.result, Err(Errno::ENOENT));
}

/// "handed out cyclically": not before all others were.
fn do_not_come_back_within_a_round(context: &Context) {
    let open = context.card();
    let _kept = open.create(1);
    let stale = open.create(1);
    open.destroy(&stale);
    for _ in 1..open.device_info().max_bufs.min(1000) {
        let fresh = open.create(1);
        assert_ne!(fresh.handle, stale.handle);
        open.destroy(&fresh);
    }
}

/// A handle names one buffer.
fn differ_while_they_live(context: &Context) {
    let open = context.card();
    let mut handles: Vec<u32> = (0..8).map(|_| open.create(1).handle).collect();
    handles.sort_unstable();
    handles.dedup();
    assert_eq!(handles.len(), 8);
    assert_ne!(handles[0], 0);
}

/// "Nothing is shared between two opens."
fn name_buffers_of_their_own_open_only(context: &Context) {
    let (owner, other) = (context.card(), context.card());
    let buffers: Vec<Buffer> = (0..3).map(|_| owner.create(16)).collect();
    let own = other.create(16);
    for foreign in buffers.iter().filter(|foreign| foreign.handle != own.handle) {
        for op in [copy_start(foreign, &own, 16), copy_start(&own, foreign, 16)] {
            assert_eq!(other.try_submit(&[op]).result, Err(Errno::ENOENT));
        }
    }
}

/// "ENOENT  no such handle on this open"
fn of_another_open_are_not_destroyed(context: &Context) {
    let (owner, other) = (context.card(), context.card());
    let buffer = owner.create(16);
    assert_eq!(other.try_destroy(buffer.handle), Err(Errno::ENOENT));
    owner.destroy(&buffer);
}

/// "EMFILE  max_bufs handles are live on this open"
fn are_refused_beyond_max_bufs(context: &Context) {
    let open = context.card();
    fill(&open);
    let before = State::of(&open);
    assert_eq!(open.try_create(1, 0).result, Err(Errno::EMFILE));
    assert_eq!(State::of(&open), before);
}

/// max_bufs is "live handles of one open".
fn are_counted_for_each_open(context: &Context) {
    fill(&context.card());
    let (first, second) = (context.card(), context.card());
    fill(&first);
    fill(&second);
    assert_eq!(first.try_create(1, 0).result, Err(Errno::EMFILE));
    assert_eq!(second.try_create(1, 0).result, Err(Errno::EMFILE));
}

/// "The handle and its place under max_bufs are free at once".
fn are_free_again_after_destroy(context: &Context) {
    let open = context.card();
    let buffers = fill(&open);
    let mapping = open.map(&buffers[0]);
    open.destroy(&buffers[0]);
    open.create(1);
    assert_eq!(open.try_create(1, 0).result, Err(Errno::EMFILE));
    drop(mapping);
}

/// "handed out cyclically": however often that goes round, a live handle stays
/// its buffer's.
fn are_never_handed_out_twice_when_they_come_round(context: &Context) {
    let open = context.card();
    let kept = open.create(1);
    for _ in 0..3 * open.device_info().max_bufs {
        let passing = open.create(1);
        assert_ne!(passing.handle, kept.handle);
        assert_ne!(passing.handle, 0);
        open.destroy(&passing);
    }
    open.destroy(&kept);
}

/// EINVAL comes before EMFILE.
fn limit_goes_after_a_bad_size(context: &Context) {
    let open = context.card();
    fill(&open);
    let limit = open.device_info().max_buf_size;
    assert_eq!(open.try_create(0, 0).result, Err(Errno::EINVAL));
    assert_eq!(open.try_create(limit + 1, 0).result, Err(Errno::EINVAL));
}

/// EINVAL comes before EMFILE.
fn limit_goes_after_a_bad_flag(context: &Context) {
    let open = context.card();
    fill(&open);
    assert_eq!(open.try_create(1, 2).result, Err(Errno::EINVAL));
}

#[track_caller]
fn fill(open: &Open) -> Vec<Buffer> {
    (0..open.device_info().max_bufs).map(|_| open.create(1)).collect()
}
