// SPDX-License-Identifier: Apache-2.0
//! The bytes of a buffer.

use nix::errno::Errno;
use nix::libc;
use nix::unistd::{sysconf, SysconfVar};
use spanker_kernels::{Block, SharedRows};
use spanker_sys::Plain;
use std::mem::size_of;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};

/// Bytes in a huge page, of most machines.
const HUGE_PAGE: usize = 2 << 20;

/// Bytes in a page of this machine.
pub(crate) fn page_size() -> u64 {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    page.and_then(|page| u64::try_from(page).ok()).unwrap_or(4096)
}

/// Zeroed, page-aligned memory. A caller who has mapped it may write to it at
/// any time, so no reference into it is ever made: it is copied from and to.
#[derive(Debug)]
pub(crate) struct Storage {
    start: NonNull<u8>,
    len: NonZeroUsize,
}

// SAFETY: the memory belongs to this value alone, no reference into it exists,
// and unmapping works from any thread.
unsafe impl Send for Storage {}
// SAFETY: as above; the methods taking `&self` copy bytes, of which concurrent
// callers see any mixture, which is what the ABI promises about operands that
// are written while in use.
unsafe impl Sync for Storage {}

impl Storage {
    /// `len` zero bytes.
    ///
    /// # Errors
    /// ENOMEM if the host has no room.
    pub(crate) fn new(len: u64) -> Result<Self, Errno> {
        // No object is larger than isize::MAX, and pointers reach no further.
        let len = isize::try_from(len).ok().and_then(|len| NonZeroUsize::new(len as usize));
        let len = len.ok_or(Errno::ENOMEM)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's
        // choice affects no memory that exists.
        let start = unsafe { libc::mmap(ptr::null_mut(), len.get(), protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(Errno::ENOMEM);
        }
        let start = NonNull::new(start).ok_or(Errno::ENOMEM)?;
        if len.get() >= HUGE_PAGE {
            // A product reads many rows by turns, each on a page of its own if pages are small. It
            // is a wish: kernels that cannot fulfil it say so, and nothing is lost.
            // SAFETY: the mapping is this value's own, and its contents stay as they are.
            let _ = unsafe { libc::madvise(start.as_ptr(), len.get(), libc::MADV_HUGEPAGE) };
        }
        Ok(Self { start: start.cast(), len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len.get() as u64
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The address of `bytes` bytes at `offset`, all inside.
    ///
    /// # Panics
    /// If they are not inside: offsets were validated before they come here.
    fn at(&self, offset: u64, bytes: usize) -> *mut u8 {
        let inside = usize::try_from(offset)
            .ok()
            .filter(|start| start.checked_add(bytes).is_some_and(|end| end <= self.len.get()));
        let Some(start) = inside else {
            panic!("{bytes} bytes at {offset} are not inside a buffer of {}", self.len)
        };
        // SAFETY: `start` is at most the length of the mapping.
        unsafe { self.as_ptr().add(start) }
    }

    /// Copies values out, from `offset`.
    pub(crate) fn read<T: Plain>(&self, offset: u64, into: &mut [T]) {
        self.read_bytes(offset, T::slice_bytes_mut(into));
    }

    /// Copies bytes out, from `offset`.
    pub(crate) fn read_bytes(&self, offset: u64, bytes: &mut [u8]) {
        let from = self.at(offset, bytes.len());
        // SAFETY: `at` has checked the source; the target is a borrowed slice
        // of this process that cannot overlap a mapping nobody borrows from.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
    }

    /// Rows of blocks from `offset`, where they lie; see [`SharedRows`].
    ///
    /// # Panics
    /// If they are not inside.
    pub(crate) fn rows<T: Block>(
        &self,
        offset: u64,
        stride: u64,
        rows: usize,
        blocks: usize,
    ) -> SharedRows<'_, T> {
        let last = rows.saturating_sub(1) as u64 * stride;
        self.at(offset + last, blocks * size_of::<T>());
        let start = self.at(offset, 0).cast();
        // SAFETY: the first row and the last are inside, hence all; the mapping lasts as long as
        // this borrow, and pages of a fresh mapping are initialised.
        unsafe { SharedRows::new(start, stride as usize, rows, blocks) }
    }

    /// Copies values in, to `offset`.
    pub(crate) fn write<T: Plain>(&self, offset: u64, from: &[T]) {
        self.write_bytes(offset, T::slice_bytes(from));
    }

    /// Copies bytes in, to `offset`.
    pub(crate) fn write_bytes(&self, offset: u64, bytes: &[u8]) {
        let into = self.at(offset, bytes.len());
        // SAFETY: as in `read_bytes`, the other way round.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), into, bytes.len()) };
    }

    /// Copies `bytes` bytes to another place, of this storage or another.
    pub(crate) fn copy(&self, offset: u64, target: &Self, target_offset: u64, bytes: usize) {
        let from = self.at(offset, bytes);
        let into = target.at(target_offset, bytes);
        // SAFETY: `at` has checked both; they may overlap, which `copy` allows.
        unsafe { ptr::copy(from, into, bytes) };
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing refers to it:
        // whoever holds a pointer into it also holds this value. It can only
        // fail for arguments that are not a mapping.
        let _ = unsafe { libc::munmap(self.as_ptr().cast(), self.len.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_and_holds_what_is_written() {
        let storage = Storage::new(page_size()).unwrap();
        let mut words = [1_u32; 4];
        storage.read(8, &mut words);
        assert_eq!(words, [0; 4]);
        storage.write(12, &[0xdead_beef_u32]);
        storage.copy(12, &storage, 64, 4);
        storage.read(64, &mut words[..1]);
        assert_eq!(words[0], 0xdead_beef);
    }

    #[test]
    #[should_panic(expected = "not inside")]
    fn never_reaches_beyond_its_end() {
        let storage = Storage::new(page_size()).unwrap();
        storage.read(page_size() - 2, &mut [0_u32]);
    }
}
