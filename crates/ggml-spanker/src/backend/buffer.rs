// SPDX-License-Identifier: Apache-2.0
//! ggml's buffers: memory of a Sail, which this process reaches as well.
//!
//! ggml is told that it is host memory, so that what runs on the CPU reads
//! results, and writes its own, where they are. Only what is not in such a buffer
//! yet is copied, by ggml, into one.

use super::boundary::guard;
use super::card::{Card, Memory};
use super::device::Device;
use super::ggml::{self, Tensor};
use super::host;
use super::product::Place;
use std::ffi::{c_char, c_void};
use std::ptr;

/// The buffer that a tensor is in, or NULL.
///
/// # Safety
/// What the tensor points to is NULL or there.
pub(super) unsafe fn of(tensor: &Tensor) -> *mut ggml::Buffer {
    // A view is in the buffer of what it is a view of.
    // SAFETY: the caller promises it.
    match unsafe { tensor.view_src.as_ref() } {
        Some(whole) => whole.buffer,
        None => tensor.buffer,
    }
}

/// Where a tensor begins on `device`, if it is there.
///
/// # Safety
/// What the tensor points to is NULL or there.
pub(super) unsafe fn place(device: &Device, tensor: &Tensor) -> Option<Place> {
    // SAFETY: the caller promises it.
    let buffer = unsafe { of(tensor).as_ref()? };
    if !ptr::eq(buffer.buft, ptr::addr_of!(device.buffer_type)) {
        return None;
    }
    // SAFETY: the context of a buffer of our type, unless it is of no bytes.
    let memory = unsafe { buffer.context.cast::<Memory>().as_ref()? };
    debug_assert!(memory.is_of(&device.card()));
    // The Sail itself looks whether all of the tensor is inside.
    let offset = (tensor.data as usize).checked_sub(memory.start() as usize)?;
    Some(Place { handle: memory.handle(), offset: offset as u64 })
}

pub(super) const TYPE_CALLS: ggml::BufferTypeCalls = ggml::BufferTypeCalls {
    get_name,
    alloc_buffer,
    get_alignment,
    get_max_size,
    get_alloc_size: None,
    is_host,
};

const CALLS: ggml::BufferCalls = ggml::BufferCalls {
    free_buffer,
    get_base,
    init_tensor: None,
    memset_tensor,
    set_tensor,
    get_tensor,
    set_tensor_2d,
    get_tensor_2d,
    cpy_tensor: None,
    clear,
    reset: None,
};

// SAFETY of what follows: ggml calls each with the buffer type or buffer that the
// table is of, with tensors in it, and with pointers that are good for as many
// bytes as it says; it has looked that they are inside the tensor.

/// # Safety
/// It is the buffer type of a device of ours.
unsafe fn device(buffer_type: *const ggml::BufferType) -> &'static Device {
    // SAFETY: its context is the device, which lives for good.
    unsafe { &*(*buffer_type).context.cast::<Device>() }
}

unsafe extern "C" fn get_name(buffer_type: *const ggml::BufferType) -> *const c_char {
    // SAFETY: see above.
    guard(ptr::null, || unsafe { device(buffer_type) }.name.as_ptr())
}

unsafe extern "C" fn alloc_buffer(
    buffer_type: *const ggml::BufferType,
    size: usize,
) -> *mut ggml::Buffer {
    let alloc = || {
        // SAFETY: see above.
        let device = unsafe { device(buffer_type) };
        match Memory::new(&device.card_for_memory(), size) {
            Ok(memory) => {
                let context = Box::into_raw(Box::new(memory)).cast();
                // SAFETY: ggml's function of this name, and its arguments. It
                // owns the memory from now on, and gives it to `free_buffer`.
                unsafe { (device.host.buffer_init)(buffer_type, CALLS, context, size) }
            }
            Err(failure) => {
                host::log_error(&failure.to_string());
                ptr::null_mut()
            }
        }
    };
    guard(ptr::null_mut, alloc)
}

unsafe extern "C" fn get_alignment(buffer_type: *const ggml::BufferType) -> usize {
    // SAFETY: see above.
    guard(|| 64, || alignment(&unsafe { device(buffer_type) }.card()))
}

/// What is fast for the Sail and for the CPU's vectors; at most a page, which
/// buffers begin at.
fn alignment(card: &Card) -> usize {
    (card.info().operand_align.max(64) as usize).next_power_of_two().min(4096)
}

unsafe extern "C" fn get_max_size(buffer_type: *const ggml::BufferType) -> usize {
    let max = || {
        // SAFETY: see above.
        let max = unsafe { device(buffer_type) }.card().info().max_buffer_bytes;
        usize::try_from(max).unwrap_or(usize::MAX)
    };
    guard(|| 0, max)
}

unsafe extern "C" fn is_host(_: *const ggml::BufferType) -> bool {
    true
}

unsafe extern "C" fn free_buffer(buffer: *mut ggml::Buffer) {
    // SAFETY: see above; made by `alloc_buffer`, and freed once.
    guard(|| (), || drop(unsafe { Box::from_raw((*buffer).context.cast::<Memory>()) }));
}

unsafe extern "C" fn get_base(buffer: *mut ggml::Buffer) -> *mut c_void {
    // SAFETY: see above.
    guard(ptr::null_mut, || unsafe { memory(buffer) }.start().cast())
}

/// # Safety
/// It is a buffer of ours, which nobody frees meanwhile.
unsafe fn memory<'b>(buffer: *mut ggml::Buffer) -> &'b Memory {
    // SAFETY: its context is what `alloc_buffer` put there.
    unsafe { &*(*buffer).context.cast::<Memory>() }
}

unsafe extern "C" fn memset_tensor(
    _: *mut ggml::Buffer,
    tensor: *mut Tensor,
    value: u8,
    offset: usize,
    size: usize,
) {
    // SAFETY: see above.
    unsafe { ptr::write_bytes((*tensor).data.cast::<u8>().add(offset), value, size) };
}

unsafe extern "C" fn set_tensor(
    _: *mut ggml::Buffer,
    tensor: *mut Tensor,
    data: *const c_void,
    offset: usize,
    size: usize,
) {
    // SAFETY: see above.
    unsafe { ptr::copy(data.cast::<u8>(), (*tensor).data.cast::<u8>().add(offset), size) };
}

unsafe extern "C" fn get_tensor(
    _: *mut ggml::Buffer,
    tensor: *const Tensor,
    data: *mut c_void,
    offset: usize,
    size: usize,
) {
    // SAFETY: see above.
    unsafe { ptr::copy((*tensor).data.cast::<u8>().add(offset), data.cast::<u8>(), size) };
}

unsafe extern "C" fn set_tensor_2d(
    _: *mut ggml::Buffer,
    tensor: *mut Tensor,
    data: *const c_void,
    offset: usize,
    size: usize,
    copies: usize,
    tensor_stride: usize,
    data_stride: usize,
) {
    for i in 0..copies {
        // SAFETY: see above; the last copy ends inside both.
        unsafe {
            let to = (*tensor).data.cast::<u8>().add(offset + i * tensor_stride);
            ptr::copy(data.cast::<u8>().add(i * data_stride), to, size);
        }
    }
}

unsafe extern "C" fn get_tensor_2d(
    _: *mut ggml::Buffer,
    tensor: *const Tensor,
    data: *mut c_void,
    offset: usize,
    size: usize,
    copies: usize,
    tensor_stride: usize,
    data_stride: usize,
) {
    for i in 0..copies {
        // SAFETY: see above; the last copy ends inside both.
        unsafe {
            let from = (*tensor).data.cast::<u8>().add(offset + i * tensor_stride);
            ptr::copy(from, data.cast::<u8>().add(i * data_stride), size);
        }
    }
}

unsafe extern "C" fn clear(buffer: *mut ggml::Buffer, value: u8) {
    let clear = || {
        // SAFETY: see above; the memory is as long as it says.
        unsafe {
            let memory = memory(buffer);
            ptr::write_bytes(memory.start(), value, memory.len());
        }
    };
    guard(|| (), clear);
}
