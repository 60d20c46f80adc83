// SPDX-License-Identifier: Apache-2.0
//! Operands that follow from a seed.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From -1 to 1.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn bytes(&mut self, count: usize) -> impl Iterator<Item = u8> + '_ {
        (0..count).map(|_| self.next() as u8)
    }
}

/// This many weights: random scales and nibbles, d and dmin near 0.01.
pub(crate) fn q4_k(random: &mut Random, weights: usize) -> Vec<u8> {
    let mut blocks = Vec::new();
    for _ in 0..weights / 256 {
        blocks.extend([random.next() as u8, 0x21, random.next() as u8, 0x21]);
        blocks.extend(random.bytes(140));
    }
    blocks
}

/// This many activations, with the sums that belong to them.
#[allow(dead_code)] // Not every test that needs operands needs these.
pub(crate) fn q8_k(random: &mut Random, activations: usize) -> Vec<u8> {
    let mut blocks = Vec::new();
    for _ in 0..activations / 256 {
        blocks.extend((random.float() * 0.01 + 0.02).to_le_bytes());
        let qs: Vec<u8> = random.bytes(256).collect();
        let sums = qs.chunks(16).map(|qs| qs.iter().map(|q| i16::from(*q as i8)).sum::<i16>());
        let sums: Vec<u8> = sums.flat_map(i16::to_le_bytes).collect();
        blocks.extend(qs);
        blocks.extend(sums);
    }
    blocks
}
