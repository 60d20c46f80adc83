// SPDX-License-Identifier: Apache-2.0

//! Eight rows of Q4_K, transposed: 32-bit lane r of every vector belongs to row r.

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use spanker_sys::spanker_block_q4_k as BlockQ4K;

use super::Rows;

/// Rows of `b` in a vector.
pub(super) const LANES: usize = 8;
/// Where the weights begin in a Q4_K block.
const QS: usize = 16;

/// Stands in for the rows that the last vector of a tile lacks.
static ZERO_BLOCK: BlockQ4K = BlockQ4K { d: 0, dmin: 0, scales: [0; 12], qs: [0; 128] };

/// Superblock `at` of eight rows from row `first`, zeros where there is no row.
#[inline]
pub(super) fn eight(b: Rows<'_, BlockQ4K>, first: usize, at: usize) -> [&BlockQ4K; LANES] {
    let mut rows = [&ZERO_BLOCK; LANES];
    for (r, block) in rows.iter_mut().enumerate() {
        if let Some(row) = b.blocks.get((first + r) * b.stride + at) {
            *block = row;
        }
    }
    rows
}

/// Eight rows of `b` × one superblock, transposed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    /// `q[s][j]`, four bytes a row: its weights 32s+4j to 32s+4j+3, 0 to 15.
    pub(super) q: [[__m256i; 8]; 8],
    /// `sums[s]`, two i16 a row that add up to sc\[s\] · (sum of its 32 weights), if asked for.
    pub(super) sums: [__m256i; 8],
    /// What scales the weights.
    pub(super) header: Header,
}

/// Eight rows' scales of one superblock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// `scales[s]`, two i16 a row: its sc\[s\] twice.
    pub(super) scales: [__m256i; 8],
    /// `mins[s]`, two i16 a row: its mn\[s\] twice.
    pub(super) mins: [__m256i; 8],
    /// Each row's d.
    pub(super) d: __m256,
    /// Each row's dmin.
    pub(super) dmin: __m256,
}

impl Panel {
    /// A panel of zeros.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        let (zero, header) = unsafe { (_mm256_setzero_si256(), Header::unpack([&ZERO_BLOCK; 8])) };
        Self { q: [[zero; 8]; 8], sums: [zero; 8], header }
    }

    /// Unpacks one superblock of eight rows. Sets [`Self::sums`] only if `with_sums`.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn unpack(&mut self, rows: [&BlockQ4K; LANES], with_sums: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            self.header = Header::unpack(rows);
            for g in 0..4 {
                for half in 0..2 {
                    let columns = columns(rows, g, half);
                    for (j, bytes) in columns.into_iter().enumerate() {
                        let [low, high] = nibbles(bytes);
                        self.q[2 * g][4 * half + j] = low;
                        self.q[2 * g + 1][4 * half + j] = high;
                    }
                }
            }
            if with_sums {
                self.sum_weights();
            }
        }
    }

    /// Sets [`Self::sums`] from the weights and scales.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn sum_weights(&mut self) {
        // SAFETY: the caller's promise.
        unsafe {
            for s in 0..8 {
                let mut sum = self.q[s][0];
                for j in 1..8 {
                    // At most 8 · 15 in a byte.
                    sum = _mm256_add_epi8(sum, self.q[s][j]);
                }
                // At most 2 · 120, times 63: 15,120.
                let sum = _mm256_maddubs_epi16(sum, _mm256_set1_epi8(1));
                self.sums[s] = _mm256_mullo_epi16(sum, self.header.scales[s]);
            }
        }
    }
}

impl Header {
    /// Unpacks the first 16 bytes of eight blocks: d, dmin and three words of 6-bit scales.
    ///
    /// # Safety
    /// The CPU has AVX2 and F16C.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn unpack(rows: [&BlockQ4K; LANES]) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let [d, scales, mins, rest] = transpose(rows, 0);
            // Four scales of a row to its lane.
            let low6 = _mm256_set1_epi8(0x3f);
            let low4 = _mm256_set1_epi8(0x0f);
            let bits45 = _mm256_set1_epi8(0x30);
            let scales_high = _mm256_and_si256(_mm256_srli_epi32::<2>(scales), bits45);
            let mins_high = _mm256_and_si256(_mm256_srli_epi32::<2>(mins), bits45);
            let rest_high = _mm256_and_si256(_mm256_srli_epi32::<4>(rest), low4);
            Self {
                scales: twice([
                    _mm256_and_si256(scales, low6),
                    _mm256_or_si256(_mm256_and_si256(rest, low4), scales_high),
                ]),
                mins: twice([_mm256_and_si256(mins, low6), _mm256_or_si256(rest_high, mins_high)]),
                d: widen(_mm256_and_si256(d, _mm256_set1_epi32(0xffff))),
                dmin: widen(_mm256_srli_epi32::<16>(d)),
            }
        }
    }
}

/// Each byte of a row, four in its lane of the first vector and four in the second, as two equal
/// i16.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn twice(bytes: [__m256i; 2]) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        // Byte 0 of each lane to both of its i16; 0x80 gives zero.
        let byte0 = _mm256_broadcastsi128_si256(_mm_setr_epi32(
            0x8000_8000_u32 as i32,
            0x8004_8004_u32 as i32,
            0x8008_8008_u32 as i32,
            0x800c_800c_u32 as i32,
        ));
        let mut pairs = [_mm256_setzero_si256(); 8];
        for (s, pair) in pairs.iter_mut().enumerate() {
            let byte = _mm256_set1_epi32(0x0001_0001 * (s % 4) as i32);
            *pair = _mm256_shuffle_epi8(bytes[s / 4], _mm256_add_epi32(byte0, byte));
        }
        pairs
    }
}

/// The f32 of the f16 in the low half of each lane, whose high half is 0.
///
/// # Safety
/// The CPU has AVX2 and F16C.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen(bits: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let halves = _mm256_packus_epi32(bits, bits);
        // Quarters 0 and 2, for packing works within halves.
        let packed = _mm256_permute4x64_epi64::<0b10_00>(halves);
        _mm256_cvtph_ps(_mm256_castsi256_si128(packed))
    }
}

/// Four bytes of every row to a vector: bytes 4j to 4j+3 of the given half of the 32 bytes that
/// pack sub-blocks 2g, in their low nibbles, and 2g+1.
///
/// # Safety
/// The CPU has AVX2. `g` is below 4 and `half` below 2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn columns(rows: [&BlockQ4K; LANES], g: usize, half: usize) -> [__m256i; 4] {
    // SAFETY: the caller's promises: the offset is at most 16 + 112.
    unsafe { transpose(rows, QS + 32 * g + 16 * half) }
}

/// The low and the high nibble of every byte.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn nibbles(bytes: __m256i) -> [__m256i; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        let mask = _mm256_set1_epi8(15);
        [_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask)]
    }
}

/// Bytes `at` to `at`+15 of eight blocks, four bytes of every block to a vector.
///
/// # Safety
/// The CPU has AVX2. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn transpose(rows: [&BlockQ4K; LANES], at: usize) -> [__m256i; 4] {
    // SAFETY: the caller's promises.
    unsafe {
        // Rows 0 to 3 in the low half, 4 to 7 in the high half, where unpacking keeps them.
        let mut pairs = [_mm256_setzero_si256(); 4];
        for r in 0..4 {
            pairs[r] = _mm256_set_m128i(bytes(rows[r + 4], at), bytes(rows[r], at));
        }
        let low01 = _mm256_unpacklo_epi32(pairs[0], pairs[1]);
        let low23 = _mm256_unpacklo_epi32(pairs[2], pairs[3]);
        let high01 = _mm256_unpackhi_epi32(pairs[0], pairs[1]);
        let high23 = _mm256_unpackhi_epi32(pairs[2], pairs[3]);
        [
            _mm256_unpacklo_epi64(low01, low23),
            _mm256_unpackhi_epi64(low01, low23),
            _mm256_unpacklo_epi64(high01, high23),
            _mm256_unpackhi_epi64(high01, high23),
        ]
    }
}

/// Bytes `at` to `at`+15 of a block.
///
/// # Safety
/// The CPU has AVX2. `at` is at most 128.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn bytes(block: &BlockQ4K, at: usize) -> __m128i {
    let start: *const BlockQ4K = block;
    // SAFETY: the caller's promises; a block is 144 bytes without padding, and the load needs no
    // alignment.
    unsafe { _mm_loadu_si128(start.cast::<u8>().add(at).cast()) }
}
