// SPDX-License-Identifier: Apache-2.0
//! Sections 9 and 10 of the header, sentence by sentence, one operation at a
//! time. It is made to be compared with the header, not to be fast, and no
//! device shares a line with it.

use spanker_sys::{SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K};

use crate::ops::row_bytes;

/// What every NaN is stored as.
pub const NAN: u32 = 0x7fc0_0000;

/// A block of Q8_K, its fields read.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockQ8K {
    /// Bits of the scale.
    pub d: u32,
    /// Activations.
    pub qs: [i8; 256],
    /// Sums of 16 neighbouring activations, or whatever is stored as such.
    pub bsums: [i16; 16],
}

/// A block of Q4_K, unpacked.
#[derive(Clone, Debug)]
pub struct BlockQ4K {
    /// Scale of the scales.
    pub d: f32,
    /// Scale of the mins.
    pub dmin: f32,
    /// Scales of the sub-blocks, 0 to 63.
    pub sc: [i32; 8],
    /// Mins of the sub-blocks, 0 to 63.
    pub mn: [i32; 8],
    /// Weights, 0 to 15.
    pub q: [i32; 256],
}

impl BlockQ8K {
    /// Reads a block of 292 bytes.
    pub fn read(bytes: &[u8]) -> BlockQ8K {
        let mut block = BlockQ8K { d: le32(bytes), qs: [0; 256], bsums: [0; 16] };
        for (l, q) in block.qs.iter_mut().enumerate() {
            *q = bytes[4 + l] as i8;
        }
        for (t, sum) in block.bsums.iter_mut().enumerate() {
            *sum = i16::from_le_bytes([bytes[260 + 2 * t], bytes[261 + 2 * t]]);
        }
        block
    }

    /// The block's 292 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.d.to_le_bytes().to_vec();
        bytes.extend(self.qs.iter().map(|&q| q as u8));
        bytes.extend(self.bsums.iter().flat_map(|sum| sum.to_le_bytes()));
        bytes
    }

    /// QUANTISE.
    pub fn quantise(x: &[f32]) -> BlockQ8K {
        assert_eq!(x.len(), 256);
        let mut amax = 0;
        let mut mx = 0.0;
        for &value in x {
            let magnitude = value.to_bits() & 0x7fff_ffff;
            if magnitude > amax {
                amax = magnitude;
                mx = value;
            }
        }
        if amax >= 0x7f80_0000 {
            return BlockQ8K { d: NAN, qs: [0; 256], bsums: [0; 16] };
        }
        let zero = BlockQ8K { d: 0, qs: [0; 256], bsums: [0; 16] };
        if amax == 0 {
            return zero;
        }
        let is: f32 = -127.0 / mx;
        if is.is_infinite() {
            return zero;
        }
        let mut block = zero;
        for (q, &value) in block.qs.iter_mut().zip(x) {
            let scaled: f32 = is * value;
            *q = to_integer(scaled) as i8;
        }
        for (t, sum) in block.bsums.iter_mut().enumerate() {
            *sum = block.qs[16 * t..16 * t + 16].iter().map(|&q| i16::from(q)).sum();
        }
        let d: f32 = 1.0 / is;
        block.d = d.to_bits();
        block
    }
}

impl BlockQ4K {
    /// Unpacks a block of 144 bytes.
    pub fn read(bytes: &[u8]) -> BlockQ4K {
        let scales = &bytes[4..16];
        let qs = &bytes[16..144];
        let mut block = BlockQ4K {
            d: widen(u16::from_le_bytes([bytes[0], bytes[1]])),
            dmin: widen(u16::from_le_bytes([bytes[2], bytes[3]])),
            sc: [0; 8],
            mn: [0; 8],
            q: [0; 256],
        };
        for j in 0..8 {
            let (sc, mn) = if j < 4 {
                (scales[j] & 63, scales[j + 4] & 63)
            } else {
                (
                    (scales[j + 4] & 15) | ((scales[j - 4] >> 6) << 4),
                    (scales[j + 4] >> 4) | ((scales[j] >> 6) << 4),
                )
            };
            block.sc[j] = i32::from(sc);
            block.mn[j] = i32::from(mn);
        }
        for g in 0..4 {
            for i in 0..32 {
                block.q[64 * g + i] = i32::from(qs[32 * g + i] & 15);
                block.q[64 * g + 32 + i] = i32::from(qs[32 * g + i] >> 4);
            }
        }
        block
    }
}

/// One superblock of Q8_K × Q4_K added to `acc`.
pub fn add_q8_k(acc: f32, a: &BlockQ8K, b: &BlockQ4K) -> f32 {
    let mut p: i32 = 0;
    for s in 0..8 {
        for i in 0..32 {
            p += b.sc[s] * i32::from(a.qs[32 * s + i]) * b.q[32 * s + i];
        }
    }
    let mut m: i32 = 0;
    for t in 0..16 {
        m += i32::from(a.bsums[t]) * b.mn[t / 2];
    }
    let t = b.d * p as f32;
    let u = b.dmin * m as f32;
    let v = t - u;
    let w = f32::from_bits(a.d) * v;
    acc + w
}

/// One superblock of Q4_K × Q4_K added to `acc`.
pub fn add_q4_k(acc: f32, a: &BlockQ4K, b: &BlockQ4K) -> f32 {
    let (mut p, mut q, mut r, mut s_sum): (i32, i32, i32, i32) = (0, 0, 0, 0);
    for s in 0..8 {
        for i in 0..32 {
            p += a.sc[s] * b.sc[s] * a.q[32 * s + i] * b.q[32 * s + i];
            q += a.sc[s] * b.mn[s] * a.q[32 * s + i];
            r += a.mn[s] * b.sc[s] * b.q[32 * s + i];
        }
        s_sum += 32 * a.mn[s] * b.mn[s];
    }
    let t1 = a.d * p as f32;
    let t2 = a.dmin * r as f32;
    let t = t1 - t2;
    let u1 = a.d * q as f32;
    let u2 = a.dmin * s_sum as f32;
    let u = u1 - u2;
    let v1 = b.d * t;
    let v2 = b.dmin * u;
    let v = v1 - v2;
    acc + v
}

/// The bits of one element of out: rows `a` and `b` of `k` elements, starting
/// from `start`, which is +0 or, with ACCUMULATE, what out holds.
pub fn element(a_type: u32, a: &[u8], b: &[u8], k: usize, start: f32) -> u32 {
    assert_eq!(a.len(), row_bytes(a_type, k));
    assert_eq!(b.len(), row_bytes(SPANKER_TYPE_Q4_K, k));
    let mut acc = start;
    for superblock in 0..k / 256 {
        let b = BlockQ4K::read(&b[144 * superblock..]);
        acc = match a_type {
            SPANKER_TYPE_F32 => {
                let x: Vec<f32> = a[1024 * superblock..1024 * (superblock + 1)]
                    .chunks_exact(4)
                    .map(|bits| f32::from_bits(le32(bits)))
                    .collect();
                add_q8_k(acc, &BlockQ8K::quantise(&x), &b)
            }
            SPANKER_TYPE_Q8_K => add_q8_k(acc, &BlockQ8K::read(&a[292 * superblock..]), &b),
            SPANKER_TYPE_Q4_K => add_q4_k(acc, &BlockQ4K::read(&a[144 * superblock..]), &b),
            _ => panic!("no arithmetic for type {a_type}"),
        };
    }
    store(acc)
}

/// The bits that a value is stored as.
pub fn store(value: f32) -> u32 {
    if value.is_nan() {
        NAN
    } else {
        value.to_bits()
    }
}

/// binary16 to binary32, exactly.
pub fn widen(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 31;
    let fraction = u32::from(half) & 1023;
    match exponent {
        // A subnormal is fraction * 2^-24, which binary32 holds as a normal.
        0 => {
            let magnitude = fraction as f32 / 16_777_216.0;
            f32::from_bits(sign | magnitude.to_bits())
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// To an integer, ties to even. In f64 the distance to the integer below is
/// exact wherever it is near a half.
fn to_integer(value: f32) -> i32 {
    let value = f64::from(value);
    let below = value.floor();
    let distance = value - below;
    let below = below as i32;
    if distance > 0.5 || (distance == 0.5 && below % 2 != 0) {
        below + 1
    } else {
        below
    }
}

fn le32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_even() {
        let rounded: Vec<i32> = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6, 126.5]
            .into_iter()
            .map(to_integer)
            .collect();
        assert_eq!(rounded, [-2, -2, 0, 0, 2, 2, 2, -3, 126]);
    }

    #[test]
    fn halves_widen_exactly() {
        let bits = |half| widen(half).to_bits();
        assert_eq!(bits(0x3c00), 0x3f80_0000); // 1
        assert_eq!(bits(0xc000), 0xc000_0000); // -2
        assert_eq!(bits(0x0001), 0x3380_0000); // 2^-24
        assert_eq!(bits(0x83ff), 0xb87f_c000); // the largest subnormal, negative
        assert_eq!(bits(0x7bff), 0x477f_e000); // 65504
        assert_eq!(bits(0xfc00), 0xff80_0000);
        assert_eq!(bits(0x8000), 0x8000_0000);
        assert!(widen(0x7e01).is_nan());
    }

    #[test]
    fn scales_unpack_as_in_the_header() {
        let mut bytes = [0; 144];
        bytes[4..16].copy_from_slice(&[0xc1, 2, 3, 4, 0x85, 6, 7, 8, 0x9a, 0xbc, 0xde, 0xf0]);
        let block = BlockQ4K::read(&bytes);
        assert_eq!(block.sc, [1, 2, 3, 4, 0x3a, 0xc, 0xe, 0]);
        assert_eq!(block.mn, [5, 6, 7, 8, 0x29, 0xb, 0xd, 0xf]);
    }
}
