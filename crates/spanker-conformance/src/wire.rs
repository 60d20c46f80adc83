// SPDX-License-Identifier: Apache-2.0
//! The structs of the ABI as bytes, field by field, so that the mirror's own
//! layout is not trusted.

use spanker_sys::{
    spanker_buf_create, spanker_buf_destroy, spanker_context_info, spanker_device_info,
    spanker_matmul_cap, spanker_op, spanker_operand, spanker_query, spanker_telemetry,
    spanker_version, spanker_wait, spanker_work_submit,
};

/// A value with one representation in bytes: integers in the host's order,
/// structs as their fields one after another.
pub trait Wire: Sized {
    /// Bytes of every value.
    const SIZE: usize;

    /// Appends the bytes of the value.
    fn put(&self, bytes: &mut Vec<u8>);

    /// Takes a value off the front.
    fn take(bytes: &mut &[u8]) -> Self;
}

/// The bytes of a value.
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(T::SIZE);
    value.put(&mut bytes);
    bytes
}

/// The value that starts `bytes`. What follows it is not looked at.
pub fn decode<T: Wire>(mut bytes: &[u8]) -> T {
    T::take(&mut bytes)
}

/// All values in `bytes`, which hold a whole number of them.
pub fn decode_all<T: Wire>(bytes: &[u8]) -> Vec<T> {
    assert_eq!(bytes.len() % T::SIZE, 0, "{} bytes are no array of {}", bytes.len(), T::SIZE);
    bytes.chunks_exact(T::SIZE).map(decode).collect()
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Wire for $integer {
            const SIZE: usize = std::mem::size_of::<$integer>();

            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_ne_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Self {
                let (head, rest) = bytes.split_at(Self::SIZE);
                *bytes = rest;
                <$integer>::from_ne_bytes(head.try_into().expect("split at its size"))
            }
        }
    )*};
}

integers!(u16 u32 u64 i64);

impl<const N: usize> Wire for [u8; N] {
    const SIZE: usize = N;

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn take(bytes: &mut &[u8]) -> Self {
        let (head, rest) = bytes.split_at(N);
        *bytes = rest;
        head.try_into().expect("split at its size")
    }
}

macro_rules! structs {
    ($($name:ident: $size:literal { $($field:ident),* })*) => {$(
        impl Wire for $name {
            const SIZE: usize = $size;

            fn put(&self, bytes: &mut Vec<u8>) {
                let start = bytes.len();
                $(self.$field.put(bytes);)*
                assert_eq!(bytes.len() - start, $size, stringify!($name));
            }

            fn take(bytes: &mut &[u8]) -> Self {
                $name { $($field: Wire::take(bytes)),* }
            }
        }
    )*};
}

structs! {
    spanker_version: 8 { major, minor, patch, reserved }
    spanker_query: 16 { type_, size, ptr }
    spanker_device_info: 128 {
        card_index, flags, pci_vendor, pci_device, pci_subvendor, pci_subdevice, pci_domain,
        pci_bdf, uuid, name, features, mem_size, max_buf_size, max_ops, max_inflight, max_bufs,
        operand_align, max_m, max_n, max_k, reserved
    }
    spanker_matmul_cap: 16 { a_type, b_type, out_type, flags }
    spanker_context_info: 32 { submitted, completed, fault_seqno, fault_op, fault_code }
    spanker_telemetry: 72 {
        time_ns, busy_ns, ops, batches, bytes_in, bytes_out, faults, resets, mem_used
    }
    spanker_buf_create: 24 { size, flags, handle, mmap_offset }
    spanker_buf_destroy: 8 { handle, flags }
    spanker_operand: 24 { handle, type_, offset, row_stride }
    spanker_op: 96 { opcode, flags, m, n, k, reserved, a, b, out }
    spanker_work_submit: 32 { ops, op_count, op_stride, flags, bad_op, seqno }
    spanker_wait: 32 { seqno, deadline_ns, flags, reserved, completed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_op_is_96_bytes_in_the_order_of_its_fields() {
        let op = spanker_op {
            opcode: 1,
            reserved: 2,
            a: spanker_operand { handle: 3, ..Default::default() },
            out: spanker_operand { row_stride: 4, ..Default::default() },
            ..Default::default()
        };
        let bytes = encode(&op);
        assert_eq!(bytes.len(), 96);
        assert_eq!(decode::<u32>(&bytes[20..]), 2);
        assert_eq!(decode::<u32>(&bytes[24..]), 3);
        assert_eq!(decode::<u64>(&bytes[88..]), 4);
        assert_eq!(decode::<spanker_op>(&bytes), op);
    }
}
