// SPDX-License-Identifier: Apache-2.0
//! A buffer on a card, and who may touch its bytes when.
//!
//! An op that is in flight may read or write its buffers at any time, so this
//! process must not write one that is read, nor touch one that is written:
//!
//! - What an op writes is moved into the batch, and comes back when it has
//!   completed: nobody can reach it in between.
//! - What an op reads is borrowed until the batch is submitted, and then marked
//!   with the batch's seqno: writing is refused until that has retired. Reading
//!   is allowed throughout.

use super::memory::Memory;
use crate::error::{Error, Request};
use crate::open::Open;
use nix::errno::Errno;
use spanker_sys::{spanker_buf_create, SPANKER_BUF_DEVICE};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// Where a buffer's bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Where host and device both reach them.
    #[default]
    Mapped,
    /// On the device alone (`SPANKER_BUF_DEVICE`): only ops reach them, and the
    /// device may keep them in the layout it likes best.
    Device,
}

/// A buffer of one open of a card. Dropping it gives its memory back, once the
/// last op that names it has retired: the device sees to that.
#[derive(Debug)]
#[allow(unreachable_pub)] // In the signature of a hidden method of `Results`.
pub struct Buffer {
    open: Arc<Open>,
    handle: u32,
    /// The host has written to it since a record last took note of that.
    written: AtomicBool,
    /// The last batch in which an op reads it.
    last_read: AtomicU64,
    /// None if only ops reach it.
    memory: Option<Memory>,
}

impl Buffer {
    /// A zeroed buffer of `len` bytes.
    pub(crate) fn new(open: &Arc<Open>, len: usize, placement: Placement) -> Result<Self, Error> {
        let mut create = spanker_buf_create {
            size: len as u64,
            flags: match placement {
                Placement::Mapped => 0,
                Placement::Device => SPANKER_BUF_DEVICE,
            },
            ..Default::default()
        };
        open.node.buf_create(&mut create).map_err(|errno| create_failed(open, len, errno))?;
        // From here on, dropping gives the handle back.
        let mut buffer = Self {
            open: Arc::clone(open),
            handle: create.handle,
            written: AtomicBool::new(false),
            last_read: AtomicU64::new(0),
            memory: None,
        };
        if placement == Placement::Mapped {
            let memory = open.node.map(create.mmap_offset, len).map_err(|errno| {
                Error::request(
                    Request::Map,
                    errno,
                    format!("{len} bytes of buffer {}", create.handle),
                )
            })?;
            buffer.memory = Some(memory);
        }
        Ok(buffer)
    }

    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    #[inline]
    pub(crate) fn is_of(&self, open: &Arc<Open>) -> bool {
        Arc::ptr_eq(&self.open, open)
    }

    pub(crate) fn placement(&self) -> Placement {
        match self.memory {
            Some(_) => Placement::Mapped,
            None => Placement::Device,
        }
    }

    /// Takes note that batch `seqno` reads it.
    pub(crate) fn mark_read_by(&self, seqno: u64) {
        self.last_read.fetch_max(seqno, Ordering::Release);
    }

    /// Whether the host has written to it since this was last asked.
    #[cfg(feature = "record")]
    pub(crate) fn take_written(&self) -> bool {
        self.written.swap(false, Ordering::Relaxed)
    }

    /// The bytes, to be read.
    ///
    /// # Errors
    /// [`Error::NotMapped`].
    pub(crate) fn bytes(&self) -> Result<&[u8], Error> {
        let memory = self.memory.as_ref().ok_or(Error::NotMapped)?;
        // SAFETY: no op in flight writes to it: to be an op's output, the
        // buffer is moved into a batch, from where it comes back when the batch
        // has completed, or has never been submitted. The result borrows
        // `self`, so it cannot be moved there while the result lives.
        Ok(unsafe { memory.bytes() })
    }

    /// The bytes, to be written.
    ///
    /// # Errors
    /// [`Error::NotMapped`]; [`Error::InFlight`] while a batch reads it.
    pub(crate) fn bytes_mut(&mut self) -> Result<&mut [u8], Error> {
        self.open.require_retired(*self.last_read.get_mut())?;
        let memory = self.memory.as_mut().ok_or(Error::NotMapped)?;
        *self.written.get_mut() = true;
        // SAFETY: no op in flight writes to it, as in `bytes`. None reads it:
        // every batch that does is marked in `last_read` before the borrow that
        // the submission holds ends, and has retired, as was just checked. The
        // result borrows `self` exclusively, so no batch can name it before
        // the result is gone.
        Ok(unsafe { memory.bytes_mut() })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // It can only fail when the card is gone, and the buffer with it.
        let _ = self.open.node.buf_destroy(self.handle);
    }
}

fn create_failed(open: &Open, len: usize, errno: Errno) -> Error {
    let info = &open.info;
    let detail = match errno {
        Errno::EINVAL => {
            format!("{len} bytes; the card's largest buffer is {} bytes", info.max_buffer_bytes)
        }
        Errno::EMFILE => format!("the card's limit is {} buffers an open", info.max_buffers),
        Errno::ENOSPC => {
            format!("{len} bytes are not free in the card's {} bytes", info.memory_bytes)
        }
        Errno::ENOMEM => format!("{len} bytes are not free in this machine's memory"),
        _ => format!("a buffer of {len} bytes"),
    };
    Error::request(Request::BufCreate, errno, detail)
}
