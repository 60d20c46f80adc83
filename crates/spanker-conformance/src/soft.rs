// SPDX-License-Identifier: Apache-2.0
//! The software Sail on the device seam: two cards, of which the second is
//! under test, with limits that a case can reach. SPANKER_SOFT_THREADS in the
//! environment is heeded: cases hold for any number of threads. So is
//! SPANKER_SOFT_FAULTS, though of its rules only `slow` leaves a device that
//! conforms.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use spanker_soft::{CardConfig, Config, CpuEngine, Crew, Engine, Machine, Op, ProcessMemory, Stop};

use crate::device::{Device, Faults, File, Mapping, Plug, PollBits, Protection, Resets, Sharing};

/// The card under test.
const CARD: u32 = 1;

/// A machine of its own.
pub fn make() -> Result<Box<dyn Device>, String> {
    let armed = Arc::default();
    let engine = FaultOnce { armed: Arc::clone(&armed), inner: CpuEngine::new() };
    let config = Config {
        cards: vec![CardConfig::default(), small_limits()],
        engine: Arc::new(engine),
        ..Config::from_environment().map_err(|error| error.to_string())?
    };
    let machine = Machine::new(config).map_err(|error| format!("software Sail: {error}"))?;
    Ok(Box::new(SoftDevice { machine, armed }))
}

/// Limits that are reached with little, and that are no powers of two where
/// nothing asks for that.
fn small_limits() -> CardConfig {
    CardConfig {
        mem_size: 100 << 20,
        max_buf_size: 40_000_001,
        max_ops: 250,
        max_inflight: 5,
        max_bufs: 23,
        max_m: 2050,
        max_n: 2050,
        max_k: 20_000,
    }
}

/// The op, named by its batch and its index, that is to fail.
type Armed = Mutex<Option<(u64, u32)>>;

#[derive(Debug)]
struct SoftDevice {
    machine: Machine,
    armed: Arc<Armed>,
}

impl Device for SoftDevice {
    fn name(&self) -> String {
        "soft".into()
    }

    fn open_control(&self) -> Result<Box<dyn File>, Errno> {
        Ok(Box::new(SoftFile::new(self.machine.open_control())))
    }

    fn open_card(&self) -> Result<Box<dyn File>, Errno> {
        Ok(Box::new(SoftFile::new(self.machine.open_card(CARD)?)))
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }

    fn plug(&self) -> Option<&dyn Plug> {
        Some(self)
    }

    fn resets(&self) -> Option<&dyn Resets> {
        Some(self)
    }
}

impl Faults for SoftDevice {
    fn fault_next_open(&self, seqno: u64, op: u32) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some((seqno, op));
    }
}

impl Plug for SoftDevice {
    fn unplug(&self) {
        assert!(self.machine.unplug(CARD), "the card under test was there");
    }
}

impl Resets for SoftDevice {
    fn reset(&self) {
        assert!(self.machine.reset(CARD), "the card under test is there");
    }
}

/// Fails once, at the op that is armed. Which open it is of, an engine does not
/// know: the first that comes to it.
#[derive(Debug)]
struct FaultOnce {
    armed: Arc<Armed>,
    inner: CpuEngine,
}

impl Engine for FaultOnce {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        if *armed == Some((op.seqno(), op.index())) {
            *armed = None;
            return Err(Stop::Failed);
        }
        drop(armed);
        self.inner.run(op, crew)
    }
}

#[derive(Debug)]
struct SoftFile {
    file: spanker_soft::File,
    nonblocking: AtomicBool,
}

impl SoftFile {
    fn new(file: spanker_soft::File) -> SoftFile {
        SoftFile { file, nonblocking: AtomicBool::new(false) }
    }
}

/// The memory of this process.
fn caller_memory() -> ProcessMemory {
    // SAFETY: the addresses in the suite's requests are of pages that it has
    // mapped for the purpose (`UserBytes`), or of nothing that can be written.
    unsafe { ProcessMemory::new() }
}

impl File for SoftFile {
    fn request(&self, code: u32, arg: u64) -> Result<(), Errno> {
        self.file.request(&mut caller_memory(), code, arg)
    }

    fn mmap(
        &self,
        offset: u64,
        len: usize,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<Box<dyn Mapping>, Errno> {
        let protection = spanker_soft::Protection {
            read: protection.read,
            write: protection.write,
            execute: protection.exec,
        };
        let sharing = match sharing {
            Sharing::Shared => spanker_soft::Sharing::Shared,
            Sharing::Private => spanker_soft::Sharing::Private,
        };
        Ok(Box::new(self.file.mmap(offset, len as u64, protection, sharing)?))
    }

    fn poll(&self) -> PollBits {
        let bits = self.file.poll();
        PollBits {
            input: bits.readable,
            output: bits.writable,
            error: bits.error,
            hangup: bits.hangup,
        }
    }

    fn read(&self, addr: u64, len: usize) -> Result<usize, Errno> {
        let nonblocking = self.nonblocking.load(Ordering::SeqCst);
        self.file.read(&mut caller_memory(), addr, len, nonblocking)
    }

    fn set_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.store(nonblocking, Ordering::SeqCst);
    }
}

impl Mapping for spanker_soft::Mapping {
    fn len(&self) -> usize {
        spanker_soft::Mapping::len(self) as usize
    }

    fn read(&self, offset: usize, bytes: &mut [u8]) {
        // SAFETY: a case looks at a buffer from one thread, when the ops that
        // write to it have retired.
        let read = unsafe { spanker_soft::Mapping::read(self, offset as u64, bytes) };
        read.expect("a mapped, readable range");
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        // SAFETY: a case fills a buffer from one thread, before ops that name it
        // are submitted. Cases that do it later on purpose are about bytes that
        // the ABI leaves unspecified, and look at none of them.
        let written = unsafe { spanker_soft::Mapping::write(self, offset as u64, bytes) };
        written.expect("a mapped, writable range");
    }
}
