// SPDX-License-Identifier: Apache-2.0
//! Pages of the caller's memory with chosen protections, for requests whose
//! arguments a device can only partly reach.

use std::cell::RefCell;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use nix::sys::mman::{mmap_anonymous, mprotect, munmap, MapFlags, ProtFlags};
use nix::unistd::{sysconf, SysconfVar};

/// Bytes in a page of this host.
pub fn page_size() -> usize {
    let size = sysconf(SysconfVar::PAGE_SIZE).expect("sysconf(_SC_PAGESIZE)");
    usize::try_from(size.expect("the page size is known")).expect("a page fits memory")
}

/// What may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: `PROT_NONE`.
    Nothing,
    /// Reading: `PROT_READ`.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// Anonymous pages, zero and writable at first.
#[derive(Debug)]
pub struct UserPages {
    base: NonNull<c_void>,
    access: Vec<Access>,
}

impl UserPages {
    /// Maps that many pages.
    pub fn new(pages: usize) -> UserPages {
        let len = NonZeroUsize::new(pages * page_size()).expect("at least one page");
        // SAFETY: no address is asked for, so the mapping replaces nothing.
        let base = unsafe {
            mmap_anonymous(
                None,
                len,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_PRIVATE,
            )
        };
        UserPages {
            base: base.expect("mmap of anonymous pages"),
            access: vec![Access::ReadWrite; pages],
        }
    }

    /// A page that is writable and holds anything, with one behind it that
    /// cannot be reached: what nearly every request is made of. They are used
    /// again, as unmapping is dear where another processor may know of a page.
    pub fn guarded() -> UserPages {
        match SPARE.with(|spare| spare.borrow_mut().bases.pop()) {
            Some(base) => UserPages { base, access: GUARDED.to_vec() },
            None => {
                let mut pages = UserPages::new(GUARDED.len());
                pages.protect(1..2, Access::Nothing);
                pages
            }
        }
    }

    /// Bytes in all pages.
    pub fn len(&self) -> usize {
        self.access.len() * page_size()
    }

    /// Whether there are no pages: never.
    pub fn is_empty(&self) -> bool {
        self.access.is_empty()
    }

    /// The address of the byte at `offset`.
    pub fn address(&self, offset: usize) -> u64 {
        self.base.as_ptr() as u64 + offset as u64
    }

    /// Changes what may be done with some pages.
    pub fn protect(&mut self, pages: Range<usize>, access: Access) {
        let flags = match access {
            Access::Nothing => ProtFlags::PROT_NONE,
            Access::Read => ProtFlags::PROT_READ,
            Access::ReadWrite => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        };
        self.access[pages.clone()].fill(access);
        let start = self.pointer(pages.start * page_size(), pages.len() * page_size());
        // SAFETY: the range is inside this mapping, which nothing else uses and
        // to which no reference exists.
        let done = unsafe { mprotect(start.cast(), pages.len() * page_size(), flags) };
        done.expect("mprotect of our own pages");
    }

    /// Copies `bytes` to `offset`.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.assert_access(offset, bytes.len(), |access| access == Access::ReadWrite);
        let to = self.pointer(offset, bytes.len());
        // SAFETY: `pointer` checked the range, `assert_access` that it can be
        // written, and `bytes` is not in these pages, of which no slice exists.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr(), bytes.len()) };
    }

    /// Copies `len` bytes from `offset`.
    pub fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        self.assert_access(offset, len, |access| access != Access::Nothing);
        let from = self.pointer(offset, len);
        let mut bytes = vec![0; len];
        // SAFETY: `pointer` checked the range, `assert_access` that it can be
        // read, and `bytes` is memory of its own.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), bytes.as_mut_ptr(), len) };
        bytes
    }

    /// The aligned four bytes at `offset`, which threads may write at a time.
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        self.assert_access(offset, 4, |access| access == Access::ReadWrite);
        let word = self.pointer(offset, 4).cast::<AtomicU32>();
        assert_eq!(offset % 4, 0, "a word is aligned");
        // SAFETY: `pointer` checked that it is inside the pages, which live as
        // long as `self` and are only accessed atomically, by copies that race
        // with nothing, or by the kernel; pages are aligned, and so is it.
        unsafe { word.as_ref() }
    }

    fn pointer(&self, offset: usize, len: usize) -> NonNull<u8> {
        let end = offset.checked_add(len).expect("no overflow");
        assert!(end <= self.len(), "{offset} + {len} is not inside the pages");
        // SAFETY: offset is inside the mapping or one past its end.
        unsafe { NonNull::new_unchecked(self.base.as_ptr().cast::<u8>().add(offset)) }
    }

    fn assert_access(&self, offset: usize, len: usize, allowed: impl Fn(Access) -> bool) {
        let pages = offset / page_size()..(offset + len).div_ceil(page_size());
        assert!(
            len == 0 || self.access[pages].iter().all(|&access| allowed(access)),
            "{len} bytes at {offset} are not accessible",
        );
    }
}

impl Drop for UserPages {
    fn drop(&mut self) {
        let keep = |spare: &RefCell<Spare>| {
            let bases = &mut spare.borrow_mut().bases;
            let room = bases.len() < MOST_SPARE;
            if room {
                bases.push(self.base);
            }
            room
        };
        // There is nowhere to keep them when the thread is ending.
        if self.access == GUARDED && SPARE.try_with(keep).unwrap_or(false) {
            return;
        }
        // SAFETY: the mapping is ours, whole, and nobody refers to it any more.
        let done = unsafe { munmap(self.base, self.len()) };
        debug_assert!(done.is_ok(), "munmap of our own pages");
    }
}

/// What can be done with the pages of [`UserPages::guarded`].
const GUARDED: [Access; 2] = [Access::ReadWrite, Access::Nothing];

/// More are never in use at a time.
const MOST_SPARE: usize = 8;

/// Pages like [`GUARDED`] that nobody uses.
#[derive(Debug, Default)]
struct Spare {
    bases: Vec<NonNull<c_void>>,
}

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

impl Drop for Spare {
    fn drop(&mut self) {
        for base in self.bases.drain(..) {
            // SAFETY: a whole mapping of that length, which nobody refers to.
            let done = unsafe { munmap(base, GUARDED.len() * page_size()) };
            debug_assert!(done.is_ok(), "munmap of our own pages");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_written_are_read_back() {
        let mut pages = UserPages::new(2);
        let across = page_size() - 2;
        pages.write(across, &[1, 2, 3, 4]);
        assert_eq!(pages.read(across, 4), [1, 2, 3, 4]);
        assert_eq!(pages.read(0, 1), [0]);
    }

    #[test]
    fn guarded_pages_are_used_again_unless_their_protection_was_changed() {
        let first = UserPages::guarded();
        let address = first.address(0);
        drop(first);
        let mut second = UserPages::guarded();
        assert_eq!(second.address(0), address);
        second.protect(0..1, Access::Read);
        drop(second);
        let mut third = UserPages::guarded();
        third.write(0, &[1]);
    }

    #[test]
    #[should_panic(expected = "not accessible")]
    fn the_caller_is_kept_from_pages_without_access() {
        let mut pages = UserPages::new(2);
        pages.protect(1..2, Access::Nothing);
        pages.read(page_size() - 1, 2);
    }
}
