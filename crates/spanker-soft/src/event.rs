// SPDX-License-Identifier: Apache-2.0
//! A descriptor that becomes readable: eventfd(2).
//!
//! nix has it too, with all of its events and poll, which take as long to compile as the rest of
//! what this crate needs of nix.

use nix::errno::Errno;
use nix::libc;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct Event(File);

impl Event {
    /// One that is quiet.
    ///
    /// # Errors
    /// EMFILE, ENFILE, ENOMEM.
    pub(crate) fn new() -> Result<Self, Errno> {
        // SAFETY: the arguments are numbers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        let fd = Errno::result(fd)?;
        // SAFETY: the kernel has just opened it for this value.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self(File::from(fd)))
    }

    /// Makes it readable.
    pub(crate) fn announce(&self) {
        // Fails only when the counter is full, and then it is readable.
        let _ = (&self.0).write(&1_u64.to_ne_bytes());
    }

    /// Makes it quiet.
    pub(crate) fn quieten(&self) {
        // Fails only when it is quiet already.
        let _ = (&self.0).read(&mut [0; 8]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
