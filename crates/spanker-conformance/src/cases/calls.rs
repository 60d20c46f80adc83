// SPDX-License-Identifier: Apache-2.0
//! System calls on a descriptor that the header has no meaning for, or another
//! way to make those that it has.

use std::fs::OpenOptions;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::libc;
use nix::sys::uio::{pread, preadv, readv};
use nix::unistd::{lseek, write, Whence};

use crate::case::{cases, Context, Need};
use crate::kernel::KernelFile;
use crate::open::Open;
use crate::ops::valid_copy;

cases! {
    "calls": ;
    [Need::Descriptors]
    refuse_pread,
    refuse_lseek,
    refuse_write,
    read_into_pieces,
    refuse_pieces_of_less_than_8_bytes,
    open_a_node_without_blocking,
    open_a_node_again_by_its_descriptor,
}

/// "pread has no meaning (ESPIPE)."
fn refuse_pread(context: &Context) {
    let open = context.card();
    for batches in 0..2 {
        let fd = context.descriptor(&open);
        for offset in [0, 1, 8] {
            let mut room = [0; 16];
            assert_eq!(pread(fd, &mut room, offset), Err(Errno::ESPIPE), "pread at {offset}");
            let answer = preadv(fd, &mut [IoSliceMut::new(&mut room)], offset);
            assert_eq!(answer, Err(Errno::ESPIPE), "preadv at {offset}");
        }
        if batches == 0 {
            open.run(&[valid_copy(&open).op]);
        }
    }
    assert_eq!(open.read_seqno(), Ok(1), "the cursor has not moved");
}

/// There is no position to move.
fn refuse_lseek(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    for whence in [Whence::SeekSet, Whence::SeekCur, Whence::SeekEnd] {
        assert_eq!(lseek(context.descriptor(&open), 0, whence), Err(Errno::ESPIPE), "{whence:?}");
    }
    assert_eq!(open.read_seqno(), Ok(1));
}

/// Nodes have no write.
fn refuse_write(context: &Context) {
    for open in [context.card(), context.control()] {
        assert_eq!(write(context.descriptor(&open), &[0; 8]), Err(Errno::EINVAL));
    }
}

/// "read gives 8 bytes", however the room for them is cut, and no more.
fn read_into_pieces(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for cuts in [[8, 8, 8], [4, 4, 8], [1, 2, 5], [0, 16, 1]] {
        let seqno = open.run(&[op]);
        let mut rooms = cuts.map(|len| vec![0; len]);
        let mut pieces: Vec<_> = rooms.iter_mut().map(|room| IoSliceMut::new(room)).collect();
        assert_eq!(readv(context.descriptor(&open), &mut pieces), Ok(8), "pieces of {cuts:?}");
        assert_eq!(rooms.concat()[..8], seqno.to_ne_bytes(), "pieces of {cuts:?}");
    }
}

/// "EINVAL  room for less than 8 bytes"
fn refuse_pieces_of_less_than_8_bytes(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    let mut rooms = [[0; 4], [0; 4]];
    let (first, second) = rooms.split_at_mut(1);
    let mut pieces = [IoSliceMut::new(&mut first[0]), IoSliceMut::new(&mut second[0][..3])];
    assert_eq!(readv(context.descriptor(&open), &mut pieces), Err(Errno::EINVAL));
    assert_eq!(open.read_seqno(), Ok(1), "the cursor has not moved");
}

/// "EAGAIN  O_NONBLOCK", from the start.
fn open_a_node_without_blocking(context: &Context) {
    let open = again(context, &context.card(), libc::O_NONBLOCK);
    assert_eq!(open.read_seqno(), Err(Errno::EAGAIN));
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.read_seqno(), Ok(1));
}

/// Opening what a descriptor is of is an open of its own: "Nothing is shared
/// between two opens."
fn open_a_node_again_by_its_descriptor(context: &Context) {
    let first = context.card();
    first.run(&[valid_copy(&first).op]);
    let second = again(context, &first, 0);
    assert_eq!(second.context_info().submitted, 0);
    assert_eq!(second.create(1).handle, 1);
    assert_eq!(second.device_info(), first.device_info());
}

#[track_caller]
fn again(context: &Context, open: &Open, flags: i32) -> Open {
    let path = format!("/proc/self/fd/{}", context.descriptor(open).as_raw_fd());
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    let file = file.unwrap_or_else(|error| panic!("open of the node of a descriptor: {error}"));
    Open::new(Box::new(KernelFile::from(OwnedFd::from(file))))
}
