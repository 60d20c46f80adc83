// SPDX-License-Identifier: Apache-2.0
//! Buffers, and the handles of one open.

use crate::card::Allocation;
use crate::config::CardConfig;
use nix::errno::Errno;
use spanker_sys::SPANKER_BUF_DEVICE;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A buffer: kept by its handle, by every batch that names it, and by every
/// mapping of it.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// The size asked for, which operands are checked against; bytes.
    pub(crate) size: u64,
    pub(crate) flags: u32,
    pub(crate) memory: Allocation,
}

impl Buffer {
    pub(crate) fn is_mappable(&self) -> bool {
        self.flags & SPANKER_BUF_DEVICE == 0
    }
}

/// The bits of a mapping offset below the handle: room for the largest buffer.
const OFFSET_BITS: u32 = CardConfig::MAX_BUF_SIZE.trailing_zeros();

/// The offset to give to mmap for the buffer with this handle.
pub(crate) fn mmap_offset(handle: u32) -> u64 {
    u64::from(handle) << OFFSET_BITS
}

/// The handle, and the offset inside its buffer, that a mapping offset means.
pub(crate) fn at_mmap_offset(offset: u64) -> (u32, u64) {
    ((offset >> OFFSET_BITS) as u32, offset & (CardConfig::MAX_BUF_SIZE - 1))
}

/// The live handles of one open.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    live: HashMap<u32, Arc<Buffer>, BuildHasherDefault<HandleHasher>>,
    last: u32,
}

impl Handles {
    pub(crate) fn len(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&Arc<Buffer>> {
        self.live.get(&handle)
    }

    /// The handle that [`Handles::insert`] will give next: cyclically the first
    /// free one after the last.
    pub(crate) fn next(&self) -> u32 {
        // Two thirds at most are live, whatever the card allows, so this ends.
        let mut handle = self.last;
        loop {
            handle = if handle >= CardConfig::MAX_BUFS * 2 { 1 } else { handle + 1 };
            if !self.live.contains_key(&handle) {
                return handle;
            }
        }
    }

    /// Gives `buffer` the handle that [`Handles::next`] has told.
    pub(crate) fn insert(&mut self, handle: u32, buffer: Arc<Buffer>) {
        self.last = handle;
        self.live.insert(handle, buffer);
    }

    /// # Errors
    /// ENOENT if there is no such handle.
    pub(crate) fn remove(&mut self, handle: u32) -> Result<Arc<Buffer>, Errno> {
        self.live.remove(&handle).ok_or(Errno::ENOENT)
    }

    pub(crate) fn clear(&mut self) {
        self.live.clear();
    }
}

/// Spreads handles over a table in a few instructions: every op looks up three.
/// The card hands them out, so that nobody can choose them to collide but by
/// keeping some of very many, and each open has a table of its own.
#[derive(Debug, Default)]
struct HandleHasher(u64);

impl Hasher for HandleHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio: its multiples are far from each
        // other. The table looks at both ends of a hash, and only the upper half
        // of a product depends on all of the number.
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed.rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_offset_names_its_handle_and_place() {
        for handle in [1, 77, CardConfig::MAX_BUFS * 2] {
            assert_eq!(at_mmap_offset(mmap_offset(handle)), (handle, 0));
            assert_eq!(at_mmap_offset(mmap_offset(handle) + 8192), (handle, 8192));
        }
    }
}
