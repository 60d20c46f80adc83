// SPDX-License-Identifier: Apache-2.0
//! An open descriptor.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};

use super::mapping::KernelMapping;
use crate::device::{File, Mapping, PollBits, Protection, Sharing};

/// A descriptor of a node.
#[derive(Debug)]
pub struct KernelFile {
    fd: OwnedFd,
}

impl From<OwnedFd> for KernelFile {
    /// A descriptor that came by another way than `open`.
    fn from(fd: OwnedFd) -> KernelFile {
        KernelFile { fd }
    }
}

impl KernelFile {
    /// Opens a node to read and write, with O_CLOEXEC, which the standard
    /// library adds.
    pub(super) fn open(path: &Path) -> Result<KernelFile, Errno> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Ok(KernelFile { fd: file.into() }),
            Err(error) => Err(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)),
        }
    }

    fn raw(&self) -> c_int {
        self.fd.as_raw_fd()
    }
}

/// An address as a system call takes it. A 32-bit program cannot say one above
/// 4 GiB; what stands for it is as far out of reach: the last page of its
/// address space, where nothing is ever mapped.
fn address(addr: u64) -> usize {
    usize::try_from(addr).unwrap_or(addr as usize | 0xffff_f000)
}

impl File for KernelFile {
    fn request(&self, code: u32, arg: u64) -> Result<(), Errno> {
        // SAFETY: the descriptor is open. What `arg` points to is memory that
        // the suite has mapped for the purpose (`UserBytes`), or nothing that
        // can be written.
        let answer = unsafe { libc::ioctl(self.raw(), libc::Ioctl::from(code), address(arg)) };
        match Errno::result(answer)? {
            0 => Ok(()),
            other => {
                panic!("ioctl {code:#010x} answered {other}, which no request of the ABI does")
            }
        }
    }

    fn mmap(
        &self,
        offset: u64,
        len: usize,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<Box<dyn Mapping>, Errno> {
        let mapping = KernelMapping::new(self.fd.as_fd(), offset, len, protection, sharing)?;
        Ok(Box::new(mapping))
    }

    fn poll(&self) -> PollBits {
        let events = libc::POLLIN | libc::POLLOUT;
        let mut fd = libc::pollfd { fd: self.raw(), events, revents: 0 };
        // SAFETY: one pollfd, which is ours.
        let ready = unsafe { libc::poll(&mut fd, 1, 0) };
        assert!(ready >= 0, "poll: {}", Errno::last());
        let has = |bit| fd.revents & bit != 0;
        assert!(!has(libc::POLLNVAL), "poll does not know its descriptor");
        PollBits {
            input: has(libc::POLLIN),
            output: has(libc::POLLOUT),
            error: has(libc::POLLERR),
            hangup: has(libc::POLLHUP),
        }
    }

    fn read(&self, addr: u64, len: usize) -> Result<usize, Errno> {
        // SAFETY: the descriptor is open; `addr` is as in `request`.
        let read = unsafe { libc::read(self.raw(), address(addr) as *mut c_void, len) };
        Errno::result(read).map(|bytes| bytes as usize)
    }

    fn set_nonblocking(&self, nonblocking: bool) {
        // SAFETY: the descriptor is open, and these carry no memory.
        let done = unsafe {
            let flags = libc::fcntl(self.raw(), libc::F_GETFL);
            let flags =
                if nonblocking { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
            libc::fcntl(self.raw(), libc::F_SETFL, flags)
        };
        assert_eq!(done, 0, "fcntl: {}", Errno::last());
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }
}
