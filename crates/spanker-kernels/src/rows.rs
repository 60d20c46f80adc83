// SPDX-License-Identifier: Apache-2.0
//! Operands where they lie.

use crate::Block;
use std::marker::PhantomData;

/// Rows of blocks in memory that others may write to at any time, so that no reference into it is
/// made: values are copied out, or loaded through pointers. Whoever loads while somebody writes
/// gets any mixture of old and new bytes, which is what the ABI promises; no more depends on them
/// than the values computed.
#[derive(Debug)]
pub struct SharedRows<'a, T> {
    start: *const T,
    /// Bytes from the start of a row to that of the next.
    stride: usize,
    rows: usize,
    blocks: usize,
    memory: PhantomData<&'a [T]>,
}

impl<T> Clone for SharedRows<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SharedRows<'_, T> {}

impl<'a, T: Block> SharedRows<'a, T> {
    /// `rows` rows of `blocks` blocks, the first at `start`, each `stride` bytes after the last.
    ///
    /// # Safety
    /// All of them are in memory that stays mapped and initialised for `'a`.
    pub unsafe fn new(start: *const T, stride: usize, rows: usize, blocks: usize) -> Self {
        Self { start, stride, rows, blocks, memory: PhantomData }
    }

    /// Rows of `blocks` blocks that nobody writes to.
    ///
    /// # Panics
    /// If `blocks` is 0 or `values` are not whole rows.
    pub fn of(values: &'a [T], blocks: usize) -> Self {
        assert!(blocks > 0 && values.len() % blocks == 0, "{} values in rows of {blocks}", {
            values.len()
        });
        // Wraps only where there is no row.
        let stride = blocks.wrapping_mul(std::mem::size_of::<T>());
        let start = values.as_ptr();
        Self { start, stride, rows: values.len() / blocks, blocks, memory: PhantomData }
    }

    /// `rows` rows of `blocks` blocks in bytes that nobody writes to, the first at their start, each
    /// `stride` bytes after the last.
    ///
    /// # Panics
    /// If the last row is not inside.
    pub fn in_bytes(bytes: &'a [u8], stride: usize, rows: usize, blocks: usize) -> Self {
        let end = rows.saturating_sub(1).checked_mul(stride).and_then(|last| {
            let row = blocks.checked_mul(std::mem::size_of::<T>())?;
            last.checked_add(row)
        });
        assert!(
            end.is_some_and(|end| end <= bytes.len()),
            "{rows} rows of {blocks} superblocks, {stride} bytes apart, in {} bytes",
            bytes.len()
        );
        Self { start: bytes.as_ptr().cast(), stride, rows, blocks, memory: PhantomData }
    }

    /// How many rows there are.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// How many blocks a row has.
    pub fn blocks(self) -> usize {
        self.blocks
    }

    /// The first block of a row. The others follow; all of them can be loaded.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(self, row: usize) -> *const T {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        self.start.wrapping_byte_add(row * self.stride)
    }

    /// Bytes from a row to the one so many rows ahead, which may not be there: for prefetching.
    pub fn ahead(self, rows: usize) -> usize {
        rows.wrapping_mul(self.stride)
    }

    /// A copy of a block.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn read(self, row: usize, block: usize) -> T {
        assert!(block < self.blocks, "block {block} of {}", self.blocks);
        // SAFETY: the block is one of the row's; it needs no alignment, and is valid whatever its
        // bytes are.
        unsafe { self.row(row).add(block).read_unaligned() }
    }
}

#[cfg(test)]
mod tests {
    use crate::{BlockQ4K, SharedRows};
    use std::mem::size_of;
    use std::panic::catch_unwind;

    #[test]
    fn no_values_are_no_rows_of_any_length() {
        let none: &[BlockQ4K] = &[];
        for blocks in [1, usize::MAX / 144 + 1, usize::MAX] {
            assert_eq!(SharedRows::of(none, blocks).rows(), 0);
        }
        assert!(catch_unwind(|| SharedRows::of(none, 0)).is_err());
    }

    #[test]
    fn rows_are_inside_their_bytes_whatever_the_numbers() {
        const BLOCK: usize = size_of::<BlockQ4K>();
        let bytes = [0; 3 * BLOCK];
        let rows = |stride, rows, blocks| {
            let rows = || SharedRows::<BlockQ4K>::in_bytes(&bytes, stride, rows, blocks).rows();
            catch_unwind(rows).ok()
        };
        assert_eq!(rows(BLOCK, 3, 1), Some(3));
        assert_eq!(rows(BLOCK, 2, 2), Some(2));
        // The same bytes again and again.
        assert_eq!(rows(0, usize::MAX, 3), Some(usize::MAX));
        assert_eq!(rows(BLOCK + 1, 3, 1), None);
        assert_eq!(rows(BLOCK, 4, 1), None);
        assert_eq!(rows(0, 1, 4), None);
        // What would be inside if it wrapped.
        assert_eq!(rows(usize::MAX / 2 + 1, 3, 1), None);
        assert_eq!(rows(0, 1, usize::MAX / 16 + 1), None);
        assert_eq!(rows(1, usize::MAX, 1), None);
    }
}
