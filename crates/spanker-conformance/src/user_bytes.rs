// SPDX-License-Identifier: Apache-2.0
//! Bytes in the caller's memory, placed so that a device that reads or writes
//! beyond them is found out.

use std::hint;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::pages::{page_size, Access, UserPages};
use crate::random::Random;

/// What the memory in front of the bytes is filled with.
const SURROUNDING: u8 = 0xa5;

/// How far in front of them it is looked at. A page can have 16 times as many
/// bytes, which would make every request of the suite dear.
const GUARD: usize = 4096;

/// Some bytes in memory of their own. Unless said otherwise they end where the
/// accessible memory does: one byte more cannot be read or written.
#[derive(Debug)]
pub struct UserBytes {
    pages: UserPages,
    start: usize,
    len: usize,
    readable: usize,
}

impl UserBytes {
    /// Bytes that can be read and written.
    pub fn new(bytes: &[u8]) -> UserBytes {
        UserBytes::cut(bytes, bytes.len(), Access::Nothing)
    }

    /// `len` bytes that can be read and written.
    pub fn room(len: usize) -> UserBytes {
        UserBytes::new(&vec![SURROUNDING; len])
    }

    /// Bytes that can be read and written, at an odd address.
    pub fn odd(bytes: &[u8]) -> UserBytes {
        let mut padded = bytes.to_vec();
        padded.push(0);
        if (padded.len()) % 2 == 0 {
            padded.push(0);
        }
        let mut placed = UserBytes::new(&padded);
        placed.len = bytes.len();
        assert_eq!(placed.address() % 2, 1);
        placed
    }

    /// Bytes that can be read and not written.
    pub fn read_only(bytes: &[u8]) -> UserBytes {
        let mut placed = UserBytes::new(bytes);
        let pages = placed.pages.len() / page_size() - 1;
        placed.pages.protect(0..pages, Access::Read);
        placed
    }

    /// Bytes of which only the first `readable` can be read or written.
    pub fn unreadable_from(bytes: &[u8], readable: usize) -> UserBytes {
        UserBytes::cut(bytes, readable, Access::Nothing)
    }

    /// Bytes that can be read, and of which only the first `writable` can be
    /// written.
    pub fn read_only_from(bytes: &[u8], writable: usize) -> UserBytes {
        UserBytes::cut(bytes, writable, Access::Read)
    }

    /// Bytes of which the first `unreadable` cannot be read or written. They
    /// cannot be asked for either.
    pub fn readable_from(bytes: &[u8], unreadable: usize) -> UserBytes {
        let mut placed = UserBytes::cut(bytes, unreadable, Access::ReadWrite);
        let boundary = (placed.start + unreadable) / page_size();
        placed.pages.protect(0..boundary, Access::Nothing);
        placed
    }

    /// Lets a page boundary come after the first `head` bytes; what can be done
    /// with the pages from there on is `rest`.
    fn cut(bytes: &[u8], head: usize, rest: Access) -> UserBytes {
        assert!(head <= bytes.len());
        let before = head.div_ceil(page_size()).max(1);
        let after = (bytes.len() - head).div_ceil(page_size()).max(1);
        let small = before + after == 2 && head == bytes.len() && rest == Access::Nothing;
        let mut pages = if small { UserPages::guarded() } else { UserPages::new(before + after) };
        let start = before * page_size() - head;
        let guard = start.min(GUARD);
        pages.write(start - guard, &vec![SURROUNDING; guard]);
        pages.write(start, bytes);
        if !small {
            pages.protect(before..before + after, rest);
        }
        let readable = if rest == Access::Nothing { head } else { bytes.len() };
        UserBytes { pages, start, len: bytes.len(), readable }
    }

    /// The address of the first byte.
    pub fn address(&self) -> u64 {
        self.pages.address(self.start)
    }

    /// Lets a thread write the one and the other of two values at an offset, over
    /// and over, until `meanwhile` has returned.
    pub fn while_altered<T>(
        &self,
        offset: usize,
        values: [u32; 2],
        meanwhile: impl FnOnce() -> T,
    ) -> T {
        assert!(offset + 4 <= self.len);
        let word = self.pages.word(self.start + offset);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random::new(0x5eed);
                while !done.load(Ordering::Relaxed) {
                    for value in values {
                        word.store(value, Ordering::Relaxed);
                        // For about as long as a device takes to look twice.
                        for _ in 0..random.below(500) {
                            hint::spin_loop();
                        }
                    }
                }
            });
            // A case that fails must not leave the thread behind.
            let result = panic::catch_unwind(AssertUnwindSafe(meanwhile));
            done.store(true, Ordering::Relaxed);
            result.unwrap_or_else(|reason| panic::resume_unwind(reason))
        })
    }

    /// The bytes as they are now, as far as they can be read.
    ///
    /// # Panics
    /// When the memory in front of them was altered.
    #[track_caller]
    pub fn bytes(&self) -> Vec<u8> {
        let guard = self.start.min(GUARD);
        let before = self.pages.read(self.start - guard, guard);
        assert!(
            before.iter().all(|&byte| byte == SURROUNDING),
            "memory in front of what a request names was written",
        );
        self.pages.read(self.start, self.len.min(self.readable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_end_at_an_unreadable_page() {
        let placed = UserBytes::new(&[1, 2, 3]);
        assert_eq!((placed.address() as usize + 3) % page_size(), 0);
        assert_eq!(placed.bytes(), [1, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "in front of what a request names")]
    fn a_byte_that_was_written_in_front_is_found() {
        let mut placed = UserBytes::new(&[1, 2, 3]);
        placed.pages.write(placed.start - 1, &[0]);
        placed.bytes();
    }

    #[test]
    fn only_the_first_bytes_are_readable() {
        let placed = UserBytes::unreadable_from(&[1, 2, 3], 2);
        assert_eq!((placed.address() as usize + 2) % page_size(), 0);
        assert_eq!(placed.bytes(), [1, 2]);
    }

    #[test]
    fn an_odd_address_is_odd() {
        assert_eq!(UserBytes::odd(&[1, 2, 3]).bytes(), [1, 2, 3]);
        assert_eq!(UserBytes::odd(&[1, 2]).bytes(), [1, 2]);
    }
}
