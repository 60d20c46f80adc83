// SPDX-License-Identifier: Apache-2.0
//! ggml's CPU backend, prebuilt, with its weights as they come (plain) and repacked.
//!
//! It multiplies F32 activations by Q4_K weights and quantises the activations itself.

mod library;
mod package;

use crate::implementation::{Contestant, Implementation, Stored};
use crate::workload::{Shape, Task};
use crate::Error;
use library::{Api, Backend, Buffer, Context, Graph, InitParams, Pool, PoolParams, Tensor};
use spanker::BlockQ4K;
use spanker_sys::Plain;
use std::ffi::c_int;
use std::num::NonZeroUsize;
use std::ptr;
use std::rc::Rc;
use std::slice;

/// ggml with threads of its own.
#[derive(Clone, Debug)]
pub(crate) struct Ggml(Rc<Running>);

#[derive(Debug)]
struct Running {
    api: Api,
    backend: *mut Backend,
    pool: *mut Pool,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: both are what ggml made for us, and whatever uses them holds us alive.
        unsafe {
            (self.api.base.ggml_backend_free)(self.backend);
            (self.api.cpu.ggml_threadpool_free)(self.pool);
        }
    }
}

/// Products by weights that ggml stores in one way or the other.
#[derive(Debug)]
pub(crate) struct Multiplier {
    pub(crate) ggml: Ggml,
    pub(crate) storage: Storage,
}

impl Implementation for Multiplier {
    fn kernel(&self) -> String {
        let name = match self.storage {
            Storage::Plain => "ggml-plain",
            Storage::Repacked => "ggml-repacked",
        };
        name.to_owned()
    }

    fn variant(&self) -> Option<String> {
        Some(self.ggml.0.api.variant.clone())
    }

    fn store<'a>(
        &'a self,
        shape: Shape,
        blocks: &[BlockQ4K],
        copies: usize,
    ) -> Result<Box<dyn Stored + 'a>, Error> {
        let copies = (0..copies).map(|_| self.ggml.weights(shape, blocks, self.storage));
        Ok(Box::new(copies.collect::<Result<Vec<_>, _>>()?))
    }
}

impl Stored for Vec<Weights> {
    fn product<'a>(&'a self, task: &Task) -> Result<Box<dyn Contestant + 'a>, Error> {
        Ok(Box::new(Product::new(self, task.rows, &task.x)?))
    }
}

/// How ggml stores the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Storage {
    Plain,
    Repacked,
}

impl Ggml {
    /// ggml for the kind of CPU called `variant`, or for the best that this one is.
    ///
    /// Its threads live as long as this and poll for work as ggml's default has them.
    ///
    /// # Errors
    /// If its libraries cannot be had or loaded; the peer is missing then.
    pub(crate) fn new(variant: Option<&str>, threads: NonZeroUsize) -> Result<Self, Error> {
        let api = Api::load(&package::libraries()?, variant)?;
        let threads = c_int::try_from(threads.get())?;
        // SAFETY: the device is ggml's own; null means no parameters; the parameters of the pool
        // have more room than ggml needs and are only read by the next call; what is made is
        // checked before it is used.
        unsafe {
            let backend = (api.base.ggml_backend_dev_init)(api.device, ptr::null());
            let mut params = PoolParams::room();
            (api.base.ggml_threadpool_params_init)(&mut params, threads);
            let pool = (api.cpu.ggml_threadpool_new)(&mut params);
            if backend.is_null() || pool.is_null() {
                return Err("ggml's CPU backend does not start".into());
            }
            (api.cpu.ggml_backend_cpu_set_n_threads)(backend, threads);
            (api.cpu.ggml_backend_cpu_set_threadpool)(backend, pool);
            Ok(Self(Rc::new(Running { api, backend, pool })))
        }
    }

    /// # Errors
    /// If ggml has no memory, or cannot store or repack weights of this shape so.
    fn weights(
        &self,
        shape: Shape,
        blocks: &[BlockQ4K],
        storage: Storage,
    ) -> Result<Weights, Error> {
        let Running { api, .. } = &*self.0;
        let bytes = Plain::slice_bytes(blocks);
        // SAFETY: the context, the buffer and the tensor are ggml's and checked before they are
        // used, and the context has room for two more tensors that are stored nowhere; the tensor
        // has exactly the bytes that are written to it, and its memory is read where and as long
        // as the buffer is.
        unsafe {
            let tensors = Tensors::new(self)?;
            let (columns, rows) = (i64::try_from(shape.columns)?, i64::try_from(shape.rows)?);
            let tensor =
                (api.base.ggml_new_tensor_2d)(tensors.context, library::TYPE_Q4_K, columns, rows);
            let buffer_type = match storage {
                Storage::Plain => api.plain,
                Storage::Repacked => api.repack,
            };
            let buffer =
                (api.base.ggml_backend_alloc_ctx_tensors_from_buft)(tensors.context, buffer_type);
            let tensors = tensors.stored_in(buffer)?;
            if (api.base.ggml_nbytes)(tensor) != bytes.len() {
                return Err(format!("{shape} weights are not {} bytes to ggml", bytes.len()).into());
            }
            // Writing weights that it cannot repack would crash it.
            let a = (api.base.ggml_new_tensor_2d)(tensors.context, library::TYPE_F32, columns, 1);
            let probe = (api.base.ggml_mul_mat)(tensors.context, tensor, a);
            if !(api.base.ggml_backend_dev_supports_op)(api.device, probe) {
                return Err(format!("ggml cannot multiply by such weights of {shape}").into());
            }
            (api.base.ggml_backend_buffer_set_usage)(buffer, library::USAGE_WEIGHTS);
            (api.base.ggml_backend_tensor_set)(tensor, bytes.as_ptr().cast(), 0, bytes.len());
            let stored = (api.base.ggml_get_data)(tensor).cast::<u8>();
            let kept = slice::from_raw_parts(stored, bytes.len()) == bytes;
            if kept != (storage == Storage::Plain) {
                return Err(format!("ggml does not repack weights of {shape}").into());
            }
            Ok(Weights { tensors, tensor, shape })
        }
    }
}

/// Tensors in one buffer.
#[derive(Debug)]
struct Tensors {
    ggml: Ggml,
    context: *mut Context,
    buffer: *mut Buffer,
}

impl Tensors {
    /// Room for a few of them, not stored anywhere yet.
    fn new(ggml: &Ggml) -> Result<Self, Error> {
        let base = &ggml.0.api.base;
        // SAFETY: the overheads are numbers; the parameters are whole, and null lets ggml find
        // the memory for the tensors' descriptions itself.
        let context = unsafe {
            let mem_size = 8 * (base.ggml_tensor_overhead)() + (base.ggml_graph_overhead)();
            (base.ggml_init)(InitParams { mem_size, mem_buffer: ptr::null_mut(), no_alloc: true })
        };
        if context.is_null() {
            return Err("ggml has no memory".into());
        }
        Ok(Self { ggml: ggml.clone(), context, buffer: ptr::null_mut() })
    }

    fn stored_in(mut self, buffer: *mut Buffer) -> Result<Self, Error> {
        self.buffer = buffer;
        (!buffer.is_null()).then_some(self).ok_or_else(|| "ggml has no memory".into())
    }
}

impl Drop for Tensors {
    fn drop(&mut self) {
        let base = &self.ggml.0.api.base;
        // SAFETY: both are ours alone; ggml takes a null buffer for nothing.
        unsafe {
            (base.ggml_backend_buffer_free)(self.buffer);
            (base.ggml_free)(self.context);
        }
    }
}

/// A matrix of weights as ggml has stored it.
#[derive(Debug)]
struct Weights {
    tensors: Tensors,
    tensor: *mut Tensor,
    shape: Shape,
}

/// Products of the same activations by some weights in turn.
struct Product<'a> {
    /// One a matrix of weights, whose computation is described once.
    graphs: Vec<*mut Graph>,
    results: Vec<*mut Tensor>,
    _tensors: Vec<Tensors>,
    weights: &'a [Weights],
    rows: usize,
    runs: usize,
}

impl<'a> Product<'a> {
    /// # Errors
    /// If ggml has no memory.
    fn new(weights: &'a [Weights], rows: usize, x: &[f32]) -> Result<Self, Error> {
        let mut product = Self {
            graphs: Vec::new(),
            results: Vec::new(),
            _tensors: Vec::new(),
            weights,
            rows,
            runs: 0,
        };
        for weights in weights {
            product.describe(weights, x)?;
        }
        Ok(product)
    }

    fn describe(&mut self, weights: &Weights, x: &[f32]) -> Result<(), Error> {
        let ggml = &weights.tensors.ggml;
        let Running { api, backend, .. } = &*ggml.0;
        let tensors = Tensors::new(ggml)?;
        let context = tensors.context;
        // SAFETY: the context has room for these tensors and this graph, and so none is null; the
        // weights outlive the product, which borrows them. The activations are written only when
        // their memory is there and of their size.
        unsafe {
            let (columns, rows) =
                (i64::try_from(weights.shape.columns)?, i64::try_from(self.rows)?);
            let a = (api.base.ggml_new_tensor_2d)(context, library::TYPE_F32, columns, rows);
            let out = (api.base.ggml_mul_mat)(context, weights.tensor, a);
            let graph = (api.base.ggml_new_graph)(context);
            (api.base.ggml_build_forward_expand)(graph, out);
            let tensors =
                tensors.stored_in((api.base.ggml_backend_alloc_ctx_tensors)(context, *backend))?;
            if (api.base.ggml_nbytes)(a) != size_of_val(x) {
                return Err(format!("{} activations for {} rows", x.len(), self.rows).into());
            }
            (api.base.ggml_backend_tensor_set)(a, x.as_ptr().cast(), 0, size_of_val(x));
            self.graphs.push(graph);
            self.results.push(out);
            self._tensors.push(tensors);
        }
        Ok(())
    }
}

impl Contestant for Product<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let index = self.runs % self.weights.len();
        let Running { api, backend, .. } = &*self.weights[index].tensors.ggml.0;
        // SAFETY: the graph and the tensors in it are stored as long as this; ggml returns when
        // it has computed them.
        let status = unsafe { (api.base.ggml_backend_graph_compute)(*backend, self.graphs[index]) };
        self.runs += 1;
        (status == library::SUCCESS)
            .then_some(())
            .ok_or_else(|| format!("ggml fails with status {status}").into())
    }

    fn rest(&mut self) {
        let Running { api, pool, .. } = &*self.weights[0].tensors.ggml.0;
        // SAFETY: the pool is there as long as the weights are, and the next computation wakes it.
        unsafe { (api.cpu.ggml_threadpool_pause)(*pool) };
    }

    fn output(&mut self) -> Result<Vec<f32>, Error> {
        let last = (self.runs + self.weights.len() - 1) % self.weights.len();
        let mut out = vec![0.0_f32; self.rows * self.weights[last].shape.rows];
        let base = &self.weights[last].tensors.ggml.0.api.base;
        let bytes = size_of_val(out.as_slice());
        // SAFETY: the tensor is stored as long as this; it has just the bytes that are read.
        unsafe {
            if (base.ggml_nbytes)(self.results[last]) != bytes {
                return Err("ggml's product has another size".into());
            }
            (base.ggml_backend_tensor_get)(self.results[last], out.as_mut_ptr().cast(), 0, bytes);
        }
        Ok(out)
    }
}
