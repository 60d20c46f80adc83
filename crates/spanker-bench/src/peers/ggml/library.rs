// SPDX-License-Identifier: Apache-2.0
//! The few functions of ggml that a product needs, found by name in its libraries.

use crate::Error;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{c_char, c_int, c_void, CStr};
use std::fmt;
use std::path::{Path, PathBuf};

/// What the declarations here are of; another version may have other ones.
pub(super) const VERSION: &str = "0.25.1";

/// ggml's numbers of the types that are used here.
pub(super) const TYPE_F32: c_int = 0;
pub(super) const TYPE_Q4_K: c_int = 12;
/// Of a buffer: it holds weights.
pub(super) const USAGE_WEIGHTS: c_int = 1;
/// Of a computation: it succeeded.
pub(super) const SUCCESS: c_int = 0;

/// Things of ggml that are only passed on.
macro_rules! opaque {
    ($($name:ident)*) => { $(#[repr(C)] pub(super) struct $name { _opaque: [u8; 0] })* };
}
opaque! { Backend Buffer BufferType Context Device Graph Pool Registry Tensor }

/// How a context is made.
#[repr(C)]
pub(super) struct InitParams {
    pub(super) mem_size: usize,
    pub(super) mem_buffer: *mut c_void,
    pub(super) no_alloc: bool,
}

/// How a pool of threads is made: 528 bytes, which only ggml reads and writes, and some to spare.
#[repr(C, align(8))]
pub(super) struct PoolParams([u8; 1024]);

impl PoolParams {
    pub(super) fn room() -> Self {
        Self([0; 1024])
    }
}

/// Functions by their names in a library, which stay valid since no library is ever closed.
macro_rules! functions {
    ($(#[$of:meta])* $table:ident: $($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        $(#[$of])*
        pub(super) struct $table { $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?),* }

        impl $table {
            fn find(library: &Library) -> Result<Self, Error> {
                Ok(Self {
                    // SAFETY: these are functions of ggml's public headers, with the types that
                    // they have there in the version that `Api::load` has made sure of, and no
                    // library is ever closed.
                    $($name: *unsafe { library.get(concat!(stringify!($name), "\0").as_bytes()) }?),*
                })
            }
        }
    };
}

functions! {
    /// Of libggml-base.
    Base:
    ggml_backend_alloc_ctx_tensors(*mut Context, *mut Backend) -> *mut Buffer;
    ggml_backend_alloc_ctx_tensors_from_buft(*mut Context, *mut BufferType) -> *mut Buffer;
    ggml_backend_buffer_free(*mut Buffer);
    ggml_backend_buffer_set_usage(*mut Buffer, c_int);
    ggml_backend_buft_name(*mut BufferType) -> *const c_char;
    ggml_backend_dev_buffer_type(*mut Device) -> *mut BufferType;
    ggml_backend_dev_init(*mut Device, *const c_char) -> *mut Backend;
    ggml_backend_dev_supports_op(*mut Device, *const Tensor) -> bool;
    ggml_backend_free(*mut Backend);
    ggml_backend_graph_compute(*mut Backend, *mut Graph) -> c_int;
    ggml_backend_reg_dev_get(*mut Registry, usize) -> *mut Device;
    ggml_backend_reg_get_proc_address(*mut Registry, *const c_char) -> *mut c_void;
    ggml_backend_tensor_get(*const Tensor, *mut c_void, usize, usize);
    ggml_backend_tensor_set(*mut Tensor, *const c_void, usize, usize);
    ggml_build_forward_expand(*mut Graph, *mut Tensor);
    ggml_free(*mut Context);
    ggml_get_data(*const Tensor) -> *mut c_void;
    ggml_graph_overhead() -> usize;
    ggml_init(InitParams) -> *mut Context;
    ggml_log_set(unsafe extern "C" fn(c_int, *const c_char, *mut c_void), *mut c_void);
    ggml_mul_mat(*mut Context, *mut Tensor, *mut Tensor) -> *mut Tensor;
    ggml_nbytes(*const Tensor) -> usize;
    ggml_new_graph(*mut Context) -> *mut Graph;
    ggml_new_tensor_2d(*mut Context, c_int, i64, i64) -> *mut Tensor;
    ggml_tensor_overhead() -> usize;
    ggml_threadpool_params_init(*mut PoolParams, c_int);
}

functions! {
    /// Of the library for this CPU.
    Cpu:
    ggml_backend_cpu_set_n_threads(*mut Backend, c_int);
    ggml_backend_cpu_set_threadpool(*mut Backend, *mut Pool);
    ggml_backend_init() -> *mut Registry;
    ggml_threadpool_free(*mut Pool);
    ggml_threadpool_new(*mut PoolParams) -> *mut Pool;
    ggml_threadpool_pause(*mut Pool);
}

/// ggml, for one kind of CPU.
pub(super) struct Api {
    pub(super) base: Base,
    pub(super) cpu: Cpu,
    /// The kind of CPU that the library was built for.
    pub(super) variant: String,
    pub(super) device: *mut Device,
    /// Where the weights are stored in another order.
    pub(super) repack: *mut BufferType,
    /// Where they are stored as they come.
    pub(super) plain: *mut BufferType,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("variant", &self.variant).finish_non_exhaustive()
    }
}

impl Api {
    /// Loads the library for `variant`, or the one that scores best on this CPU.
    ///
    /// # Errors
    /// If a library is missing or of another version than [`VERSION`], or this CPU cannot run it.
    pub(super) fn load(folder: &Path, variant: Option<&str>) -> Result<Self, Error> {
        let library = open(&folder.join("libggml-base.so"))?;
        // SAFETY: ggml has had this function, which takes nothing and returns a string that lives
        // as long as the library, since it has had versions; the library is never closed.
        let version = unsafe {
            let version =
                *library.get::<unsafe extern "C" fn() -> *const c_char>(b"ggml_version\0")?;
            CStr::from_ptr(version()).to_string_lossy()
        };
        if version != VERSION {
            return Err(format!("this is ggml {version}, required is {VERSION}").into());
        }
        let base = Base::find(library)?;
        // SAFETY: the function that it is given is there for good and ignores its arguments.
        unsafe { (base.ggml_log_set)(ignore, std::ptr::null_mut()) };
        let (variant, path) = choose(folder, variant)?;
        let cpu = Cpu::find(open(&path)?)?;

        // SAFETY: the library fits this CPU, as `choose` has made sure, and ggml is of the version
        // that the declarations are of. The registry and what it owns are static. Each pointer is
        // checked before it is used, and the name is a C string.
        unsafe {
            let registry = (cpu.ggml_backend_init)();
            if registry.is_null() {
                return Err("ggml's CPU backend does not start".into());
            }
            let device = (base.ggml_backend_reg_dev_get)(registry, 0);
            let name = c"ggml_backend_dev_get_extra_bufts";
            let extra = (base.ggml_backend_reg_get_proc_address)(registry, name.as_ptr());
            if device.is_null() || extra.is_null() {
                return Err("ggml's CPU backend offers no other buffer types".into());
            }
            type ExtraBufferTypes = unsafe extern "C" fn(*mut Device) -> *mut *mut BufferType;
            let extra: ExtraBufferTypes = std::mem::transmute(extra);
            // A list that ends with null.
            let mut types = extra(device);
            while !(*types).is_null() {
                let name = CStr::from_ptr((base.ggml_backend_buft_name)(*types));
                if name.to_string_lossy().contains("REPACK") {
                    let (repack, plain) = (*types, (base.ggml_backend_dev_buffer_type)(device));
                    return Ok(Self { base, cpu, variant, device, repack, plain });
                }
                types = types.add(1);
            }
        }
        Err(format!("ggml for {variant} repacks no weights").into())
    }
}

/// ggml tells of each tensor that it repacks.
unsafe extern "C" fn ignore(_level: c_int, _text: *const c_char, _: *mut c_void) {}

/// The kind of CPU to use the library for, and its path.
fn choose(folder: &Path, wanted: Option<&str>) -> Result<(String, PathBuf), Error> {
    let mut best: Option<(c_int, String, PathBuf)> = None;
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = name.strip_prefix("libggml-cpu-").and_then(|n| n.strip_suffix(".so"))
        else {
            continue;
        };
        // SAFETY: the function takes nothing and asks the CPU what it has; it is there for every
        // CPU to call.
        let score = unsafe {
            let library = open(&path)?;
            let score = *library.get::<unsafe extern "C" fn() -> c_int>(b"ggml_backend_score\0")?;
            score()
        };
        // None has a score for a CPU that cannot run it.
        if score > 0 {
            names.push(name.to_owned());
            let fits = wanted.is_none_or(|wanted| wanted == name);
            if fits && best.as_ref().is_none_or(|(most, ..)| score > *most) {
                best = Some((score, name.to_owned(), path.clone()));
            }
        }
    }
    names.sort();
    let (_, name, path) = best.ok_or_else(|| {
        let wanted = wanted.unwrap_or("this CPU");
        format!("no ggml for {wanted}: this CPU can run those for {}", names.join(", "))
    })?;
    Ok((name, path))
}

/// Opens a library for good: ggml's threads and statics must not lose their code.
fn open(path: &Path) -> Result<&'static Library, Error> {
    // SAFETY: the package is one that is known by its hash; its libraries run no code on loading
    // but their own initialisers.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }?;
    Ok(Box::leak(Box::new(library)))
}
