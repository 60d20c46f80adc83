// SPDX-License-Identifier: Apache-2.0
//! How requests reach a device. All of this crate's unsafe code is in here.

mod buffer;
mod kernel;
mod memory;
#[cfg(feature = "soft")]
mod soft;

pub(crate) use buffer::Buffer;
pub use buffer::Placement;
use memory::Memory;

use nix::errno::Errno;
use spanker_sys::*;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// An open node: of a kernel, or of the software machine in this process. The
/// methods are the requests of the ABI, and their errors the device's errnos.
#[derive(Debug)]
pub(crate) enum Node {
    Kernel(kernel::Node),
    #[cfg(feature = "soft")]
    Soft(soft::Node),
}

/// Calls the same method of whichever node it is.
macro_rules! either {
    ($self:expr, $node:ident => $call:expr) => {
        match $self {
            Node::Kernel($node) => $call,
            #[cfg(feature = "soft")]
            Node::Soft($node) => $call,
        }
    };
}

impl Node {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        kernel::Node::open(path).map(Self::Kernel)
    }

    #[cfg(feature = "soft")]
    pub(crate) fn soft(file: spanker_soft::File) -> Self {
        Self::Soft(soft::Node::new(file))
    }

    pub(crate) fn ping(&self) -> Result<(), Errno> {
        either!(self, node => node.ping())
    }

    pub(crate) fn version(&self) -> Result<spanker_version, Errno> {
        either!(self, node => node.version())
    }

    /// Fills `answer` as far as the device's answer goes; returns the full
    /// length of that in bytes.
    pub(crate) fn query<T: Plain>(&self, kind: u32, answer: &mut [T]) -> Result<usize, Errno> {
        either!(self, node => node.query(kind, T::slice_bytes_mut(answer)))
    }

    pub(crate) fn buf_create(&self, create: &mut spanker_buf_create) -> Result<(), Errno> {
        either!(self, node => node.buf_create(create))
    }

    pub(crate) fn buf_destroy(&self, handle: u32) -> Result<(), Errno> {
        either!(self, node => node.buf_destroy(&spanker_buf_destroy { handle, flags: 0 }))
    }

    /// Submits `ops` as one batch; returns its seqno.
    ///
    /// # Errors
    /// With the index of the op that was refused, or `SPANKER_NO_OP`.
    pub(crate) fn work_submit(&self, ops: &[spanker_op]) -> Result<u64, (u32, Errno)> {
        let Ok(op_count) = u32::try_from(ops.len()) else {
            return Err((SPANKER_NO_OP, Errno::EINVAL));
        };
        let mut submit = spanker_work_submit {
            ops: ops.as_ptr() as usize as u64,
            op_count,
            op_stride: std::mem::size_of::<spanker_op>() as u32,
            bad_op: SPANKER_NO_OP,
            ..Default::default()
        };
        match either!(self, node => node.work_submit(&mut submit, ops)) {
            Ok(()) => Ok(submit.seqno),
            Err(errno) => Err((submit.bad_op, errno)),
        }
    }

    /// Waits for `seqno` until `deadline_ns` on CLOCK_MONOTONIC. Returns what
    /// `completed` was, and the answer; goes on after EINTR.
    pub(crate) fn wait(&self, seqno: u64, deadline_ns: i64) -> (u64, Result<(), Errno>) {
        let mut wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
        loop {
            match either!(self, node => node.wait(&mut wait)) {
                Err(Errno::EINTR) => {}
                answer => return (wait.completed, answer),
            }
        }
    }

    /// The completion counter if it has moved since it was last read.
    ///
    /// # Errors
    /// EAGAIN if it has not.
    pub(crate) fn read_completed(&self) -> Result<u64, Errno> {
        loop {
            match either!(self, node => node.read_completed()) {
                Err(Errno::EINTR) => {}
                answer => return answer,
            }
        }
    }

    /// Maps `len` bytes at `offset`.
    pub(crate) fn map(&self, offset: u64, len: usize) -> Result<Memory, Errno> {
        either!(self, node => node.map(offset, len))
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, node => node.as_fd())
    }
}
