// SPDX-License-Identifier: Apache-2.0
//! Blocks of Q4_K to order, and some that show what a block of `a` holds.

use crate::text::BlockQ8K;

/// 1 as binary16.
pub const ONE: u16 = 0x3c00;

/// A block of Q4_K before it is packed.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Bits of d.
    pub d: u16,
    /// Bits of dmin.
    pub dmin: u16,
    /// Scales, 0 to 63.
    pub sc: [u8; 8],
    /// Mins, 0 to 63.
    pub mn: [u8; 8],
    /// Weights, 0 to 15.
    pub q: [u8; 256],
}

impl Weights {
    /// All zero but d and dmin, which are 1.
    pub fn zero() -> Weights {
        Weights { d: ONE, dmin: ONE, sc: [0; 8], mn: [0; 8], q: [0; 256] }
    }

    /// A block whose product with a block of `a` is `d * qs[l]` of that.
    pub fn showing(l: usize) -> Weights {
        let mut weights = Weights::zero();
        weights.sc[l / 32] = 1;
        weights.q[l] = 1;
        weights
    }

    /// A block whose product with a block of `a` is -d times the sum of bsums
    /// 2 s and 2 s + 1 of that.
    pub fn showing_sums(s: usize) -> Weights {
        let mut weights = Weights::zero();
        weights.mn[s] = 1;
        weights
    }

    /// Every scale, min and weight at its largest.
    pub fn largest() -> Weights {
        Weights { sc: [63; 8], mn: [63; 8], q: [15; 256], ..Weights::zero() }
    }

    /// The block's 144 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 144];
        bytes[0..2].copy_from_slice(&self.d.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.dmin.to_le_bytes());
        for j in 0..4 {
            bytes[4 + j] = self.sc[j] | (self.sc[j + 4] >> 4) << 6;
            bytes[8 + j] = self.mn[j] | (self.mn[j + 4] >> 4) << 6;
            bytes[12 + j] = (self.sc[j + 4] & 15) | (self.mn[j + 4] & 15) << 4;
        }
        for (l, q) in self.q.iter().enumerate() {
            let (group, within) = (l / 64, l % 64);
            bytes[16 + 32 * group + within % 32] |= q << (within / 32 * 4);
        }
        bytes
    }
}

/// A block of Q4_K that gives with [`activations`] the P and M asked for there.
pub fn counting(d: u16, dmin: u16) -> Weights {
    let mut weights = Weights::largest();
    (weights.d, weights.dmin) = (d, dmin);
    (weights.sc[7], weights.mn[7]) = (1, 1);
    weights.q[225] = 1;
    weights
}

/// A block of Q8_K with this P and M, of at most 26 million, with [`counting`].
pub fn activations(d: f32, p: i32, m: i32) -> BlockQ8K {
    let mut block = BlockQ8K { d: d.to_bits(), qs: [0; 256], bsums: [0; 16] };
    // Each of the first 224 counts 63 * 15, then there is one of 15 and one of 1.
    let mut rest = p / 945;
    for q in &mut block.qs[..224] {
        *q = rest.clamp(-127, 127) as i8;
        rest -= i32::from(*q);
    }
    assert_eq!(rest, 0, "P of {p} is too large");
    block.qs[224] = (p % 945 / 15) as i8;
    block.qs[225] = (p % 945 % 15) as i8;
    // Each of the first 14 counts 63, the last two 1.
    let mut rest = m / 63;
    for sum in &mut block.bsums[..14] {
        *sum = rest.clamp(-32767, 32767) as i16;
        rest -= i32::from(*sum);
    }
    assert_eq!(rest, 0, "M of {m} is too large");
    block.bsums[14] = (m % 63) as i16;
    block
}

/// 256 rows of one block: row l shows `qs[l]`.
pub fn showing_all() -> Vec<u8> {
    (0..256).flat_map(|l| Weights::showing(l).bytes()).collect()
}

/// 8 rows of one block: row s shows the sums of sub-block s.
pub fn showing_all_sums() -> Vec<u8> {
    (0..8).flat_map(|s| Weights::showing_sums(s).bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::Weights;
    use crate::text::BlockQ4K;

    #[test]
    fn what_is_packed_is_what_is_unpacked() {
        let mut weights = Weights::zero();
        for s in 0..8u8 {
            weights.sc[usize::from(s)] = 63 - 7 * s;
            weights.mn[usize::from(s)] = 5 + 8 * s;
        }
        for (l, q) in weights.q.iter_mut().enumerate() {
            *q = (l * 7 / 3 % 16) as u8;
        }
        let block = BlockQ4K::read(&weights.bytes());
        assert_eq!(block.sc.map(|sc| sc as u8), weights.sc);
        assert_eq!(block.mn.map(|mn| mn as u8), weights.mn);
        assert_eq!(block.q.map(|q| q as u8), weights.q);
        assert_eq!((block.d, block.dmin), (1.0, 1.0));
    }
}
