// SPDX-License-Identifier: Apache-2.0
//! Mapped pages of a buffer. The device writes them whenever it likes, so that
//! no reference to them ever exists and every access is volatile.

use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};

use crate::device::{Mapping, Protection, Sharing};

/// What mmap made. Dropping it is munmap of all that is left of it.
#[derive(Debug)]
pub struct KernelMapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it is memory of the process, which every thread can reach, and it is
// only ever copied from and to.
unsafe impl Send for KernelMapping {}
// SAFETY: as above; copies that race give bytes of either, as the device's own
// accesses do.
unsafe impl Sync for KernelMapping {}

impl KernelMapping {
    /// `mmap(NULL, len, protection, sharing, fd, offset)`.
    pub fn new(
        fd: BorrowedFd<'_>,
        offset: u64,
        len: usize,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<KernelMapping, Errno> {
        let sharing = match sharing {
            Sharing::Shared => libc::MAP_SHARED,
            Sharing::Private => libc::MAP_PRIVATE,
        };
        let offset = offset as libc::off64_t;
        // Not nix's, whose offset has 32 bits in a program of as many: the ABI's
        // has 64 everywhere.
        // SAFETY: the kernel chooses an address where nothing is, so no memory
        // that exists is affected.
        let start = unsafe {
            libc::mmap64(ptr::null_mut(), len, bits(protection), sharing, fd.as_raw_fd(), offset)
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let start = NonNull::new(start.cast()).expect("mmap gives no null");
        Ok(KernelMapping { start, len })
    }

    /// The address of the first byte.
    pub fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// `mprotect` of all of it.
    pub fn protect(&self, protection: Protection) -> Result<(), Errno> {
        let start = self.start.as_ptr().cast::<c_void>();
        // SAFETY: the mapping is ours, and no references to it exist.
        let done = unsafe { libc::mprotect(start, self.len, bits(protection)) };
        Errno::result(done).map(drop)
    }

    /// `mremap` to so many bytes, wherever there is room.
    pub fn remap(&mut self, len: usize) -> Result<(), Errno> {
        let start = self.start.as_ptr().cast::<c_void>();
        // SAFETY: the mapping is ours, whole, and nobody knows where it is but
        // `self`, which is told where it went.
        let moved = unsafe { libc::mremap(start, self.len, len, libc::MREMAP_MAYMOVE) };
        if moved == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        self.start = NonNull::new(moved.cast()).expect("mremap gives no null");
        self.len = len;
        Ok(())
    }

    /// `mremap` to another address, which the kernel chooses.
    pub fn relocate(&mut self) -> Result<(), Errno> {
        // SAFETY: the kernel chooses where nothing is; then that reservation, of
        // this length and of no use to anybody, is what the mapping replaces.
        let moved = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let to = libc::mmap(ptr::null_mut(), self.len, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(to, libc::MAP_FAILED, "mmap of a reservation: {}", Errno::last());
            let start = self.start.as_ptr().cast::<c_void>();
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            let moved = libc::mremap(start, self.len, self.len, flags, to);
            if moved == libc::MAP_FAILED {
                let errno = Errno::last();
                libc::munmap(to, self.len);
                return Err(errno);
            }
            moved
        };
        self.start = NonNull::new(moved.cast()).expect("mremap gives no null");
        Ok(())
    }

    /// The bytes before `offset`, of whole pages, and the rest: each is unmapped
    /// by itself.
    pub fn split(self, offset: usize) -> (KernelMapping, KernelMapping) {
        let start = NonNull::new(self.at(offset, 0)).expect("inside the mapping");
        let rest = KernelMapping { start, len: self.len - offset };
        let first = KernelMapping { start: self.start, len: offset };
        std::mem::forget(self);
        (first, rest)
    }

    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        let end = offset.checked_add(len).expect("no overflow");
        assert!(end <= self.len, "{offset} + {len} is not inside a mapping of {}", self.len);
        // SAFETY: offset is inside the mapping or at its end.
        unsafe { self.start.as_ptr().add(offset) }
    }
}

/// Bytes in what a processor reads at once.
const WORD: usize = size_of::<usize>();

impl Mapping for KernelMapping {
    fn len(&self) -> usize {
        self.len
    }

    fn read(&self, offset: usize, bytes: &mut [u8]) {
        let from = self.at(offset, bytes.len());
        let head = from.align_offset(WORD).min(bytes.len());
        let (first, rest) = bytes.split_at_mut(head);
        let whole = rest.len() / WORD * WORD;
        let (words, last) = rest.split_at_mut(whole);
        // SAFETY: `at` checked that the range is inside the mapping, which lives
        // as long as `self`; words are read where they are aligned.
        unsafe {
            for (at, byte) in first.iter_mut().enumerate() {
                *byte = from.add(at).read_volatile();
            }
            let from = from.add(head);
            for (at, word) in words.chunks_exact_mut(WORD).enumerate() {
                let value = from.add(at * WORD).cast::<usize>().read_volatile();
                word.copy_from_slice(&value.to_ne_bytes());
            }
            let from = from.add(whole);
            for (at, byte) in last.iter_mut().enumerate() {
                *byte = from.add(at).read_volatile();
            }
        }
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.at(offset, bytes.len());
        let head = to.align_offset(WORD).min(bytes.len());
        let (first, rest) = bytes.split_at(head);
        let whole = rest.len() / WORD * WORD;
        let (words, last) = rest.split_at(whole);
        // SAFETY: as in `read`; a mapping that is not to be written ends the
        // process, and nothing else.
        unsafe {
            for (at, &byte) in first.iter().enumerate() {
                to.add(at).write_volatile(byte);
            }
            let to = to.add(head);
            for (at, word) in words.chunks_exact(WORD).enumerate() {
                let value = usize::from_ne_bytes(word.try_into().expect("a word"));
                to.add(at * WORD).cast::<usize>().write_volatile(value);
            }
            let to = to.add(whole);
            for (at, &byte) in last.iter().enumerate() {
                to.add(at).write_volatile(byte);
            }
        }
    }
}

impl Drop for KernelMapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, whole, and nobody refers to it any more.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast::<c_void>(), self.len) };
        debug_assert_eq!(done, 0, "munmap: {}", Errno::last());
    }
}

/// PROT_*.
fn bits(protection: Protection) -> c_int {
    let bit = |on, bit| if on { bit } else { 0 };
    bit(protection.read, libc::PROT_READ)
        | bit(protection.write, libc::PROT_WRITE)
        | bit(protection.exec, libc::PROT_EXEC)
}
