// SPDX-License-Identifier: Apache-2.0
//! Products of random operands whose bits were worked out beforehand in exact
//! rationals, rounded once for each operation of section 10, by a program that
//! shares nothing with this one. They hold the scalar text to the header too.

use spanker_sys::{SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K};

use crate::case::{cases, Context, Need};
use crate::product::{assert_same_bits, Product};
use crate::random::Random;

cases! {
    "goldens": ;
    [Need::BitExact(SPANKER_TYPE_F32)]
    of_f32;
    [Need::BitExact(SPANKER_TYPE_Q8_K)]
    of_q8_k,
    of_q8_k_with_hostile_blocks;
    [Need::BitExact(SPANKER_TYPE_Q4_K)]
    of_q4_k,
    of_q4_k_with_hostile_blocks
}

/// m, n and k of all of them.
const SHAPE: (usize, usize, usize) = (3, 4, 768);

const F32: Golden = Golden {
    seed: 0x5eed_0000,
    a_type: SPANKER_TYPE_F32,
    hostile: false,
    bits: [
        0xc3617c3f, 0x438fb1f6, 0xc30d078e, 0x4318adbc, 0xc34144a2, 0xc334b093, 0x42a1be3a,
        0xc3444854, 0xc31fba41, 0xc3981eef, 0xc3d21c14, 0x43962446,
    ],
};

const Q8_K: Golden = Golden {
    seed: 0x5eed_000f,
    a_type: SPANKER_TYPE_Q8_K,
    hostile: false,
    bits: [
        0xc1e13770, 0xc1ed83f3, 0xc0568060, 0x42d60db9, 0xc2e23f0a, 0xc3074aca, 0xc27e98f7,
        0x42cfa29a, 0x438a99aa, 0x42c2db1a, 0xc06f7e2a, 0xc2df1a3f,
    ],
};

const Q8_K_HOSTILE: Golden = Golden {
    seed: 0x5eed_010f,
    a_type: SPANKER_TYPE_Q8_K,
    hostile: true,
    bits: [
        0x3f167209, 0xc48f4805, 0x7f800000, 0xbd479418, 0xfb62e9b4, 0xfd9a3137, 0xff800000,
        0xfe7659f4, 0xff800000, 0xfed86bca, 0x7f800000, 0xff800000,
    ],
};

const Q4_K: Golden = Golden {
    seed: 0x5eed_000c,
    a_type: SPANKER_TYPE_Q4_K,
    hostile: false,
    bits: [
        0x44a6c326, 0x447873cb, 0x431b8574, 0xc2219210, 0x4458b0d8, 0x43f28402, 0xc3800716,
        0xc26675e0, 0xc40357f4, 0x43a7959b, 0x448c0951, 0x441b708e,
    ],
};

const Q4_K_HOSTILE: Golden = Golden {
    seed: 0x5eed_010c,
    a_type: SPANKER_TYPE_Q4_K,
    hostile: true,
    bits: [
        0x7fc00000, 0x7fc00000, 0x7fc00000, 0x7fc00000, 0x5390f93b, 0xd226a379, 0x535afb66,
        0x55b21723, 0x7fc00000, 0x7fc00000, 0x7fc00000, 0x7fc00000,
    ],
};

/// "F32 (a) x Q4_K (b): QUANTISE each superblock of a, then as above."
fn of_f32(context: &Context) {
    F32.check(context);
}

/// "Q8_K (a) x Q4_K (b)."
fn of_q8_k(context: &Context) {
    Q8_K.check(context);
}

/// "Every byte pattern is a legal block."
fn of_q8_k_with_hostile_blocks(context: &Context) {
    Q8_K_HOSTILE.check(context);
}

/// "Q4_K (a) x Q4_K (b)."
fn of_q4_k(context: &Context) {
    Q4_K.check(context);
}

/// "Every byte pattern is a legal block."
fn of_q4_k_with_hostile_blocks(context: &Context) {
    Q4_K_HOSTILE.check(context);
}

struct Golden {
    seed: u64,
    a_type: u32,
    hostile: bool,
    bits: [u32; 12],
}

impl Golden {
    fn product(&self) -> Product {
        let (m, n, k) = SHAPE;
        let mut random = Random::new(self.seed);
        let a = operand(&mut random, self.a_type, m * k / 256, self.hostile);
        let b = operand(&mut random, SPANKER_TYPE_Q4_K, n * k / 256, self.hostile);
        Product::new(self.a_type, k, a, b)
    }

    #[track_caller]
    fn check(&self, context: &Context) {
        let bits = self.product().run(&context.card());
        assert_same_bits(&bits, &self.bits, SHAPE.1, "golden product");
    }
}

/// Random superblocks of a type: hostile ones are any bytes, the others have
/// scales that keep products finite.
pub(super) fn operand(
    random: &mut Random,
    type_: u32,
    superblocks: usize,
    hostile: bool,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..superblocks {
        match (type_, hostile) {
            (SPANKER_TYPE_F32, false) => {
                for _ in 0..256 {
                    // 24 bits with sign, so that the value is exact.
                    let value = (random.bits() >> 40) as f32 - 8_388_608.0;
                    bytes.extend((value / 1_048_576.0).to_le_bytes());
                }
            }
            (SPANKER_TYPE_F32, true) => bytes.extend(random.bytes(1024)),
            (SPANKER_TYPE_Q4_K, _) => {
                let mut block = random.bytes(144);
                if !hostile {
                    block[1] = 0x1c | (block[1] & 0x83);
                    block[3] = 0x18 | (block[3] & 0x83);
                }
                bytes.extend(block);
            }
            _ => {
                let mut block = random.bytes(292);
                if !hostile {
                    block[3] = 0x3c | (block[3] & 0x80);
                    block[2] &= 0x7f;
                }
                bytes.extend(block);
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_gives_the_golden_bits() {
        for golden in [F32, Q8_K, Q8_K_HOSTILE, Q4_K, Q4_K_HOSTILE] {
            assert_same_bits(&golden.product().expected(), &golden.bits, SHAPE.1, "the text");
        }
    }
}
