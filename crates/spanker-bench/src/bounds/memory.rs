// SPDX-License-Identifier: Apache-2.0
//! How fast memory can be read: a product by weights that are in no cache takes no less time than
//! reading them.

use super::on_threads;
use crate::implementation::Contestant;
use crate::Error;
use memmap2::{Advice, MmapMut};
use std::hint::black_box;
use std::num::NonZeroUsize;

/// In which order a thread reads its part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// From the front to the end.
    Ahead,
    /// So, and asking for what comes some pages later.
    Prefetching,
    /// In four places at a time.
    Fourfold,
}

pub(crate) const ORDERS: [Order; 3] = [Order::Ahead, Order::Prefetching, Order::Fourfold];

/// Bytes that are in no cache when they are read again.
#[derive(Debug)]
pub(crate) struct Memory(MmapMut);

impl Memory {
    /// As many bytes, in huge pages where the system has some.
    pub(crate) fn new(bytes: usize) -> Result<Self, Error> {
        let mut map = MmapMut::map_anon(bytes)?;
        // A system without huge pages reads as well as it can.
        let _ = map.advise(Advice::HugePage);
        // Pages that were never written are all the same page.
        map.fill(1);
        Ok(Self(map))
    }

    /// Reads all of it, in equal parts by so many threads.
    pub(crate) fn reading(&self, order: Order, threads: NonZeroUsize) -> Reading<'_> {
        Reading { bytes: &self.0, order, threads }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

pub(crate) struct Reading<'a> {
    bytes: &'a [u8],
    order: Order,
    threads: NonZeroUsize,
}

impl Contestant for Reading<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let part = self.bytes.len() / self.threads;
        on_threads(self.threads, |index| {
            black_box(read(&self.bytes[index * part..][..part], self.order));
        });
        Ok(())
    }
}

fn read(bytes: &[u8], order: Order) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(bytes: &[u8], order: Order) -> u64 {
            sum(bytes, order)
        }
        // SAFETY: this CPU has AVX2.
        return unsafe { with_avx2(bytes, order) };
    }
    sum(bytes, order)
}

/// Bytes that are read together: eight cache lines, one addition for each 8 bytes.
const CHUNK: usize = 512;
/// How far ahead is asked for.
const AHEAD: usize = 4096;

#[inline(always)]
fn sum(bytes: &[u8], order: Order) -> u64 {
    let mut sums = [0_u64; CHUNK / 8];
    let mut add = |chunk: &[u8]| {
        for (sum, word) in sums.iter_mut().zip(chunk.chunks_exact(8)) {
            *sum = sum.wrapping_add(u64::from_ne_bytes(word.try_into().unwrap_or_default()));
        }
    };
    match order {
        Order::Ahead => bytes.chunks_exact(CHUNK).for_each(add),
        Order::Prefetching => {
            for chunk in bytes.chunks_exact(CHUNK) {
                prefetch(chunk);
                add(chunk);
            }
        }
        Order::Fourfold => {
            let part = bytes.len() / 4 / CHUNK * CHUNK;
            for offset in (0..part).step_by(CHUNK) {
                for start in 0..4 {
                    add(&bytes[start * part + offset..][..CHUNK]);
                }
            }
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

/// Asks for what is [`AHEAD`] of the chunk.
#[inline(always)]
fn prefetch(chunk: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in chunk.chunks_exact(64) {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        let ahead = line.as_ptr().wrapping_add(AHEAD);
        // SAFETY: a prefetch may have any address: it changes and faults nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (chunk, AHEAD);
}
