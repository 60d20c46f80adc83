// SPDX-License-Identifier: Apache-2.0
//! A device through the tables that ggml gets, with a stand-in for ggml around it:
//! what goes in are ggml's structs, as ggml would fill them in.

use super::card::Card;
use super::device::Device;
use super::ggml::{self, Buffer, BufferCalls, BufferType, Graph, Tensor};
use super::host::Host;
use super::registry;
use crate::matmul_int4::{Q4_K_BLOCK_BYTES, QK_K};
use spanker::spanker_soft::{CardConfig, Config, CpuEngine, Crew, Engine, Machine, Op, Stop};
use spanker::{Matmul, Sail, F32, Q4K};
use std::ffi::{c_char, c_int, c_void};
use std::mem;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::{Arc, Mutex};

const F32_TYPE: c_int = 0;
const Q4_K_TYPE: c_int = 12;

const OPS: [&[u8]; 3] = [b"NONE\0", b"ADD\0", b"MUL_MAT\0"];
const NONE: c_int = 0;
const ADD: c_int = 1;
const MUL_MAT: c_int = 2;

unsafe extern "C" fn op_name(op: c_int) -> *const c_char {
    OPS[op as usize].as_ptr().cast()
}

unsafe extern "C" fn type_name(number: c_int) -> *const c_char {
    let name: &[u8] = match number {
        F32_TYPE => b"f32\0",
        Q4_K_TYPE => b"q4_K\0",
        _ => b"another\0",
    };
    name.as_ptr().cast()
}

unsafe extern "C" fn buffer_init(
    buft: *const BufferType,
    iface: BufferCalls,
    context: *mut c_void,
    size: usize,
) -> *mut Buffer {
    Box::into_raw(Box::new(Buffer { iface, buft, context, size, usage: 0 }))
}

fn device(config: Config) -> &'static Device {
    let host = Box::leak(Box::new(Host::new(buffer_init, op_name, type_name)));
    let machine = Machine::new(config).expect("threads start");
    let open = move || Card::on_machine(&machine).ok();
    Device::new(open().expect("a card"), open, 0, host, ptr::null())
}

fn with_faults(plan: &str) -> Config {
    Config { faults: plan.parse().expect("a plan of faults"), ..Config::default() }
}

/// A buffer of the device, freed as ggml frees it.
struct Owned(*mut Buffer);

impl Owned {
    fn new(device: &Device, size: usize) -> Option<Self> {
        let buft = ptr::addr_of!(device.buffer_type);
        // SAFETY: the type is the device's.
        let buffer = unsafe { ((*buft).iface.alloc_buffer)(buft, size) };
        (!buffer.is_null()).then(|| Self(buffer))
    }

    /// A tensor in it, so many bytes from its start.
    fn tensor(&self, type_: c_int, ne: [i64; 4], offset: usize) -> Tensor {
        let mut tensor = unplaced(type_, ne);
        // SAFETY: the buffer is there.
        let base = unsafe { ((*self.0).iface.get_base)(self.0) };
        tensor.buffer = self.0;
        tensor.data = base.cast::<u8>().wrapping_add(offset).cast();
        tensor
    }

    fn set(&self, tensor: &mut Tensor, bytes: &[u8]) {
        // SAFETY: the tensor is as long as the bytes.
        unsafe {
            ((*self.0).iface.set_tensor)(self.0, tensor, bytes.as_ptr().cast(), 0, bytes.len());
        };
    }

    fn get(&self, tensor: &Tensor, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        // SAFETY: the tensor is at least so long.
        unsafe { ((*self.0).iface.get_tensor)(self.0, tensor, bytes.as_mut_ptr().cast(), 0, len) };
        bytes
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: as ggml does it.
        unsafe {
            ((*self.0).iface.free_buffer)(self.0);
            drop(Box::from_raw(self.0));
        }
    }
}

/// A tensor without a place.
fn unplaced(type_: c_int, ne: [i64; 4]) -> Tensor {
    // SAFETY: numbers and pointers, all of which may be 0.
    let mut tensor: Tensor = unsafe { mem::zeroed() };
    let (item, row) = match type_ {
        Q4_K_TYPE => (Q4_K_BLOCK_BYTES, ne[0] as usize / QK_K * Q4_K_BLOCK_BYTES),
        _ => (4, ne[0] as usize * 4),
    };
    let planes = row * ne[1] as usize;
    tensor.nb = [item, row, planes, planes * ne[2] as usize];
    tensor.type_ = type_;
    tensor.ne = ne;
    tensor.flags = ggml::TENSOR_FLAG_COMPUTE;
    tensor
}

/// Makes `out` the product of the two.
fn multiply(out: &mut Tensor, weights: &mut Tensor, activations: &mut Tensor) {
    out.op = MUL_MAT;
    out.src[0] = weights;
    out.src[1] = activations;
}

fn supports(device: &Device, tensor: &Tensor) -> bool {
    let device = ptr::addr_of!(device.ffi);
    // SAFETY: the device's own table; the tensor is there.
    unsafe { ((*device).iface.supports_op)(device, tensor) }
}

/// Computes nodes on a stream of its own.
fn compute(device: &Device, nodes: &mut [&mut Tensor]) -> c_int {
    compute_with(device, None, nodes)
}

const SET_THREADS: &[u8] = b"ggml_backend_set_n_threads\0";

/// The same, with so many threads.
fn compute_with(device: &Device, threads: Option<c_int>, nodes: &mut [&mut Tensor]) -> c_int {
    let mut pointers: Vec<*mut Tensor> =
        nodes.iter_mut().map(|node| ptr::addr_of_mut!(**node)).collect();
    let count = pointers.len() as c_int;
    let mut graph = Graph { size: count, n_nodes: count, n_leafs: 0, nodes: pointers.as_mut_ptr() };
    let device = ptr::addr_of!(device.ffi);
    // SAFETY: as ggml does it; the nodes are there.
    unsafe {
        let stream = ((*device).iface.init_backend)(device, ptr::null());
        if let Some(threads) = threads {
            let set = (registry::CALLS.get_proc_address)(ptr::null(), SET_THREADS.as_ptr().cast());
            mem::transmute::<*mut c_void, ggml::SetThreads>(set)(stream, threads);
        }
        let status = ((*stream).iface.graph_compute)(stream, &mut graph);
        ((*stream).iface.free)(stream);
        status
    }
}

fn blocks(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 0..count * Q4_K_BLOCK_BYTES {
        bytes.push((i * 37 % 251) as u8);
    }
    for block in bytes.chunks_exact_mut(Q4_K_BLOCK_BYTES) {
        (block[1], block[3]) = (0x20, 0x1c);
    }
    bytes
}

fn floats(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| ((i * 29 % 101) as f32 / 50.0 - 1.0).to_le_bytes()).collect()
}

/// What the crate spanker makes of it.
fn expected(m: usize, k: usize, n: usize, x: &[u8], weights: &[u8]) -> Vec<u8> {
    let sail = Sail::software().expect("the software Sail");
    let a = sail.upload_bytes::<F32>(m, k, x).expect("activations");
    let b = sail.upload_bytes::<Q4K>(n, k, weights).expect("weights");
    let product = Matmul::new(&a, &b, sail.matrix(m, n).expect("results"));
    let out = sail.submit(product).expect("a product").wait().expect("results");
    let mut bytes = vec![0; m * n * 4];
    out.read_bytes(&mut bytes).expect("as many");
    bytes
}

/// One product of m×k by n×k in one buffer, computed: its status, and the bits.
fn product(device: &Device, shape: (usize, usize, usize)) -> (c_int, bool) {
    product_with(device, None, shape)
}

/// The same, with so many threads.
fn product_with(
    device: &Device,
    threads: Option<c_int>,
    (m, k, n): (usize, usize, usize),
) -> (c_int, bool) {
    let (weights, x) = (blocks(n * k / QK_K), floats(m * k));
    let x_at = weights.len().next_multiple_of(64);
    let out_at = x_at + x.len().next_multiple_of(64);
    let buffer = Owned::new(device, out_at + m * n * 4).expect("a buffer");
    let ne = |cols: usize, rows: usize| [cols as i64, rows as i64, 1, 1];
    let mut b = buffer.tensor(Q4_K_TYPE, ne(k, n), 0);
    let mut a = buffer.tensor(F32_TYPE, ne(k, m), x_at);
    let mut out = buffer.tensor(F32_TYPE, ne(n, m), out_at);
    buffer.set(&mut b, &weights);
    buffer.set(&mut a, &x);
    multiply(&mut out, &mut b, &mut a);
    assert!(supports(device, &out));
    let status = compute_with(device, threads, &mut [&mut out]);
    (status, buffer.get(&out, m * n * 4) == expected(m, k, n, &x, &weights))
}

#[test]
fn products_have_the_bits_of_the_crate_spanker() {
    let device = device(Config::default());
    for shape in [(1, 256, 1), (1, 512, 40), (7, 768, 33)] {
        assert_eq!(product(device, shape), (ggml::STATUS_SUCCESS, true), "{shape:?}");
    }
}

#[test]
fn products_larger_than_the_card_takes_have_the_same_bits() {
    let small = CardConfig { max_m: 3, max_n: 5, max_k: 256, max_ops: 4, ..CardConfig::default() };
    let device = device(Config { cards: vec![small], ..Config::default() });
    assert_eq!(product(device, (7, 768, 13)), (ggml::STATUS_SUCCESS, true));
}

#[test]
fn a_node_may_read_what_an_earlier_one_wrote() {
    let device = device(Config::default());
    let (first_weights, second_weights) = (blocks(256), blocks(8));
    let x = floats(256);
    let buffer = Owned::new(device, 1 << 18).expect("a buffer");
    let mut b1 = buffer.tensor(Q4_K_TYPE, [256, 256, 1, 1], 0);
    let mut b2 = buffer.tensor(Q4_K_TYPE, [256, 8, 1, 1], 1 << 16);
    let mut a = buffer.tensor(F32_TYPE, [256, 1, 1, 1], 1 << 17);
    let mut hidden = buffer.tensor(F32_TYPE, [256, 1, 1, 1], (1 << 17) + 2048);
    let mut out = buffer.tensor(F32_TYPE, [8, 1, 1, 1], (1 << 17) + 4096);
    buffer.set(&mut b1, &first_weights);
    buffer.set(&mut b2, &second_weights);
    buffer.set(&mut a, &x);
    multiply(&mut hidden, &mut b1, &mut a);
    multiply(&mut out, &mut b2, &mut hidden);
    let mut shape = unplaced(F32_TYPE, [8, 1, 1, 1]);
    shape.op = NONE;
    let status = compute(device, &mut [&mut hidden, &mut shape, &mut out]);
    assert_eq!(status, ggml::STATUS_SUCCESS);
    let hidden = expected(1, 256, 256, &x, &first_weights);
    assert_eq!(buffer.get(&out, 32), expected(1, 256, 8, &hidden, &second_weights));
}

/// Heads that are apart in memory, the weights of one used for two.
#[test]
fn planes_and_strides_are_followed() {
    let device = device(Config::default());
    let (m, k, n) = (3, 256, 5);
    let weights = blocks(2 * n);
    let x = floats(4 * m * k);
    let buffer = Owned::new(device, 1 << 17).expect("a buffer");
    let mut b = buffer.tensor(Q4_K_TYPE, [k as i64, n as i64, 2, 1], 0);
    // Rows of the four planes follow each other: permuted.
    let mut a = buffer.tensor(F32_TYPE, [k as i64, m as i64, 4, 1], 1 << 13);
    a.nb = [4, 4 * k * 4, k * 4, 4 * m * k * 4];
    let mut out = buffer.tensor(F32_TYPE, [n as i64, m as i64, 4, 1], 1 << 15);
    buffer.set(&mut b, &weights);
    buffer.set(&mut a, &x);
    multiply(&mut out, &mut b, &mut a);
    assert!(supports(device, &out));
    assert_eq!(compute(device, &mut [&mut out]), ggml::STATUS_SUCCESS);
    let results = buffer.get(&out, 4 * m * n * 4);
    for plane in 0..4 {
        let rows = (0..m).flat_map(|row| x[(row * 4 + plane) * k * 4..][..k * 4].to_vec());
        let rows: Vec<u8> = rows.collect();
        let own = &weights[plane / 2 * n * Q4_K_BLOCK_BYTES..][..n * Q4_K_BLOCK_BYTES];
        let own = expected(m, k, n, &rows, own);
        assert_eq!(results[plane * m * n * 4..][..m * n * 4], own, "plane {plane}");
    }
}

#[test]
fn only_what_is_computed_is_supported() {
    let device = device(Config::default());
    let other = self::device(Config::default());
    let (here, elsewhere) = (Owned::new(device, 4096), Owned::new(other, 4096));
    let (here, elsewhere) = (here.expect("a buffer"), elsewhere.expect("a buffer"));
    type Change = fn(&mut Tensor, &mut Tensor, &mut Tensor);
    let changes: [(&str, bool, Change); 10] = [
        ("as it is", true, |_, _, _| {}),
        ("weights of another type", false, |_, b, _| b.type_ = 14),
        ("activations of another type", false, |_, _, a| a.type_ = 1),
        ("results of another type", false, |out, _, _| out.type_ = 1),
        ("another op", false, |out, _, _| out.op = ADD),
        ("a shape", true, |out, _, _| out.op = NONE),
        ("activations apart", false, |_, _, a| a.nb[0] = 8),
        ("rows that overlap", false, |_, _, a| a.nb[1] = 512),
        ("rows at odd places", false, |_, _, a| a.nb[1] = 1026),
        ("no activations", false, |out, _, _| out.src[1] = ptr::null_mut()),
    ];
    for (what, supported, change) in changes {
        let mut b = unplaced(Q4_K_TYPE, [256, 4, 1, 1]);
        let mut a = unplaced(F32_TYPE, [256, 2, 1, 1]);
        let mut out = unplaced(F32_TYPE, [4, 2, 1, 1]);
        multiply(&mut out, &mut b, &mut a);
        change(&mut out, &mut b, &mut a);
        assert_eq!(supports(device, &out), supported, "{what}");
    }
    for (buffer, supported) in [(&here, true), (&elsewhere, false)] {
        let mut b = buffer.tensor(Q4_K_TYPE, [256, 4, 1, 1], 0);
        let mut a = unplaced(F32_TYPE, [256, 2, 1, 1]);
        let mut out = unplaced(F32_TYPE, [4, 2, 1, 1]);
        multiply(&mut out, &mut b, &mut a);
        assert_eq!(supports(device, &out), supported);
        // What was not offered fails, and does not reach the Sail.
        assert_eq!(compute(device, &mut [&mut out]), ggml::STATUS_FAILED);
    }
    let mut sum = unplaced(F32_TYPE, [4, 2, 1, 1]);
    sum.op = ADD;
    assert_eq!(compute(device, &mut [&mut sum]), ggml::STATUS_FAILED);
}

#[test]
fn nodes_that_are_not_to_be_computed_are_left() {
    let device = device(Config::default());
    let mut sum = unplaced(F32_TYPE, [4, 2, 1, 1]);
    (sum.op, sum.flags) = (ADD, 0);
    assert_eq!(compute(device, &mut [&mut sum]), ggml::STATUS_SUCCESS);
    assert_eq!(compute(device, &mut []), ggml::STATUS_SUCCESS);
}

#[test]
fn a_sail_that_fails_is_a_status() {
    let device = device(with_faults("batch#2"));
    let _model = Owned::new(device, 4096).expect("a buffer");
    assert_eq!(product(device, (1, 256, 1)), (ggml::STATUS_SUCCESS, true));
    assert_eq!(product(device, (1, 256, 1)).0, ggml::STATUS_FAILED);
    assert_eq!(product(device, (1, 256, 1)).0, ggml::STATUS_FAILED);
}

#[test]
fn a_sail_that_failed_is_opened_anew_when_nobody_has_memory_in_it() {
    let device = device(with_faults("batch#2*"));
    let shape = (1, 256, 1);
    for _ in 0..2 {
        let kept = Owned::new(device, 4096).expect("a buffer");
        assert_eq!(product(device, shape), (ggml::STATUS_SUCCESS, true));
        assert_eq!(product(device, shape).0, ggml::STATUS_FAILED);
        assert_eq!(product(device, shape).0, ggml::STATUS_FAILED);
        drop(kept);
    }
}

#[test]
fn memory_that_cannot_be_had_is_no_buffer() {
    let card = CardConfig { max_bufs: 1, ..CardConfig::default() };
    let faults = with_faults("BUF_CREATE#1=ENOSPC; MMAP#1=ENOMEM").faults;
    let refused = device(Config { cards: vec![card], faults, ..Config::default() });
    assert!(Owned::new(refused, 4096).is_none());
    assert!(Owned::new(refused, 4096).is_none());
    assert!(Owned::new(refused, 4096).is_some(), "what cannot be mapped is given back");
    let card = CardConfig { max_buf_size: 8192, ..CardConfig::default() };
    let device = device(Config { cards: vec![card], ..Config::default() });
    assert!(Owned::new(device, 8193).is_none());
    let buft = ptr::addr_of!(device.buffer_type);
    // SAFETY: the device's own table.
    assert_eq!(unsafe { ((*buft).iface.get_max_size)(buft) }, 8192);
    assert!(Owned::new(device, 8192).is_some());
    assert!(Owned::new(device, 0).is_some());
}

#[test]
fn a_full_queue_and_interrupted_waits_are_waited_out() {
    let card = CardConfig { max_inflight: 1, max_ops: 1, max_m: 1, ..CardConfig::default() };
    let faults = "WAIT%50*=EINTR; slow=1ms".parse().expect("a plan of faults");
    let device = device(Config { cards: vec![card], faults, ..Config::default() });
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..8 {
                    assert_eq!(product(device, (3, 256, 5)), (ggml::STATUS_SUCCESS, true));
                }
            });
        }
    });
}

/// The batch of each op, and how many threads it may have, in order.
type Recorded = Arc<Mutex<Vec<(u64, usize)>>>;

#[derive(Debug)]
struct Recording {
    inside: CpuEngine,
    ops: Recorded,
}

impl Engine for Recording {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        self.ops.lock().expect("nobody panics").push((op.seqno(), crew.threads()));
        self.inside.run(op, crew)
    }
}

/// A device with three threads, whose ops have one row, and what is taken down.
fn recording() -> (&'static Device, Recorded) {
    recording_on(CardConfig { max_m: 1, ..CardConfig::default() }, Config::default())
}

fn recording_on(card: CardConfig, config: Config) -> (&'static Device, Recorded) {
    let ops = Recorded::default();
    let engine = Arc::new(Recording { inside: CpuEngine::new(), ops: Arc::clone(&ops) });
    let (threads, cards) = (NonZeroUsize::new(3), vec![card]);
    (device(Config { cards, threads, engine, ..config }), ops)
}

#[test]
fn nothing_runs_any_more_when_the_rest_of_a_graph_was_refused() {
    let card = CardConfig { max_m: 1, max_ops: 2, ..CardConfig::default() };
    let (device, ops) = recording_on(card, with_faults("WORK_SUBMIT#2=ENOMEM"));
    assert_eq!(product(device, (4, 256, 1)).0, ggml::STATUS_FAILED);
    assert_eq!(ops.lock().expect("nobody panics").len(), 2);
}

#[test]
fn a_card_that_takes_no_product_however_it_is_cut_is_not_used() {
    for (card, said) in [
        (CardConfig { max_k: 255, ..CardConfig::default() }, "×255 by"),
        (CardConfig { max_m: 0, ..CardConfig::default() }, "of 0×"),
    ] {
        let machine = Machine::new(Config { cards: vec![card], ..Config::default() });
        let failure = Card::on_machine(&machine.expect("threads start")).expect_err("a refusal");
        assert!(failure.to_string().contains(said), "{failure}");
    }
}

#[test]
fn no_more_threads_compute_than_the_program_says() {
    let (device, ops) = recording();
    // Each is another context's.
    for said in [None, Some(1), Some(2), Some(8), Some(0), None] {
        let answer = product_with(device, said, (1, 256, 1));
        assert_eq!(answer, (ggml::STATUS_SUCCESS, true));
    }
    let ops = ops.lock().expect("nobody panics");
    assert_eq!(*ops, [(1, 3), (2, 1), (3, 2), (4, 3), (5, 3), (6, 3)]);
    // SAFETY: a string.
    let other = unsafe {
        (registry::CALLS.get_proc_address)(ptr::null(), b"ggml_backend_else\0".as_ptr().cast())
    };
    assert!(other.is_null());
}

#[test]
fn contexts_at_once_have_the_threads_that_each_is_told() {
    let (device, ops) = recording();
    // One with batches of one op on one thread, another with two on two.
    let rounds = |number: usize| {
        for _ in 0..200 {
            let answer = product_with(device, Some(number as c_int), (number, 256, 1));
            assert_eq!(answer, (ggml::STATUS_SUCCESS, true));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| rounds(1));
        scope.spawn(|| rounds(2));
    });
    let ops = ops.lock().expect("nobody panics");
    assert_eq!(ops.len(), 600);
    for (seqno, threads) in &*ops {
        let of_the_batch = ops.iter().filter(|(other, _)| other == seqno).count();
        assert_eq!(*threads, of_the_batch, "batch {seqno}");
    }
}

#[test]
fn bytes_go_in_and_out_by_rows_too() {
    let device = device(Config::default());
    let buffer = Owned::new(device, 64).expect("a buffer");
    let mut tensor = buffer.tensor(F32_TYPE, [8, 2, 1, 1], 0);
    let (from, mut back) = ([1_u8, 2, 3, 4, 5, 6], [0_u8; 6]);
    // SAFETY: as ggml calls them, inside the tensor.
    unsafe {
        let calls = (*buffer.0).iface;
        (calls.clear)(buffer.0, 9);
        (calls.set_tensor_2d)(buffer.0, &mut tensor, from.as_ptr().cast(), 1, 2, 2, 32, 3);
        (calls.memset_tensor)(buffer.0, &mut tensor, 7, 40, 2);
        (calls.get_tensor_2d)(buffer.0, &tensor, back.as_mut_ptr().cast(), 1, 2, 2, 32, 4);
    }
    let mut all = [9; 64];
    (all[1], all[2], all[33], all[34], all[40], all[41]) = (1, 2, 4, 5, 7, 7);
    assert_eq!(buffer.get(&tensor, 64), all);
    assert_eq!(back, [1, 2, 0, 0, 4, 5]);
}
