// SPDX-License-Identifier: Apache-2.0
//! What people read: one line that says what was required, what was given, and
//! what to do.

use super::Error;
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::path::Path;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, source } => {
                write!(f, "cannot open {}: {source}{}", printable(path), remedy(path, source))
            }
            Self::Software { source } => write!(f, "the software Sail does not start: {source}"),
            Self::SailName { name } => write!(
                f,
                "`{}` names no Sail: use `soft`, a card's index, or the path of its node",
                name.escape_debug()
            ),
            Self::NoSoftware => f.write_str(
                "the software Sail was left out of this build: enable the feature `soft` of spanker",
            ),
            Self::NotASail { path, errno } => write!(
                f,
                "{} is not a Sail: it answers GET_VERSION with {} (give the path of a Sail's node, \
                 such as /dev/spanker0)",
                printable(path),
                name(*errno)
            ),
            Self::IncompatibleAbi { path, device, library } => write!(
                f,
                "{} speaks ABI {device}, and this library ABI {library}: use a driver and a \
                 library that belong together",
                printable(path)
            ),
            Self::Request { request, errno, detail } => {
                write!(f, "{request} returned {}: {detail}", name(*errno))?;
                if *errno == Errno::ENODEV as i32 {
                    f.write_str(" (the card is gone, or was reset: open the Sail again to go on)")?;
                }
                Ok(())
            }
            Self::OpRefused { op, description, errno, detail } => write!(
                f,
                "WORK_SUBMIT returned {}: op {op}, {description}, was refused: {detail}",
                name(*errno)
            ),
            Self::MatrixShape { element, shape, requirement } => {
                write!(f, "a matrix of {element} cannot be {shape}: {requirement}")
            }
            Self::OperandShape { operand, required, given, because } => write!(
                f,
                "operand {operand}: {required} is required ({because}), {given} was given"
            ),
            Self::Length { shape, element, unit, required, given } => write!(
                f,
                "a {shape} matrix of {element} needs {required} {unit}, {given} were given"
            ),
            Self::ForeignMatrix { operand } => write!(
                f,
                "operand {operand} belongs to another Sail, on which its buffer is: make it on the \
                 Sail that the work is submitted to"
            ),
            Self::ForeignBatch => f.write_str(
                "the batch belongs to another Sail: submit it to the one that it was made for",
            ),
            Self::NoSuchResult { result, count } => {
                write!(
                    f,
                    "there is no result {result} in the batch, which has {count} so far: push the \
                     product that makes it first"
                )
            }
            Self::NothingToRecycle { products } => write!(
                f,
                "the batch has {products} products, and no output is left to be written anew: \
                 push one with `push`"
            ),
            Self::OldResults { count } => write!(
                f,
                "the batch holds {count} results: take them with `drain_results`, or `clear` it, \
                 before pushing"
            ),
            Self::EmptyBatch => {
                f.write_str("the batch is empty: push an op before submitting it")
            }
            Self::InFlight { seqno, completed } => write!(
                f,
                "the matrix is in use by batch {seqno}, and {completed} is the last that \
                 completed: wait for it before writing"
            ),
            Self::NotMapped => f.write_str(
                "the matrix is in device memory, which is not mapped: copy it to a mapped one first",
            ),
            Self::RingFull { slots: 0 } => f.write_str("a ring needs at least one slot"),
            Self::RingFull { slots } => write!(
                f,
                "all {slots} slots of the ring are in flight: take the oldest result with `wait` \
                 first"
            ),
            Self::Fault { seqno, op, code } => write!(
                f,
                "op {op} of batch {seqno} failed on the device (fault code {code}): open the Sail \
                 again to go on"
            ),
            Self::Cancelled { seqno, fault_seqno } => write!(
                f,
                "batch {seqno} was cancelled, since batch {fault_seqno} before it failed: open the Sail again \
                     to go on"
            ),
            Self::ResultsTaken { seqno } => {
                write!(f, "the results of batch {seqno} have been handed out already: keep them")
            }
            #[cfg(feature = "tokio")]
            Self::EventLoop { source } => write!(
                f,
                "the Sail cannot be awaited here: {source} (await it inside a tokio runtime with \
                 I/O enabled, or use `wait`)"
            ),
            Self::SailInUse => f.write_str(
                "the Sail is in use already, and its record would not know by what: make the \
                 recorder before the first matrix, batch or clone",
            ),
            Self::Record { source } => write!(f, "the record cannot be written: {source}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", variant(self))
    }
}

fn variant(error: &Error) -> &'static str {
    match error {
        Error::Open { .. } => "Open",
        Error::Software { .. } => "Software",
        Error::SailName { .. } => "SailName",
        Error::NoSoftware => "NoSoftware",
        Error::NotASail { .. } => "NotASail",
        Error::IncompatibleAbi { .. } => "IncompatibleAbi",
        Error::Request { .. } => "Request",
        Error::OpRefused { .. } => "OpRefused",
        Error::MatrixShape { .. } => "MatrixShape",
        Error::OperandShape { .. } => "OperandShape",
        Error::Length { .. } => "Length",
        Error::ForeignMatrix { .. } => "ForeignMatrix",
        Error::ForeignBatch => "ForeignBatch",
        Error::NoSuchResult { .. } => "NoSuchResult",
        Error::NothingToRecycle { .. } => "NothingToRecycle",
        Error::OldResults { .. } => "OldResults",
        Error::EmptyBatch => "EmptyBatch",
        Error::InFlight { .. } => "InFlight",
        Error::NotMapped => "NotMapped",
        Error::Fault { .. } => "Fault",
        Error::Cancelled { .. } => "Cancelled",
        Error::ResultsTaken { .. } => "ResultsTaken",
        Error::RingFull { .. } => "RingFull",
        #[cfg(feature = "tokio")]
        Error::EventLoop { .. } => "EventLoop",
        Error::SailInUse => "SailInUse",
        Error::Record { .. } => "Record",
    }
}

/// The name of an errno, as in `EINVAL`.
fn name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("errno {errno}"),
        errno => format!("{errno:?}"),
    }
}

/// A path on one line, whatever it is called.
fn printable(path: &Path) -> impl fmt::Display {
    let path = path.to_string_lossy();
    if path.contains(char::is_control) {
        path.escape_debug().to_string()
    } else {
        path.into_owned()
    }
}

/// What to do about a node that cannot be opened.
fn remedy(path: &Path, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound if path.starts_with("/dev") => {
            " (no such card, or the module `spanker` is not loaded)"
        }
        io::ErrorKind::PermissionDenied => {
            " (add the user to the node's group, `spanker`, and log in again; `spanker doctor` \
             finds out what is missing)"
        }
        _ => "",
    }
}
