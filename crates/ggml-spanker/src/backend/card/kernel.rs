// SPDX-License-Identifier: Apache-2.0
//! A node of the kernel driver.

use nix::errno::Errno;
use nix::libc;
use spanker_sys::*;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::{self, NonNull};

#[derive(Debug)]
pub(super) struct Node {
    file: File,
}

impl Node {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().read(true).write(true).open(path)? })
    }

    /// Makes a request whose struct points to nothing.
    pub(super) fn request<T: Plain>(&self, code: u32, argument: &mut T) -> Result<(), Errno> {
        debug_assert_eq!(code >> 16 & 0x3fff, std::mem::size_of::<T>() as u32);
        // SAFETY: the descriptor is open while `self` lives. The kernel reads
        // and writes at most the size in the code, which is that of `argument`,
        // and any bytes are valid in it.
        unsafe { self.ioctl(code, ptr::addr_of_mut!(*argument).cast()) }
    }

    /// Fills `answer` with as much of what is asked for as it has room for.
    pub(super) fn query(&self, kind: u32, answer: &mut [u8]) -> Result<(), Errno> {
        let mut query = spanker_query {
            type_: kind,
            size: u32::try_from(answer.len()).unwrap_or(u32::MAX),
            ptr: answer.as_mut_ptr() as usize as u64,
        };
        // SAFETY: as in `request`; the kernel writes at most `size` bytes to
        // `answer`, which is borrowed and at least as long, and in which any
        // bytes are valid.
        unsafe { self.ioctl(SPANKER_IOC_QUERY, ptr::addr_of_mut!(query).cast()) }
    }

    /// `ops` is what `submit` points to.
    pub(super) fn work_submit(
        &self,
        submit: &mut spanker_work_submit,
        ops: &[spanker_op],
    ) -> Result<(), Errno> {
        debug_assert_eq!(submit.ops, ops.as_ptr() as usize as u64);
        // SAFETY: as in `request`; the ops are borrowed and only read, and name
        // memory by handle, never by address.
        unsafe { self.ioctl(SPANKER_IOC_WORK_SUBMIT, ptr::addr_of_mut!(*submit).cast()) }
    }

    /// # Safety
    /// `argument` is good for what the request does to it.
    unsafe fn ioctl(&self, code: u32, argument: *mut libc::c_void) -> Result<(), Errno> {
        // The type is another in musl.
        #[allow(clippy::cast_lossless)]
        let code = code as libc::Ioctl;
        // SAFETY: the descriptor is open; the caller promises the rest.
        let answer = unsafe { libc::ioctl(self.file.as_raw_fd(), code, argument) };
        Errno::result(answer).map(drop)
    }

    /// Maps `len` bytes of a buffer.
    pub(super) fn map(&self, offset: u64, len: usize) -> Result<NonNull<u8>, Errno> {
        let offset = offset.try_into().map_err(|_| Errno::EOVERFLOW)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let fd = self.file.as_raw_fd();
        // SAFETY: the kernel chooses an address where nothing is, so no memory
        // that exists is affected.
        let start =
            unsafe { libc::mmap64(ptr::null_mut(), len, protection, libc::MAP_SHARED, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        NonNull::new(start.cast()).ok_or(Errno::EFAULT)
    }
}
