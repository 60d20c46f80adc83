// SPDX-License-Identifier: Apache-2.0
//! ggml's structs that pass the boundary, as of ggml 0.25.1 (`ggml.h`,
//! `ggml-backend.h`, `ggml-backend-impl.h`, `ggml-impl.h`): their fields in
//! order. Callbacks that this backend never fills in and never calls are
//! [`Unused`]. The tests hold all of it against the headers.

#[cfg(test)]
mod tests;

use std::ffi::{c_char, c_int, c_void};

/// The ggml that this is the layout of, as `ggml_version()` says.
pub(super) const VERSION: &str = "0.25.1";
/// What its `GGML_BACKEND_API_VERSION` is.
pub(super) const API_VERSION: c_int = 2;

pub(super) const STATUS_FAILED: c_int = -1;
pub(super) const STATUS_SUCCESS: c_int = 0;

pub(super) const LOG_LEVEL_WARN: c_int = 3;
pub(super) const LOG_LEVEL_ERROR: c_int = 4;

/// Devices that work beside the CPU, on its graphs.
pub(super) const DEVICE_TYPE_ACCEL: c_int = 3;

/// A node is to be computed, and not only there for its shape.
pub(super) const TENSOR_FLAG_COMPUTE: i32 = 16;

/// A callback that is always NULL here.
pub(super) type Unused = Option<unsafe extern "C" fn()>;

#[repr(C)]
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) type_: c_int,
    pub(super) buffer: *mut Buffer,
    pub(super) ne: [i64; 4],
    pub(super) nb: [usize; 4],
    pub(super) op: c_int,
    pub(super) op_params: [i32; 16],
    pub(super) flags: i32,
    pub(super) src: [*mut Tensor; 10],
    pub(super) view_src: *mut Tensor,
    pub(super) view_offs: usize,
    pub(super) data: *mut c_void,
    pub(super) name: [c_char; 64],
    pub(super) extra: *mut c_void,
    pub(super) padding: [c_char; 8],
}

/// As far as it is looked at.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) size: c_int,
    pub(super) n_nodes: c_int,
    pub(super) n_leafs: c_int,
    pub(super) nodes: *mut *mut Tensor,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct BufferTypeCalls {
    pub(super) get_name: unsafe extern "C" fn(*const BufferType) -> *const c_char,
    pub(super) alloc_buffer: unsafe extern "C" fn(*const BufferType, usize) -> *mut Buffer,
    pub(super) get_alignment: unsafe extern "C" fn(*const BufferType) -> usize,
    pub(super) get_max_size: unsafe extern "C" fn(*const BufferType) -> usize,
    pub(super) get_alloc_size: Unused,
    pub(super) is_host: unsafe extern "C" fn(*const BufferType) -> bool,
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct BufferType {
    pub(super) iface: BufferTypeCalls,
    pub(super) device: *const Device,
    pub(super) context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct BufferCalls {
    pub(super) free_buffer: unsafe extern "C" fn(*mut Buffer),
    pub(super) get_base: unsafe extern "C" fn(*mut Buffer) -> *mut c_void,
    pub(super) init_tensor: Unused,
    pub(super) memset_tensor: unsafe extern "C" fn(*mut Buffer, *mut Tensor, u8, usize, usize),
    pub(super) set_tensor:
        unsafe extern "C" fn(*mut Buffer, *mut Tensor, *const c_void, usize, usize),
    pub(super) get_tensor:
        unsafe extern "C" fn(*mut Buffer, *const Tensor, *mut c_void, usize, usize),
    pub(super) set_tensor_2d: unsafe extern "C" fn(
        *mut Buffer,
        *mut Tensor,
        *const c_void,
        usize,
        usize,
        usize,
        usize,
        usize,
    ),
    pub(super) get_tensor_2d: unsafe extern "C" fn(
        *mut Buffer,
        *const Tensor,
        *mut c_void,
        usize,
        usize,
        usize,
        usize,
        usize,
    ),
    pub(super) cpy_tensor: Unused,
    pub(super) clear: unsafe extern "C" fn(*mut Buffer, u8),
    pub(super) reset: Unused,
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) iface: BufferCalls,
    pub(super) buft: *const BufferType,
    pub(super) context: *mut c_void,
    pub(super) size: usize,
    pub(super) usage: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamCalls {
    pub(super) get_name: unsafe extern "C" fn(*mut Stream) -> *const c_char,
    pub(super) free: unsafe extern "C" fn(*mut Stream),
    pub(super) set_tensor_async: Unused,
    pub(super) get_tensor_async: Unused,
    pub(super) set_tensor_2d_async: Unused,
    pub(super) get_tensor_2d_async: Unused,
    pub(super) cpy_tensor_async: Unused,
    pub(super) synchronize: Unused,
    pub(super) graph_plan_create: Unused,
    pub(super) graph_plan_free: Unused,
    pub(super) graph_plan_update: Unused,
    pub(super) graph_plan_compute: Unused,
    pub(super) graph_compute: unsafe extern "C" fn(*mut Stream, *mut Graph) -> c_int,
    pub(super) event_record: Unused,
    pub(super) event_wait: Unused,
    pub(super) graph_optimize: Unused,
}

/// `struct ggml_backend`, which ggml's comments call a stream.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) guid: *const [u8; 16],
    pub(super) iface: StreamCalls,
    pub(super) device: *const Device,
    pub(super) context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceCaps {
    pub(super) async_: bool,
    pub(super) host_buffer: bool,
    pub(super) buffer_from_host_ptr: bool,
    pub(super) events: bool,
    pub(super) mmap_support: bool,
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct DeviceProps {
    pub(super) name: *const c_char,
    pub(super) description: *const c_char,
    pub(super) memory_free: usize,
    pub(super) memory_total: usize,
    pub(super) type_: c_int,
    pub(super) device_id: *const c_char,
    pub(super) caps: DeviceCaps,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceCalls {
    pub(super) get_name: unsafe extern "C" fn(*const Device) -> *const c_char,
    pub(super) get_description: unsafe extern "C" fn(*const Device) -> *const c_char,
    pub(super) get_memory: unsafe extern "C" fn(*const Device, *mut usize, *mut usize),
    pub(super) get_type: unsafe extern "C" fn(*const Device) -> c_int,
    pub(super) get_props: unsafe extern "C" fn(*const Device, *mut DeviceProps),
    pub(super) init_backend: unsafe extern "C" fn(*const Device, *const c_char) -> *mut Stream,
    pub(super) get_buffer_type: unsafe extern "C" fn(*const Device) -> *const BufferType,
    pub(super) get_host_buffer_type: Unused,
    pub(super) buffer_from_host_ptr: Unused,
    pub(super) supports_op: unsafe extern "C" fn(*const Device, *const Tensor) -> bool,
    pub(super) supports_buft: unsafe extern "C" fn(*const Device, *const BufferType) -> bool,
    pub(super) offload_op: Unused,
    pub(super) event_new: Unused,
    pub(super) event_free: Unused,
    pub(super) event_synchronize: Unused,
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct Device {
    pub(super) iface: DeviceCalls,
    pub(super) reg: *const Registry,
    pub(super) context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct RegistryCalls {
    pub(super) get_name: unsafe extern "C" fn(*const Registry) -> *const c_char,
    pub(super) get_device_count: unsafe extern "C" fn(*const Registry) -> usize,
    pub(super) get_device: unsafe extern "C" fn(*const Registry, usize) -> *const Device,
    pub(super) get_proc_address:
        unsafe extern "C" fn(*const Registry, *const c_char) -> *mut c_void,
}

/// `struct ggml_backend_reg`: a library and its devices.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) api_version: c_int,
    pub(super) iface: RegistryCalls,
    pub(super) context: *mut c_void,
}

/// `ggml_backend_buffer_init`
pub(super) type BufferInit =
    unsafe extern "C" fn(*const BufferType, BufferCalls, *mut c_void, usize) -> *mut Buffer;
/// `ggml_op_name` and `ggml_type_name`
pub(super) type NumberName = unsafe extern "C" fn(c_int) -> *const c_char;
/// `ggml_backend_set_n_threads_t`
pub(super) type SetThreads = unsafe extern "C" fn(*mut Stream, c_int);
/// `ggml_version`
pub(super) type Version = unsafe extern "C" fn() -> *const c_char;
/// `ggml_log_internal`: a level, and what printf takes.
pub(super) type Log = unsafe extern "C" fn(c_int, *const c_char, ...);
