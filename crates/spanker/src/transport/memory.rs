// SPDX-License-Identifier: Apache-2.0
//! A buffer's memory in this process.

use nix::libc;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::slice;

/// Mapped memory that the device reads and writes as well, but only while an op
/// in flight names the buffer.
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    /// Bytes that are used; the mapping is this, rounded up to pages.
    len: usize,
    mapping: Mapping,
}

/// What undoes the mapping.
#[derive(Debug)]
enum Mapping {
    Kernel,
    #[cfg(feature = "soft")]
    Soft {
        _mapping: spanker_soft::Mapping,
    },
}

// SAFETY: the mapping belongs to this value alone and can be used and undone
// from any thread; the methods say who may touch the bytes.
unsafe impl Send for Memory {}
// SAFETY: as above: sharing `&Memory` gives no more than shared reads.
unsafe impl Sync for Memory {}

impl Memory {
    /// `len` bytes at `start`, mapped for this value.
    pub(super) fn mapped(start: NonNull<u8>, len: NonZeroUsize) -> Self {
        Self { start, len: len.get(), mapping: Mapping::Kernel }
    }

    #[cfg(feature = "soft")]
    pub(super) fn soft(mapping: spanker_soft::Mapping, len: usize) -> Self {
        // A page-aligned address of real memory.
        let start = NonNull::new(mapping.as_ptr()).unwrap_or(NonNull::dangling());
        Self { start, len, mapping: Mapping::Soft { _mapping: mapping } }
    }

    /// The bytes, to be read.
    ///
    /// # Safety
    /// No op in flight may write to the buffer while the result lives.
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes from `start` are mapped while `self` lives and
        // were zeroed at first; the caller promises that nobody writes.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The bytes, to be written.
    ///
    /// # Safety
    /// No op in flight may name the buffer while the result lives.
    pub(crate) unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the borrow is exclusive in this process, and
        // the caller promises that the device keeps away.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if matches!(self.mapping, Mapping::Kernel) {
            // SAFETY: the mapping was made for this value, and what borrowed
            // from it is gone. It fails only for what is no mapping.
            let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        }
    }
}
