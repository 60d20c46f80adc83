// SPDX-License-Identifier: Apache-2.0
//! Sizes and alignments of ABI 0.2.0, asserted wherever the crate is compiled.
//! The numbers are those of the specification and not of bindgen, so a mirror
//! that is wrong for a target does not compile there.

use crate::mirror::*;
use core::mem::{align_of, size_of};

macro_rules! assert_layouts {
    ($($name:ident: $size:literal bytes, aligned as $aligned_as:ty;)*) => {
        $(
            const _: () = assert!(
                size_of::<$name>() == $size,
                concat!("size of struct ", stringify!($name), " is not ", stringify!($size)),
            );
            const _: () = assert!(
                align_of::<$name>() == align_of::<$aligned_as>(),
                concat!("alignment of struct ", stringify!($name), " is not that of ", stringify!($aligned_as)),
            );
        )*

        /// Every struct whose layout is asserted.
        #[cfg(test)]
        pub(crate) const ASSERTED: &[&str] = &[$(stringify!($name)),*];
    };
}

assert_layouts! {
    spanker_version: 8 bytes, aligned as u16;
    spanker_query: 16 bytes, aligned as u64;
    spanker_device_info: 128 bytes, aligned as u64;
    spanker_matmul_cap: 16 bytes, aligned as u32;
    spanker_context_info: 32 bytes, aligned as u64;
    spanker_telemetry: 72 bytes, aligned as u64;
    spanker_buf_create: 24 bytes, aligned as u64;
    spanker_buf_destroy: 8 bytes, aligned as u32;
    spanker_operand: 24 bytes, aligned as u64;
    spanker_op: 96 bytes, aligned as u64;
    spanker_work_submit: 32 bytes, aligned as u64;
    spanker_wait: 32 bytes, aligned as u64;
    spanker_block_q4_k: 144 bytes, aligned as u16;
    spanker_block_q8_k: 292 bytes, aligned as u32;
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::ASSERTED;
    use crate::header;
    use std::vec::Vec;

    #[test]
    fn every_struct_of_the_header_is_asserted() {
        let mut declared: Vec<&str> = header::TEXT
            .lines()
            .filter_map(|line| line.strip_prefix("struct ")?.strip_suffix(" {"))
            .collect();
        let mut asserted = ASSERTED.to_vec();
        declared.sort_unstable();
        asserted.sort_unstable();
        assert_eq!(declared, asserted);
    }
}
