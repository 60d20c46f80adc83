// SPDX-License-Identifier: Apache-2.0
//! Structs that one language writes and the other reads, through the same
//! memory. What the languages share is the order of the numbers in a struct,
//! and a seed.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::{addr_of, addr_of_mut};

/// A way through all numbers of a struct.
#[derive(Debug, Default)]
pub struct Way {
    seed: u64,
    /// The numbers, widened to 64 bits with their sign.
    seen: Vec<i64>,
}

impl Way {
    /// `splitmix64`, as in the C: numbers that differ in every byte.
    fn next(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A number, or what is made of numbers, in their order in the header.
pub trait Leaves {
    /// Writes the next numbers.
    fn write(&mut self, way: &mut Way);
    /// Reads all numbers.
    fn read(&self, way: &mut Way);
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Leaves for $number {
            fn write(&mut self, way: &mut Way) {
                *self = way.next() as Self;
                self.read(way);
            }

            fn read(&self, way: &mut Way) {
                #[allow(clippy::cast_lossless, clippy::unnecessary_cast)] // Of all widths.
                way.seen.push(*self as i64);
            }
        })*
    };
}

numbers! { u8 u16 u32 u64 i8 i16 i32 i64 }

impl<T: Leaves, const N: usize> Leaves for [T; N] {
    fn write(&mut self, way: &mut Way) {
        self.iter_mut().for_each(|element| element.write(way));
    }

    fn read(&self, way: &mut Way) {
        self.iter().for_each(|element| element.read(way));
    }
}

/// What C does with one struct.
#[derive(Debug)]
#[repr(C)]
pub struct InC {
    size: usize,
    write: unsafe extern "C" fn(*mut c_void, *mut WayInC),
    read: unsafe extern "C" fn(*const c_void, *mut WayInC),
}

#[derive(Debug)]
#[repr(C)]
struct WayInC {
    seed: u64,
    seen: *mut i64,
    count: usize,
}

/// What Rust does with one struct: has C write it and read it, with a seed.
pub type InRust = fn(&InC, u64) -> Result<Exchanged, String>;

/// The numbers of a struct as each language saw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// Written in C, as C saw them.
    pub written_in_c: Vec<i64>,
    /// The same, as Rust read them.
    pub read_in_rust: Vec<i64>,
    /// Written in Rust, as Rust saw them.
    pub written_in_rust: Vec<i64>,
    /// The same, as C read them.
    pub read_in_c: Vec<i64>,
}

/// C writes a `T` and Rust reads it, then the other way round.
///
/// # Errors
/// The languages do not agree on its size, so that C would write beyond it.
pub fn exchange<T: Leaves + Default>(c: &InC, seed: u64) -> Result<Exchanged, String> {
    if c.size != size_of::<T>() {
        return Err(format!("{} bytes in C, {} in Rust", c.size, size_of::<T>()));
    }
    let mut value = T::default();
    let written_in_c = in_c(c.size, seed, |way| {
        // SAFETY: `value` is exclusive and of the size that C writes; `way` has
        // room for its numbers.
        unsafe { (c.write)(addr_of_mut!(value).cast(), way) };
    });
    let mut read = Way::default();
    value.read(&mut read);

    let mut value = T::default();
    let mut written = Way { seed: !seed, seen: Vec::new() };
    value.write(&mut written);
    let read_in_c = in_c(c.size, 0, |way| {
        // SAFETY: `value` is of the size that C reads; `way` has room for its
        // numbers.
        unsafe { (c.read)(addr_of!(value).cast(), way) };
    });
    Ok(Exchanged {
        written_in_c,
        read_in_rust: read.seen,
        written_in_rust: written.seen,
        read_in_c,
    })
}

/// The numbers that C saw on its way: at most one for each byte.
fn in_c(size: usize, seed: u64, go: impl FnOnce(*mut WayInC)) -> Vec<i64> {
    let mut seen = vec![0; size];
    let mut way = WayInC { seed, seen: seen.as_mut_ptr(), count: 0 };
    go(&mut way);
    seen.truncate(way.count);
    seen
}
