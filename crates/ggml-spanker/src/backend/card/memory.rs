// SPDX-License-Identifier: Apache-2.0
//! A buffer of a Sail, mapped.

use super::{why, Card, Failure, Node};
use nix::errno::Errno;
use nix::libc;
use spanker::spanker_soft::Mapping;
use spanker_sys::{spanker_buf_create, spanker_buf_destroy};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A buffer of a Sail and its bytes in this process, zeroed at first. Who may
/// touch them when is ggml's to say: its scheduler runs nobody on a buffer that
/// a graph is being computed with.
pub(in super::super) struct Memory {
    card: Arc<Card>,
    handle: u32,
    start: NonNull<u8>,
    len: usize,
    /// The software Sail's; the kernel's is unmapped by hand.
    soft: Option<Mapping>,
}

impl Memory {
    pub(in super::super) fn new(card: &Arc<Card>, len: usize) -> Result<Self, Failure> {
        // Of 0 bytes there is no buffer.
        let len = len.max(1);
        let mut create = spanker_buf_create { size: len as u64, ..Default::default() };
        card.node.buf_create(&mut create).map_err(|errno| Failure(refused(card, len, errno)))?;
        let mapped = match &card.node {
            Node::Kernel(node) => node.map(create.mmap_offset, len).map(|start| (start, None)),
            Node::Soft(node) => node.map(create.mmap_offset, len).map(|mapping| {
                // The address of real memory.
                let start = NonNull::new(mapping.as_ptr()).unwrap_or(NonNull::dangling());
                (start, Some(mapping))
            }),
        };
        match mapped {
            Ok((start, soft)) => {
                Ok(Self { card: Arc::clone(card), handle: create.handle, start, len, soft })
            }
            Err(errno) => {
                destroy(card, create.handle);
                Err(Failure(format!("mapping a buffer of {len} bytes: {}", why(errno))))
            }
        }
    }

    /// What ops call it.
    pub(in super::super) fn handle(&self) -> u32 {
        self.handle
    }

    pub(in super::super) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    pub(in super::super) fn is_of(&self, card: &Arc<Card>) -> bool {
        Arc::ptr_eq(&self.card, card)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.soft.is_none() {
            // SAFETY: the mapping was made for this value and belongs to it
            // alone; ggml has let go of the buffer, and of all pointers to it.
            let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        }
        destroy(&self.card, self.handle);
    }
}

/// It can only fail when the card is gone, and the buffer with it.
fn destroy(card: &Card, handle: u32) {
    let _ = card.node.buf_destroy(&mut spanker_buf_destroy { handle, flags: 0 });
}

fn refused(card: &Card, len: usize, errno: Errno) -> String {
    let info = card.info();
    match errno {
        Errno::EINVAL => format!(
            "a buffer of {len} bytes: the Sail's largest is {} bytes",
            info.max_buffer_bytes
        ),
        Errno::ENOSPC => format!(
            "a buffer of {len} bytes: so many are not free in the Sail's {} bytes",
            info.memory_bytes
        ),
        _ => format!("a buffer of {len} bytes: {}", why(errno)),
    }
}
