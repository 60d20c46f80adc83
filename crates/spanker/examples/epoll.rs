// SPDX-License-Identifier: Apache-2.0
//! An event loop: several batches in flight, and one thread that sleeps on the
//! Sail's descriptor, beside any others it may have, until there is news. (Where
//! tokio is the event loop, see tokio_tasks.)
//!
//! `cargo run --release -p spanker --example epoll`

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use spanker::{BlockQ4K, Matmul, Matrix, Pending, Progress, Sail, F32, Q4K};
use std::collections::VecDeque;
use std::error::Error;

const BATCHES: usize = 24;
const IN_FLIGHT: usize = 6;
/// What epoll tells of the Sail's descriptor; others would have other numbers.
const SAIL: u64 = 0;

fn main() -> Result<(), Box<dyn Error>> {
    let sail = Sail::from_environment()?;
    let blocks: Vec<_> = (0..1024 * 4).map(block).collect();
    let weights = sail.upload::<Q4K>(1024, 1024, &blocks)?;
    let inputs = (0..BATCHES).map(|i| sail.upload::<F32>(8, 1024, &[i as f32; 8 * 1024]));
    let inputs: Vec<_> = inputs.collect::<Result<_, _>>()?;
    let mut to_do = inputs.iter();
    let mut in_flight: VecDeque<Pending<Matrix<F32>>> = VecDeque::new();
    let mut sums = Vec::new();

    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&sail, EpollEvent::new(EpollFlags::EPOLLIN, SAIL))?;
    while sums.len() < BATCHES {
        for x in to_do.by_ref().take(IN_FLIGHT - in_flight.len()) {
            in_flight.push_back(sail.submit(Matmul::new(x, &weights, sail.matrix(8, 1024)?))?);
        }

        let mut events = [EpollEvent::empty()];
        epoll.wait(&mut events, EpollTimeout::NONE)?;
        if events[0].data() == SAIL {
            // This makes the descriptor quiet until there is more.
            let completed = sail.completed()?;
            let retired = in_flight.partition_point(|pending| pending.seqno() <= completed);
            for pending in in_flight.drain(..retired) {
                if let Progress::Done(out) = pending.try_wait()? {
                    sums.push(out.to_vec()?.iter().sum::<f32>());
                }
            }
            println!("woken: {retired} more have completed");
        }
    }
    // The inputs grew by 1, so the sums grow by as much each time.
    println!("sums: {} {} {} ... {}", sums[0], sums[1], sums[2], sums[BATCHES - 1]);
    Ok(())
}

/// 256 weights of 4 bits between -0.12 and 0.12, as they would be in a file of a
/// model: d is 1/64, dmin 7.5/64, all scales and mins are 1.
fn block(index: usize) -> BlockQ4K {
    let two_weights = |i| ((index * 128 + i) as u32).wrapping_mul(0x9e37_79b1) >> 24;
    BlockQ4K {
        d: 0x2400_u16.to_le(),
        dmin: 0x2f80_u16.to_le(),
        scales: [1, 1, 1, 1, 1, 1, 1, 1, 0x11, 0x11, 0x11, 0x11],
        qs: std::array::from_fn(|i| two_weights(i) as u8),
    }
}
