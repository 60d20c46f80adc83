// SPDX-License-Identifier: Apache-2.0
//! The device seam: all that the suite knows of a device. It is as raw as the
//! system calls are, so that nothing of a device is hidden by what carries the
//! requests there.

use std::fmt::Debug;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

/// A device that speaks the ABI: the control node and one card, the one under
/// test.
pub trait Device: Send + Sync {
    /// What a report calls it.
    fn name(&self) -> String;

    /// Opens `/dev/spankerctl`.
    fn open_control(&self) -> Result<Box<dyn File>, Errno>;

    /// Whether its opens are descriptors of this process.
    fn has_descriptors(&self) -> bool {
        false
    }

    /// Opens the card under test.
    fn open_card(&self) -> Result<Box<dyn File>, Errno>;

    /// How to come by the controls that are not there.
    fn remedy(&self) -> String {
        String::new()
    }

    /// The control that makes ops fail, where there is one.
    fn faults(&self) -> Option<&dyn Faults> {
        None
    }

    /// The control that unplugs the card, where there is one.
    fn plug(&self) -> Option<&dyn Plug> {
        None
    }

    /// The control that resets the card, where there is one.
    fn resets(&self) -> Option<&dyn Resets> {
        None
    }
}

/// Makes ops fail that would succeed.
pub trait Faults {
    /// On the next open of the card, op `op` (from 0) of the batch `seqno` will
    /// fail in the engine.
    fn fault_next_open(&self, seqno: u64, op: u32);
}

/// Takes the card away.
pub trait Plug {
    /// Unplugs the card under test, for good.
    fn unplug(&self);
}

/// Resets the card.
pub trait Resets {
    /// Resets the card under test: the opens that there are are lost, and later
    /// ones work.
    fn reset(&self);
}

/// An open of a node. Dropping it is the last `close`.
pub trait File: Send + Sync {
    /// `ioctl(fd, code, arg)`.
    fn request(&self, code: u32, arg: u64) -> Result<(), Errno>;

    /// `mmap(NULL, len, prot, sharing, fd, offset)`.
    fn mmap(
        &self,
        offset: u64,
        len: usize,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<Box<dyn Mapping>, Errno>;

    /// `poll` for everything, without waiting.
    fn poll(&self) -> PollBits;

    /// `read(fd, addr, len)`: bytes read.
    fn read(&self, addr: u64, len: usize) -> Result<usize, Errno>;

    /// Sets or clears `O_NONBLOCK`.
    fn set_nonblocking(&self, nonblocking: bool);

    /// The descriptor, where the kernel knows of this open.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// What `mmap` made. Dropping it is `munmap`.
pub trait Mapping: Send + Sync {
    /// Bytes mapped.
    fn len(&self) -> usize;

    /// Whether nothing is mapped.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes at `offset` of the mapping to `bytes`.
    fn read(&self, offset: usize, bytes: &mut [u8]);

    /// Copies `bytes` to `offset` of the mapping.
    fn write(&self, offset: usize, bytes: &[u8]);
}

/// The `PROT_*` bits of an `mmap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// `PROT_READ`
    pub read: bool,
    /// `PROT_WRITE`
    pub write: bool,
    /// `PROT_EXEC`
    pub exec: bool,
}

impl Protection {
    /// `PROT_READ`
    pub const READ: Protection = Protection { read: true, write: false, exec: false };
    /// `PROT_READ | PROT_WRITE`
    pub const READ_WRITE: Protection = Protection { read: true, write: true, exec: false };
    /// `PROT_READ | PROT_EXEC`
    pub const READ_EXEC: Protection = Protection { read: true, write: false, exec: true };
}

/// `MAP_SHARED` or `MAP_PRIVATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// `MAP_SHARED`
    Shared,
    /// `MAP_PRIVATE`
    Private,
}

/// What `poll` answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollBits {
    /// `POLLIN`
    pub input: bool,
    /// `POLLOUT`
    pub output: bool,
    /// `POLLERR`
    pub error: bool,
    /// `POLLHUP`
    pub hangup: bool,
}

impl Debug for dyn Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({})", self.name())
    }
}

impl Debug for dyn File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("File")
    }
}

impl Debug for dyn Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mapping({} bytes)", self.len())
    }
}
