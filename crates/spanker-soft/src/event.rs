// SPDX-License-Identifier: Apache-2.0
//! A descriptor that becomes readable: eventfd(2).
//!
//! nix has it too, with all of its events and poll, which would add half to what the rest of nix
//! takes to compile here.

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

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
    use std::os::fd::AsRawFd;

    fn is_readable(event: &Event) -> bool {
        let mut fds = [PollFd::new(event.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO) == Ok(1)
    }

    #[test]
    fn is_readable_from_the_announcement_until_it_is_quietened() {
        let event = Event::new().unwrap();
        assert!(!is_readable(&event));
        event.quieten();
        for _ in 0..2 {
            event.announce();
            event.announce();
            assert!(is_readable(&event));
            event.quieten();
            assert!(!is_readable(&event));
        }
    }

    #[test]
    fn neither_blocks_nor_goes_to_other_programs() {
        let event = Event::new().unwrap();
        let flags = |which| {
            // SAFETY: the call looks at a descriptor that is open.
            unsafe { libc::fcntl(event.as_fd().as_raw_fd(), which) }
        };
        assert_eq!(flags(libc::F_GETFD) & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        assert_eq!(flags(libc::F_GETFL) & libc::O_NONBLOCK, libc::O_NONBLOCK);
    }
}
