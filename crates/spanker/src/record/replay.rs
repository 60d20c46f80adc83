// SPDX-License-Identifier: Apache-2.0
//! A record, run again.

mod buffers;

use crate::error::Error;
use crate::open::NEVER;
use crate::record::format::{self, number};
use crate::sail::Sail;
use crate::transport::Placement;
use crate::work::submit_when_there_is_room;
use buffers::Buffers;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};

/// What came of a record that was run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// Batches that were submitted and have completed.
    pub batches: u64,
    /// Ops in them.
    pub ops: u64,
    /// Results that were compared, matrix by matrix.
    pub results: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// The record had its last line: it was not cut off.
    pub complete: bool,
    /// Results that were not the same in every bit.
    pub differences: Vec<Difference>,
    /// Time in submissions and waits when it was recorded.
    pub recorded_time: Duration,
    /// Time in submissions and waits now.
    pub time: Duration,
}

/// A result that is not the same as in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The line of the record, from 1.
    pub line: usize,
    /// The batch, as it was numbered in the record.
    pub seqno: u64,
    /// The buffer, as it was called in the record.
    pub handle: u32,
    /// The first byte that differs.
    pub offset: usize,
    /// How many bytes differ.
    pub count: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, seqno, handle, offset, count } = self;
        let bytes = if *count == 1 { "byte" } else { "bytes" };
        write!(
            f,
            "line {line}: what batch {seqno} wrote to buffer {handle} differs in {count} {bytes}, \
             the first at {offset}"
        )
    }
}

/// Why a record could not be run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplayError {
    /// It cannot be read.
    Read {
        /// Why not.
        source: io::Error,
    },
    /// A line of it is not what a [`Recorder`](crate::Recorder) writes.
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The Sail did not take, or could not do, what it says.
    Sail {
        /// The line, from 1.
        line: usize,
        /// What the Sail said.
        source: Error,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { source } => write!(f, "the record cannot be read: {source}"),
            Self::Line { line, problem } => {
                write!(f, "line {line} is not one of a record of spanker: {problem}")
            }
            Self::Sail { line, source } => write!(f, "at line {line} of the record: {source}"),
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source } => Some(source),
            Self::Line { .. } => None,
            Self::Sail { source, .. } => Some(source),
        }
    }
}

/// Runs what a [`Recorder`](crate::Recorder) wrote down on `sail`, and compares
/// what its batches write with the record, bit for bit. Requests that failed
/// then are left out, and so are those that only ask.
///
/// It makes the buffers that the record names, so it can take as much of the
/// Sail's memory as that says; of this process's own it takes that of the
/// longest line.
///
/// # Errors
/// If the record cannot be read or is none, or `sail` does not take the work.
/// That results differ is no error: see [`Replayed::differences`].
pub fn replay(sail: &Sail, record: impl BufRead) -> Result<Replayed, ReplayError> {
    let mut run = Run {
        sail,
        buffers: Buffers::default(),
        seqno: 0,
        seqnos: BTreeMap::new(),
        report: Replayed::default(),
    };
    let mut record = record;
    let mut last = 0;
    while let Some(text) = next_line(&mut record, last + 1, run.buffers.longest())? {
        last += 1;
        let outcome = serde_json::from_str(&text)
            .map_err(|error| {
                let cut = if text.ends_with('\n') { "" } else { "it was cut off: " };
                Stop::Problem(format!("{cut}it is no JSON, from column {} on", error.column()))
            })
            .and_then(|value| if last == 1 { first_line(&value) } else { run.line(last, &value) });
        outcome.map_err(|stop| match stop {
            Stop::Problem(problem) => ReplayError::Line { line: last, problem },
            Stop::Sail(source) => ReplayError::Sail { line: last, source },
        })?;
    }
    if last == 0 {
        return Err(ReplayError::Line { line: 1, problem: "it is empty".to_owned() });
    }
    run.retire(run.seqno).map_err(|source| ReplayError::Sail { line: last, source })?;
    Ok(run.report)
}

/// The next line, whose number is `line`; None at the end. It is as long as the
/// contents of the longest buffer make it, or there is something wrong.
fn next_line(
    record: &mut impl BufRead,
    line: usize,
    longest: usize,
) -> Result<Option<String>, ReplayError> {
    // Each byte is two digits; a batch of many ops is longer than a short buffer.
    let most = (longest as u64).saturating_mul(2).saturating_add(64 << 20);
    let mut bytes = Vec::new();
    let read = io::Read::take(&mut *record, most).read_until(b'\n', &mut bytes);
    read.map_err(|source| ReplayError::Read { source })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() as u64 == most {
        let problem = "it is longer than any that a record can have".to_owned();
        return Err(ReplayError::Line { line, problem });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(ReplayError::Line { line, problem: "it is not UTF-8".to_owned() }),
    }
}

/// Why a line stops a replay.
enum Stop {
    Problem(String),
    Sail(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Sail(error)
    }
}

fn problem<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Problem(text.into()))
}

/// The number in a field that has to be there.
fn field<T: TryFrom<u64>>(line: &Value, name: &str) -> Result<T, Stop> {
    number(line, name).ok_or_else(|| Stop::Problem(format!("`{name}` is missing or no number")))
}

fn first_line(line: &Value) -> Result<(), Stop> {
    match number::<u64>(line, "spanker_record") {
        Some(format::VERSION) => Ok(()),
        Some(other) => problem(format!(
            "it is of format {other}, and this program reads format {}",
            format::VERSION
        )),
        None => problem("its first line has no `spanker_record`"),
    }
}

struct Run<'a> {
    sail: &'a Sail,
    buffers: Buffers,
    /// The last batch submitted.
    seqno: u64,
    /// What batches are called now, by what they were called in the record.
    seqnos: BTreeMap<u64, u64>,
    report: Replayed,
}

impl Run<'_> {
    fn line(&mut self, number: usize, line: &Value) -> Result<(), Stop> {
        if let Some(request) = line.get("request") {
            return self.request(request.as_str().unwrap_or(""), line);
        }
        if line.get("end").is_some() {
            self.report.complete = true;
            return Ok(());
        }
        let data = line.get("data").and_then(Value::as_str).and_then(format::bytes);
        let Some(data) = data else {
            return problem("it has neither a `request` nor hexadecimal `data`");
        };
        if line.get("write").is_some() {
            return self.write(field(line, "write")?, &data);
        }
        self.compare(number, field(line, "result")?, field(line, "seqno")?, &data)
    }

    fn request(&mut self, name: &str, line: &Value) -> Result<(), Stop> {
        if matches!(name, "WORK_SUBMIT" | "WAIT") {
            self.report.recorded_time += Duration::from_nanos(field(line, "took_ns")?);
        }
        if !line.get("errno").is_some_and(Value::is_null) {
            return Ok(());
        }
        match name {
            "BUF_CREATE" => {
                let device = line.get("device").and_then(Value::as_bool).unwrap_or(false);
                let placement = if device { Placement::Device } else { Placement::Mapped };
                let handle = field(line, "handle")?;
                let size: usize = field(line, "size")?;
                if size == 0 {
                    return problem("there is no buffer of 0 bytes");
                }
                Ok(self.buffers.create(self.sail.open_handle(), handle, size, placement)?)
            }
            "BUF_DESTROY" => {
                self.buffers.destroy(field(line, "handle")?);
                Ok(())
            }
            "WORK_SUBMIT" => self.submit(line),
            "WAIT" => {
                let recorded: u64 = field(line, "seqno")?;
                let seqno = self.seqnos.get(&recorded).copied();
                Ok(self.retire(seqno.unwrap_or(self.seqno))?)
            }
            _ => Ok(()),
        }
    }

    fn submit(&mut self, line: &Value) -> Result<(), Stop> {
        let Some(recorded) = line.get("ops").and_then(Value::as_array) else {
            return problem("WORK_SUBMIT has no `ops`");
        };
        let ops = recorded.iter().map(|op| {
            let op = format::parse_op(op).ok_or_else(|| "an op lacks a field".to_owned())?;
            self.buffers.rename(op)
        });
        let ops = ops.collect::<Result<Vec<_>, String>>().map_err(Stop::Problem)?;
        let open = self.sail.open_handle();
        // Noted if this Sail is recorded as well.
        open.record_contents(self.buffers.all());
        let begin = Instant::now();
        // This queue may be shorter than the one that was recorded.
        let seqno = submit_when_there_is_room(open, &ops)?;
        self.report.time += begin.elapsed();
        self.report.batches += 1;
        self.report.ops += ops.len() as u64;
        self.seqno = seqno;
        self.seqnos.insert(field(line, "seqno")?, seqno);
        self.buffers.name_in(seqno, &ops);
        Ok(())
    }

    /// Waits until a batch, and with it all before it, has retired.
    fn retire(&mut self, seqno: u64) -> Result<(), Error> {
        let begin = Instant::now();
        if seqno > 0 {
            self.sail.open_handle().wait(seqno, seqno, NEVER)?;
        }
        self.report.time += begin.elapsed();
        Ok(())
    }

    fn write(&mut self, handle: u32, data: &[u8]) -> Result<(), Stop> {
        let last_named = self.buffers.last_named(handle).map_err(Stop::Problem)?;
        self.retire(last_named)?;
        let bytes = self.buffers.bytes_mut(handle, data.len()).map_err(Stop::Problem)?;
        bytes?.copy_from_slice(data);
        Ok(())
    }

    fn compare(
        &mut self,
        line: usize,
        handle: u32,
        seqno: u64,
        expected: &[u8],
    ) -> Result<(), Stop> {
        let last_named = self.buffers.last_named(handle).map_err(Stop::Problem)?;
        self.retire(last_named)?;
        if let Ok(buffer) = self.buffers.buffer(handle) {
            self.sail.open_handle().record_result(last_named, buffer);
        }
        let found = self.buffers.bytes(handle, expected.len()).map_err(Stop::Problem)??;
        let mut differing = found.iter().zip(expected).enumerate().filter(|(_, (a, b))| a != b);
        if let Some((offset, _)) = differing.next() {
            let count = 1 + differing.count();
            self.report.differences.push(Difference { line, seqno, handle, offset, count });
        }
        self.report.results += 1;
        self.report.bytes += expected.len() as u64;
        Ok(())
    }
}
