// SPDX-License-Identifier: Apache-2.0
//! Cards whose engines a test chooses, reached by requests, and by the bytes of their buffers.

use crate::buffer::Buffer;
use crate::card::Card;
use crate::config::{CardConfig, Config};
use crate::engine::{copy, matmul, CpuEngine, Crew, Engine, Stop};
use crate::memory::Slices;
use crate::op::{Op, Work};
use crate::open::Open;
use crate::request::{dispatch, Node};
use crate::scheduler::Scheduler;
use crate::sync::lock;
use spanker_kernels::Kernel;
use spanker_sys::*;
use std::mem::size_of;
use std::sync::Arc;

/// Threads of the devices that have several: no divisor of a count of tiles.
const THREADS: usize = 3;
/// Bytes that are read at a time.
const STEP: usize = 4096;

/// An open of a card with an engine of its own.
pub(super) struct Device {
    pub(super) name: String,
    open: Arc<Open>,
}

/// A [`CpuEngine`] that takes every op for a long one, which all threads are called for.
#[derive(Debug)]
struct Eager(&'static dyn Kernel);

impl Engine for Eager {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        crew.expect(u64::MAX);
        match &op.work {
            Work::Matmul(matmul) => matmul::run(matmul, op.seqno, self.0, crew),
            Work::Copy(copy) => copy::run(copy, crew),
        }
    }
}

impl Device {
    /// For every kernel one that computes with one thread, and one with several.
    pub(super) fn every() -> Vec<Self> {
        let mut devices = Vec::new();
        for kernel in spanker_kernels::all() {
            let alone = CpuEngine::with_kernel(kernel.name()).unwrap();
            devices.push(Self::new(format!("{}, alone", kernel.name()), 1, Arc::new(alone)));
            let name = format!("{}, {THREADS} threads", kernel.name());
            devices.push(Self::new(name, THREADS, Arc::new(Eager(*kernel))));
        }
        devices
    }

    /// One that computes with this kernel, and several threads.
    pub(super) fn with_kernel(kernel: &'static dyn Kernel) -> Self {
        Self::new(kernel.name().to_owned(), THREADS, Arc::new(Eager(kernel)))
    }

    fn new(name: String, threads: usize, engine: Arc<dyn Engine>) -> Self {
        let limits = Config::default().cards.remove(0);
        let scheduler = Arc::new(Scheduler::start(threads, engine).unwrap());
        let open = Open::new(Arc::new(Card::new(0, limits, scheduler, None))).unwrap();
        Self { name, open }
    }

    fn request<T: Plain>(&self, code: u32, argument: &mut T, input: &[u8]) {
        let bytes = argument.bytes_mut();
        let address = bytes.as_ptr() as usize as u64;
        let mut memory = Slices::new(bytes).with_input(input);
        let answer = dispatch(&Node::Card(&self.open), &mut memory, code, address);
        assert_eq!(answer, Ok(()), "{}: request {code:#x}", self.name);
    }

    /// The handle of a new buffer that begins with these bytes.
    pub(super) fn create(&self, bytes: &[u8]) -> u32 {
        let mut create = spanker_buf_create { size: bytes.len() as u64, ..Default::default() };
        self.request(SPANKER_IOC_BUF_CREATE, &mut create, &[]);
        let buffer = self.buffer(create.handle);
        // Pages that nobody has written to are zero already, and take no memory.
        for (at, bytes) in bytes.chunks(STEP).enumerate() {
            if bytes.iter().any(|byte| *byte != 0) {
                buffer.memory.storage.write_bytes((at * STEP) as u64, bytes);
            }
        }
        create.handle
    }

    pub(super) fn destroy(&self, handle: u32) {
        self.request(SPANKER_IOC_BUF_DESTROY, &mut spanker_buf_destroy { handle, flags: 0 }, &[]);
    }

    /// Makes the lowest free handles the next ones, as when all were used once.
    pub(super) fn start_handles_again(&self) {
        let some = self.create(&[1]);
        let (buffer, last) = (self.buffer(some), CardConfig::MAX_BUFS * 2);
        let mut handles = lock(&self.open.handles);
        handles.insert(last, buffer);
        handles.remove(last).unwrap();
        handles.remove(some).unwrap();
    }

    /// Runs a batch to its end.
    pub(super) fn run(&self, ops: &[spanker_op]) {
        let mut submit = spanker_work_submit {
            ops: ops.as_ptr() as usize as u64,
            op_count: ops.len() as u32,
            op_stride: size_of::<spanker_op>() as u32,
            ..Default::default()
        };
        self.request(SPANKER_IOC_WORK_SUBMIT, &mut submit, Plain::slice_bytes(ops));
        let deadline_ns = SPANKER_DEADLINE_NEVER as i64;
        let mut wait = spanker_wait { seqno: submit.seqno, deadline_ns, ..Default::default() };
        self.request(SPANKER_IOC_WAIT, &mut wait, &[]);
    }

    fn buffer(&self, handle: u32) -> Arc<Buffer> {
        Arc::clone(lock(&self.open.handles).get(handle).unwrap())
    }

    /// Where a buffer's memory is.
    pub(super) fn address(&self, handle: u32) -> usize {
        self.buffer(handle).memory.storage.as_ptr() as usize
    }

    pub(super) fn write(&self, handle: u32, offset: usize, bytes: &[u8]) {
        self.buffer(handle).memory.storage.write_bytes(offset as u64, bytes);
    }

    /// The first place where a buffer differs from `expected`, and the word that is there.
    pub(super) fn difference(&self, handle: u32, expected: &[u8]) -> Option<(usize, u32)> {
        let buffer = self.buffer(handle);
        let mut got = [0; STEP];
        for (at, expected) in expected.chunks(STEP).enumerate() {
            let got = &mut got[..expected.len()];
            buffer.memory.storage.read_bytes((at * STEP) as u64, got);
            if got != expected {
                let first = got.iter().zip(expected).position(|(got, expected)| got != expected)?;
                let word = first / 4 * 4;
                let mut bytes = [0; 4];
                let known = &got[word..got.len().min(word + 4)];
                bytes[..known.len()].copy_from_slice(known);
                return Some((at * STEP + word, u32::from_le_bytes(bytes)));
            }
        }
        None
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.open.end();
    }
}
