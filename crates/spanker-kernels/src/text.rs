// SPDX-License-Identifier: Apache-2.0

//! The arithmetic of the ABI, line for line. Slow, and the reference for every kernel.
//!
//! rustc never contracts, reassociates or widens f32 operations, so each line below is the sequence
//! of rounded operations that it shows. The last line, the store, is [`canonical`](super::canonical).

use crate::{BlockQ4K, BlockQ8K};

/// QUANTISE: 256 values to one Q8_K block.
pub fn quantise(x: &[f32; 256]) -> BlockQ8K {
    let mut amax = 0;
    for v in x {
        amax = amax.max(magnitude(*v));
    }
    if amax >= 0x7f80_0000 {
        return block_q8_k(0x7fc0_0000, [0; 256]);
    }
    if amax == 0 {
        return block_q8_k(0, [0; 256]);
    }
    let mut first = 0;
    while magnitude(x[first]) != amax {
        first += 1;
    }
    let mx = x[first];
    let is = -127.0 / mx;
    if is.is_infinite() {
        return block_q8_k(0, [0; 256]);
    }
    let mut qs = [0; 256];
    for j in 0..256 {
        let product = is * x[j];
        qs[j] = to_integer(product);
    }
    let d = 1.0 / is;
    block_q8_k(d.to_bits(), qs)
}

/// Q8_K × Q4_K over two rows of equally many superblocks, starting from `acc`.
///
/// # Panics
/// If they are not equally many.
pub fn dot_q8_k_q4_k(mut acc: f32, a: &[BlockQ8K], b: &[BlockQ4K]) -> f32 {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let (sc, mn) = scales_and_mins(&b.scales);
        let q = nibbles(&b.qs);

        let mut p = 0_i32;
        for s in 0..8 {
            let mut sum = 0_i32;
            for l in 0..32 {
                sum += i32::from(a.qs[32 * s + l]) * q[32 * s + l];
            }
            p += sc[s] * sum;
        }
        let mut m = 0_i32;
        for t in 0..16 {
            m += i32::from(u16::from_le(a.bsums[t]) as i16) * mn[t / 2];
        }

        let t = widen(u16::from_le(b.d)) * p as f32;
        let u = widen(u16::from_le(b.dmin)) * m as f32;
        let v = t - u;
        let w = f32::from_bits(u32::from_le(a.d)) * v;
        acc += w;
    }
    acc
}

/// Q4_K × Q4_K over two rows of equally many superblocks, starting from `acc`.
///
/// # Panics
/// If they are not equally many.
pub fn dot_q4_k_q4_k(mut acc: f32, a: &[BlockQ4K], b: &[BlockQ4K]) -> f32 {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let (sca, mna) = scales_and_mins(&a.scales);
        let (scb, mnb) = scales_and_mins(&b.scales);
        let (qa, qb) = (nibbles(&a.qs), nibbles(&b.qs));

        let (mut p, mut q, mut r, mut s) = (0_i32, 0_i32, 0_i32, 0_i32);
        for i in 0..8 {
            let (mut products, mut sum_a, mut sum_b) = (0_i32, 0_i32, 0_i32);
            for j in 32 * i..32 * i + 32 {
                products += qa[j] * qb[j];
                sum_a += qa[j];
                sum_b += qb[j];
            }
            p += sca[i] * scb[i] * products;
            q += sca[i] * mnb[i] * sum_a;
            r += mna[i] * scb[i] * sum_b;
            s += mna[i] * mnb[i];
        }
        s *= 32;

        let (a_d, a_dmin) = (widen(u16::from_le(a.d)), widen(u16::from_le(a.dmin)));
        let (b_d, b_dmin) = (widen(u16::from_le(b.d)), widen(u16::from_le(b.dmin)));
        let t = a_d * p as f32 - a_dmin * r as f32;
        let u = a_d * q as f32 - a_dmin * s as f32;
        let v = b_d * t - b_dmin * u;
        acc += v;
    }
    acc
}

/// The bits of |x|; compared as integers they order as magnitudes do, with Inf and NaN on top.
fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// The nearest integer to `x`, ties to even, for |x| < 127.5.
fn to_integer(x: f32) -> i8 {
    let whole = x.trunc();
    // Exact: the bits of x below the point are an f32 by themselves.
    let rest = (x - whole).abs();
    let odd = whole as i32 % 2 != 0;
    let away = rest > 0.5 || (rest == 0.5 && odd);
    (whole as i32 + if away { x.signum() as i32 } else { 0 }) as i8
}

/// A Q8_K block of scale `d` (f32 bits) with the sums that its values define.
fn block_q8_k(d: u32, qs: [i8; 256]) -> BlockQ8K {
    let mut bsums = [0_u16; 16];
    for t in 0..16 {
        let mut sum = 0_i16;
        for q in &qs[16 * t..16 * t + 16] {
            sum += i16::from(*q);
        }
        bsums[t] = (sum as u16).to_le();
    }
    BlockQ8K { d: d.to_le(), qs, bsums }
}

/// The eight 6-bit scales and the eight 6-bit mins packed in a Q4_K block.
pub(super) fn scales_and_mins(s: &[u8; 12]) -> ([i32; 8], [i32; 8]) {
    let (mut sc, mut mn) = ([0; 8], [0; 8]);
    for j in 0..8 {
        let (scale, min) = if j < 4 {
            (s[j] & 63, s[j + 4] & 63)
        } else {
            ((s[j + 4] & 15) | ((s[j - 4] >> 6) << 4), (s[j + 4] >> 4) | ((s[j] >> 6) << 4))
        };
        sc[j] = i32::from(scale);
        mn[j] = i32::from(min);
    }
    (sc, mn)
}

/// The 256 weights of a Q4_K block, 0 to 15: of each 32 bytes first the low nibbles, then the high.
fn nibbles(qs: &[u8; 128]) -> [i32; 256] {
    let mut q = [0; 256];
    for g in 0..4 {
        for l in 0..32 {
            q[64 * g + l] = i32::from(qs[32 * g + l] & 15);
            q[64 * g + 32 + l] = i32::from(qs[32 * g + l] >> 4);
        }
    }
    q
}

/// The f32 equal to the f16 with these bits; a NaN gives a NaN.
pub fn widen(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f32::from(bits & 0x3ff);
    // Every product is by a power of two within the normal range, hence exact.
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2_f32.powi(exponent - 25),
    }
}
