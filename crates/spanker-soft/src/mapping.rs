// SPDX-License-Identifier: Apache-2.0
//! A buffer as its owner sees it after mmap.

use crate::buffer::Buffer;
use crate::file::Pin;
use nix::errno::Errno;
use std::sync::Arc;

/// What a mapping is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// PROT_READ
    pub read: bool,
    /// PROT_WRITE
    pub write: bool,
    /// PROT_EXEC, which no card gives.
    pub execute: bool,
}

impl Protection {
    /// PROT_READ | PROT_WRITE
    pub const READ_WRITE: Self = Self { read: true, write: true, execute: false };
}

/// With whom a mapping is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// MAP_SHARED
    Shared,
    /// MAP_PRIVATE, which no card gives.
    Private,
}

/// Mapped pages of a buffer. It keeps the buffer's memory and the open, whatever
/// becomes of the handle, the descriptors and the card. Dropping it is munmap.
#[derive(Debug)]
pub struct Mapping {
    // The buffer is let go before the open may end.
    buffer: Arc<Buffer>,
    start: u64,
    len: u64,
    protection: Protection,
    _pin: Arc<Pin>,
}

impl Mapping {
    pub(crate) fn new(
        pin: Arc<Pin>,
        buffer: Arc<Buffer>,
        start: u64,
        len: u64,
        protection: Protection,
    ) -> Self {
        Self { buffer, start, len, protection, _pin: pin }
    }

    /// Bytes mapped, whole pages.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Never: nothing is not mapped.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first byte. The pointer is good for [`Mapping::len`] bytes while
    /// this value lives; ops in flight read and write behind it.
    pub fn as_ptr(&self) -> *mut u8 {
        self.buffer.memory.storage.as_ptr().wrapping_add(self.start as usize)
    }

    /// Copies bytes out.
    ///
    /// # Safety
    /// Nobody may write these bytes meanwhile: no other thread, and no op in
    /// flight.
    ///
    /// # Errors
    /// EFAULT outside the mapping or without PROT_READ: where a program of its
    /// own would get a signal.
    pub unsafe fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Errno> {
        let from = self.place(offset, into.len(), self.protection.read)?;
        self.buffer.memory.storage.read_bytes(from, into);
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Safety
    /// Nobody may read or write these bytes meanwhile: no other thread, and no
    /// op in flight.
    ///
    /// # Errors
    /// EFAULT outside the mapping or without PROT_WRITE.
    pub unsafe fn write(&self, offset: u64, from: &[u8]) -> Result<(), Errno> {
        let into = self.place(offset, from.len(), self.protection.write)?;
        self.buffer.memory.storage.write_bytes(into, from);
        Ok(())
    }

    fn place(&self, offset: u64, bytes: usize, allowed: bool) -> Result<u64, Errno> {
        let end = offset.checked_add(bytes as u64).ok_or(Errno::EFAULT)?;
        if !allowed || end > self.len {
            return Err(Errno::EFAULT);
        }
        Ok(self.start + offset)
    }
}
