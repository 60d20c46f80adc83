// SPDX-License-Identifier: Apache-2.0
//! Descriptors on their way through a socket: SCM_RIGHTS.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;

use nix::errno::Errno;
use nix::libc::{self, c_uint};

/// Room for a control message that carries one descriptor, aligned as such a
/// message is.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Sends a copy of a descriptor.
#[track_caller]
pub fn send(socket: &UnixStream, fd: BorrowedFd<'_>) {
    let mut byte = 0u8;
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: ptr::addr_of_mut!(byte).cast(), iov_len: 1 };
    let raw = fd.as_raw_fd();
    // SAFETY: the message names a byte and a control message of one descriptor,
    // both of which live until sendmsg has returned, and the control message's
    // room is larger than CMSG_SPACE of one descriptor.
    let sent = unsafe {
        let mut message = message(&mut part, &mut control);
        let header = libc::CMSG_FIRSTHDR(&message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(mem::size_of::<RawFd>() as c_uint) as _;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(raw);
        message.msg_controllen = libc::CMSG_SPACE(mem::size_of::<RawFd>() as c_uint) as _;
        libc::sendmsg(socket.as_raw_fd(), &message, 0)
    };
    assert_eq!(sent, 1, "sendmsg: {}", Errno::last());
}

/// Receives a descriptor that was sent.
#[track_caller]
pub fn receive(socket: &UnixStream) -> OwnedFd {
    let mut byte = 0u8;
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: ptr::addr_of_mut!(byte).cast(), iov_len: 1 };
    // SAFETY: as in `send`; the kernel writes no more than the room that it is
    // told of. A descriptor that was received is nobody else's.
    unsafe {
        let mut message = message(&mut part, &mut control);
        let flags = libc::MSG_CMSG_CLOEXEC;
        let received = libc::recvmsg(socket.as_raw_fd(), &mut message, flags);
        assert_eq!(received, 1, "recvmsg: {}", Errno::last());
        let header = libc::CMSG_FIRSTHDR(&message);
        assert!(!header.is_null(), "no descriptor came");
        assert_eq!((*header).cmsg_type, libc::SCM_RIGHTS);
        OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned())
    }
}

/// A message of one part, with all the room for control messages.
fn message(part: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: a msghdr is pointers and integers, and all zero is an empty one.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = ptr::addr_of_mut!(*control).cast();
    message.msg_controllen = mem::size_of::<Control>() as _;
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Seek, SeekFrom};
    use std::os::fd::AsFd;

    #[test]
    fn a_descriptor_that_was_passed_is_of_the_same_open() {
        let (here, there) = UnixStream::pair().unwrap();
        let mut file = File::open("/proc/self/exe").unwrap();
        send(&here, file.as_fd());
        let mut passed = File::from(receive(&there));
        file.seek(SeekFrom::Start(1)).unwrap();
        let mut bytes = [0; 3];
        passed.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"ELF");
    }
}
