// SPDX-License-Identifier: Apache-2.0
//! The struct of a request: how it comes in and goes out when the caller's is
//! longer than the device's.

use crate::memory::UserMemory;
use nix::errno::Errno;
use spanker_sys::Plain;
use std::mem::size_of;

/// The caller's struct. Dispatch has checked that it is no shorter than the
/// first version, which for every struct is still the only one.
pub(super) struct Argument<'a> {
    pub(super) memory: &'a mut dyn UserMemory,
    pub(super) address: u64,
    /// Bytes, as the request code says.
    pub(super) size: usize,
}

/// Bytes of an unknown tail looked at in one go.
const TAIL_STEP: usize = 256;

impl Argument<'_> {
    /// Copies the struct in. The tail is read now, with the struct, and judged
    /// by [`Tail::check`], so that a request can write what it writes always.
    ///
    /// # Errors
    /// EFAULT.
    pub(super) fn read<T: Plain + Default>(&mut self) -> Result<(T, Tail), Errno> {
        let mut value = T::default();
        self.copy_in(self.address, value.bytes_mut())?;
        let mut zero = true;
        let mut done = size_of::<T>();
        while done < self.size {
            let mut step = [0; TAIL_STEP];
            let step = &mut step[..TAIL_STEP.min(self.size - done)];
            self.copy_in(self.address.wrapping_add(done as u64), step)?;
            zero &= step.iter().all(|byte| *byte == 0);
            done += step.len();
        }
        Ok((value, Tail { zero }))
    }

    /// Copies the struct out; the tail stays as it is.
    ///
    /// # Errors
    /// EFAULT.
    pub(super) fn write<T: Plain>(&mut self, value: &T) -> Result<(), Errno> {
        self.copy_out(self.address, value.bytes())
    }

    /// Copies the struct out, and zeroes for the caller what this device does
    /// not know.
    ///
    /// # Errors
    /// EFAULT.
    pub(super) fn write_zeroing_tail<T: Plain>(&mut self, value: &T) -> Result<(), Errno> {
        self.write(value)?;
        let mut done = size_of::<T>();
        while done < self.size {
            let step = TAIL_STEP.min(self.size - done);
            self.copy_out(self.address.wrapping_add(done as u64), &[0; TAIL_STEP][..step])?;
            done += step;
        }
        Ok(())
    }

    /// # Errors
    /// EFAULT.
    pub(super) fn copy_in(&mut self, address: u64, into: &mut [u8]) -> Result<(), Errno> {
        self.memory.read(address, into).map_err(|_| Errno::EFAULT)
    }

    /// # Errors
    /// EFAULT.
    pub(super) fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), Errno> {
        self.memory.write(address, from).map_err(|_| Errno::EFAULT)
    }
}

/// What stood behind the part of a struct that this device knows.
#[must_use]
pub(super) struct Tail {
    zero: bool,
}

impl Tail {
    /// # Errors
    /// E2BIG if it is not zero.
    pub(super) fn check(&self) -> Result<(), Errno> {
        if self.zero {
            Ok(())
        } else {
            Err(Errno::E2BIG)
        }
    }
}
