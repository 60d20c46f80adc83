// SPDX-License-Identifier: Apache-2.0
//! The trait as its callers know it.

use ggml_spanker::*;
use spanker::spanker_soft::{CardConfig, Config, Machine};
use spanker::Sail;
use std::sync::OnceLock;

fn sail() -> SailMatmul {
    SailMatmul::new(Sail::software().expect("the software Sail opens everywhere"))
}

/// One that goes wrong as the plan says.
fn faulty(plan: &str) -> SailMatmul {
    let faults = plan.parse().expect("a plan of faults");
    let machine = Machine::new(Config { faults, ..Config::default() }).expect("threads start");
    SailMatmul::new(Sail::on_machine(&machine, 0).expect("the card is there"))
}

/// Blocks of every kind: all bytes are valid, and d and dmin are kept small.
fn blocks(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut bytes: Vec<u8> = (0..count * Q4_K_BLOCK_BYTES).map(|_| next()).collect();
    for block in bytes.chunks_exact_mut(Q4_K_BLOCK_BYTES) {
        // f16 between 0.0078 and 0.03
        (block[1], block[3]) = (0x20 | block[1] & 7, 0x20 | block[3] & 7);
    }
    bytes
}

/// The weights of rows, by the definition of Q4_K, in f64.
fn dequantised(bytes: &[u8]) -> Vec<f64> {
    let half = |low: u8, high: u8| {
        let bits = u16::from_le_bytes([low, high]);
        let exponent = i32::from(bits >> 10 & 31);
        (1.0 + f64::from(bits & 1023) / 1024.0) * 2f64.powi(exponent - 15)
    };
    let mut weights = Vec::new();
    for block in bytes.chunks_exact(Q4_K_BLOCK_BYTES) {
        let (d, dmin, s) = (half(block[0], block[1]), half(block[2], block[3]), &block[4..16]);
        for j in 0..8 {
            let (scale, min) = if j < 4 {
                (s[j] & 63, s[j + 4] & 63)
            } else {
                (s[j + 4] & 15 | s[j - 4] >> 6 << 4, s[j + 4] >> 4 | s[j] >> 6 << 4)
            };
            for l in 0..32 {
                let q = block[16 + j / 2 * 32 + l] >> (j % 2 * 4) & 15;
                weights.push(d * f64::from(scale) * f64::from(q) - dmin * f64::from(min));
            }
        }
    }
    weights
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn products_are_those_of_the_dequantised_weights() {
    for (m, k, n) in [(1, 256, 1), (3, 512, 5), (17, 768, 33)] {
        let (a, b) = (blocks(m * k / QK_K, 1), blocks(n * k / QK_K, 2));
        let mut out = vec![0; m * n * OUTPUT_ELEM_BYTES];
        sail().matmul_q4_k(&a, &b, &mut out, m, k, n).unwrap();
        let (x, y) = (dequantised(&a), dequantised(&b));
        for (i, result) in floats(&out).into_iter().enumerate() {
            let (x, y) = (&x[i / n * k..][..k], &y[i % n * k..][..k]);
            let expected: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
            let scale: f64 = x.iter().zip(y).map(|(x, y)| (x * y).abs()).sum();
            let error = (f64::from(result) - expected).abs();
            assert!(error <= 1e-6 * scale, "{m}×{k}×{n} at {i}: {result}, not {expected}");
        }
    }
}

#[test]
fn what_is_behind_the_results_is_left_alone() {
    let mut out = [0xaa; 4 + 3];
    sail().matmul_q4_k(&[0; 144], &[0; 144], &mut out, 1, 256, 1).unwrap();
    assert_eq!(out, [0, 0, 0, 0, 0xaa, 0xaa, 0xaa]);
}

/// Both kinds refuse alike, and nothing passes to the device.
fn refused(a: usize, b: usize, out: usize, (m, k, n): (usize, usize, usize)) -> Error {
    static ZEROS: OnceLock<Vec<u8>> = OnceLock::new();
    let zeros = ZEROS.get_or_init(|| vec![0; 4096]);
    let (mock, mut out) = (MockSail::new(), vec![7; out]);
    let error = mock.matmul_q4_k(&zeros[..a], &zeros[..b], &mut out, m, k, n).unwrap_err();
    assert_eq!(mock.transactions(), []);
    let other = sail().matmul_q4_k(&zeros[..a], &zeros[..b], &mut out, m, k, n).unwrap_err();
    assert_eq!(error.to_string(), other.to_string());
    assert!(out.iter().all(|byte| *byte == 7), "out was written");
    error
}

#[test]
fn bad_dims_say_the_shape_and_what_it_needs() {
    let k = "k needs to be a positive multiple of 256";
    let half = usize::MAX / 2 + 1;
    let top = usize::MAX / 256 * 256;
    for (a, b, shape, needs) in [
        (0, 0, (1, 0, 1), k),
        (144, 144, (1, 255, 1), k),
        (144, 144, (0, 1, 0), k),
        (143, 144, (1, 256, 1), "a needs 144 bytes, given 143"),
        (145, 144, (1, 256, 1), "a needs 144 bytes, given 145"),
        (144, 144, (1, 256, 2), "b needs 288 bytes, given 144"),
        (144, 288, (1, 512, 1), "a needs 288 bytes, given 144"),
        (144, 144, (half, 256, 1), "a needs more bytes than there are addresses"),
        (144, 144, (1, 256, half), "b needs more bytes than there are addresses"),
        (
            144,
            144,
            (isize::MAX as usize / 144 + 1, 256, 1),
            "a needs more bytes than there are addresses",
        ),
        (144, 144, (3, top, 1), "a needs more bytes than there are addresses"),
    ] {
        match refused(a, b, 4, shape) {
            Error::BadDims { m, k, n, needs: said } => {
                assert_eq!(((m, k, n), said.as_str()), (shape, needs));
            }
            other => panic!("{shape:?}: {other:?}"),
        }
    }
    let message = refused(144, 143, 4, (1, 256, 1)).to_string();
    assert_eq!(message, "a of 1×256 by b of 1×256: b needs 144 bytes, given 143");
}

#[test]
fn output_too_small_says_how_many_bytes() {
    match refused(288, 432, 23, (2, 256, 3)) {
        Error::OutputTooSmall { have: 23, need: 24 } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_to_compute_touches_no_device() {
    let mock = MockSail::new();
    mock.matmul_q4_k(&[], &[0; 144], &mut [], 0, 256, 1).unwrap();
    mock.matmul_q4_k(&[0; 144], &[], &mut [], 1, 256, 0).unwrap();
    mock.matmul_q4_k(&[], &[], &mut [], 0, 512, usize::MAX).unwrap();
    assert_eq!(mock.transactions(), []);

    // A Sail that gives no memory: whatever touches it fails.
    let sail = faulty("BUF_CREATE#1*=ENOMEM");
    let error = sail.matmul_q4_k(&[0; 144], &[0; 144], &mut [0; 4], 1, 256, 1).unwrap_err();
    assert!(matches!(error, Error::Device(_)), "{error:?}");
    sail.matmul_q4_k(&[], &[0; 144], &mut [], 0, 256, 1).unwrap();
    sail.matmul_q4_k(&[0; 144], &[], &mut [], 1, 256, 0).unwrap();
}

#[test]
fn a_mock_records_each_product_in_order() {
    let mock = MockSail::new();
    let mut out = [9; 24];
    mock.matmul_q4_k(&[0; 288], &[0; 432], &mut out, 2, 256, 3).unwrap();
    let product = [
        Transaction::Write { region: Region::A, bytes: 288 },
        Transaction::Write { region: Region::B, bytes: 432 },
        Transaction::ComputeSubmit { m: 2, k: 256, n: 3 },
        Transaction::Read { region: Region::Out, bytes: 24 },
    ];
    assert_eq!(mock.transactions(), product);
    assert_eq!(out, [9; 24], "a mock computes nothing");
    assert_eq!(mock.take_transactions(), product);
    assert_eq!(mock.transactions(), []);
}

#[test]
fn threads_can_share_one() {
    let sail: &dyn MatmulInt4 = &sail();
    fn all<T: Send + Sync>() {}
    all::<SailMatmul>();
    all::<MockSail>();
    let mut out = [1; 4];
    (&sail).matmul_q4_k(&[0; 144], &[0; 144], &mut out, 1, 256, 1).unwrap();
    assert_eq!(out, [0; 4]);
}

#[test]
fn a_device_that_fails_is_told_with_its_error() {
    let sail = faulty("batch#1");
    let error = sail.matmul_q4_k(&[0; 144], &[0; 144], &mut [0; 4], 1, 256, 1).unwrap_err();
    assert!(matches!(error, Error::Device(spanker::Error::Fault { .. })), "{error:?}");
}

#[test]
fn products_of_several_threads_queue() {
    let cards = vec![CardConfig { max_inflight: 1, ..CardConfig::default() }];
    let machine = Machine::new(Config { cards, ..Config::default() }).expect("threads start");
    let sail = SailMatmul::new(Sail::on_machine(&machine, 0).expect("the card is there"));
    let (a, b) = (blocks(1, 1), blocks(3, 2));
    std::thread::scope(|scope| {
        for sail in [sail.clone(), sail.clone(), sail] {
            let (a, b) = (&a, &b);
            scope.spawn(move || {
                for _ in 0..200 {
                    sail.matmul_q4_k(a, b, &mut [0; 12], 1, QK_K, 3).expect("a product");
                }
            });
        }
    });
}
