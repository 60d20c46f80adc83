// SPDX-License-Identifier: Apache-2.0
//! The software Sail.

use super::Failure;
use nix::errno::Errno;
use spanker::spanker_soft::{Config, File, Machine, Mapping, Protection, Sharing, Slices};
use spanker::Sail;
use spanker_sys::{spanker_op, spanker_work_submit, Plain, SPANKER_IOC_WORK_SUBMIT};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct Node {
    file: File,
    /// Held from saying how many threads may compute a batch to submitting it.
    submitting: Mutex<()>,
}

/// The machine of this process, made when it is first asked for. It lives as
/// long as the library, which is never unloaded.
static MACHINE: Mutex<Option<Machine>> = Mutex::new(None);

pub(super) fn open() -> Result<(Sail, Node), Failure> {
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(machine) = &*machine {
        return open_on(machine);
    }
    let made = Config::from_environment()
        .and_then(Machine::new)
        .map_err(|error| Failure(format!("the software Sail does not start: {error}")))?;
    open_on(machine.insert(made))
}

pub(super) fn open_on(machine: &Machine) -> Result<(Sail, Node), Failure> {
    let file = machine
        .open_card(0)
        .map_err(|errno| Failure(format!("opening the software Sail: {errno}")))?;
    // A stream waits for all that it submits.
    file.compute_when_waited_for(true);
    Ok((Sail::on_machine(machine, 0)?, Node { file, submitting: Mutex::new(()) }))
}

impl Node {
    /// Makes a request whose struct is `argument`, and which may also read
    /// `input` and write `output`.
    pub(super) fn request<T: Plain>(
        &self,
        code: u32,
        argument: &mut T,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), Errno> {
        let bytes = argument.bytes_mut();
        let address = bytes.as_ptr() as usize as u64;
        let mut memory = Slices::new(bytes).with_input(input).with_output(output);
        self.file.request(&mut memory, code, address)
    }

    /// `ops` is what `submit` points to. At most so many threads compute them at a
    /// time.
    pub(super) fn work_submit(
        &self,
        submit: &mut spanker_work_submit,
        ops: &[spanker_op],
        threads: Option<NonZeroUsize>,
    ) -> Result<(), Errno> {
        let submitting = self.submitting.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.limit_threads(threads);
        let answer =
            self.request(SPANKER_IOC_WORK_SUBMIT, submit, Plain::slice_bytes(ops), &mut []);
        drop(submitting);
        answer
    }

    /// Maps `len` bytes of a buffer.
    pub(super) fn map(&self, offset: u64, len: usize) -> Result<Mapping, Errno> {
        self.file.mmap(offset, len as u64, Protection::READ_WRITE, Sharing::Shared)
    }
}
