// SPDX-License-Identifier: Apache-2.0
//! read: "8 bytes, `completed` in the host's byte order, whenever it is more
//! than the open's cursor".

use std::thread;

use nix::errno::Errno;

use crate::busy::{assert_unretired, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::open::Open;
use crate::ops::valid_copy;
use crate::user_bytes::UserBytes;
use crate::wire::decode;

cases! {
    "read":
    gives_completed_once,
    gives_the_last_of_several,
    gives_8_bytes_of_more_room,
    takes_room_at_an_odd_address,
    refuses_less_room_than_8_bytes,
    refuses_little_room_before_anything_else,
    would_block_on_a_new_open,
    would_block_before_a_bad_address,
    would_block_while_nothing_new_has_completed,
    of_a_bad_address_does_not_move_the_cursor,
    blocks_until_a_batch_completes,
    shares_the_cursor_with_a_dup,
    gives_nothing_to_two_threads,
    has_a_cursor_for_each_open,
    refuses_the_control_node,
}

/// read "moves the cursor there".
fn gives_completed_once(context: &Context) {
    let open = nonblocking(context);
    let op = valid_copy(&open).op;
    for seqno in 1..4 {
        open.run(&[op]);
        assert_eq!(open.read_seqno(), Ok(seqno));
        assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
    }
}

/// It is `completed` that is given, not one seqno after another.
fn gives_the_last_of_several(context: &Context) {
    let open = nonblocking(context);
    let op = valid_copy(&open).op;
    for _ in 0..3 {
        open.run(&[op]);
    }
    assert_eq!(open.read_seqno(), Ok(3));
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
}

/// "read gives 8 bytes", whatever the room.
fn gives_8_bytes_of_more_room(context: &Context) {
    let open = nonblocking(context);
    let op = valid_copy(&open).op;
    for len in [8, 9, 16, 4096] {
        let seqno = open.run(&[op]);
        let room = UserBytes::new(&vec![0xee; len]);
        assert_eq!(open.file().read(room.address(), len), Ok(8), "room for {len}");
        assert_eq!(decode::<u64>(&room.bytes()), seqno);
        assert!(room.bytes()[8..].iter().all(|&byte| byte == 0xee), "beyond 8 bytes");
    }
    // Of room that is only claimed, 8 bytes are needed.
    open.run(&[op]);
    let room = UserBytes::room(8);
    assert_eq!(open.file().read(room.address(), 1 << 20), Ok(8));
}

/// No alignment is asked of the room.
fn takes_room_at_an_odd_address(context: &Context) {
    let open = nonblocking(context);
    open.run(&[valid_copy(&open).op]);
    let room = UserBytes::odd(&[0; 8]);
    assert_eq!(open.file().read(room.address(), 8), Ok(8));
    assert_eq!(decode::<u64>(&room.bytes()), 1);
}

/// "EINVAL  room for less than 8 bytes"
fn refuses_less_room_than_8_bytes(context: &Context) {
    let open = nonblocking(context);
    open.run(&[valid_copy(&open).op]);
    let room = UserBytes::room(8);
    for len in 0..8 {
        assert_eq!(open.file().read(room.address(), len), Err(Errno::EINVAL), "room for {len}");
    }
    assert_eq!(open.read_seqno(), Ok(1), "the cursor has not moved");
}

/// EINVAL comes before success, EFAULT and EAGAIN; and it does not block.
fn refuses_little_room_before_anything_else(context: &Context) {
    let open = context.card();
    assert_eq!(open.file().read(8, 7), Err(Errno::EINVAL));
    open.file().set_nonblocking(true);
    assert_eq!(open.file().read(8, 0), Err(Errno::EINVAL));
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.file().read(8, 7), Err(Errno::EINVAL));
}

/// "The cursor starts at 0", and so does completed.
fn would_block_on_a_new_open(context: &Context) {
    assert_eq!(nonblocking(context).read_seqno(), Err(Errno::EAGAIN));
}

/// "EAGAIN  O_NONBLOCK": there is nothing to write at the address.
fn would_block_before_a_bad_address(context: &Context) {
    let open = nonblocking(context);
    assert_eq!(open.file().read(8, 8), Err(Errno::EAGAIN));
}

/// A batch that has not retired is none to read of.
fn would_block_while_nothing_new_has_completed(context: &Context) {
    let open = nonblocking(context);
    open.run(&[valid_copy(&open).op]);
    let seqno = submit_endless(&open);
    assert_eq!(open.read_seqno(), Ok(1));
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
    assert_unretired(&open, seqno);
}

/// "EFAULT does not move the cursor".
fn of_a_bad_address_does_not_move_the_cursor(context: &Context) {
    let open = nonblocking(context);
    open.run(&[valid_copy(&open).op]);
    let read_only = UserBytes::read_only(&[0; 8]);
    for address in [0, 8, 0xffff_8000_0000_0000, u64::MAX - 7, read_only.address()] {
        assert_eq!(open.file().read(address, 8), Err(Errno::EFAULT), "{address:#x}");
    }
    for reachable in 0..8 {
        let cut = UserBytes::unreadable_from(&[0; 8], reachable);
        assert_eq!(open.file().read(cut.address(), 8), Err(Errno::EFAULT), "{reachable} of 8");
    }
    assert_eq!(open.read_seqno(), Ok(1));
}

/// "without it, read blocks"
fn blocks_until_a_batch_completes(context: &Context) {
    let (open, seqno) = while_running(context, |_, seqno| seqno);
    assert_eq!(open.read_seqno(), Ok(seqno));
    // And when the batch comes only after the read has begun.
    let op = valid_copy(&open).op;
    thread::scope(|scope| {
        let reader = scope.spawn(|| open.read_seqno());
        let submitted = open.run(&[op]);
        assert_eq!(reader.join().expect("the reader"), Ok(submitted));
    });
}

/// "dup, fork and threads share it".
fn shares_the_cursor_with_a_dup(context: &Context) {
    let open = nonblocking(context);
    let dup = open.clone();
    open.run(&[valid_copy(&open).op]);
    assert_eq!(dup.read_seqno(), Ok(1));
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
}

/// "dup, fork and threads share it": what one has read the others have not.
fn gives_nothing_to_two_threads(context: &Context) {
    let open = nonblocking(context);
    let op = valid_copy(&open).op;
    let batches = 300;
    let mut seen: Vec<u64> = thread::scope(|scope| {
        let read = || {
            let mut seen = Vec::new();
            while open.context_info().completed < batches || open.file().poll().input {
                match open.read_seqno() {
                    Ok(seqno) => seen.push(seqno),
                    Err(errno) => assert_eq!(errno, Errno::EAGAIN),
                }
            }
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "it went back: {seen:?}");
            seen
        };
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        for _ in 0..batches {
            open.run(&[op]);
        }
        readers.into_iter().flat_map(|reader| reader.join().expect("a reader")).collect()
    });
    let reads = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), reads, "a value was given twice");
    assert_eq!(seen.last(), Some(&batches));
}

/// The cursor "is the open's".
fn has_a_cursor_for_each_open(context: &Context) {
    let (first, second) = (nonblocking(context), nonblocking(context));
    for open in [&first, &second] {
        open.run(&[valid_copy(open).op]);
    }
    assert_eq!(first.read_seqno(), Ok(1));
    assert_eq!(second.read_seqno(), Ok(1));
}

/// The control node "has [...] no read (EINVAL)".
fn refuses_the_control_node(context: &Context) {
    let control = context.control();
    let room = UserBytes::room(8);
    for len in [0, 7, 8, 4096] {
        assert_eq!(control.file().read(room.address(), len), Err(Errno::EINVAL));
    }
}

#[track_caller]
fn nonblocking(context: &Context) -> Open {
    let open = context.card();
    open.file().set_nonblocking(true);
    open
}
