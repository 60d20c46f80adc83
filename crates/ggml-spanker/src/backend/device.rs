// SPDX-License-Identifier: Apache-2.0
//! One device of ggml: a Sail.

use super::boundary::guard;
use super::buffer;
use super::card::Card;
use super::ggml;
use super::host::{self, Host};
use super::product::Product;
use super::stream;
use std::ffi::{c_char, c_int, CString};
use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A Sail as ggml sees it. Once made, it is there for good: ggml keeps pointers
/// to it.
pub(super) struct Device {
    /// The Sail as it is open now.
    card: Mutex<Arc<Card>>,
    /// Opens it anew.
    open: Box<dyn Fn() -> Option<Card> + Send + Sync>,
    pub(super) host: &'static Host,
    pub(super) name: CString,
    description: CString,
    /// What ggml has a pointer to; its context is this device.
    pub(super) ffi: ggml::Device,
    /// The same.
    pub(super) buffer_type: ggml::BufferType,
}

// SAFETY: the pointers in it are to what lives for good and is not written any
// more; the rest is shared between threads already.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// The device `index` of those there are, for good. `open` opens the Sail as
    /// `card` was opened.
    pub(super) fn new(
        card: Card,
        open: impl Fn() -> Option<Card> + Send + Sync + 'static,
        index: usize,
        host: &'static Host,
        registry: *const ggml::Registry,
    ) -> &'static Self {
        let text = |text: String| CString::new(text.replace('\0', " ")).unwrap_or_default();
        let device = Box::into_raw(Box::new(Self {
            name: text(format!("Sail{index}")),
            description: text(card.info().name.clone()),
            card: Mutex::new(Arc::new(card)),
            open: Box::new(open),
            host,
            ffi: ggml::Device { iface: CALLS, reg: registry, context: ptr::null_mut() },
            buffer_type: ggml::BufferType {
                iface: buffer::TYPE_CALLS,
                device: ptr::null(),
                context: ptr::null_mut(),
            },
        }));
        // SAFETY: nobody else knows it yet, and it is never freed.
        unsafe {
            (*device).ffi.context = device.cast();
            (*device).buffer_type.device = ptr::addr_of!((*device).ffi);
            (*device).buffer_type.context = device.cast();
            &*device
        }
    }

    /// # Safety
    /// ggml gives back what [`Device::ffi`] is.
    pub(super) unsafe fn from_ggml(device: *const ggml::Device) -> &'static Self {
        // SAFETY: its context is the device, which lives for good.
        unsafe { &*(*device).context.cast::<Self>() }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Card>> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Sail that memory of this device is in.
    pub(super) fn card(&self) -> Arc<Card> {
        Arc::clone(&self.lock())
    }

    /// The Sail for new memory. One that has failed is opened anew as soon as
    /// nobody has memory in it any more, nor computes: a program that frees its
    /// models and loads them again goes on with it.
    pub(super) fn card_for_memory(&self) -> Arc<Card> {
        let mut card = self.lock();
        if Arc::strong_count(&card) == 1 && card.has_failed() {
            if let Some(again) = (self.open)() {
                *card = Arc::new(again);
            }
        }
        Arc::clone(&card)
    }

    /// Bytes of memory that are free, and all there are.
    fn memory(&self) -> (usize, usize) {
        let card = self.card_for_memory();
        let total = card.info().memory_bytes;
        let free = card.free_bytes().unwrap_or(0);
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        (bytes(free), bytes(total))
    }

    /// Whether `tensor` is something to compute here.
    ///
    /// # Safety
    /// It is a tensor of ggml's, and what it points to is NULL or there.
    unsafe fn supports(&self, tensor: &ggml::Tensor) -> bool {
        if is_only_a_shape(self.host, tensor) {
            return true;
        }
        // SAFETY: the caller promises it.
        let Some(weights) = (unsafe { tensor.src[0].as_ref() }) else {
            return false;
        };
        // SAFETY: as above.
        let (buffer, product) =
            unsafe { (buffer::of(weights), Product::of(tensor, self.host).is_some()) };
        // Weights in other memory would be copied here each time.
        // SAFETY: ggml's buffer, if it is one.
        let elsewhere = unsafe { buffer.as_ref() }
            .is_some_and(|buffer| !ptr::eq(buffer.buft, ptr::addr_of!(self.buffer_type)));
        product && !elsewhere
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether nothing is computed for the tensor: its bytes are another's, or the
/// caller's.
pub(super) fn is_only_a_shape(host: &Host, tensor: &ggml::Tensor) -> bool {
    let op = host.op_name(tensor).to_bytes();
    matches!(op, b"NONE" | b"RESHAPE" | b"VIEW" | b"PERMUTE" | b"TRANSPOSE")
}

const CALLS: ggml::DeviceCalls = ggml::DeviceCalls {
    get_name,
    get_description,
    get_memory,
    get_type,
    get_props,
    init_backend,
    get_buffer_type,
    get_host_buffer_type: None,
    buffer_from_host_ptr: None,
    supports_op,
    supports_buft,
    offload_op: None,
    event_new: None,
    event_free: None,
    event_synchronize: None,
};

// SAFETY of what follows: ggml calls each with the device that the table is of,
// and with pointers to what it says they are, for the time of the call.

unsafe extern "C" fn get_name(device: *const ggml::Device) -> *const c_char {
    // SAFETY: see above.
    guard(ptr::null, || unsafe { Device::from_ggml(device) }.name.as_ptr())
}

unsafe extern "C" fn get_description(device: *const ggml::Device) -> *const c_char {
    // SAFETY: see above.
    guard(ptr::null, || unsafe { Device::from_ggml(device) }.description.as_ptr())
}

unsafe extern "C" fn get_memory(device: *const ggml::Device, free: *mut usize, total: *mut usize) {
    // SAFETY: see above.
    guard(|| (), || unsafe { (*free, *total) = Device::from_ggml(device).memory() });
}

unsafe extern "C" fn get_type(_: *const ggml::Device) -> c_int {
    ggml::DEVICE_TYPE_ACCEL
}

unsafe extern "C" fn get_props(device: *const ggml::Device, props: *mut ggml::DeviceProps) {
    let fill_in = || {
        // SAFETY: see above.
        let device = unsafe { Device::from_ggml(device) };
        let (memory_free, memory_total) = device.memory();
        let filled_in = ggml::DeviceProps {
            name: device.name.as_ptr(),
            description: device.description.as_ptr(),
            memory_free,
            memory_total,
            type_: ggml::DEVICE_TYPE_ACCEL,
            device_id: ptr::null(),
            caps: ggml::DeviceCaps {
                async_: false,
                host_buffer: false,
                buffer_from_host_ptr: false,
                events: false,
                // Weights are copied from the mapped file, once.
                mmap_support: true,
            },
        };
        // SAFETY: see above.
        unsafe { props.write(filled_in) };
    };
    guard(|| (), fill_in);
}

unsafe extern "C" fn init_backend(
    device: *const ggml::Device,
    _parameters: *const c_char,
) -> *mut ggml::Stream {
    // SAFETY: see above.
    guard(ptr::null_mut, || stream::new(unsafe { Device::from_ggml(device) }))
}

unsafe extern "C" fn get_buffer_type(device: *const ggml::Device) -> *const ggml::BufferType {
    // SAFETY: see above.
    guard(ptr::null, || ptr::addr_of!(unsafe { Device::from_ggml(device) }.buffer_type))
}

unsafe extern "C" fn supports_op(device: *const ggml::Device, op: *const ggml::Tensor) -> bool {
    // SAFETY: see above.
    guard(|| false, || unsafe { Device::from_ggml(device).supports(&*op) })
}

unsafe extern "C" fn supports_buft(
    device: *const ggml::Device,
    buffer_type: *const ggml::BufferType,
) -> bool {
    // SAFETY: see above.
    let ours = || ptr::addr_of!(unsafe { Device::from_ggml(device) }.buffer_type);
    guard(|| false, || ptr::eq(ours(), buffer_type))
}

/// Opens a Sail, or logs why it cannot be used.
pub(super) fn open(name: &spanker::SailName) -> Option<Card> {
    let card = Card::open(name);
    card.map_err(|failure| host::log_error(&format!("Sail `{name}` is not used: {failure}"))).ok()
}
