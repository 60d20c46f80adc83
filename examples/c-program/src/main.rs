// SPDX-License-Identifier: Apache-2.0
//! A C program against the header of the ABI, on a card or on the software Sail:
//!
//! ```text
//! cargo run --manifest-path examples/c-program/Cargo.toml
//! cargo run --manifest-path examples/c-program/Cargo.toml -- /dev/spanker0
//! ```
//!
//! The C is `multiply.c`; `build.rs` compiles it with the folder of the header
//! that spanker-sys tells in `DEP_SPANKER_INCLUDE`. With the path of a node it
//! makes the system calls itself, and nothing here does more than start it.
//! Without one, its requests go to a software Sail in this process, by the two
//! functions below. A program without Rust needs `multiply.c` and the header.

use spanker_soft::{Config, File, Machine, Mapping, ProcessMemory, Protection, Sharing};
use std::env;
use std::error::Error;
use std::ffi::{c_char, c_int, c_uint, c_void, CString};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::ptr::{addr_of_mut, null_mut};

/// `struct sail` of multiply.h.
#[repr(C)]
struct Sail {
    device: *mut c_void,
    request: unsafe extern "C" fn(*mut c_void, c_uint, *mut c_void) -> c_int,
    map: unsafe extern "C" fn(*mut c_void, u64, usize) -> *mut c_void,
}

extern "C" {
    fn multiply(sail: *const Sail) -> c_int;
    fn multiply_on_card(path: *const c_char) -> c_int;
}

/// An open of the software Sail, as C sees it through `struct sail`.
struct Device {
    file: File,
    memory: ProcessMemory,
    /// What C has mapped stays so as long as this does.
    mappings: Vec<Mapping>,
}

/// ioctl(2)
///
/// # Safety
/// `device` is a [`Device`] that nobody else uses meanwhile, and `argument` the
/// struct that belongs to `code`.
unsafe extern "C" fn request(device: *mut c_void, code: c_uint, argument: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    let device = unsafe { &mut *device.cast::<Device>() };
    match device.file.request(&mut device.memory, code, argument as usize as u64) {
        Ok(()) => 0,
        Err(errno) => -(errno as c_int),
    }
}

/// mmap(2)
///
/// # Safety
/// `device` is a [`Device`] that nobody else uses meanwhile.
unsafe extern "C" fn map(device: *mut c_void, offset: u64, length: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let device = unsafe { &mut *device.cast::<Device>() };
    match device.file.mmap(offset, length as u64, Protection::READ_WRITE, Sharing::Shared) {
        Ok(mapping) => {
            let bytes = mapping.as_ptr().cast();
            device.mappings.push(mapping);
            bytes
        }
        Err(_) => null_mut(),
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let outcome = match env::args_os().nth(1) {
        Some(path) => {
            let path = CString::new(path.into_vec())?;
            // SAFETY: a string that ends with 0 and outlives the call.
            unsafe { multiply_on_card(path.as_ptr()) }
        }
        None => multiply_on_software()?,
    };
    Ok(if outcome == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn multiply_on_software() -> Result<c_int, Box<dyn Error>> {
    let machine = Machine::new(Config::default())?;
    // SAFETY: requests are made by `multiply` only, which gives them structs and
    // pointers of its own, to be written as the header says.
    let memory = unsafe { ProcessMemory::new() };
    let mut device = Device { file: machine.open_card(0)?, memory, mappings: Vec::new() };
    let sail = Sail { device: addr_of_mut!(device).cast(), request, map };
    // SAFETY: `sail` is what the C declares, and it and the device in it outlive
    // the call and are used by nobody else during it.
    Ok(unsafe { multiply(&sail) })
}
