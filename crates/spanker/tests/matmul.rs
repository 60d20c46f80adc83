// SPDX-License-Identifier: Apache-2.0
//! Products through the whole API, against products worked out here.

use spanker::{
    Activation, Batch, BlockQ4K, BlockQ8K, Matmul, Matrix, Sail, SailName, SpankerControl, F32,
    Q4K, Q8K,
};
use spanker_soft::{CardConfig, Config, CpuEngine, Machine};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

/// Weights that are `value` everywhere: d = 1, scale 1, no minimum.
fn constant_weights(value: u8) -> BlockQ4K {
    BlockQ4K {
        d: 0x3c00_u16.to_le(),
        dmin: 0,
        // Scales 1, mins 0 in their packed form.
        scales: [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1],
        qs: [value | value << 4; 128],
    }
}

/// Pseudo-random bytes.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Weights with ordinary scales and random nibbles.
fn weights(sail: &Sail, rows: usize, cols: usize, seed: u64) -> Matrix<Q4K> {
    let mut data = bytes(seed, rows * cols / 256 * 144);
    for block in data.chunks_exact_mut(144) {
        block[..4].copy_from_slice(&[0x00, 0x2c, 0x00, 0x28]); // d = 1/16, dmin = 1/32
    }
    sail.upload_bytes(rows, cols, &data).unwrap()
}

fn activations(sail: &Sail, rows: usize, cols: usize, seed: u64) -> Matrix<F32> {
    let values: Vec<f32> =
        bytes(seed, rows * cols).iter().map(|byte| f32::from(*byte as i8) / 32.0).collect();
    sail.upload(rows, cols, &values).unwrap()
}

fn product<A: Activation>(sail: &Sail, a: &Matrix<A>, b: &Matrix<Q4K>) -> Vec<u32> {
    let out = sail.matrix(a.shape().rows, b.shape().rows).unwrap();
    let out = sail.submit(Matmul::new(a, b, out)).unwrap().wait().unwrap();
    out.to_vec().unwrap().iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_product_that_can_be_worked_out_by_hand() {
    let sail = Sail::software().unwrap();
    // Row j is j everywhere; x is 127 everywhere, which quantises to itself.
    let blocks: Vec<_> = (0..16).map(constant_weights).collect();
    let b = sail.upload::<Q4K>(16, 256, &blocks).unwrap();
    let a = sail.upload::<F32>(1, 256, &[127.0; 256]).unwrap();
    let expected: Vec<u32> = (0..16).map(|j| (127.0 * 256.0 * j as f32).to_bits()).collect();
    assert_eq!(product(&sail, &a, &b), expected);

    let quantised = BlockQ8K {
        d: (-1.0_f32).to_bits().to_le(),
        qs: [-127; 256],
        bsums: [(-127_i16 * 16).to_le() as u16; 16],
    };
    let a = sail.upload::<Q8K>(1, 256, &[quantised]).unwrap();
    assert_eq!(product(&sail, &a, &b), expected);
    let a = sail.upload::<Q4K>(1, 256, &[constant_weights(2)]).unwrap();
    let expected: Vec<u32> = (0..16).map(|j| (2.0 * 256.0 * j as f32).to_bits()).collect();
    assert_eq!(product(&sail, &a, &b), expected);
}

#[test]
fn accumulating_parts_of_k_has_the_bits_of_the_whole() {
    let sail = Sail::software().unwrap();
    let (a, b) = (activations(&sail, 3, 1024, 1), weights(&sail, 20, 1024, 2));
    let whole = product(&sail, &a, &b);
    let mut out = sail.matrix::<F32>(3, 20).unwrap();
    for part in 0..2 {
        let (mut a_part, mut b_part) = (vec![0; 3 * 2048], vec![0; 20 * 288]);
        copy_columns(a.view().unwrap().bytes(), &mut a_part, 4096, part * 2048);
        copy_columns(b.view().unwrap().bytes(), &mut b_part, 576, part * 288);
        let a = sail.upload_bytes::<F32>(3, 512, &a_part).unwrap();
        let b = sail.upload_bytes::<Q4K>(20, 512, &b_part).unwrap();
        let matmul = Matmul::new(&a, &b, out);
        out = sail.submit(matmul.accumulate()).unwrap().wait().unwrap();
    }
    let parts: Vec<u32> = out.to_vec().unwrap().iter().map(|value| value.to_bits()).collect();
    assert_eq!(parts, whole);
}

/// Takes as many columns, from `start` on, as `to` has, in bytes.
fn copy_columns(from: &[u8], to: &mut [u8], row: usize, start: usize) {
    let width = to.len() / (from.len() / row);
    for (from, to) in from.chunks_exact(row).zip(to.chunks_exact_mut(width)) {
        to.copy_from_slice(&from[start..start + width]);
    }
}

#[test]
fn the_bits_depend_on_neither_threads_nor_kernel_nor_split() {
    let shapes = [(1, 1, 256), (1, 100, 2304), (5, 17, 4352), (33, 65, 512), (130, 48, 4096)];
    for (m, n, k) in shapes {
        let mut results = Vec::new();
        for threads in [1, 2, 7] {
            for kernel in CpuEngine::kernels() {
                let engine = Arc::new(CpuEngine::with_kernel(kernel).unwrap());
                let threads = NonZeroUsize::new(threads);
                let config = Config { threads, engine, ..Config::default() };
                let machine = Machine::new(config).unwrap();
                let sail = Sail::on_machine(&machine, 0).unwrap();
                let a = activations(&sail, m, k, 3);
                results.push(product(&sail, &a, &weights(&sail, n, k, 4)));
            }
        }
        assert!(results.iter().all(|bits| bits == &results[0]), "{m}×{k} by {n}×{k}");
    }
}

#[test]
fn a_batch_runs_in_order_and_can_be_filled_again() {
    let sail = Sail::software().unwrap();
    let (up, down) = (weights(&sail, 512, 256, 5), weights(&sail, 16, 512, 6));
    let mut batch = Batch::new(&sail);
    for round in 0..3 {
        let x = activations(&sail, 2, 256, 7 + round);
        let hidden = batch.push(Matmul::new(&x, &up, sail.matrix(2, 512).unwrap())).unwrap();
        let y = batch.push_chained(hidden, &down, sail.matrix(2, 16).unwrap()).unwrap();
        assert_eq!((hidden, y, batch.len()), (0, 1, 2));
        batch = sail.submit(batch).unwrap().wait().unwrap();

        let single = sail.matrix(2, 512).unwrap();
        let single = sail.submit(Matmul::new(&x, &up, single)).unwrap().wait().unwrap();
        let expected = product(&sail, &single, &down);
        let bits: Vec<u32> =
            batch.results()[y].to_vec().unwrap().iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, expected);
        batch.clear();
        assert!(batch.is_empty() && batch.results().is_empty());
    }
}

#[test]
fn many_threads_and_opens_at_once() {
    let machine = Machine::new(Config {
        cards: vec![CardConfig::default(), CardConfig::default()],
        ..Config::default()
    })
    .unwrap();
    let shared = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = (activations(&shared, 2, 512, 8), weights(&shared, 40, 512, 9));
    let expected = product(&shared, &a, &b);
    thread::scope(|scope| {
        for worker in 0..8 {
            let (shared, a, b, expected, machine) = (&shared, &a, &b, &expected, &machine);
            scope.spawn(move || {
                for _ in 0..25 {
                    assert_eq!(&product(shared, a, b), expected);
                    let own = Sail::on_machine(machine, worker % 2).unwrap();
                    let a = activations(&own, 2, 512, 8);
                    assert_eq!(&product(&own, &a, &weights(&own, 40, 512, 9)), expected);
                }
            });
        }
    });
}

#[test]
fn control_lists_the_cards_of_its_machine() {
    let cards = vec![CardConfig::default(); 3];
    let machine = Machine::new(Config { cards, ..Config::default() }).unwrap();
    let control = SpankerControl::on_machine(&machine).unwrap();
    control.ping().unwrap();
    assert_eq!(control.sails().unwrap(), [0, 1, 2]);
    assert!(machine.unplug(1));
    assert_eq!(control.sails().unwrap(), [0, 2]);
    assert_eq!(Sail::on_machine(&machine, 2).unwrap().info().index, 2);
}

/// Sharing between threads is decided here, not by accident.
#[test]
fn handles_can_be_sent_and_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Sail>();
    shared::<SpankerControl>();
    shared::<Matrix<F32>>();
    shared::<Batch<'_>>();
    shared::<spanker::Pending<Matrix<F32>>>();
    shared::<spanker::Error>();
    shared::<spanker::View<'_, Q4K>>();
    shared::<spanker::ViewMut<'_, Q4K>>();
}

#[test]
fn sails_are_named() {
    for name in ["soft", "0", "17", "/dev/spanker0", "./spanker0"] {
        assert_eq!(name.parse::<SailName>().unwrap().to_string(), name);
    }
    for name in ["", "software", "-1", "4294967296", "spanker0"] {
        let error = name.parse::<SailName>().unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}` names no Sail")), "{error}");
    }
    assert_eq!(Sail::open_named(&SailName::Software).unwrap().info().index, 0);
}
