// SPDX-License-Identifier: Apache-2.0
//! What passed between a program and a Sail, written down.

mod format;
pub(crate) mod replay;
mod tape;

pub(crate) use tape::Tape;

use crate::error::Error;
use crate::sail::Sail;
use crate::work::Refused;
use std::fs::File;
use std::io::Write;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// A Sail, all requests of which are written down: to find out what a program
/// does and how long it takes, and to run the same again with
/// [`replay`](crate::replay()) or the command `spanker replay`, on this Sail or
/// another.
///
/// It is used as the Sail that it wraps.
///
/// ```
/// use spanker::{Matmul, Recorder, Sail, F32, Q4K};
///
/// # fn main() -> Result<(), spanker::Error> {
/// # let path = std::env::temp_dir().join(format!("spanker-doc-{}.jsonl", std::process::id()));
/// let sail = Recorder::create(Sail::software()?, &path)?;
/// let b = sail.upload_bytes::<Q4K>(8, 256, &[0x27; 8 * 144])?;
/// let a = sail.upload::<F32>(2, 256, &[0.5; 512])?;
/// let out = sail.submit(Matmul::new(&a, &b, sail.matrix(2, 8)?))?.wait()?;
/// sail.finish()?;
///
/// let record = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
/// let replayed = spanker::replay(&Sail::software()?, record).unwrap();
/// assert_eq!((replayed.results, replayed.differences.len()), (1, 0));
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # The record
///
/// One JSON object a line. The first tells the format, the ABI and the card:
/// `{"spanker_record": 1, "abi", "card", "uuid"}`. Then, in the order in which
/// they ended:
///
/// - a request: `at_ns` (when it began, from the start of the record), `request`
///   (its name in the header, or `mmap` or `read`), `took_ns`, `struct_bytes` and
///   `payload_bytes` (sizes of its struct and of what that points to), `errno`
///   (null if it succeeded), and by request: `handle`, `size` and `device`
///   (BUF_CREATE), `handle` (BUF_DESTROY), `seqno` and `ops` (WORK_SUBMIT),
///   `seqno` and `completed` (WAIT), `completed` (read), `type` (QUERY);
/// - what the host wrote to a buffer, before the first batch that reads it:
///   `at_ns`, `write` (the handle), `data` (all bytes, in hexadecimal);
/// - what a batch wrote, when it was handed out: `at_ns`, `result` (the handle),
///   `seqno`, `data`. Of buffers that are not mapped there is none;
/// - in the last line, `at_ns` and `end`: the record is whole.
///
/// Operands are in it in full, so a record is a little over twice their size.
#[derive(Debug)]
pub struct Recorder {
    sail: Sail,
}

impl Recorder {
    /// Records all requests to `sail` from now on, as lines of JSON, to `out`.
    ///
    /// # Errors
    /// With the Sail: [`Error::SailInUse`] if it has matrices, batches, work or
    /// clones.
    pub fn new(sail: Sail, out: impl Write + Send + 'static) -> Result<Self, Refused<Sail>> {
        Self::start(sail, || Ok(Box::new(out)))
    }

    /// As [`new`](Self::new), to a new file, in place of one that is there.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Record`] if there can be no such
    /// file.
    pub fn create(sail: Sail, path: impl AsRef<Path>) -> Result<Self, Refused<Sail>> {
        Self::start(sail, || {
            let file = File::create(path).map_err(|source| Error::Record { source })?;
            Ok(Box::new(file))
        })
    }

    fn start(
        mut sail: Sail,
        out: impl FnOnce() -> Result<Box<dyn Write + Send>, Error>,
    ) -> Result<Self, Refused<Sail>> {
        let started = Arc::get_mut(sail.open_handle_mut()).ok_or(Error::SailInUse);
        let started = started.and_then(|open| {
            open.node.tape = Some(Box::new(Tape::new(out()?, &open.info, open.version)));
            Ok(())
        });
        match started {
            Ok(()) => Ok(Self { sail }),
            Err(error) => Err(Refused { error, work: sail }),
        }
    }

    /// Ends the record and hands the Sail back. What matrices of it do later is
    /// not recorded. A recorder that is dropped ends when the last matrix does,
    /// and cannot tell whether all was written.
    ///
    /// # Errors
    /// [`Error::Record`] with the first thing that could not be written; the
    /// record ends there.
    pub fn finish(self) -> Result<Sail, Error> {
        if let Some(tape) = &self.sail.open_handle().node.tape {
            tape.finish()?;
        }
        Ok(self.sail)
    }
}

impl Deref for Recorder {
    type Target = Sail;

    fn deref(&self) -> &Sail {
        &self.sail
    }
}
