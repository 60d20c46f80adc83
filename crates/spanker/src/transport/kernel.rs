// SPDX-License-Identifier: Apache-2.0
//! A node of the kernel driver.

use super::memory::Memory;
use nix::errno::Errno;
use nix::libc;
use spanker_sys::*;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::{self, NonNull};

/// The calls, by the macros of nix; the codes they make are held against the
/// mirror's.
mod ioctl {
    #![allow(missing_docs)]
    use spanker_sys::*;

    const MAGIC: u8 = SPANKER_IOC_MAGIC as u8;

    macro_rules! requests {
        ($($make:ident $code:ident $name:ident, $nr:literal, $argument:ty => $expected:ident;)*) => {
            $(
                nix::$make!($name, MAGIC, $nr, $argument);
                const _: () = assert!(
                    nix::$code!(MAGIC, $nr, std::mem::size_of::<$argument>()) as u32 == $expected,
                    concat!("nix and the header disagree on ", stringify!($expected)),
                );
            )*
        };
    }

    nix::ioctl_none!(ping, MAGIC, 0x01);
    const _: () = assert!(nix::request_code_none!(MAGIC, 0x01) as u32 == SPANKER_IOC_PING);

    requests! {
        ioctl_read request_code_read get_version, 0x02, spanker_version => SPANKER_IOC_GET_VERSION;
        ioctl_readwrite request_code_readwrite query, 0x10, spanker_query => SPANKER_IOC_QUERY;
        ioctl_readwrite request_code_readwrite
            buf_create, 0x20, spanker_buf_create => SPANKER_IOC_BUF_CREATE;
        ioctl_write_ptr request_code_write
            buf_destroy, 0x21, spanker_buf_destroy => SPANKER_IOC_BUF_DESTROY;
        ioctl_readwrite request_code_readwrite
            work_submit, 0x30, spanker_work_submit => SPANKER_IOC_WORK_SUBMIT;
        ioctl_readwrite request_code_readwrite wait, 0x31, spanker_wait => SPANKER_IOC_WAIT;
    }
}

#[derive(Debug)]
pub(crate) struct Node {
    file: File,
}

impl Node {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Without blocking, so that the completion counter can be looked at;
        // WAIT does not heed it. The standard library adds O_CLOEXEC.
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self { file })
    }

    fn fd(&self) -> i32 {
        self.file.as_raw_fd()
    }

    pub(super) fn ping(&self) -> Result<(), Errno> {
        // SAFETY: the descriptor is open while `self` lives; PING carries no
        // data.
        unsafe { ioctl::ping(self.fd()) }.map(drop)
    }

    pub(super) fn version(&self) -> Result<spanker_version, Errno> {
        let mut version = spanker_version::default();
        // SAFETY: the descriptor is open; the kernel writes at most the size in
        // the request code, which is that of `version`, and any bytes are valid.
        unsafe { ioctl::get_version(self.fd(), &mut version) }?;
        Ok(version)
    }

    pub(super) fn query(&self, kind: u32, answer: &mut [u8]) -> Result<usize, Errno> {
        let mut query = spanker_query {
            type_: kind,
            size: u32::try_from(answer.len()).unwrap_or(u32::MAX),
            ptr: answer.as_mut_ptr() as usize as u64,
        };
        // SAFETY: the descriptor is open; `query` is readable and writable, and
        // the kernel writes at most `size` bytes at `ptr`, which is a borrowed
        // slice at least that long in which any bytes are valid.
        unsafe { ioctl::query(self.fd(), &mut query) }?;
        Ok(query.size as usize)
    }

    pub(super) fn buf_create(&self, create: &mut spanker_buf_create) -> Result<(), Errno> {
        // SAFETY: the descriptor is open; `create` is readable and writable for
        // the size in the request code, and any bytes in it are valid.
        unsafe { ioctl::buf_create(self.fd(), create) }.map(drop)
    }

    pub(super) fn buf_destroy(&self, destroy: &spanker_buf_destroy) -> Result<(), Errno> {
        // SAFETY: the descriptor is open; `destroy` is readable for the size in
        // the request code.
        unsafe { ioctl::buf_destroy(self.fd(), destroy) }.map(drop)
    }

    /// `ops` is what `submit` points to.
    pub(super) fn work_submit(
        &self,
        submit: &mut spanker_work_submit,
        ops: &[spanker_op],
    ) -> Result<(), Errno> {
        debug_assert_eq!(submit.ops, ops.as_ptr() as usize as u64);
        // SAFETY: the descriptor is open; `submit` is readable and writable, the
        // array it points to is borrowed and only read. Ops name memory by
        // handle, never by address.
        unsafe { ioctl::work_submit(self.fd(), submit) }.map(drop)
    }

    pub(super) fn wait(&self, wait: &mut spanker_wait) -> Result<(), Errno> {
        // SAFETY: the descriptor is open; `wait` is readable and writable for
        // the size in the request code, and any bytes in it are valid.
        unsafe { ioctl::wait(self.fd(), wait) }.map(drop)
    }

    pub(super) fn read_completed(&self) -> Result<u64, Errno> {
        let mut counter = [0; 8];
        let read = (&self.file)
            .read(&mut counter)
            .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        if read == counter.len() {
            Ok(u64::from_ne_bytes(counter))
        } else {
            Err(Errno::EIO)
        }
    }

    pub(super) fn map(&self, offset: u64, len: usize) -> Result<Memory, Errno> {
        let bytes = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
        let offset = offset.try_into().map_err(|_| Errno::EOVERFLOW)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // Not nix's, whose offset has 32 bits in a program of as many: the ABI's
        // has 64 everywhere.
        // SAFETY: the kernel chooses an address where nothing is, so no memory
        // that exists is affected.
        let start = unsafe {
            libc::mmap64(ptr::null_mut(), len, protection, libc::MAP_SHARED, self.fd(), offset)
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let start = NonNull::new(start).ok_or(Errno::EFAULT)?;
        Ok(Memory::mapped(start.cast(), bytes))
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file instead of a node: its pages have offsets too.
    #[test]
    #[cfg_attr(
        target_pointer_width = "32",
        ignore = "SKIPPED: qemu-user before 8.1 cuts such offsets off: run it with --ignored on a \
                  kernel that runs this executable"
    )]
    fn offsets_of_more_than_32_bits_reach_the_kernel() {
        let path = std::env::temp_dir().join(format!("spanker-offsets-{}", std::process::id()));
        let open = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let node = Node { file: open.unwrap() };
        std::fs::remove_file(&path).unwrap();
        let offset = 5 << 32;
        std::os::unix::fs::FileExt::write_all_at(&node.file, &[7], offset).unwrap();
        let memory = node.map(offset, 1).unwrap();
        // SAFETY: nobody else knows the file.
        let byte = unsafe { memory.bytes() };
        assert_eq!(byte, [7]);
    }
}
