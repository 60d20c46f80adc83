// SPDX-License-Identifier: Apache-2.0
//! Data of the kind that a layer of a language model has.

use crate::random::Random;

/// Bytes of a block of Q4_K.
const BLOCK_BYTES: usize = 144;
/// Weights in it.
const BLOCK_WEIGHTS: usize = 256;

/// `rows` rows of `k` activations, row after row.
pub(crate) fn activations(random: &mut Random, rows: usize, k: usize) -> Vec<f32> {
    (0..rows * k).map(|_| random.normal()).collect()
}

/// `rows` rows of `k` weights of Q4_K, as they would be in a file: around 0,
/// most of them small, with scales that differ from block to block.
pub(crate) fn weights(random: &mut Random, rows: usize, k: usize) -> Vec<u8> {
    let blocks = rows * (k / BLOCK_WEIGHTS);
    let mut bytes = Vec::with_capacity(blocks * BLOCK_BYTES);
    for _ in 0..blocks {
        push_block(random, &mut bytes);
    }
    bytes
}

fn push_block(random: &mut Random, bytes: &mut Vec<u8>) {
    // d is 2^-14 to 2^-13, and dmin 8 times that: the exponents of a binary16
    // begin at its bit 10.
    let mantissa = random.bits() as u16 & 0x3ff;
    bytes.extend((mantissa | 1 << 10).to_le_bytes());
    bytes.extend((mantissa | 4 << 10).to_le_bytes());

    // The mean nibble is 7.5. What it stands for is 0 where
    // d·scale·7.5 = dmin·min, so where the min is 15/16 of the scale.
    let draw = random.bits();
    let scale = |j: u32| 16 + ((draw >> (6 * j)) as u8 & 63) % 48;
    let min = |j: u32| (u16::from(scale(j)) * 15 / 16) as u8;
    bytes.extend((0..4).map(|j| scale(j) | scale(j + 4) >> 4 << 6));
    bytes.extend((0..4).map(|j| min(j) | min(j + 4) >> 4 << 6));
    bytes.extend((4..8).map(|j| scale(j) & 15 | min(j) << 4));

    // 0 to 15, most often 7 or 8: two dice of eight and a coin.
    let nibble = |bits: u64| (bits & 7) + (bits >> 3 & 7) + (bits >> 6 & 1);
    for _ in 0..32 {
        let draw = random.bits();
        bytes.extend((0..4).map(|i| {
            let bits = draw >> (14 * i);
            (nibble(bits) | nibble(bits >> 7) << 4) as u8
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::dequantise_row;

    #[test]
    fn weights_are_around_zero_and_small_as_in_a_model() {
        let bytes = weights(&mut Random::new(0), 64, 256);
        assert_eq!(bytes.len(), 64 * 144);
        let mut values = vec![0.0; 64 * 256];
        dequantise_row(&bytes, &mut values);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|w| w * w).sum::<f64>() / values.len() as f64;
        let deviation = square.sqrt();
        assert!(mean.abs() < 0.1 * deviation, "mean {mean}");
        assert!((0.005..0.05).contains(&deviation), "deviation {deviation}");
    }

    #[test]
    fn the_same_seed_gives_the_same_layer() {
        let layer = |seed| {
            let mut random = Random::new(seed);
            (weights(&mut random, 2, 256), activations(&mut random, 2, 256))
        };
        assert_eq!(layer(7), layer(7));
        assert_ne!(layer(7).0, layer(8).0);
        assert_ne!(layer(7).1, layer(8).1);
    }
}
