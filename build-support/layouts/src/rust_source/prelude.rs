// SPDX-License-Identifier: Apache-2.0
// What the generated facts are written with. It is part of a text that is
// compiled by itself, without the standard library, for any target.

trait Number {
    const SIGNED: u64;
}

macro_rules! numbers {
    ($signed:literal: $($number:ty)*) => { $(impl Number for $number { const SIGNED: u64 = $signed; })* };
}
numbers! { 0: u8 u16 u32 u64 }
numbers! { 1: i8 i16 i32 i64 f32 f64 }

/// Of what the pointer made by `at` points to; `at` is never called.
const fn size<S, T>(_at: fn(*const S) -> *const T) -> u64 {
    core::mem::size_of::<T>() as u64
}

/// Of what the pointer made by `at` points to; `at` is never called.
const fn signed<S, T: Number>(_at: fn(*const S) -> *const T) -> u64 {
    T::SIGNED
}

/// Checks that a field is the struct that it is in C.
const fn is<S, T>(_at: fn(*const S) -> *const T) {}

macro_rules! at {
    ($of:ident, $($place:tt)+) => {
        // SAFETY: this is never called.
        |s: *const mirror::$of| unsafe { core::ptr::addr_of!((*s).$($place)+) }
    };
}

macro_rules! offset {
    ($of:ident, $field:ident) => {{
        let value = core::mem::MaybeUninit::<mirror::$of>::uninit();
        let begin = value.as_ptr();
        // SAFETY: both pointers are into `value`, and nothing is read.
        unsafe {
            core::ptr::addr_of!((*begin).$field).cast::<u8>().offset_from(begin.cast::<u8>()) as u64
        }
    }};
}
