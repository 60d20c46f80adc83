// SPDX-License-Identifier: Apache-2.0
//! How requests reach a device. All of this crate's unsafe code is in here.

mod buffer;
#[cfg(feature = "tokio")]
mod event_loop;
mod kernel;
mod memory;
#[cfg(feature = "soft")]
mod soft;

pub(crate) use buffer::Buffer;
pub use buffer::Placement;
#[cfg(feature = "tokio")]
pub(crate) use event_loop::EventLoopFd;
use memory::Memory;

#[cfg(feature = "record")]
use crate::record::Tape;
use nix::errno::Errno;
use spanker_sys::*;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// An open node. The methods are the requests of the ABI, and their errors the
/// device's errnos. All requests pass here, and are noted on the tape if there
/// is one.
#[derive(Debug)]
pub(crate) struct Node {
    device: Device,
    #[cfg(feature = "record")]
    pub(crate) tape: Option<Box<Tape>>,
}

/// What a node is of: a kernel, or the software machine in this process.
#[derive(Debug)]
enum Device {
    Kernel(kernel::Node),
    #[cfg(feature = "soft")]
    Soft(soft::Node),
}

/// Calls the same method of whichever device it is.
macro_rules! either {
    ($self:expr, $node:ident => $call:expr) => {
        match &$self.device {
            Device::Kernel($node) => $call,
            #[cfg(feature = "soft")]
            Device::Soft($node) => $call,
        }
    };
}

/// Makes a request of whichever device it is, and has the tape note the answer
/// by one of its methods, if there is a tape.
macro_rules! noted {
    ($self:expr, $node:ident => $call:expr, $answer:ident => $note:ident($($what:expr),*)) => {{
        #[cfg(feature = "record")]
        let begun = $self.tape.as_deref().and_then(Tape::begin);
        let $answer = either!($self, $node => $call);
        #[cfg(feature = "record")]
        if let Some((tape, begin)) = begun {
            tape.$note(begin, $($what),*);
        }
        $answer
    }};
}

impl Node {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        kernel::Node::open(path).map(Device::Kernel).map(Self::of)
    }

    #[cfg(feature = "soft")]
    pub(crate) fn soft(file: spanker_soft::File) -> Self {
        Self::of(Device::Soft(soft::Node::new(file)))
    }

    fn of(device: Device) -> Self {
        Self {
            device,
            #[cfg(feature = "record")]
            tape: None,
        }
    }

    pub(crate) fn ping(&self) -> Result<(), Errno> {
        noted!(self, node => node.ping(), answer => ping(answer))
    }

    pub(crate) fn version(&self) -> Result<spanker_version, Errno> {
        either!(self, node => node.version())
    }

    /// Fills `answer` as far as the device's answer goes; returns the full
    /// length of that in bytes.
    pub(crate) fn query<T: Plain>(&self, kind: u32, answer: &mut [T]) -> Result<usize, Errno> {
        let answer = T::slice_bytes_mut(answer);
        noted!(self, node => node.query(kind, answer), bytes => query(kind, bytes))
    }

    pub(crate) fn buf_create(&self, create: &mut spanker_buf_create) -> Result<(), Errno> {
        noted!(self, node => node.buf_create(create), answer => buf_create(create, answer))
    }

    pub(crate) fn buf_destroy(&self, handle: u32) -> Result<(), Errno> {
        let destroy = spanker_buf_destroy { handle, flags: 0 };
        noted!(self, node => node.buf_destroy(&destroy), answer => buf_destroy(handle, answer))
    }

    /// Submits `ops` as one batch; returns its seqno. What they write is out of
    /// the host's reach until the batch has retired, and what they read is not
    /// written: the caller sees to that.
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
        let answer = noted!(
            self,
            node => node.work_submit(&mut submit, ops),
            answer => work_submit(ops, &submit, answer)
        );
        match answer {
            Ok(()) => Ok(submit.seqno),
            Err(errno) => Err((submit.bad_op, errno)),
        }
    }

    /// Waits for `seqno` until `deadline_ns` on CLOCK_MONOTONIC. Returns what
    /// `completed` was, and the answer; goes on after EINTR.
    pub(crate) fn wait(&self, seqno: u64, deadline_ns: i64) -> (u64, Result<(), Errno>) {
        let mut wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
        let answer = noted!(
            self,
            node => uninterrupted(|| node.wait(&mut wait)),
            answer => wait(&wait, answer)
        );
        (wait.completed, answer)
    }

    /// The completion counter if it has moved since it was last read.
    ///
    /// # Errors
    /// EAGAIN if it has not.
    pub(crate) fn read_completed(&self) -> Result<u64, Errno> {
        noted!(self, node => uninterrupted(|| node.read_completed()), answer => read(answer))
    }

    /// Maps `len` bytes at `offset`.
    pub(crate) fn map(&self, offset: u64, len: usize) -> Result<Memory, Errno> {
        noted!(
            self,
            node => node.map(offset, len),
            memory => map(len, memory.as_ref().err().copied())
        )
    }
}

/// Makes a request, and again as long as signals interrupt it.
fn uninterrupted<T>(mut request: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match request() {
            Err(Errno::EINTR) => {}
            answer => return answer,
        }
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, node => node.as_fd())
    }
}
