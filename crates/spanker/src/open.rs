// SPDX-License-Identifier: Apache-2.0
//! One open of a card: what a Sail and everything made with it share. It is
//! closed when the last of them is gone.

use crate::abi_version::AbiVersion;
use crate::error::{Error, Request};
use crate::info::DeviceInfo;
use crate::transport::{Buffer, Node};
#[cfg(feature = "tokio")]
use crate::waiters::Waiters;
use crate::work::Results;
use nix::errno::Errno;
use spanker_sys::*;
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: Node,
    #[cfg(feature = "tokio")]
    pub(crate) waiters: Waiters,
    pub(crate) version: AbiVersion,
    pub(crate) info: DeviceInfo,
    /// Its node, where it has one.
    pub(crate) path: Option<PathBuf>,
    /// The last batch known to have completed.
    completed: AtomicU64,
}

impl Open {
    /// Takes over an open card, if it speaks a compatible ABI. `name` is what
    /// errors call it.
    pub(crate) fn new(node: Node, name: &Path, path: Option<&Path>) -> Result<Arc<Self>, Error> {
        let version = compatible_version(&node, name)?;
        let mut info = spanker_device_info::default();
        query(&node, SPANKER_QUERY_DEVICE, &mut info)?;
        Ok(Arc::new(Self {
            node,
            #[cfg(feature = "tokio")]
            waiters: Waiters::default(),
            version,
            info: DeviceInfo::from_abi(&info),
            path: path.map(Path::to_owned),
            completed: AtomicU64::new(0),
        }))
    }

    pub(crate) fn context(&self) -> Result<spanker_context_info, Error> {
        let mut context = spanker_context_info::default();
        query(&self.node, SPANKER_QUERY_CONTEXT, &mut context)?;
        self.note_completed(context.completed);
        Ok(context)
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed.load(Ordering::Acquire)
    }

    pub(crate) fn note_completed(&self, completed: u64) {
        self.completed.fetch_max(completed, Ordering::AcqRel);
    }

    /// Reads the completion counter, which quietens the descriptor. Whoever
    /// awaits a batch is woken if that has retired: they would miss what is
    /// read here.
    ///
    /// # Errors
    /// EAGAIN if there is no news; EIO or ENODEV if there will be none.
    pub(crate) fn read_completed(&self) -> Result<u64, Errno> {
        let answer = self.node.read_completed();
        if let Ok(completed) = answer {
            self.note_completed(completed);
        }
        #[cfg(feature = "tokio")]
        self.tell_waiters(answer.err());
        answer
    }

    /// Wakes who awaits what is known to have retired, or, with an errno after
    /// which there will be no more news, everybody.
    #[cfg(feature = "tokio")]
    fn tell_waiters(&self, errno: Option<Errno>) {
        let ended = errno.filter(|errno| matches!(errno, Errno::EIO | Errno::ENODEV));
        self.waiters.news(self.completed(), ended);
    }

    /// Looks for news other than by reading the counter.
    #[cfg(feature = "tokio")]
    pub(crate) fn look_for_news(&self) {
        let errno = match self.context() {
            Ok(context) if context.fault_seqno != 0 => Some(Errno::EIO),
            Ok(_) => None,
            Err(error) => error.errno().map(Errno::from_raw),
        };
        self.tell_waiters(errno);
    }

    /// Why there will be no news of a batch of which there should be.
    #[cfg(feature = "tokio")]
    pub(crate) fn no_news(&self) -> Error {
        let errno = self.waiters.ended().unwrap_or(Errno::EIO);
        Error::request(Request::Read, errno, "the completion counter")
    }

    /// # Errors
    /// [`Error::InFlight`] if batch `seqno` may still be running.
    pub(crate) fn require_retired(&self, seqno: u64) -> Result<(), Error> {
        if seqno <= self.completed() {
            return Ok(());
        }
        let context = self.context()?;
        // After a fault nothing runs any more: what follows it is cancelled.
        if seqno <= context.completed || context.fault_seqno != 0 {
            return Ok(());
        }
        Err(Error::InFlight { seqno, completed: context.completed })
    }

    /// Waits for `seqno` until `deadline_ns` on CLOCK_MONOTONIC. Returns
    /// whether it completed; false if the deadline came first. `first` is the
    /// first batch of the same work.
    pub(crate) fn wait(&self, first: u64, seqno: u64, deadline_ns: i64) -> Result<bool, Error> {
        if seqno <= self.completed() {
            return Ok(true);
        }
        let (completed, answer) = self.node.wait(seqno, deadline_ns);
        match answer {
            Ok(()) => {
                self.note_completed(completed);
                Ok(true)
            }
            // Where there is no deadline, this is not what it says.
            Err(Errno::ETIMEDOUT) if deadline_ns != NEVER => {
                self.note_completed(completed);
                Ok(false)
            }
            Err(errno) => Err(self.wait_failed(first, seqno, errno)),
        }
    }

    #[cold]
    fn wait_failed(&self, first: u64, seqno: u64, errno: Errno) -> Error {
        if matches!(errno, Errno::EIO | Errno::ECANCELED) {
            match self.context() {
                // There is none, whatever WAIT says.
                Ok(context) if context.fault_seqno == 0 => {}
                Ok(context) if (first..=seqno).contains(&context.fault_seqno) => {
                    let (op, code) = (context.fault_op, context.fault_code);
                    return Error::Fault { seqno: context.fault_seqno, op, code };
                }
                Ok(context) => {
                    return Error::Cancelled { seqno, fault_seqno: context.fault_seqno };
                }
                Err(error) => return error,
            }
        }
        let detail = format!("batch {seqno}, whose results are lost");
        Error::request(Request::Wait, errno, detail)
    }

    /// Waits until one more batch has retired than now, if any is in flight.
    pub(crate) fn wait_for_room(&self) -> Result<(), Error> {
        let context = self.context()?;
        if context.completed < context.submitted {
            let oldest = context.completed + 1;
            self.wait(oldest, oldest, NEVER)?;
        }
        Ok(())
    }
}

#[cfg(feature = "record")]
impl Open {
    /// Notes on the tape, if there is one, what the host has written to these
    /// buffers.
    #[inline]
    pub(crate) fn record_contents<'a>(&self, buffers: impl Iterator<Item = &'a Buffer>) {
        if let Some(tape) = &self.node.tape {
            tape.contents(buffers);
        }
    }

    /// Notes on the tape, if there is one, what batch `seqno` has written.
    #[inline]
    pub(crate) fn record_results(&self, seqno: u64, results: &impl Results) {
        if self.node.tape.is_some() {
            results.for_each_buffer(&mut |buffer| self.record_result(seqno, buffer));
        }
    }

    /// As [`Open::record_results`], of one buffer.
    pub(crate) fn record_result(&self, seqno: u64, buffer: &Buffer) {
        if let Some(tape) = &self.node.tape {
            tape.result(seqno, buffer);
        }
    }
}

/// There is no tape.
#[cfg(not(feature = "record"))]
impl Open {
    pub(crate) fn record_contents<'a>(&self, _: impl Iterator<Item = &'a Buffer>) {}

    pub(crate) fn record_results(&self, _: u64, _: &impl Results) {}
}

/// The deadline that never comes.
pub(crate) const NEVER: i64 = SPANKER_DEADLINE_NEVER as i64;

/// Asks `node` for something of which there is one.
pub(crate) fn query<T: Plain>(node: &Node, kind: u32, answer: &mut T) -> Result<(), Error> {
    node.query(kind, slice::from_mut(answer)).map(drop).map_err(|errno| query_failed(kind, errno))
}

/// Asks `node` for something of which there may be any number.
pub(crate) fn query_all<T: Plain + Default>(node: &Node, kind: u32) -> Result<Vec<T>, Error> {
    let mut answers = Vec::new();
    loop {
        let bytes = node.query(kind, &mut answers).map_err(|errno| query_failed(kind, errno))?;
        let count = bytes / size_of::<T>();
        // There may be more at the second time of asking than at the first.
        if count <= answers.len() {
            answers.truncate(count);
            return Ok(answers);
        }
        answers.resize_with(count, T::default);
    }
}

fn query_failed(kind: u32, errno: Errno) -> Error {
    let what = match kind {
        SPANKER_QUERY_CARDS => "the cards there are",
        SPANKER_QUERY_DEVICE => "the description of the card",
        SPANKER_QUERY_MATMUL_CAPS => "the operand types it multiplies",
        SPANKER_QUERY_CONTEXT => "the state of this open",
        _ => "the card's counters",
    };
    Error::request(Request::Query, errno, format!("asking for {what}"))
}

/// The version that `node` speaks.
pub(crate) fn compatible_version(node: &Node, path: &Path) -> Result<AbiVersion, Error> {
    let version = node.version().map_err(|errno| match errno {
        Errno::ENODEV => {
            Error::request(Request::GetVersion, errno, "asking for the version of the ABI")
        }
        _ => Error::NotASail { path: path.to_owned(), errno: errno as i32 },
    })?;
    let (device, library) = (AbiVersion::from(version), AbiVersion::LIBRARY);
    if device.is_compatible_with(library) {
        Ok(device)
    } else {
        Err(Error::IncompatibleAbi { path: path.to_owned(), device, library })
    }
}
