// SPDX-License-Identifier: Apache-2.0
//! Memory that is not this device's own: the caller's, and buffers that the
//! caller may have mapped. This crate's unsafe code is here, but for
//! the opening of a descriptor in `event.rs`.

mod process;
mod slices;
mod storage;

pub use process::ProcessMemory;
pub use slices::Slices;
pub(crate) use storage::{page_size, Storage};

/// An address range that cannot be read or written: EFAULT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAddress;

/// The memory of whoever makes a request, as a kernel sees it: reached by
/// address, and only by copying.
///
/// It is asked while the device holds locks, so it must not make requests of
/// its own, and others wait for it.
pub trait UserMemory {
    /// Fills `into` with the bytes at `address`.
    ///
    /// # Errors
    /// [`BadAddress`] if any of them cannot be read.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BadAddress>;

    /// Writes `from` to `address`.
    ///
    /// # Errors
    /// [`BadAddress`] if any byte cannot be written; some may have been.
    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BadAddress>;
}
