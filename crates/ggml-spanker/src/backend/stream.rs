// SPDX-License-Identifier: Apache-2.0
//! One user of a device: `struct ggml_backend`. Graphs come here to be computed.

use super::boundary::guard;
use super::buffer;
use super::card::Card;
use super::device::{is_only_a_shape, Device};
use super::ggml::{self, Tensor};
use super::host;
use super::product::Product;
use super::split::split;
use super::statistics::{self, Statistics};
use spanker_sys::spanker_op;
use std::ffi::{c_char, c_int};
use std::num::NonZeroUsize;
use std::ptr;
use std::slice;
use std::time::Instant;

/// What is behind ggml's struct. ggml uses it from one thread at a time.
struct Stream {
    device: &'static Device,
    /// How many threads the program would have it computed with, at most.
    threads: Option<NonZeroUsize>,
    /// Of the graph that is computed, kept for the next.
    ops: Vec<spanker_op>,
    statistics: Statistics,
}

/// Tells this backend's streams from others.
static GUID: [u8; 16] = *b"spanker\0ggml\x19\x01\0\0";

/// A stream of ggml's on `device`; its `free` frees it.
pub(super) fn new(device: &'static Device) -> *mut ggml::Stream {
    let statistics = Statistics::default();
    let stream = Stream { device, threads: None, ops: Vec::new(), statistics };
    let context = Box::into_raw(Box::new(stream));
    Box::into_raw(Box::new(ggml::Stream {
        guid: &GUID,
        iface: CALLS,
        device: ptr::addr_of!(device.ffi),
        context: context.cast(),
    }))
}

impl Stream {
    /// Computes the nodes in order. Ops of a batch behave as if one after another,
    /// so all of them go down together, in as many batches as their number needs.
    ///
    /// # Safety
    /// What nodes point to is NULL or there.
    unsafe fn compute(&mut self, nodes: &[*mut Tensor]) -> Result<(), String> {
        self.ops.clear();
        let card = self.device.card();
        let before = self.statistics;
        for node in nodes {
            // SAFETY: the caller promises it.
            unsafe { self.add(&**node, &card)? };
        }
        let begin = Instant::now();
        let run = self.run(&card);
        match run {
            Ok(()) => self.statistics.time += begin.elapsed(),
            Err(_) => self.statistics = before,
        }
        run
    }

    /// Adds the ops that a node comes to.
    ///
    /// # Safety
    /// As [`Stream::compute`].
    unsafe fn add(&mut self, node: &Tensor, card: &Card) -> Result<(), String> {
        let Self { device, ops, statistics, .. } = self;
        if node.flags & ggml::TENSOR_FLAG_COMPUTE == 0 || is_only_a_shape(device.host, node) {
            return Ok(());
        }
        // SAFETY: the caller promises it.
        let Some(product) = (unsafe { Product::of(node, device.host) }) else {
            let op = device.host.op_name(node).to_string_lossy();
            return Err(format!("node `{}`: this {op} was not offered", name(node)));
        };
        let place = |tensor: &Tensor| {
            // SAFETY: as above.
            unsafe { buffer::place(device, tensor) }.ok_or_else(|| {
                format!("node `{}`: tensor `{}` is not on the Sail", name(node), name(tensor))
            })
        };
        product.ops(place, |op| {
            statistics.bytes += bytes(&op);
            split(&op, card.info(), |part| ops.push(part));
        })?;
        statistics.matmuls += 1;
        statistics.macs += product.macs();
        Ok(())
    }

    /// Submits the ops and waits for them.
    fn run(&mut self, card: &Card) -> Result<(), String> {
        let (mut last, mut refused) = (None, None);
        for batch in self.ops.chunks(card.info().max_ops.max(1) as usize) {
            match card.submit(batch, self.threads) {
                Ok(seqno) => last = Some(seqno),
                Err(failure) => {
                    refused = Some(failure);
                    break;
                }
            }
            self.statistics.batches += 1;
        }
        // Even if not all was taken: what the program does next with its tensors must not meet
        // what the Sail does.
        let waited = last.map_or(Ok(()), |seqno| card.wait(seqno));
        match refused.map_or(waited, Err) {
            Ok(()) => Ok(()),
            Err(failure) => Err(failure.to_string()),
        }
    }
}

/// Bytes of the operands of a product.
fn bytes(op: &spanker_op) -> u64 {
    let (m, n, k) = (u64::from(op.m), u64::from(op.n), u64::from(op.k));
    m * k * 4 + n * (k / 256 * 144) + m * n * 4
}

fn name(tensor: &Tensor) -> String {
    let bytes = tensor.name.map(|byte| byte as u8);
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

const CALLS: ggml::StreamCalls = ggml::StreamCalls {
    get_name,
    free,
    set_tensor_async: None,
    get_tensor_async: None,
    set_tensor_2d_async: None,
    get_tensor_2d_async: None,
    cpy_tensor_async: None,
    synchronize: None,
    graph_plan_create: None,
    graph_plan_free: None,
    graph_plan_update: None,
    graph_plan_compute: None,
    graph_compute,
    event_record: None,
    event_wait: None,
    graph_optimize: None,
};

// SAFETY of what follows: ggml calls each with a stream that `new` has made, from
// one thread at a time, and with a graph that is there for the time of the call.

unsafe extern "C" fn get_name(stream: *mut ggml::Stream) -> *const c_char {
    // SAFETY: see above.
    guard(ptr::null, || unsafe { &*(*stream).context.cast::<Stream>() }.device.name.as_ptr())
}

unsafe extern "C" fn free(stream: *mut ggml::Stream) {
    let free = || {
        // SAFETY: see above; both were boxes, and are freed once.
        let (ours, _) =
            unsafe { (Box::from_raw((*stream).context.cast::<Stream>()), Box::from_raw(stream)) };
        if ours.statistics.matmuls > 0 && statistics::are_asked_for() {
            let name = ours.device.name.to_string_lossy();
            host::log_answer(&format!("{name}: {}", ours.statistics));
        }
    };
    guard(|| (), free);
}

/// `ggml_backend_set_n_threads`: from now on, so many threads at most. Programs
/// call it before each graph.
pub(super) unsafe extern "C" fn set_threads(stream: *mut ggml::Stream, threads: c_int) {
    let set = || {
        let threads = usize::try_from(threads).ok().and_then(NonZeroUsize::new);
        // SAFETY: see above.
        unsafe { (*(*stream).context.cast::<Stream>()).threads = threads };
    };
    guard(|| (), set);
}

unsafe extern "C" fn graph_compute(stream: *mut ggml::Stream, graph: *mut ggml::Graph) -> c_int {
    let compute = || {
        // SAFETY: see above.
        let (ours, count) = unsafe { (&mut *(*stream).context.cast::<Stream>(), (*graph).n_nodes) };
        let nodes = match usize::try_from(count) {
            // SAFETY: the graph has so many.
            Ok(count) if count > 0 => unsafe { slice::from_raw_parts((*graph).nodes, count) },
            _ => &[],
        };
        // SAFETY: see above.
        match unsafe { ours.compute(nodes) } {
            Ok(()) => ggml::STATUS_SUCCESS,
            Err(failure) => {
                let name = ours.device.name.to_string_lossy();
                host::log_error(&format!("{name}: {failure}"));
                ggml::STATUS_FAILED
            }
        }
    };
    guard(|| ggml::STATUS_FAILED, compute)
}
