// SPDX-License-Identifier: Apache-2.0
//! The buffers of a record, and what stands for them now. Their bytes are
//! touched only when the last batch that names them has retired: the caller
//! asks [`Buffers::last_named`], and waits.

use crate::error::Error;
use crate::open::Open;
use crate::transport::{Buffer, Placement};
use spanker_sys::{spanker_op, spanker_operand, SPANKER_OPCODE_COPY};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// By the handle in the record.
    entries: BTreeMap<u32, Entry>,
}

#[derive(Debug)]
struct Entry {
    buffer: Buffer,
    len: usize,
    last_named: u64,
}

impl Buffers {
    pub(super) fn create(
        &mut self,
        open: &Arc<Open>,
        handle: u32,
        len: usize,
        placement: Placement,
    ) -> Result<(), Error> {
        let buffer = Buffer::new(open, len, placement)?;
        self.entries.insert(handle, Entry { buffer, len, last_named: 0 });
        Ok(())
    }

    pub(super) fn destroy(&mut self, handle: u32) {
        self.entries.remove(&handle);
    }

    /// Bytes in the longest of them.
    pub(super) fn longest(&self) -> usize {
        self.entries.values().map(|entry| entry.len).max().unwrap_or(0)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Buffer> {
        self.entries.values().map(|entry| &entry.buffer)
    }

    pub(super) fn buffer(&self, handle: u32) -> Result<&Buffer, String> {
        self.entry(handle).map(|entry| &entry.buffer)
    }

    fn entry(&self, handle: u32) -> Result<&Entry, String> {
        self.entries.get(&handle).ok_or_else(|| format!("no buffer {handle} was created before"))
    }

    /// The op with the handles that its buffers have now.
    pub(super) fn rename(&self, op: spanker_op) -> Result<spanker_op, String> {
        let rename = |operand: spanker_operand| {
            let handle = self.entry(operand.handle)?.buffer.handle();
            Ok::<_, String>(spanker_operand { handle, ..operand })
        };
        let b = if op.opcode == SPANKER_OPCODE_COPY { op.b } else { rename(op.b)? };
        Ok(spanker_op { a: rename(op.a)?, b, out: rename(op.out)?, ..op })
    }

    /// Takes note that ops of batch `seqno` name these buffers.
    pub(super) fn name_in(&mut self, seqno: u64, ops: &[spanker_op]) {
        let named = ops.iter().flat_map(|op| [op.a.handle, op.b.handle, op.out.handle]);
        let mut named: Vec<u32> = named.collect();
        named.sort_unstable();
        for entry in self.entries.values_mut() {
            if named.binary_search(&entry.buffer.handle()).is_ok() {
                entry.last_named = seqno;
            }
        }
    }

    /// The last batch that names the buffer; 0 if none does.
    pub(super) fn last_named(&self, handle: u32) -> Result<u64, String> {
        self.entry(handle).map(|entry| entry.last_named)
    }

    pub(super) fn bytes(&self, handle: u32, len: usize) -> Result<Result<&[u8], Error>, String> {
        let entry = self.entry(handle)?;
        require_length(handle, entry.len, len)?;
        Ok(entry.buffer.bytes())
    }

    pub(super) fn bytes_mut(
        &mut self,
        handle: u32,
        len: usize,
    ) -> Result<Result<&mut [u8], Error>, String> {
        require_length(handle, self.entry(handle)?.len, len)?;
        match self.entries.get_mut(&handle) {
            Some(entry) => Ok(entry.buffer.bytes_mut()),
            None => Err(format!("no buffer {handle} was created before")),
        }
    }
}

fn require_length(handle: u32, has: usize, given: usize) -> Result<(), String> {
    if has == given {
        return Ok(());
    }
    Err(format!("buffer {handle} has {has} bytes, and {given} are given"))
}
