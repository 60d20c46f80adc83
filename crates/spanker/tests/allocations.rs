// SPDX-License-Identifier: Apache-2.0
//! Nothing is allocated for a submission and a wait, once all there is to keep
//! has been: counted over all threads of the process, those of the software
//! Sail included.

use spanker::{Batch, Error, Matmul, Matrix, Ring, Sail, F32, Q4K};
use spanker_soft::{Config, Machine};
use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts, and leaves the rest to the system.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator, with the arguments as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations a thousand rounds make (elsewhere than on x86-64, as many
/// as make a thousand products), all threads counted. Which
/// thread computes is a matter of chance, and each keeps memory of its own when
/// it does so for the first time: warm are they all when a thousand products
/// allocate nothing. What is allocated in every round never gets there.
fn allocations_after_warm_up(
    products_of_a_round: usize,
    mut round: impl FnMut() -> Result<(), Error>,
) -> usize {
    // Emulated, without a fast kernel, fewer have to do.
    let rounds = if cfg!(target_arch = "x86_64") { 1000 } else { 1000 / products_of_a_round };
    let mut counted = usize::MAX;
    for _ in 0..20 {
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        for _ in 0..rounds {
            round().unwrap();
        }
        counted = ALLOCATIONS.load(Ordering::SeqCst) - before;
        if counted == 0 {
            break;
        }
    }
    counted
}

fn sail(threads: usize) -> Sail {
    let config = Config { threads: NonZeroUsize::new(threads), ..Config::default() };
    Sail::on_machine(&Machine::new(config).unwrap(), 0).unwrap()
}

/// One test, since all count with the same counter.
#[test]
fn submissions_and_waits_allocate_nothing_after_warm_up() {
    for threads in [1, 3] {
        let sail = sail(threads);
        let x: Matrix<F32> = sail.upload(4, 512, &[0.5; 4 * 512]).unwrap();
        let weights = sail.upload_bytes::<Q4K>(96, 512, &[0x27; 96 * 2 * 144]).unwrap();

        let mut out = Some(sail.matrix::<F32>(4, 96).unwrap());
        let single = allocations_after_warm_up(1, || {
            if let Some(free) = out.take() {
                out = Some(sail.submit(Matmul::new(&x, &weights, free))?.wait()?);
            }
            Ok(())
        });
        assert_eq!(single, 0, "single products, {threads} threads");

        let mut batch = Batch::new(&sail);
        for _ in 0..16 {
            let out = sail.matrix(4, 96).unwrap();
            batch.push(Matmul::new(&x, &weights, out)).unwrap();
        }
        let mut kept = Some(sail.submit(batch).unwrap().wait().unwrap());
        let batches = allocations_after_warm_up(16, || {
            if let Some(mut batch) = kept.take() {
                batch.recycle();
                for _ in 0..16 {
                    batch.push_recycled(&x, &weights)?;
                }
                kept = Some(sail.submit(batch)?.wait()?);
            }
            Ok(())
        });
        assert_eq!(batches, 0, "batches, {threads} threads");

        let mut ring = Ring::new(&sail, &weights, 4, 3).unwrap();
        let ringed = allocations_after_warm_up(1, || {
            if ring.is_full() {
                ring.wait()?;
            }
            ring.submit(&[0.25; 4 * 512])?;
            Ok(())
        });
        assert_eq!(ringed, 0, "a ring, {threads} threads");
    }
}
