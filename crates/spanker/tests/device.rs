// SPDX-License-Identifier: Apache-2.0
//! The whole API on the Sail that `SPANKER_SAIL` names, against the software
//! Sail: the same requests, the same bits. Without the variable that is the
//! first card there is, or the software Sail itself.

#[path = "operands/random.rs"]
mod random;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use random::{q4_k, q8_k, Random};
use spanker::{
    AbiVersion, Activation, Batch, Copy, Error, Matmul, Matrix, Pending, Placement, Ring, Sail,
    SpankerControl, F32, Q4K, Q8K,
};
use spanker_soft::{Config, Machine};
use std::fs;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The next open of a card is to fail in one test, and in no other.
static OPENING: Mutex<()> = Mutex::new(());

fn opening() -> MutexGuard<'static, ()> {
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open() -> Sail {
    let _turn = opening();
    Sail::from_environment().unwrap()
}

fn floats(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| random.float().to_le_bytes()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Operands of a product, to be uploaded to more than one Sail.
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: Vec<u8>,
    b: Vec<u8>,
}

impl Product {
    fn new(seed: u64, [m, n, k]: [usize; 3], a: fn(&mut Random, usize) -> Vec<u8>) -> Self {
        let mut random = Random::new(seed);
        let (a, b) = (a(&mut random, m * k), q4_k(&mut random, n * k));
        Self { m, n, k, a, b }
    }

    fn upload<A: Activation>(&self, sail: &Sail) -> (Matrix<A>, Matrix<Q4K>) {
        let a = sail.upload_bytes(self.m, self.k, &self.a).unwrap();
        (a, sail.upload_bytes(self.n, self.k, &self.b).unwrap())
    }

    fn out(&self, sail: &Sail) -> Matrix<F32> {
        sail.matrix(self.m, self.n).unwrap()
    }

    fn on<A: Activation>(&self, sail: &Sail) -> Vec<u32> {
        let (a, b) = self.upload::<A>(sail);
        let pending = sail.submit(Matmul::new(&a, &b, self.out(sail))).unwrap();
        bits(&pending.wait().unwrap().to_vec().unwrap())
    }

    fn on_software<A: Activation>(&self) -> Vec<u32> {
        let result = self.on::<A>(&Sail::software().unwrap());
        assert!(result.iter().any(|value| *value != 0));
        result
    }
}

/// One, odd ones, and what a card with small limits takes in parts.
const SHAPES: [[usize; 3]; 4] = [[1, 1, 256], [3, 7, 512], [11, 21, 1280], [33, 65, 768]];

fn compare<A: Activation>(a: fn(&mut Random, usize) -> Vec<u8>) {
    let sail = open();
    for (seed, shape) in (1..).zip(SHAPES) {
        let product = Product::new(seed, shape, a);
        assert_eq!(product.on::<A>(&sail), product.on_software::<A>(), "{shape:?}");
    }
}

#[test]
fn floats_by_weights_have_the_bits_of_the_software_sail() {
    compare::<F32>(floats);
}

#[test]
fn quantised_activations_by_weights_have_the_bits_of_the_software_sail() {
    compare::<Q8K>(q8_k);
}

#[test]
fn weights_by_weights_have_the_bits_of_the_software_sail() {
    compare::<Q4K>(q4_k);
}

#[test]
fn a_sail_says_what_it_is() {
    let sail = open();
    sail.ping().unwrap();
    assert_eq!(sail.version(), AbiVersion::LIBRARY);
    let info = sail.info();
    assert!(!info.name.is_empty());
    assert!(info.memory_bytes > 0 && info.max_ops > 0 && info.max_in_flight > 0);
    let caps = sail.caps().unwrap();
    assert_eq!(caps.iter().filter(|cap| cap.bit_exact).count(), 3, "{caps:?}");
    if let Some(path) = sail.path() {
        let node = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(node, format!("spanker{}", info.index));
        let control = SpankerControl::open().unwrap();
        control.ping().unwrap();
        assert_eq!(control.version(), AbiVersion::LIBRARY);
        assert!(control.sails().unwrap().contains(&info.index));
    }
}

#[test]
fn counters_tell_of_work() {
    let sail = open();
    let before = sail.telemetry().unwrap();
    Product::new(1, [2, 4, 512], floats).on::<F32>(&sail);
    let after = sail.telemetry().unwrap();
    // Other tests use the card as well.
    assert!(after.ops > before.ops && after.batches > before.batches);
    assert!(after.bytes_in > before.bytes_in && after.bytes_out > before.bytes_out);
    assert!(after.time_ns > before.time_ns && after.busy_ns > before.busy_ns);
}

#[test]
fn memory_is_zero_and_holds_what_is_written() {
    let sail = open();
    let mut matrix = sail.matrix::<F32>(5, 1000).unwrap();
    assert!(matrix.to_vec().unwrap().iter().all(|value| value.to_bits() == 0));
    let values: Vec<f32> = (0..5000).map(|value| value as f32).collect();
    matrix.write(&values).unwrap();
    assert_eq!(matrix.to_vec().unwrap(), values);
    matrix.view_mut().unwrap().set(4, 999, -1.0);
    assert_eq!(matrix.view().unwrap().get(4, 999), Some(-1.0));
}

#[test]
fn device_memory_is_reached_by_ops() {
    let sail = open();
    let product = Product::new(2, [4, 6, 512], floats);
    let (a, b) = product.upload::<F32>(&sail);
    let there = sail.matrix_in(6, 512, Placement::Device).unwrap();
    let there = sail.submit(Copy::new(&b, there)).unwrap().wait().unwrap();
    assert!(matches!(there.view(), Err(Error::NotMapped)));
    let out = sail.submit(Matmul::new(&a, &there, product.out(&sail))).unwrap().wait().unwrap();
    assert_eq!(bits(&out.to_vec().unwrap()), product.on_software::<F32>());
}

#[test]
fn accumulating_adds_to_what_is_there() {
    let product = Product::new(3, [3, 5, 512], floats);
    let twice = |sail: &Sail| {
        let (a, b) = product.upload::<F32>(sail);
        let mut out = product.out(sail);
        for _ in 0..2 {
            out = sail.submit(Matmul::new(&a, &b, out).accumulate()).unwrap().wait().unwrap();
        }
        bits(&out.to_vec().unwrap())
    };
    assert_eq!(twice(&open()), twice(&Sail::software().unwrap()));
}

#[test]
fn a_batch_runs_in_order_and_is_filled_again() {
    let mut random = Random::new(4);
    let (x, up) = (floats(&mut random, 2 * 256), q4_k(&mut random, 256 * 256));
    let down = q4_k(&mut random, 7 * 256);
    let results = |sail: &Sail| {
        let x = sail.upload_bytes::<F32>(2, 256, &x).unwrap();
        let up = sail.upload_bytes::<Q4K>(256, 256, &up).unwrap();
        let down = sail.upload_bytes::<Q4K>(7, 256, &down).unwrap();
        let mut batch = Batch::new(sail);
        let hidden = batch.push(Matmul::new(&x, &up, sail.matrix(2, 256).unwrap())).unwrap();
        batch.push_chained(hidden, &down, sail.matrix(2, 7).unwrap()).unwrap();
        let mut results = Vec::new();
        for _ in 0..3 {
            batch = sail.submit(batch).unwrap().wait().unwrap();
            results.extend(batch.results().iter().map(|out| bits(&out.to_vec().unwrap())));
            batch.recycle();
            let hidden = batch.push_recycled(&x, &up).unwrap();
            batch.push_chained_recycled(hidden, &down).unwrap();
        }
        results
    };
    assert_eq!(results(&open()), results(&Sail::software().unwrap()));
}

#[test]
fn a_ring_goes_round() {
    let weights = q4_k(&mut Random::new(5), 9 * 256);
    let results = |sail: &Sail| {
        let weights = sail.upload_bytes::<Q4K>(9, 256, &weights).unwrap();
        let mut ring = Ring::new(sail, weights, 1, 3).unwrap();
        let mut results = Vec::new();
        for step in 0..20 {
            if ring.is_full() {
                results.push(ring.wait().unwrap().unwrap().bytes().to_vec());
            }
            ring.submit(&[step as f32 + 0.5; 256]).unwrap();
        }
        while let Some(out) = ring.wait().unwrap() {
            results.push(out.bytes().to_vec());
        }
        results
    };
    assert_eq!(results(&open()), results(&Sail::software().unwrap()));
}

/// Whether the descriptor is readable, or becomes so before anybody would call it
/// hanging.
fn readable(fd: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::from(60_000_u16)).unwrap() > 0
}

#[test]
fn one_thread_serves_what_is_in_flight_by_the_descriptor() {
    let sail = open();
    let product = Product::new(6, [1, 4, 256], floats);
    let (a, b) = product.upload::<F32>(&sail);
    let mut left = 50;
    let mut pending: Vec<Pending<Matrix<F32>>> = Vec::new();
    while left > 0 || !pending.is_empty() {
        while left > 0 {
            match sail.submit(Matmul::new(&a, &b, product.out(&sail))) {
                Ok(next) => pending.push(next),
                Err(refused) if refused.error.is_queue_full() => break,
                Err(refused) => panic!("{}", refused.error),
            }
            left -= 1;
        }
        assert!(readable(&sail), "nobody was woken");
        let completed = sail.completed().unwrap();
        pending.retain(|pending| pending.seqno() > completed);
    }
    assert_eq!(sail.completed().unwrap(), 50);
}

#[cfg(feature = "tokio")]
#[test]
fn many_are_awaited_on_one_thread() {
    let product = Product::new(7, [2, 5, 512], floats);
    let expected = product.on_software::<F32>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let sail = open();
                let (a, b) = product.upload::<F32>(&sail);
                let (out, expected) = (product.out(&sail), expected.clone());
                tokio::spawn(async move {
                    let mut out = out;
                    for _ in 0..10 {
                        out = sail.submit(Matmul::new(&a, &b, out)).unwrap().await.unwrap();
                        assert_eq!(bits(&out.to_vec().unwrap()), expected);
                    }
                })
            })
            .collect();
        for task in tasks {
            tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
        }
    });
}

#[test]
fn what_is_in_flight_is_guarded_and_waiting_has_an_end() {
    let sail = open();
    let mut a = sail.matrix::<F32>(16, 4096).unwrap();
    let b = sail.matrix::<Q4K>(64, 4096).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(16, 64).unwrap())).unwrap();
    let seqno = pending.seqno();
    if let Err(error) = a.write(&vec![1.0; 16 * 4096]) {
        assert!(matches!(error, Error::InFlight { seqno: of, .. } if of == seqno), "{error}");
    }
    let out = match pending.wait_timeout(Duration::from_secs(60)).unwrap() {
        spanker::Progress::Done(out) => out,
        spanker::Progress::NotYet(_) => panic!("not done after a minute"),
    };
    assert_eq!(out.to_vec().unwrap(), [0.0; 16 * 64]);
    a.write(&vec![1.0; 16 * 4096]).unwrap();
}

#[test]
fn two_sails_work_at_once_and_share_nothing() {
    let (first, second) = (open(), open());
    let product = Product::new(8, [4, 9, 768], floats);
    let (a, b) = product.upload::<F32>(&first);
    let (c, d) = product.upload::<F32>(&second);
    let foreign = first.submit(Matmul::new(&a, &d, product.out(&first))).unwrap_err();
    assert!(matches!(foreign.error, Error::ForeignMatrix { .. }), "{}", foreign.error);
    let pending = [
        first.submit(Matmul::new(&a, &b, product.out(&first))).unwrap(),
        second.submit(Matmul::new(&c, &d, product.out(&second))).unwrap(),
    ];
    assert_eq!(pending[0].seqno(), pending[1].seqno());
    let expected = product.on_software::<F32>();
    for pending in pending {
        assert_eq!(bits(&pending.wait().unwrap().to_vec().unwrap()), expected);
    }
}

#[test]
fn threads_share_a_sail() {
    let sail = open();
    let product = Product::new(9, [2, 6, 512], floats);
    let (a, b) = product.upload::<F32>(&sail);
    let expected = product.on_software::<F32>();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut work = Matmul::new(&a, &b, product.out(&sail));
                    let pending = loop {
                        match sail.submit(work) {
                            Ok(pending) => break pending,
                            Err(refused) if refused.error.is_queue_full() => work = refused.work,
                            Err(refused) => panic!("{}", refused.error),
                        }
                        std::thread::yield_now();
                    };
                    assert_eq!(bits(&pending.wait().unwrap().to_vec().unwrap()), expected);
                }
            });
        }
    });
}

#[test]
fn a_queue_that_is_full_hands_work_back() {
    let sail = open();
    let a = sail.matrix::<F32>(4, 4096).unwrap();
    let b = sail.matrix::<Q4K>(8, 4096).unwrap();
    let mut pending = Vec::new();
    let refused = loop {
        match sail.submit(Matmul::new(&a, &b, sail.matrix(4, 8).unwrap())) {
            Ok(next) => pending.push(next),
            Err(refused) => break refused,
        }
        if pending.len() == 10_000 {
            return; // It is done with work sooner than it gets it.
        }
    };
    assert!(refused.error.is_queue_full(), "{}", refused.error);
    let _ = pending.pop().unwrap().wait().unwrap();
    let _ = sail.submit(refused.work).unwrap().wait().unwrap();
}

/// Work that runs on when nobody waits, and memory that comes back.
#[test]
fn dropped_and_forgotten_work_ends_with_its_sail() {
    let sail = open();
    let product = Product::new(10, [8, 32, 2048], floats);
    {
        let (a, b) = product.upload::<F32>(&sail);
        drop(sail.submit(Matmul::new(&a, &b, product.out(&sail))).unwrap());
        std::mem::forget(sail.submit(Matmul::new(&a, &b, product.out(&sail))).unwrap());
    }
    assert_eq!(product.on::<F32>(&sail), product.on_software::<F32>());
    let closing = open();
    let (a, b) = product.upload::<F32>(&closing);
    let pending = closing.submit(Matmul::new(&a, &b, product.out(&closing))).unwrap();
    let begin = Instant::now();
    drop((pending, a, b, closing));
    assert!(begin.elapsed() < Duration::from_secs(10), "closing has waited");
}

/// An open on which op 0 of batch 2 fails.
fn open_that_fails() -> Sail {
    let probe = open();
    let Some(path) = probe.path() else {
        let config = Config { faults: "batch#2".parse().unwrap(), ..Config::default() };
        return Sail::on_machine(&Machine::new(config).unwrap(), 0).unwrap();
    };
    let _turn = opening();
    let index = probe.info().index;
    // Only cards that are virtual have it, and only root can write it.
    fs::write(format!("/sys/class/spanker/spanker{index}/device/fail_next_open"), "2 0").unwrap();
    Sail::open_path(path).unwrap()
}

#[test]
fn a_fault_is_told_and_an_open_anew_goes_on() {
    let product = Product::new(11, [1, 4, 256], floats);
    let sail = open_that_fails();
    let (a, b) = product.upload::<F32>(&sail);
    let out = || product.out(&sail);
    let submit = || sail.submit(Matmul::new(&a, &b, out()));
    let (first, second) = (submit().unwrap(), submit().unwrap());
    let third = submit();
    assert_eq!(bits(&first.wait().unwrap().to_vec().unwrap()), product.on_software::<F32>());
    let error = second.wait().unwrap_err();
    assert!(matches!(error, Error::Fault { seqno: 2, op: 0, .. }), "{error}");
    if let Ok(third) = third {
        let error = third.wait().unwrap_err();
        assert!(matches!(error, Error::Cancelled { seqno: 3, fault_seqno: 2 }), "{error}");
    }
    let refused = submit().unwrap_err();
    assert!(refused.error.needs_reopening(), "{}", refused.error);
    assert!(readable(&sail));

    let again = open();
    let weights = again.upload_bytes::<Q4K>(4, 256, b.view().unwrap().bytes()).unwrap();
    let x = again.upload_bytes::<F32>(1, 256, a.view().unwrap().bytes()).unwrap();
    let out = again.submit(Matmul::new(&x, &weights, product.out(&again))).unwrap();
    assert_eq!(bits(&out.wait().unwrap().to_vec().unwrap()), product.on_software::<F32>());
}
