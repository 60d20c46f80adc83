// SPDX-License-Identifier: Apache-2.0
//! The devices there are.

use super::boundary::guard;
use super::device::{self, Device};
use super::ggml;
use super::host::{self, Host};
use super::sails;
use super::stream;
use std::ffi::{c_char, c_void, CStr};
use std::ptr;
use std::sync::OnceLock;

/// All devices, for good: ggml keeps pointers to them.
struct Registry {
    /// What ggml has a pointer to; its context is this.
    ffi: ggml::Registry,
    devices: Vec<&'static Device>,
}

// SAFETY: its only pointer is to itself, it lives for good and is not written
// once it is in REGISTRY.
unsafe impl Send for Registry {}
// SAFETY: as above.
unsafe impl Sync for Registry {}

static REGISTRY: OnceLock<Option<&'static Registry>> = OnceLock::new();

/// The devices for the ggml of this process, or NULL if it is none that this was
/// built for, or there is no Sail to be had. Sails are opened when it is first
/// asked.
pub(super) fn registry() -> *const ggml::Registry {
    let Ok(host) = host::find() else {
        return ptr::null();
    };
    let registry = REGISTRY.get_or_init(|| open(host));
    registry.map_or(ptr::null(), |registry| ptr::addr_of!(registry.ffi))
}

fn open(host: &'static Host) -> Option<&'static Registry> {
    let no_sail =
        |why: &str| host::log_error(&format!("no Sail is used{why}: the CPU computes all"));
    let names = sails::from_environment().map_err(|error| no_sail(&format!(" ({error})"))).ok()?;
    let cards: Vec<_> =
        names.into_iter().filter_map(|name| Some((device::open(&name)?, name))).collect();
    if cards.is_empty() {
        no_sail("");
        return None;
    }
    let ffi =
        ggml::Registry { api_version: ggml::API_VERSION, iface: CALLS, context: ptr::null_mut() };
    let registry = Box::into_raw(Box::new(Registry { ffi, devices: Vec::new() }));
    let devices = |ffi| {
        let indexed = cards.into_iter().enumerate();
        indexed
            .map(|(index, (card, name))| {
                Device::new(card, move || device::open(&name), index, host, ffi)
            })
            .collect()
    };
    // SAFETY: nobody else knows it yet, and it is never freed.
    unsafe {
        (*registry).ffi.context = registry.cast();
        (*registry).devices = devices(ptr::addr_of!((*registry).ffi));
        Some(&*registry)
    }
}

pub(super) const CALLS: ggml::RegistryCalls =
    ggml::RegistryCalls { get_name, get_device_count, get_device, get_proc_address };

// SAFETY of what follows: ggml calls each with the registry that the table is of,
// and with strings.

/// # Safety
/// ggml gives back what [`Registry::ffi`] is.
unsafe fn from_ggml(registry: *const ggml::Registry) -> &'static Registry {
    // SAFETY: its context is the registry, which lives for good.
    unsafe { &*(*registry).context.cast::<Registry>() }
}

unsafe extern "C" fn get_name(_: *const ggml::Registry) -> *const c_char {
    b"Spanker\0".as_ptr().cast()
}

unsafe extern "C" fn get_device_count(registry: *const ggml::Registry) -> usize {
    // SAFETY: see above.
    guard(|| 0, || unsafe { from_ggml(registry) }.devices.len())
}

unsafe extern "C" fn get_device(
    registry: *const ggml::Registry,
    index: usize,
) -> *const ggml::Device {
    let get = || {
        // SAFETY: see above.
        let device = unsafe { from_ggml(registry) }.devices.get(index);
        device.map_or(ptr::null(), |device| ptr::addr_of!(device.ffi))
    };
    guard(ptr::null, get)
}

/// What ggml has no place for in its tables. The programs look for it by name.
unsafe extern "C" fn get_proc_address(
    _: *const ggml::Registry,
    name: *const c_char,
) -> *mut c_void {
    let get = || {
        // SAFETY: see above.
        match unsafe { CStr::from_ptr(name) }.to_bytes() {
            b"ggml_backend_set_n_threads" => {
                let call: ggml::SetThreads = stream::set_threads;
                call as *mut c_void
            }
            _ => ptr::null_mut(),
        }
    };
    guard(ptr::null_mut, get)
}
