// SPDX-License-Identifier: Apache-2.0
//! The lines of a record, and where they go.

use crate::abi_version::AbiVersion;
use crate::error::Error;
use crate::info::DeviceInfo;
use crate::record::format;
use crate::transport::Buffer;
use nix::errno::Errno;
use serde_json::Value;
use spanker_sys::*;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::mem::size_of;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the requests of one open are noted on.
pub(crate) struct Tape {
    started: Instant,
    /// Nothing more is written down.
    over: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// None once the record is finished, or could not be written.
    out: Option<BufWriter<Box<dyn Write + Send>>>,
    /// The first thing that went wrong.
    error: Option<io::Error>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Tape {
    pub(crate) fn new(out: Box<dyn Write + Send>, card: &DeviceInfo, abi: AbiVersion) -> Self {
        let state = State { out: Some(BufWriter::new(out)), error: None };
        let tape = Self {
            started: Instant::now(),
            over: AtomicBool::new(false),
            state: Mutex::new(state),
        };
        tape.write(&mut tape.lock(), &format::first_line(card, abi));
        tape
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is any use in telling it something.
    #[inline]
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// When a request begins, if there is any use in telling it.
    #[inline]
    pub(crate) fn begin(&self) -> Option<(&Self, Instant)> {
        (!self.is_over()).then(|| (self, Instant::now()))
    }

    /// Writes a line. After one that cannot be written there is no other.
    fn write(&self, state: &mut State, line: &str) {
        let Some(out) = &mut state.out else { return };
        // It is the program's code that writes. A panic of it must not go
        // through a request that the device has accepted.
        let written = catch_unwind(AssertUnwindSafe(|| {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")
        }));
        let error = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(payload) => {
                // Dropping it could panic again.
                std::mem::forget(payload);
                io::Error::other("what the record is written to panicked")
            }
        };
        state.error = Some(error);
        self.over.store(true, Ordering::Relaxed);
        if let Some(out) = state.out.take() {
            // It would try to write what it holds, and run the program's drop.
            std::mem::forget(out);
        }
    }

    fn since_start(&self, time: Instant) -> u64 {
        nanoseconds(time.saturating_duration_since(self.started))
    }

    /// Notes a request that has just been answered. `sizes` are those of its
    /// struct and of what that points to, in bytes.
    fn request(
        &self,
        name: &str,
        begin: Instant,
        sizes: [usize; 2],
        errno: Option<Errno>,
        details: &[(&str, Value)],
    ) {
        // In this order, and not by name, for people to read.
        let at_ns = self.since_start(begin);
        let took_ns = nanoseconds(begin.elapsed());
        let [struct_bytes, payload_bytes] = sizes;
        let errno = errno.map_or("null".to_owned(), |errno| (errno as i32).to_string());
        let mut line = format!(
            r#"{{"at_ns":{at_ns},"request":"{name}","took_ns":{took_ns},"errno":{errno},"struct_bytes":{struct_bytes},"payload_bytes":{payload_bytes}"#
        );
        for (field, value) in details {
            line += &format!(r#","{field}":{value}"#);
        }
        line.push('}');
        self.write(&mut self.lock(), &line);
    }

    pub(crate) fn ping(&self, begin: Instant, answer: Result<(), Errno>) {
        self.request("PING", begin, [0, 0], answer.err(), &[]);
    }

    pub(crate) fn query(&self, begin: Instant, kind: u32, bytes: Result<usize, Errno>) {
        let payload = *bytes.as_ref().unwrap_or(&0);
        let sizes = [size_of::<spanker_query>(), payload];
        self.request("QUERY", begin, sizes, bytes.err(), &[("type", kind.into())]);
    }

    pub(crate) fn buf_create(
        &self,
        begin: Instant,
        create: &spanker_buf_create,
        answer: Result<(), Errno>,
    ) {
        let details = [
            ("handle", create.handle.into()),
            ("size", create.size.into()),
            ("device", (create.flags & SPANKER_BUF_DEVICE != 0).into()),
        ];
        let sizes = [size_of::<spanker_buf_create>(), 0];
        self.request("BUF_CREATE", begin, sizes, answer.err(), &details);
    }

    pub(crate) fn buf_destroy(&self, begin: Instant, handle: u32, answer: Result<(), Errno>) {
        let sizes = [size_of::<spanker_buf_destroy>(), 0];
        self.request("BUF_DESTROY", begin, sizes, answer.err(), &[("handle", handle.into())]);
    }

    pub(crate) fn work_submit(
        &self,
        begin: Instant,
        ops: &[spanker_op],
        submit: &spanker_work_submit,
        answer: Result<(), Errno>,
    ) {
        let ops: Vec<Value> = ops.iter().map(format::op).collect();
        let sizes = [size_of::<spanker_work_submit>(), ops.len() * size_of::<spanker_op>()];
        let details = [("seqno", submit.seqno.into()), ("ops", ops.into())];
        self.request("WORK_SUBMIT", begin, sizes, answer.err(), &details);
    }

    pub(crate) fn wait(&self, begin: Instant, wait: &spanker_wait, answer: Result<(), Errno>) {
        let details = [("seqno", wait.seqno.into()), ("completed", wait.completed.into())];
        self.request("WAIT", begin, [size_of::<spanker_wait>(), 0], answer.err(), &details);
    }

    pub(crate) fn read(&self, begin: Instant, answer: Result<u64, Errno>) {
        let details = [("completed", answer.ok().into())];
        self.request("read", begin, [0, size_of::<u64>()], answer.err(), &details);
    }

    pub(crate) fn map(&self, begin: Instant, len: usize, errno: Option<Errno>) {
        self.request("mmap", begin, [0, len], errno, &[]);
    }

    /// Notes what the host has written to buffers since it was last noted.
    pub(crate) fn contents<'a>(&self, buffers: impl Iterator<Item = &'a Buffer>) {
        if self.is_over() {
            return;
        }
        // The flag is taken under the lock: whoever finds it cleared can rely
        // on the line being there.
        let mut state = self.lock();
        for buffer in buffers.filter(|buffer| buffer.take_written()) {
            if let Ok(bytes) = buffer.bytes() {
                let at_ns = self.since_start(Instant::now());
                let data = format::hex(bytes);
                let handle = buffer.handle();
                let line = format!(r#"{{"at_ns":{at_ns},"write":{handle},"data":"{data}"}}"#);
                self.write(&mut state, &line);
            }
        }
    }

    /// Notes what batch `seqno` has written to a buffer that is mapped.
    pub(crate) fn result(&self, seqno: u64, buffer: &Buffer) {
        if self.is_over() {
            return;
        }
        if let Ok(bytes) = buffer.bytes() {
            let (at_ns, data) = (self.since_start(Instant::now()), format::hex(bytes));
            let handle = buffer.handle();
            let line =
                format!(r#"{{"at_ns":{at_ns},"result":{handle},"seqno":{seqno},"data":"{data}"}}"#);
            self.write(&mut self.lock(), &line);
        }
    }

    /// Ends the record.
    ///
    /// # Errors
    /// [`Error::Record`] with the first thing that could not be written.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let at_ns = self.since_start(Instant::now());
        self.write(&mut state, &format!(r#"{{"at_ns":{at_ns},"end":true}}"#));
        self.over.store(true, Ordering::Relaxed);
        if let Some(mut out) = state.out.take() {
            if let Err(error) = out.flush() {
                state.error.get_or_insert(error);
            }
        }
        state.error.take().map_or(Ok(()), |source| Err(Error::Record { source }))
    }
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
