// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, with what was required and what was given.

mod message;

use crate::abi_version::AbiVersion;
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A request of the ABI, by the name it has in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// `SPANKER_IOC_PING`
    Ping,
    /// `SPANKER_IOC_GET_VERSION`
    GetVersion,
    /// `SPANKER_IOC_QUERY`
    Query,
    /// `SPANKER_IOC_BUF_CREATE`
    BufCreate,
    /// `SPANKER_IOC_BUF_DESTROY`
    BufDestroy,
    /// `SPANKER_IOC_WORK_SUBMIT`
    WorkSubmit,
    /// `SPANKER_IOC_WAIT`
    Wait,
    /// mmap of a buffer
    Map,
    /// read of the completion counter
    Read,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping => "PING",
            Self::GetVersion => "GET_VERSION",
            Self::Query => "QUERY",
            Self::BufCreate => "BUF_CREATE",
            Self::BufDestroy => "BUF_DESTROY",
            Self::WorkSubmit => "WORK_SUBMIT",
            Self::Wait => "WAIT",
            Self::Map => "mmap",
            Self::Read => "read",
        })
    }
}

/// One of the three matrices of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The rows of activations.
    A,
    /// The rows of weights.
    B,
    /// The rows of results.
    Out,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
            Self::Out => "out",
        })
    }
}

/// Rows and columns, in elements. Shown as `32×4096`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub rows: usize,
    /// Elements in a row.
    pub cols: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.rows, self.cols)
    }
}

/// Everything that can go wrong in this crate.
///
/// Shown with `{}` it is one line that says what to do. With `{:?}`, which is what
/// people see of an error that `main` returns, it is the same line behind the name
/// of the variant.
#[non_exhaustive]
pub enum Error {
    /// A node could not be opened.
    Open {
        /// The node.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },

    /// The software Sail's threads could not be started.
    Software {
        /// Why not.
        source: io::Error,
    },

    /// What names a Sail is not `soft`, an index or a path.
    SailName {
        /// What was given.
        name: String,
    },

    /// There is no software Sail in this build.
    NoSoftware,

    /// The node does not speak this ABI at all.
    NotASail {
        /// The node.
        path: PathBuf,
        /// What it answered.
        errno: i32,
    },

    /// The device implements an ABI that this crate cannot speak.
    IncompatibleAbi {
        /// The node.
        path: PathBuf,
        /// The device's version.
        device: AbiVersion,
        /// This crate's version.
        library: AbiVersion,
    },

    /// A request failed.
    Request {
        /// Which one.
        request: Request,
        /// What the device answered.
        errno: i32,
        /// What that means here.
        detail: String,
    },

    /// The device refused an op of a batch; nothing of the batch ran.
    OpRefused {
        /// Its place in the batch, from 0.
        op: usize,
        /// What the op was to do.
        description: String,
        /// What the device answered.
        errno: i32,
        /// What that means here.
        detail: String,
    },

    /// A matrix has a shape that its element type cannot have.
    MatrixShape {
        /// Name of the element type.
        element: &'static str,
        /// What was asked for.
        shape: Shape,
        /// What is required.
        requirement: &'static str,
    },

    /// An operand does not fit the other two.
    OperandShape {
        /// Which operand.
        operand: Operand,
        /// The shape it should have.
        required: Shape,
        /// The shape it has.
        given: Shape,
        /// Where the requirement comes from.
        because: &'static str,
    },

    /// A slice has not the length of the matrix it is copied to or from.
    Length {
        /// The matrix.
        shape: Shape,
        /// Name of its element type.
        element: &'static str,
        /// What is counted: values, blocks or bytes.
        unit: &'static str,
        /// How many it has.
        required: usize,
        /// How many the slice has.
        given: usize,
    },

    /// A matrix belongs to another open of a Sail than the one it is used with.
    ForeignMatrix {
        /// Which operand.
        operand: Operand,
    },

    /// A batch was filled for another open of a Sail than the one it is
    /// submitted to.
    ForeignBatch,

    /// An op reads the result of one that is not in the batch.
    NoSuchResult {
        /// The place that was given.
        result: usize,
        /// How many there are.
        count: usize,
    },

    /// A batch has no output left that could be written anew.
    NothingToRecycle {
        /// How many products it has.
        products: usize,
    },

    /// A batch holds the results of its last ops, among which those of new ones
    /// could not be told.
    OldResults {
        /// How many.
        count: usize,
    },

    /// A batch without ops cannot be submitted.
    EmptyBatch,

    /// A matrix would be written while the device reads it.
    InFlight {
        /// The last batch that names the matrix.
        seqno: u64,
        /// The last batch that has retired.
        completed: u64,
    },

    /// A matrix in device memory cannot be read or written by the host.
    NotMapped,

    /// An op failed on the device. The open takes no more work.
    Fault {
        /// The batch that failed.
        seqno: u64,
        /// The op of it that failed, from 0.
        op: u32,
        /// The device's reason, `SPANKER_FAULT_*`.
        code: u32,
    },

    /// A batch was not run, since one before it failed.
    Cancelled {
        /// The batch.
        seqno: u64,
        /// The batch that failed.
        fault_seqno: u64,
    },

    /// The results of work were asked for again after they had been handed out.
    ResultsTaken {
        /// The batch.
        seqno: u64,
    },

    /// A ring has no slot left for more work.
    RingFull {
        /// How many it has.
        slots: usize,
    },

    /// Work cannot be awaited where it was tried.
    #[cfg(feature = "tokio")]
    EventLoop {
        /// Why not.
        source: io::Error,
    },

    /// A Sail that has matrices already was to be recorded.
    SailInUse,

    /// The record of a [`Recorder`](crate::Recorder) cannot be written.
    Record {
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn request(request: Request, errno: Errno, detail: impl Into<String>) -> Self {
        Self::Request { request, errno: errno as i32, detail: detail.into() }
    }

    /// The number that the kernel or the device answered, if it was one of them
    /// who refused, as in `errno.h`.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Open { source, .. } | Self::Software { source } | Self::Record { source } => {
                source.raw_os_error()
            }
            #[cfg(feature = "tokio")]
            Self::EventLoop { source } => source.raw_os_error(),
            Self::NotASail { errno, .. }
            | Self::Request { errno, .. }
            | Self::OpRefused { errno, .. } => Some(*errno),
            Self::Fault { .. } => Some(Errno::EIO as i32),
            Self::Cancelled { .. } => Some(Errno::ECANCELED as i32),
            _ => None,
        }
    }
}

impl Error {
    /// Whether the card's queue was full: the work can be submitted again when a
    /// batch has completed. [`Refused`](crate::Refused) hands it back.
    pub fn is_queue_full(&self) -> bool {
        matches!(self, Self::Request { request: Request::WorkSubmit, errno, .. }
            if *errno == Errno::EAGAIN as i32)
    }

    /// Whether this open of the Sail is of no more use: a batch on it failed, or
    /// the card is gone or was reset. Opening the Sail again may help; matrices
    /// of the old open can still be read, to be uploaded again.
    pub fn needs_reopening(&self) -> bool {
        const ENDED: [i32; 2] = [Errno::EIO as i32, Errno::ENODEV as i32];
        match self {
            Self::Fault { .. } | Self::Cancelled { .. } => true,
            Self::Request { request: Request::WorkSubmit, errno, .. } => ENDED.contains(errno),
            Self::Request { errno, .. } => *errno == Errno::ENODEV as i32,
            _ => false,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } | Self::Software { source } | Self::Record { source } => {
                Some(source)
            }
            #[cfg(feature = "tokio")]
            Self::EventLoop { source } => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    /// Keeps the error as the source, and the kind that its errno has.
    fn from(error: Error) -> Self {
        let kind = match error.errno() {
            Some(errno) => Self::from_raw_os_error(errno).kind(),
            None => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
