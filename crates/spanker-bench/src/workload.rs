// SPDX-License-Identifier: Apache-2.0
//! The work that all contestants are given: random weights and activations, the same in every run.

use crate::implementation::Pair;
use fastrand::Rng;
use half::f16;
use spanker::{BlockQ4K, BlockQ8K};
use std::fmt;
use std::str::FromStr;

/// Elements in a superblock.
pub(crate) const SUPERBLOCK: usize = 256;

/// The shape of a matrix of weights; written as `4096x14336`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Rows, each of which gives one column of the product.
    pub(crate) rows: usize,
    /// Elements in a row (k): a multiple of 256.
    pub(crate) columns: usize,
}

impl Shape {
    /// Bytes of the Q4_K weights.
    pub(crate) fn bytes(self) -> usize {
        self.rows * self.columns / SUPERBLOCK * size_of::<BlockQ4K>()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.columns)
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: a shape is ROWSxCOLUMNS, its columns a multiple of 256");
        let (rows, columns) = text.split_once('x').ok_or_else(wrong)?;
        let (rows, columns) =
            (rows.parse().map_err(|_| wrong())?, columns.parse().map_err(|_| wrong())?);
        let whole = rows > 0 && columns > 0 && columns % SUPERBLOCK == 0;
        whole.then_some(Self { rows, columns }).ok_or_else(wrong)
    }
}

/// What all contestants are given to multiply.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) pair: Pair,
    pub(crate) shape: Shape,
    /// Rows of activations.
    pub(crate) rows: usize,
    /// The activations, row after row.
    pub(crate) x: Vec<f32>,
    /// What takes their place where weights are multiplied by weights.
    pub(crate) quantised: Vec<BlockQ4K>,
}

impl Task {
    pub(crate) fn new(rng: &mut Rng, pair: Pair, shape: Shape, rows: usize) -> Self {
        let count = rows * shape.columns;
        let x = activations(rng, count);
        let quantised = match pair {
            Pair::F32 | Pair::Q8k => Vec::new(),
            Pair::Q4k => weights(rng, count),
        };
        Self { pair, shape, rows, x, quantised }
    }

    /// Floating-point operations, as if nothing were quantised.
    pub(crate) fn operations(&self) -> f64 {
        2.0 * (self.rows * self.shape.rows * self.shape.columns) as f64
    }
}

/// Weights of about zero mean, between -0.12 and 0.12.
pub(crate) fn weights(rng: &mut Rng, count: usize) -> Vec<BlockQ4K> {
    (0..count / SUPERBLOCK)
        .map(|_| {
            // A weight is d·sc·q - dmin·m with q of 4 bits, sc and m of 6.
            let d = rng.f32() * 1e-4 + 1e-4;
            let mut block = BlockQ4K {
                d: f16::from_f32(d).to_bits().to_le(),
                dmin: f16::from_f32(d * 7.5).to_bits().to_le(),
                scales: [0; 12],
                qs: [0; 128],
            };
            // The low 6 bits of the first 8 bytes are half of the scales, then of the mins, and
            // these have the same values here: mins are then 7.5 scales off the middle.
            for j in 0..4 {
                let (low, high) = (rng.u8(20..40), rng.u8(20..40));
                let upper = (high >> 4) << 6;
                block.scales[j] = low | upper;
                block.scales[j + 4] = low | upper;
                block.scales[j + 8] = (high & 15) | (high & 15) << 4;
            }
            rng.fill(&mut block.qs);
            block
        })
        .collect()
}

/// Activations between -1 and 1.
fn activations(rng: &mut Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.f32() * 2.0 - 1.0).collect()
}

/// f32 to Q8_K, as the header's section 10 has it.
pub(crate) fn quantise(x: &[f32]) -> Vec<BlockQ8K> {
    x.chunks_exact(SUPERBLOCK)
        .map(|x| {
            let zero = BlockQ8K { d: 0, qs: [0; 256], bsums: [0; 16] };
            let largest = x.iter().fold(0.0_f32, |m, x| if x.abs() > m.abs() { *x } else { m });
            if largest == 0.0 {
                return zero;
            }
            let scale = -127.0 / largest;
            let mut block = BlockQ8K { d: (1.0 / scale).to_bits().to_le(), ..zero };
            for (q, x) in block.qs.iter_mut().zip(x) {
                *q = (scale * x).round_ties_even().min(127.0) as i8;
            }
            for (sum, qs) in block.bsums.iter_mut().zip(block.qs.chunks_exact(16)) {
                *sum = (qs.iter().map(|q| i16::from(*q)).sum::<i16>() as u16).to_le();
            }
            block
        })
        .collect()
}

/// The values of Q4_K weights.
pub(crate) fn dequantise(blocks: &[BlockQ4K]) -> Vec<f32> {
    let mut values = Vec::with_capacity(blocks.len() * SUPERBLOCK);
    for block in blocks {
        let half = |bits: u16| f16::from_bits(u16::from_le(bits)).to_f32();
        let (d, dmin, s) = (half(block.d), half(block.dmin), &block.scales);
        for j in 0..8 {
            let (scale, min) = if j < 4 {
                (s[j] & 63, s[j + 4] & 63)
            } else {
                (s[j + 4] & 15 | s[j - 4] >> 6 << 4, s[j + 4] >> 4 | s[j] >> 6 << 4)
            };
            let (scale, min) = (d * f32::from(scale), dmin * f32::from(min));
            let packed = &block.qs[j / 2 * 32..][..32];
            values.extend(packed.iter().map(|q| scale * f32::from(q >> (j % 2 * 4) & 15) - min));
        }
    }
    values
}

/// The squared error of `ours` against `theirs`, over the squares of `theirs`.
pub(crate) fn normalised_error(ours: &[f32], theirs: &[f32]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let (mut error, mut square) = (0.0, 0.0);
    for (ours, theirs) in ours.iter().zip(theirs) {
        error += (f64::from(*ours) - f64::from(*theirs)).powi(2);
        square += f64::from(*theirs).powi(2);
    }
    error / square
}

#[cfg(test)]
mod tests {
    use super::{dequantise, normalised_error, quantise, weights, Shape, SUPERBLOCK};
    use fastrand::Rng;

    #[test]
    fn weights_lie_around_zero() {
        let values = dequantise(&weights(&mut Rng::with_seed(1), 64 * SUPERBLOCK));
        assert_eq!(values.len(), 64 * SUPERBLOCK);
        assert!(values.iter().all(|value| value.abs() < 0.12 && value.abs() > 0.0));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 1e-3, "mean {mean}");
    }

    #[test]
    fn quantised_activations_are_close_to_their_values() {
        let x: Vec<f32> = (0..SUPERBLOCK).map(|i| (i as f32 - 100.0) / 64.0).collect();
        let blocks = quantise(&x);
        let d = f32::from_bits(u32::from_le(blocks[0].d));
        let values: Vec<f32> = blocks[0].qs.iter().map(|q| f32::from(*q) * d).collect();
        assert!(normalised_error(&values, &x) < 1e-4);
        assert_eq!(quantise(&[0.0; SUPERBLOCK])[0].d, 0);
    }

    #[test]
    fn an_error_is_that_of_all_values_and_of_missing_ones() {
        assert_eq!(normalised_error(&[1.0, 2.0], &[1.0, 1.0]), 0.5);
        assert_eq!(normalised_error(&[1.0], &[1.0, 1.0]), f64::INFINITY);
        assert!(normalised_error(&[f32::NAN], &[1.0]).is_nan());
    }

    #[test]
    fn a_shape_has_whole_superblocks() {
        let shape = Shape { rows: 640, columns: 1024 };
        assert_eq!("640x1024".parse(), Ok(shape));
        assert_eq!(shape.to_string(), "640x1024");
        for wrong in ["640", "640x", "640x100", "0x256", "640x1024x2"] {
            assert!(wrong.parse::<Shape>().is_err(), "{wrong}");
        }
    }
}
