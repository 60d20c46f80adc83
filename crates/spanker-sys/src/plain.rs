// SPDX-License-Identifier: Apache-2.0
//! ABI structs seen as bytes. The only unsafe code of this crate that is not
//! generated, kept beside the layouts it relies on.

use crate::mirror::*;
use core::mem::{size_of, size_of_val};
use core::slice;

/// A type without padding for which every byte pattern is a value: it can be
/// seen as bytes and filled from bytes. All structs of the ABI are.
///
/// # Safety
/// Both must be true of the type.
pub unsafe trait Plain: Copy + 'static {
    /// The bytes of this value.
    fn bytes(&self) -> &[u8] {
        Self::slice_bytes(slice::from_ref(self))
    }

    /// The bytes of this value, to be written.
    fn bytes_mut(&mut self) -> &mut [u8] {
        Self::slice_bytes_mut(slice::from_mut(self))
    }

    /// The bytes of all values of a slice.
    fn slice_bytes(values: &[Self]) -> &[u8] {
        // SAFETY: the slice is live and borrowed for as long as the result; no
        // byte of it is padding, so all are initialised.
        unsafe { slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
    }

    /// The bytes of all values of a slice, to be written.
    fn slice_bytes_mut(values: &mut [Self]) -> &mut [u8] {
        let len = size_of_val(values);
        // SAFETY: as in `slice_bytes`; the borrow is exclusive, and whatever is
        // written is a value of the type.
        unsafe { slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
    }

    /// Bytes as values, if they are aligned for them and a whole number.
    fn from_bytes(bytes: &[u8]) -> Option<&[Self]> {
        // SAFETY: every byte pattern is a value of the type.
        let (before, values, after) = unsafe { bytes.align_to::<Self>() };
        (before.is_empty() && after.is_empty()).then_some(values)
    }

    /// Bytes as values to be written, if they are aligned for them and a whole
    /// number.
    fn from_bytes_mut(bytes: &mut [u8]) -> Option<&mut [Self]> {
        // SAFETY: every byte pattern is a value of the type, and every value is
        // initialised bytes.
        let (before, values, after) = unsafe { bytes.align_to_mut::<Self>() };
        (before.is_empty() && after.is_empty()).then_some(values)
    }
}

macro_rules! plain {
    ($($name:ty: $($field_bytes:literal)+;)*) => {
        $(
            const _: () = assert!(size_of::<$name>() == 0 $(+ $field_bytes)+);
            // SAFETY: an integer or float, or a struct of integers and arrays
            // of them whose sizes, as the line above shows, add up to its own:
            // there is no padding, and every byte pattern is a value.
            unsafe impl Plain for $name {}
        )*
    };
}

plain! {
    u8: 1;
    u32: 4;
    u64: 8;
    f32: 4;
    spanker_version: 2 2 2 2;
    spanker_query: 4 4 8;
    spanker_device_info: 4 4 2 2 2 2 4 4 16 32 8 8 8 4 4 4 4 4 4 4 4;
    spanker_matmul_cap: 4 4 4 4;
    spanker_context_info: 8 8 8 4 4;
    spanker_telemetry: 8 8 8 8 8 8 8 8 8;
    spanker_buf_create: 8 4 4 8;
    spanker_buf_destroy: 4 4;
    spanker_operand: 4 4 8 8;
    spanker_op: 4 4 4 4 4 4 24 24 24;
    spanker_work_submit: 8 4 4 4 4 8;
    spanker_wait: 8 8 4 4 8;
    spanker_block_q4_k: 2 2 12 128;
    spanker_block_q8_k: 4 256 32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_value_and_back() {
        let mut version = spanker_version { major: 1, minor: 2, patch: 3, reserved: 4 };
        let mut expected = [0; 8];
        for (bytes, field) in expected.chunks_exact_mut(2).zip([1_u16, 2, 3, 4]) {
            bytes.copy_from_slice(&field.to_ne_bytes());
        }
        assert_eq!(version.bytes(), expected);
        version.bytes_mut()[..2].copy_from_slice(&9_u16.to_ne_bytes());
        assert_eq!(version.major, 9);
    }

    #[test]
    fn bytes_that_are_not_whole_aligned_values_are_refused() {
        let words = [1_u32, 2, 3];
        let bytes = u32::slice_bytes(&words);
        assert_eq!(u32::from_bytes(bytes), Some(&words[..]));
        assert_eq!(u32::from_bytes(&bytes[..7]), None);
        assert_eq!(u32::from_bytes(&bytes[1..5]), None);
    }
}
