// SPDX-License-Identifier: Apache-2.0
//! A product of dense operands, made by a device and by the [text].

use spanker_sys::{spanker_op, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K};

use crate::open::Open;
use crate::ops::{dense, matmul, row_bytes};
use crate::text;

/// A product to make.
#[derive(Clone, Debug)]
pub struct Product {
    /// The type of `a`. That of `b` is Q4_K.
    pub a_type: u32,
    /// m, n and k.
    pub shape: (usize, usize, usize),
    /// The rows of `a`.
    pub a: Vec<u8>,
    /// The rows of `b`.
    pub b: Vec<u8>,
    /// With ACCUMULATE: the bits that out holds before.
    pub start: Option<Vec<u32>>,
}

impl Product {
    /// The product of rows of k elements, as many as there are.
    pub fn new(a_type: u32, k: usize, a: Vec<u8>, b: Vec<u8>) -> Product {
        let m = a.len() / row_bytes(a_type, k);
        let n = b.len() / row_bytes(SPANKER_TYPE_Q4_K, k);
        assert_eq!(a.len(), m * row_bytes(a_type, k));
        assert_eq!(b.len(), n * row_bytes(SPANKER_TYPE_Q4_K, k));
        Product { a_type, shape: (m, n, k), a, b, start: None }
    }

    /// The product added to what out holds.
    pub fn starting_from(self, start: &[u32]) -> Product {
        Product { start: Some(start.to_vec()), ..self }
    }

    /// What the device stores, row after row.
    #[track_caller]
    pub fn run(&self, open: &Open) -> Vec<u32> {
        let (m, n, k) = self.shape;
        let (a, b) = (open.create_holding(&self.a), open.create_holding(&self.b));
        // Without ACCUMULATE nothing may come of what out holds.
        let before = self.start.clone().unwrap_or_else(|| vec![0x7fa5_a5a5; m * n]);
        let out = open.create_holding(&little_endian(&before));
        let op = matmul(
            self.shape,
            dense(&a, self.a_type, k),
            dense(&b, SPANKER_TYPE_Q4_K, k),
            dense(&out, SPANKER_TYPE_F32, n),
        );
        let flags = if self.start.is_some() { SPANKER_OP_ACCUMULATE } else { 0 };
        open.run(&[spanker_op { flags, ..op }]);
        let bits = words(&open.contents(&out));
        for buffer in [a, b, out] {
            open.destroy(&buffer);
        }
        bits
    }

    /// What the text stores, row after row.
    pub fn expected(&self) -> Vec<u32> {
        let (m, n, k) = self.shape;
        let mut bits = Vec::with_capacity(m * n);
        for i in 0..m {
            for j in 0..n {
                let start = self.start.as_ref().map_or(0, |start| start[i * n + j]);
                let a = row(&self.a, row_bytes(self.a_type, k), i);
                let b = row(&self.b, row_bytes(SPANKER_TYPE_Q4_K, k), j);
                bits.push(text::element(self.a_type, a, b, k, f32::from_bits(start)));
            }
        }
        bits
    }

    /// The device and the text agree in every bit.
    #[track_caller]
    pub fn check(&self, open: &Open, what: &str) {
        assert_same_bits(&self.run(open), &self.expected(), self.shape.1, what);
    }
}

/// Two results, row after row of n, have the same bits.
#[track_caller]
pub fn assert_same_bits(device: &[u32], expected: &[u32], n: usize, what: &str) {
    assert_eq!(device.len(), expected.len());
    if let Some(at) = (0..device.len()).find(|&at| device[at] != expected[at]) {
        let wrong = device.iter().zip(expected).filter(|(device, text)| device != text).count();
        let (i, j, len) = (at / n, at % n, device.len());
        let [device, expected] = [device[at], expected[at]];
        panic!(
            "{what}: out[{i}][{j}] is {device:#010x} ({:e}), expected {expected:#010x} ({:e}); \
             {wrong} of {len} differ",
            f32::from_bits(device),
            f32::from_bits(expected),
        );
    }
}

/// The i-th row.
pub fn row(rows: &[u8], row_bytes: usize, i: usize) -> &[u8] {
    &rows[i * row_bytes..(i + 1) * row_bytes]
}

/// Numbers as operand data.
pub fn little_endian(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Operand data as numbers.
pub fn words(bytes: &[u8]) -> Vec<u32> {
    let word = |four: &[u8]| u32::from_le_bytes(four.try_into().expect("chunks of four"));
    bytes.chunks_exact(4).map(word).collect()
}
