// SPDX-License-Identifier: Apache-2.0
//! Caller memory that is known by borrow.

use super::{BadAddress, UserMemory};

/// The memory of a caller in the same process who hands over just the slices
/// that a request may touch. Their addresses are their real ones; everything
/// else is a bad address.
#[derive(Debug)]
pub struct Slices<'a> {
    argument: &'a mut [u8],
    input: &'a [u8],
    output: &'a mut [u8],
}

impl<'a> Slices<'a> {
    /// Just the struct of the request, readable and writable.
    pub fn new(argument: &'a mut [u8]) -> Self {
        Self { argument, input: &[], output: &mut [] }
    }

    /// Also an array that the struct points to, readable.
    #[must_use]
    pub fn with_input(mut self, input: &'a [u8]) -> Self {
        self.input = input;
        self
    }

    /// Also room that the struct points to, writable.
    #[must_use]
    pub fn with_output(mut self, output: &'a mut [u8]) -> Self {
        self.output = output;
        self
    }
}

impl UserMemory for Slices<'_> {
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BadAddress> {
        let from = [&*self.argument, self.input]
            .into_iter()
            .find_map(|slice| slice.get(range(slice, address, into.len())?))
            .ok_or(BadAddress)?;
        into.copy_from_slice(from);
        Ok(())
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BadAddress> {
        let into = [&mut *self.argument, &mut *self.output]
            .into_iter()
            .find_map(|slice| {
                let range = range(slice, address, from.len())?;
                slice.get_mut(range)
            })
            .ok_or(BadAddress)?;
        into.copy_from_slice(from);
        Ok(())
    }
}

/// Where `len` bytes at `address` are in `slice`, if they begin in it.
fn range(slice: &[u8], address: u64, len: usize) -> Option<std::ops::Range<usize>> {
    let start = address.checked_sub(slice.as_ptr() as usize as u64)?;
    let start = usize::try_from(start).ok()?;
    Some(start..start.checked_add(len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(slice: &[u8]) -> u64 {
        slice.as_ptr() as usize as u64
    }

    #[test]
    fn only_the_slices_are_reachable() {
        let (mut argument, input, mut output) = ([1_u8, 2, 3, 4], [5_u8, 6], [0_u8; 2]);
        let (a, i, o) = (address(&argument), address(&input), address(&output));
        let mut memory = Slices::new(&mut argument).with_input(&input).with_output(&mut output);
        let mut two = [0; 2];
        assert_eq!(memory.read(a + 2, &mut two), Ok(()));
        assert_eq!(two, [3, 4]);
        assert_eq!(memory.read(i, &mut two), Ok(()));
        assert_eq!(two, [5, 6]);
        assert_eq!(memory.read(a + 3, &mut two), Err(BadAddress));
        assert_eq!(memory.read(0, &mut two), Err(BadAddress));
        assert_eq!(memory.read(u64::MAX, &mut two), Err(BadAddress));
        assert_eq!(memory.write(i, &two), Err(BadAddress), "input is read-only");
        assert_eq!(memory.write(a, &[9]), Ok(()));
        assert_eq!(memory.write(o + 1, &[7]), Ok(()));
        assert_eq!((argument[0], output), (9, [0, 7]));
    }
}
