// SPDX-License-Identifier: Apache-2.0
//! Any address of this process, checked by the kernel.

use super::{BadAddress, UserMemory};
use nix::errno::Errno;
use nix::libc;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The whole address space of this process. Addresses come from outside and
/// may be anything: the kernel copies, and says so where it cannot.
#[derive(Debug)]
pub struct ProcessMemory {
    /// Used where the kernel has no `process_vm_readv`, as under qemu-user.
    sockets: Option<(UnixStream, UnixStream)>,
}

/// Bytes that a socket takes without blocking when nothing waits in it.
const SOCKET_ROOM: usize = 4096;

impl ProcessMemory {
    /// Access to this process's memory.
    ///
    /// # Safety
    /// Where a request that is made with it is told to write, there must be
    /// memory that the caller may have written just so, or none that can be
    /// written at all.
    pub unsafe fn new() -> Self {
        Self { sockets: None }
    }

    fn sockets(&mut self) -> Result<&mut (UnixStream, UnixStream), BadAddress> {
        if self.sockets.is_none() {
            self.sockets = Some(UnixStream::pair().map_err(|_| BadAddress)?);
        }
        self.sockets.as_mut().ok_or(BadAddress)
    }

    fn read_by_socket(&mut self, base: usize, into: &mut [u8]) -> Result<(), BadAddress> {
        let (reader, writer) = self.sockets()?;
        for (i, chunk) in into.chunks_mut(SOCKET_ROOM).enumerate() {
            let from = base.checked_add(i * SOCKET_ROOM).ok_or(BadAddress)?;
            // SAFETY: write(2) only reads memory, and answers EFAULT where it
            // cannot; it is asked for no more than an empty socket takes.
            let moved = unsafe { libc::write(writer.as_raw_fd(), from as *const _, chunk.len()) };
            let taken = usize::try_from(moved).map_err(|_| BadAddress)?;
            let got = reader.read(chunk).map_err(|_| BadAddress)?;
            if taken != chunk.len() || got != chunk.len() {
                return Err(BadAddress);
            }
        }
        Ok(())
    }

    fn write_by_socket(&mut self, base: usize, from: &[u8]) -> Result<(), BadAddress> {
        let (reader, writer) = self.sockets()?;
        for (i, chunk) in from.chunks(SOCKET_ROOM).enumerate() {
            let into = base.checked_add(i * SOCKET_ROOM).ok_or(BadAddress)?;
            writer.write_all(chunk).map_err(|_| BadAddress)?;
            // SAFETY: what can be written there may be, as whoever made this
            // value has promised; elsewhere the kernel answers EFAULT.
            let moved = unsafe { libc::read(reader.as_raw_fd(), into as *mut _, chunk.len()) };
            if usize::try_from(moved).ok() != Some(chunk.len()) {
                // What is left in the socket must not reach the next reader.
                self.sockets = None;
                return Err(BadAddress);
            }
        }
        Ok(())
    }
}

/// Whether the kernel refuses the call itself and not the address.
fn call_is_missing(errno: Errno) -> bool {
    matches!(errno, Errno::ENOSYS | Errno::EPERM)
}

/// So many bytes from an address on.
fn range(base: *mut libc::c_void, len: usize) -> libc::iovec {
    libc::iovec { iov_base: base, iov_len: len }
}

fn this_process() -> libc::pid_t {
    // The kernel's own numbers fit.
    std::process::id() as libc::pid_t
}

impl UserMemory for ProcessMemory {
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BadAddress> {
        let base = usize::try_from(address).map_err(|_| BadAddress)?;
        if into.is_empty() {
            return Ok(());
        }
        let local = range(into.as_mut_ptr().cast(), into.len());
        let remote = range(base as *mut _, into.len());
        // SAFETY: the kernel writes to the slice that `local` is, which is borrowed for this; it
        // reads what `remote` is if it can be read.
        let copied = unsafe { libc::process_vm_readv(this_process(), &local, 1, &remote, 1, 0) };
        match Errno::result(copied) {
            Ok(copied) if usize::try_from(copied) == Ok(into.len()) => Ok(()),
            Err(errno) if call_is_missing(errno) => self.read_by_socket(base, into),
            _ => Err(BadAddress),
        }
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BadAddress> {
        let base = usize::try_from(address).map_err(|_| BadAddress)?;
        if from.is_empty() {
            return Ok(());
        }
        let local = range(from.as_ptr().cast_mut().cast(), from.len());
        let remote = range(base as *mut _, from.len());
        // SAFETY: the kernel only reads the slice that `local` is; what `remote` is and can be
        // written may be, as whoever made this value has promised.
        let copied = unsafe { libc::process_vm_writev(this_process(), &local, 1, &remote, 1, 0) };
        match Errno::result(copied) {
            Ok(copied) if usize::try_from(copied) == Ok(from.len()) => Ok(()),
            Err(errno) if call_is_missing(errno) => self.write_by_socket(base, from),
            _ => Err(BadAddress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(slice: &[u8]) -> u64 {
        slice.as_ptr() as usize as u64
    }

    type Read = fn(&mut ProcessMemory, u64, &mut [u8]) -> Result<(), BadAddress>;
    type Write = fn(&mut ProcessMemory, u64, &[u8]) -> Result<(), BadAddress>;

    /// Both ways there are to the memory.
    const WAYS: [(Read, Write); 2] = [
        (UserMemory::read, UserMemory::write),
        (
            |memory, address, into| memory.read_by_socket(address as usize, into),
            |memory, address, from| memory.write_by_socket(address as usize, from),
        ),
    ];

    #[test]
    fn reads_and_writes_what_is_there() {
        for (read, write) in WAYS {
            // SAFETY: what is written to below are buffers of the test.
            let mut memory = unsafe { ProcessMemory::new() };
            let source: Vec<u8> = (0..10_000).map(|i| i as u8).collect();
            let mut copy = vec![0; source.len()];
            assert_eq!(read(&mut memory, address(&source), &mut copy), Ok(()));
            assert_eq!(copy, source);
            let target = vec![0; source.len()];
            assert_eq!(write(&mut memory, address(&target), &source), Ok(()));
            assert_eq!(target, source);
        }
    }

    #[test]
    fn what_is_not_mapped_is_a_bad_address_and_the_next_request_is_sound() {
        for (read, write) in WAYS {
            // SAFETY: what is written to below are buffers of the test.
            let mut memory = unsafe { ProcessMemory::new() };
            let mut bytes = [1; 8];
            assert_eq!(read(&mut memory, 8, &mut bytes), Err(BadAddress));
            assert_eq!(write(&mut memory, 8, &bytes), Err(BadAddress));
            let source = [7_u8; 8];
            assert_eq!(read(&mut memory, address(&source), &mut bytes), Ok(()));
            assert_eq!(bytes, source);
        }
    }
}
