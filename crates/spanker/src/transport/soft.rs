// SPDX-License-Identifier: Apache-2.0
//! A node of the software machine in this process.

use super::memory::Memory;
use nix::errno::Errno;
use spanker_soft::{File, Protection, Sharing, Slices};
use spanker_sys::*;
use std::os::fd::{AsFd, BorrowedFd};

#[derive(Debug)]
pub(crate) struct Node {
    file: File,
}

/// Makes a request whose struct is `argument`, and which may also read `input`
/// and write `output`.
fn request<T: Plain>(
    file: &File,
    code: u32,
    argument: &mut T,
    input: &[u8],
    output: &mut [u8],
) -> Result<(), Errno> {
    let bytes = argument.bytes_mut();
    let address = bytes.as_ptr() as usize as u64;
    let mut memory = Slices::new(bytes).with_input(input).with_output(output);
    file.request(&mut memory, code, address)
}

impl Node {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    pub(super) fn ping(&self) -> Result<(), Errno> {
        self.file.request(&mut Slices::new(&mut []), SPANKER_IOC_PING, 0)
    }

    pub(super) fn version(&self) -> Result<spanker_version, Errno> {
        let mut version = spanker_version::default();
        request(&self.file, SPANKER_IOC_GET_VERSION, &mut version, &[], &mut [])?;
        Ok(version)
    }

    pub(super) fn query(&self, kind: u32, answer: &mut [u8]) -> Result<usize, Errno> {
        let mut query = spanker_query {
            type_: kind,
            size: u32::try_from(answer.len()).unwrap_or(u32::MAX),
            ptr: answer.as_ptr() as usize as u64,
        };
        request(&self.file, SPANKER_IOC_QUERY, &mut query, &[], answer)?;
        Ok(query.size as usize)
    }

    pub(super) fn buf_create(&self, create: &mut spanker_buf_create) -> Result<(), Errno> {
        request(&self.file, SPANKER_IOC_BUF_CREATE, create, &[], &mut [])
    }

    pub(super) fn buf_destroy(&self, destroy: &spanker_buf_destroy) -> Result<(), Errno> {
        request(&self.file, SPANKER_IOC_BUF_DESTROY, &mut destroy.clone(), &[], &mut [])
    }

    /// `ops` is what `submit` points to.
    pub(super) fn work_submit(
        &self,
        submit: &mut spanker_work_submit,
        ops: &[spanker_op],
    ) -> Result<(), Errno> {
        request(&self.file, SPANKER_IOC_WORK_SUBMIT, submit, Plain::slice_bytes(ops), &mut [])
    }

    pub(super) fn wait(&self, wait: &mut spanker_wait) -> Result<(), Errno> {
        request(&self.file, SPANKER_IOC_WAIT, wait, &[], &mut [])
    }

    pub(super) fn read_completed(&self) -> Result<u64, Errno> {
        let mut counter = [0; 8];
        let address = counter.as_ptr() as usize as u64;
        self.file.read(&mut Slices::new(&mut counter), address, 8, true)?;
        Ok(u64::from_ne_bytes(counter))
    }

    pub(super) fn map(&self, offset: u64, len: usize) -> Result<Memory, Errno> {
        let protection = Protection::READ_WRITE;
        let mapping = self.file.mmap(offset, len as u64, protection, Sharing::Shared)?;
        Ok(Memory::soft(mapping, len))
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.event_fd().unwrap_or_else(|| unreachable!("a Sail is never the control node"))
    }
}
