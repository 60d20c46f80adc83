// SPDX-License-Identifier: Apache-2.0
//! Weights are uploaded once, and many activations go over them. A ring keeps
//! several products in flight: while the Sail works on some, the next activations
//! are written.
//!
//! `cargo run --release -p spanker --example upload_once`

use spanker::{BlockQ4K, Error, Matmul, Ring, Sail, View, F32, Q4K};
use std::time::Instant;

const ROWS: usize = 2048;
const COLS: usize = 1024;
const STEPS: usize = 200;

fn main() -> Result<(), Error> {
    let sail = Sail::from_environment()?;
    let blocks: Vec<_> = (0..ROWS * COLS / 256).map(block).collect();
    let weights = sail.upload::<Q4K>(ROWS, COLS, &blocks)?;
    println!("{}: {ROWS}×{COLS} weights, {} bytes", sail.info().name, weights.byte_len());

    // 4 slots, each for 1 row of activations and 1 row of results.
    let mut ring = Ring::new(&sail, &weights, 1, 4)?;
    let begin = Instant::now();
    let mut largest = Vec::new();
    for step in 0..STEPS {
        if ring.is_full() {
            largest.extend(ring.wait()?.map(largest_of));
        }
        ring.submit(&activations(step))?;
    }
    while let Some(out) = ring.wait()? {
        largest.push(largest_of(out));
    }
    println!("{} products, one every {:?}", largest.len(), begin.elapsed() / STEPS as u32);

    // A product by itself has the same bits.
    let last = STEPS - 1;
    let x = sail.upload::<F32>(1, COLS, &activations(last))?;
    let out = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, ROWS)?))?.wait()?;
    assert_eq!(largest[last], largest_of(out.view()?));
    println!("the largest result of the last: {} in column {}", largest[last].1, largest[last].0);
    Ok(())
}

/// The column of the largest result, and that.
fn largest_of(out: View<'_, F32>) -> (usize, f32) {
    let results = (0..ROWS).filter_map(|col| Some((col, out.get(0, col)?)));
    results.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}

fn activations(step: usize) -> Vec<f32> {
    (0..COLS).map(|i| ((step * COLS + i) as f32 * 0.1).sin()).collect()
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
