// SPDX-License-Identifier: Apache-2.0
//! A card that answers every request at once and does nothing: the `ioctl` of
//! this program, which takes the place of the C library's. Its buffers are
//! parts of a file in memory, so that mmap is the real one.

use nix::libc::{c_int, c_ulong, c_void};
use nix::sys::memfd::{memfd_create, MFdFlags};
use spanker_sys::*;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What the file is called where open files are listed.
const NAME: &CStr = match CStr::from_bytes_with_nul(b"card\0") {
    Ok(name) => name,
    Err(_) => panic!("it ends with a NUL"),
};

/// Bytes between the places of two buffers in the file.
const SPACING: u64 = 1 << 20;

static NEXT_HANDLE: AtomicU32 = AtomicU32::new(1);
static SUBMITTED: AtomicU64 = AtomicU64::new(0);

/// The card; it is there while this value lives.
#[derive(Debug)]
pub(crate) struct Device {
    file: File,
}

impl Device {
    pub(crate) fn new() -> io::Result<Self> {
        let file = File::from(memfd_create(NAME, MFdFlags::empty())?);
        file.set_len(SPACING * 4096)?;
        Ok(Self { file })
    }

    /// The path to open it by.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// Stands in for the C library's `ioctl` in this program.
///
/// # Safety
/// As for ioctl(2): `argument` points to the struct of `request`.
#[no_mangle]
#[inline(never)]
#[allow(unreachable_pub)] // The linker reaches it.
pub unsafe extern "C" fn ioctl(_fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    match request as u32 {
        SPANKER_IOC_WORK_SUBMIT => {
            let submit = argument.cast::<spanker_work_submit>();
            let seqno = SUBMITTED.fetch_add(1, Ordering::Relaxed) + 1;
            // SAFETY: the caller's struct, as the request code says.
            unsafe { (*submit).seqno = seqno };
        }
        SPANKER_IOC_WAIT => {
            let wait = argument.cast::<spanker_wait>();
            // SAFETY: the caller's struct, as the request code says.
            unsafe { (*wait).completed = (*wait).seqno };
        }
        SPANKER_IOC_GET_VERSION => {
            let version = spanker_version { major: 0, minor: 2, patch: 0, reserved: 0 };
            // SAFETY: the caller's struct, as the request code says.
            unsafe { argument.cast::<spanker_version>().write(version) };
        }
        SPANKER_IOC_QUERY => {
            // SAFETY: the caller's struct, as the request code says; it points
            // to as much room as it says.
            unsafe { query(&mut *argument.cast::<spanker_query>()) };
        }
        SPANKER_IOC_BUF_CREATE => {
            let handle = NEXT_HANDLE.fetch_add(1, Ordering::Relaxed);
            let create = argument.cast::<spanker_buf_create>();
            // SAFETY: the caller's struct, as the request code says.
            unsafe {
                (*create).handle = handle;
                (*create).mmap_offset = u64::from(handle) * SPACING;
            }
        }
        _ => {}
    }
    0
}

/// # Safety
/// `query.ptr` has room for `query.size` bytes.
unsafe fn query(query: &mut spanker_query) {
    let info = spanker_device_info {
        mem_size: u64::MAX,
        max_buf_size: SPACING,
        max_ops: 4096,
        max_inflight: 1024,
        max_bufs: 4096,
        max_m: 1 << 20,
        max_n: 1 << 20,
        max_k: 1 << 20,
        ..Default::default()
    };
    if query.type_ == SPANKER_QUERY_DEVICE && query.size as usize >= info.bytes().len() {
        // SAFETY: the caller promises the room.
        unsafe { (query.ptr as usize as *mut spanker_device_info).write_unaligned(info) };
    }
}
