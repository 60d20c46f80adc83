// SPDX-License-Identifier: Apache-2.0
//! The types that metadata values have, by their numbers.

pub(super) const U32: u32 = 4;
pub(super) const STRING: u32 = 8;
pub(super) const ARRAY: u32 = 9;

/// Bytes of a value of the type `number`; inside, none if each has its own
/// length. None if there is no such type.
pub(super) fn fixed_size(number: u32) -> Option<Option<u64>> {
    match number {
        // u8, i8, bool
        0 | 1 | 7 => Some(Some(1)),
        // u16, i16
        2 | 3 => Some(Some(2)),
        // u32, i32, f32
        4..=6 => Some(Some(4)),
        STRING | ARRAY => Some(None),
        // u64, i64, f64
        10..=12 => Some(Some(8)),
        _ => None,
    }
}
