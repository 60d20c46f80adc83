// SPDX-License-Identifier: Apache-2.0
//! "dup, fork and passing a descriptor share one open."

use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use spanker_sys::{spanker_wait, SPANKER_IOC_WAIT, SPANKER_IOC_WORK_SUBMIT};

use crate::busy::{eventually, submit_endless};
use crate::case::{cases, Context, Need};
use crate::kernel::{passing, Child, KernelFile};
use crate::open::{batch, Open, NEVER};
use crate::ops::{copy_start, valid_copy};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "sharing": ;
    [Need::Descriptors]
    dup_continues_the_timeline,
    dup_shares_the_handles,
    dup_shares_the_cursor,
    dup_keeps_the_open_from_ending,
    scm_rights_continue_the_timeline,
    scm_rights_share_the_handles,
    scm_rights_share_the_cursor,
    scm_rights_keep_the_open_from_ending,
    scm_rights_keep_the_open_while_on_their_way,
    fork_continues_the_timeline,
    fork_shares_the_handles,
    fork_shares_the_cursor,
    fork_lets_the_child_wait,
    fork_keeps_the_open_from_ending,
    fork_lets_the_parent_go_on_when_the_child_has_ended,
}

fn dup_continues_the_timeline(context: &Context) {
    continues_the_timeline(context, dup);
}

fn dup_shares_the_handles(context: &Context) {
    shares_the_handles(context, dup);
}

/// "dup, fork and threads share it [the cursor]"
fn dup_shares_the_cursor(context: &Context) {
    shares_the_cursor(context, dup);
}

fn dup_keeps_the_open_from_ending(context: &Context) {
    keeps_the_open_from_ending(context, dup);
}

fn scm_rights_continue_the_timeline(context: &Context) {
    continues_the_timeline(context, passed);
}

fn scm_rights_share_the_handles(context: &Context) {
    shares_the_handles(context, passed);
}

fn scm_rights_share_the_cursor(context: &Context) {
    shares_the_cursor(context, passed);
}

fn scm_rights_keep_the_open_from_ending(context: &Context) {
    keeps_the_open_from_ending(context, passed);
}

/// "it ends at the last close": a descriptor in a socket is not closed.
fn scm_rights_keep_the_open_while_on_their_way(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry().mem_used;
    let open = context.card();
    let (from, to) = (open.create_holding(&[7; 100]), open.create(100));
    let (here, there) = UnixStream::pair().expect("socketpair");
    passing::send(&here, context.descriptor(&open));
    drop(open);
    let open = Open::new(Box::new(KernelFile::from(passing::receive(&there))));
    assert_eq!(open.run(&[copy_start(&from, &to, 100)]), 1);
    assert_eq!(open.contents(&to), [7; 100]);
    passing::send(&here, context.descriptor(&open));
    drop(open);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    drop((here, there));
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

fn fork_continues_the_timeline(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[7; 100]), open.create(100));
    open.run(&[valid_copy(&open).op]);
    let array = UserBytes::new(&encode(&copy_start(&from, &to, 100)));
    let submit = UserBytes::new(&encode(&batch(array.address(), 1)));
    let request = || open.file().request(SPANKER_IOC_WORK_SUBMIT, submit.address());
    Child::that(|| request() == Ok(())).ends_well();
    assert_eq!(open.context_info().submitted, 2);
    open.wait(2);
    assert_eq!(open.contents(&to), [7; 100]);
    assert_eq!(request(), Ok(()));
    assert_eq!(open.context_info().submitted, 3);
    open.wait(3);
}

fn fork_shares_the_handles(context: &Context) {
    let open = context.card();
    let (kept, destroyed) = (open.create(100), open.create(100));
    Child::that(|| open.try_destroy(destroyed.handle) == Ok(())).ends_well();
    assert_eq!(open.try_destroy(destroyed.handle), Err(Errno::ENOENT));
    open.destroy(&kept);
}

/// "dup, fork and threads share it [the cursor]"
fn fork_shares_the_cursor(context: &Context) {
    let open = context.card();
    open.file().set_nonblocking(true);
    let op = valid_copy(&open).op;
    let room = UserBytes::room(8);
    let read = || open.file().read(room.address(), 8);
    open.run(&[op]);
    Child::that(|| read() == Ok(8)).ends_well();
    assert_eq!(read(), Err(Errno::EAGAIN));
    open.run(&[op]);
    assert_eq!(read(), Ok(8));
    Child::that(|| read() == Err(Errno::EAGAIN)).ends_well();
}

/// A child waits for what its parent submits.
fn fork_lets_the_child_wait(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for seqno in 1..4 {
        assert_eq!(open.submit(&[op]), seqno);
        let wait = spanker_wait { seqno, deadline_ns: NEVER, ..Default::default() };
        let placed = UserBytes::new(&encode(&wait));
        let request = || open.file().request(SPANKER_IOC_WAIT, placed.address());
        Child::that(|| request() == Ok(())).ends_well();
        assert_eq!(open.context_info().completed, seqno);
    }
}

/// "it ends at the last close": the child has not closed it.
fn fork_keeps_the_open_from_ending(context: &Context) {
    let watcher = context.card();
    let before = watcher.telemetry().mem_used;
    let open = context.card();
    submit_endless(&open);
    let child = Child::that_sleeps();
    drop(open);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    child.kill();
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// The end of a child is no last close.
fn fork_lets_the_parent_go_on_when_the_child_has_ended(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[7; 100]), open.create(100));
    let child = Child::that_sleeps();
    let seqno = open.submit(&[copy_start(&from, &to, 100)]);
    child.kill();
    open.wait(seqno);
    assert_eq!(open.contents(&to), [7; 100]);
    open.run(&[copy_start(&from, &to, 100)]);
}

/// Makes another descriptor of an open.
type Share = fn(&Context, &Open) -> Open;

/// dup.
fn dup(context: &Context, open: &Open) -> Open {
    let dup = context.descriptor(open).try_clone_to_owned().expect("dup");
    Open::new(Box::new(KernelFile::from(dup)))
}

/// SCM_RIGHTS.
fn passed(context: &Context, open: &Open) -> Open {
    let (here, there) = UnixStream::pair().expect("socketpair");
    passing::send(&here, context.descriptor(open));
    Open::new(Box::new(KernelFile::from(passing::receive(&there))))
}

/// "One open of a card is one in-order queue".
fn continues_the_timeline(context: &Context, share: Share) {
    let first = context.card();
    let second = share(context, &first);
    let op = valid_copy(&first).op;
    for seqno in [1, 3, 5] {
        assert_eq!(first.submit(&[op]), seqno);
        second.wait(seqno);
        assert_eq!(second.submit(&[op]), seqno + 1);
        first.wait(seqno + 1);
    }
    assert_eq!(first.context_info(), second.context_info());
}

/// "and one namespace of buffer handles".
fn shares_the_handles(context: &Context, share: Share) {
    let first = context.card();
    let second = share(context, &first);
    let (from, to) = (first.create_holding(&[7; 100]), second.create(100));
    assert_ne!(from.handle, to.handle);
    second.run(&[copy_start(&from, &to, 100)]);
    assert_eq!(first.contents(&to), [7; 100]);
    second.destroy(&from);
    assert_eq!(first.try_destroy(from.handle), Err(Errno::ENOENT));
}

fn shares_the_cursor(context: &Context, share: Share) {
    let first = context.card();
    let second = share(context, &first);
    first.file().set_nonblocking(true);
    let op = valid_copy(&first).op;
    for (seqno, reader, other) in [(1, &first, &second), (2, &second, &first)] {
        first.run(&[op]);
        assert_eq!(reader.read_seqno(), Ok(seqno));
        assert!(!other.file().poll().input);
        assert_eq!(other.read_seqno(), Err(Errno::EAGAIN));
    }
}

/// "it ends at the last close"
fn keeps_the_open_from_ending(context: &Context, share: Share) {
    let watcher = context.card();
    let before = watcher.telemetry().mem_used;
    let first = context.card();
    let (from, to) = (first.create_holding(&[7; 100]), first.create(100));
    let second = share(context, &first);
    let third = share(context, &second);
    drop(first);
    assert_eq!(second.run(&[copy_start(&from, &to, 100)]), 1);
    assert_eq!(second.contents(&to), [7; 100]);
    drop(second);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    assert_eq!(third.context_info().completed, 1);
    drop(third);
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}
