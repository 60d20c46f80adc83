// SPDX-License-Identifier: Apache-2.0
//! The product in f64, to hold a Sail's result against: written from sections 7
//! and 9 of the ABI's header, and not from any kernel.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes of a block of Q4_K.
const BLOCK_BYTES: usize = 144;
/// Weights in it.
const BLOCK_WEIGHTS: usize = 256;
/// Rows of weights that a thread takes at a time.
const ROWS_AT_A_TIME: usize = 16;
/// A result is right if its NMSE is at most this. Quantising activations to 8
/// bits alone costs about 5e-5; a result 2 % too large has 4e-4.
pub(crate) const MOST_NMSE: f64 = 1e-4;

/// How far a result is from the product in f64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Agreement {
    /// Sum of the squares of the differences.
    error: f64,
    /// Sum of the squares of what is right.
    power: f64,
}

impl Agreement {
    /// The normalised mean squared error: 0 is perfect, NaN or infinite is what
    /// has such values in it.
    pub(crate) fn nmse(self) -> f64 {
        if self.error == 0.0 {
            0.0
        } else {
            self.error / self.power
        }
    }

    /// Whether the result is right.
    pub(crate) fn is_right(self) -> bool {
        self.nmse() <= MOST_NMSE
    }

    fn of(found: f32, expected: f64) -> Self {
        let error = f64::from(found) - expected;
        Self { error: error * error, power: expected * expected }
    }

    fn and(self, other: Self) -> Self {
        Self { error: self.error + other.error, power: self.power + other.power }
    }
}

/// Holds `found`, row after row, against x · weightsᵀ: `weights` are rows of
/// blocks of Q4_K, `x` rows of `k` activations. `done` is told how many more
/// rows of weights have been multiplied.
pub(crate) fn compare(
    weights: &[u8],
    x: &[f32],
    k: usize,
    found: &[f32],
    done: &(dyn Fn(usize) + Sync),
) -> Agreement {
    let row_bytes = k / BLOCK_WEIGHTS * BLOCK_BYTES;
    let weight_rows = weights.len() / row_bytes;
    let x: Vec<f64> = x.iter().copied().map(f64::from).collect();

    // One place for each row of weights, summed in order at the end, so that
    // the answer does not depend on the threads.
    let mut agreements = vec![Agreement::default(); weight_rows];
    let work = agreements
        .chunks_mut(ROWS_AT_A_TIME)
        .zip(weights.chunks(ROWS_AT_A_TIME * row_bytes))
        .enumerate();
    let queue = Mutex::new(work);
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let compute = || {
        let mut row = vec![0.0; k];
        while let Some((chunk, (agreements, weights))) = take() {
            let count = agreements.len();
            let rows = weights.chunks_exact(row_bytes).zip(agreements);
            for (j, (blocks, agreement)) in (chunk * ROWS_AT_A_TIME..).zip(rows) {
                dequantise_row(blocks, &mut row);
                *agreement = x
                    .chunks_exact(k)
                    .zip(found.iter().skip(j).step_by(weight_rows))
                    .map(|(x, &found)| Agreement::of(found, dot(x, &row)))
                    .fold(Agreement::default(), Agreement::and);
            }
            done(count);
        }
    };
    thread::scope(|scope| {
        let others = thread::available_parallelism().map_or(1, NonZeroUsize::get) - 1;
        for _ in 0..others {
            // Where no thread can be had, this one does the work.
            if thread::Builder::new().spawn_scoped(scope, compute).is_err() {
                break;
            }
        }
        compute();
    });
    agreements.into_iter().fold(Agreement::default(), Agreement::and)
}

/// The product of one row of blocks of Q4_K with one row of activations.
pub(crate) fn product(blocks: &[u8], x: &[f32]) -> f64 {
    let mut row = vec![0.0; x.len()];
    dequantise_row(blocks, &mut row);
    let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
    dot(&x, &row)
}

/// What each weight of a row of blocks stands for.
pub(crate) fn dequantise_row(blocks: &[u8], weights: &mut [f64]) {
    let blocks = blocks.chunks_exact(BLOCK_BYTES);
    for (block, weights) in blocks.zip(weights.chunks_exact_mut(BLOCK_WEIGHTS)) {
        dequantise_block(block, weights);
    }
}

fn dequantise_block(block: &[u8], weights: &mut [f64]) {
    let d = half(u16::from_le_bytes([block[0], block[1]]));
    let dmin = half(u16::from_le_bytes([block[2], block[3]]));
    let (scales, nibbles) = block[4..].split_at(12);
    for (s, weights) in weights.chunks_exact_mut(32).enumerate() {
        let (scale, min) = if s < 4 {
            (scales[s] & 63, scales[s + 4] & 63)
        } else {
            let (low, high) = (scales[s + 4], (scales[s - 4] >> 6, scales[s] >> 6));
            ((low & 15) | (high.0 << 4), (low >> 4) | (high.1 << 4))
        };
        let (step, offset) = (d * f64::from(scale), dmin * f64::from(min));
        let bytes = nibbles[s / 2 * 32..].iter();
        for (weight, byte) in weights.iter_mut().zip(bytes) {
            let q = if s % 2 == 0 { byte & 15 } else { byte >> 4 };
            *weight = step * f64::from(q) - offset;
        }
    }
}

/// The value of a binary16.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match bits >> 10 & 31 {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Σ a·b, in eight sums side by side, which a compiler makes vectors of.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_widens_every_kind_of_number() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x0400, 6.103_515_625e-5),
            (0x3c00, 1.0),
            (0x3555, 0.333_251_953_125),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#06x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
    }

    /// d = 1, dmin = 0.5; scales 1 to 60, mins that differ, nibbles by place.
    fn block() -> Vec<u8> {
        let mut block = vec![0x00, 0x3c, 0x00, 0x38];
        // sc = 1, 2, 3, 4, 37, 22, 55, 40; mn = 9, 8, 7, 6, 21, 38, 51, 63
        block.extend([1 | 2 << 6, 2 | 1 << 6, 3 | 3 << 6, 4 | 2 << 6]);
        block.extend([9 | 1 << 6, 8 | 2 << 6, 7 | 3 << 6, 6 | 3 << 6]);
        block.extend([5 | 5 << 4, 6 | 6 << 4, 7 | 3 << 4, 8 | 15 << 4]);
        block.extend((0..128).map(|i: u8| i.wrapping_mul(37)));
        block
    }

    #[test]
    fn a_block_is_dequantised_as_the_header_says() {
        let mut weights = [0.0; 256];
        dequantise_row(&block(), &mut weights);
        let sc = [1.0, 2.0, 3.0, 4.0, 37.0, 22.0, 55.0, 40.0];
        let mn = [9.0, 8.0, 7.0, 6.0, 21.0, 38.0, 51.0, 63.0];
        for (l, weight) in weights.iter().enumerate() {
            let (group, inside) = (l / 64, l % 64);
            let byte = ((group * 32 + inside % 32) as u8).wrapping_mul(37);
            let q = if inside < 32 { byte % 16 } else { byte / 16 };
            let expected = sc[l / 32] * f64::from(q) - 0.5 * mn[l / 32];
            assert_eq!(*weight, expected, "weight {l}");
        }
    }

    #[test]
    fn agreement_is_perfect_only_with_the_right_values_in_the_right_places() {
        // 2 rows of x, 3 rows of weights that differ in d.
        let weights: Vec<u8> = [0x3c, 0x40, 0x44]
            .into_iter()
            .flat_map(|d| {
                let mut block = block();
                block[1] = d;
                block
            })
            .collect();
        let x: Vec<f32> = (0..512).map(|l| (l % 7) as f32 - 3.0).collect();
        let mut rows = vec![0.0; 768];
        dequantise_row(&weights, &mut rows);
        let mut found: Vec<f32> = x
            .chunks(256)
            .flat_map(|x| rows.chunks(256).map(move |w| (x, w)))
            .map(|(x, w)| x.iter().zip(w).map(|(x, w)| f64::from(*x) * w).sum::<f64>() as f32)
            .collect();
        assert!(compare(&weights, &x, 256, &found, &|_| ()).nmse() < 1e-13);

        let larger: Vec<f32> = found.iter().map(|y| y * 1.02).collect();
        let agreement = compare(&weights, &x, 256, &larger, &|_| ());
        assert!((agreement.nmse() - 4e-4).abs() < 1e-6);
        assert!(!agreement.is_right());

        found.swap(0, 1);
        assert!(!compare(&weights, &x, 256, &found, &|_| ()).is_right());
        found.swap(0, 1);
        found[5] = f32::NAN;
        assert!(!compare(&weights, &x, 256, &found, &|_| ()).is_right());
    }

    #[test]
    fn zeros_agree_with_zeros() {
        let agreement = compare(&[0; 144], &[1.0; 256], 256, &[0.0], &|_| ());
        assert_eq!(agreement.nmse(), 0.0);
        assert!(agreement.is_right());
        assert!(!compare(&[0; 144], &[1.0; 256], 256, &[1.0], &|_| ()).is_right());
    }
}
