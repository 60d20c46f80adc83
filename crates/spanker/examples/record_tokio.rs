// SPDX-License-Identifier: Apache-2.0
//! All requests of a program that awaits its work written down, and the same run
//! again on another Sail.
//!
//! `cargo run --release -p spanker --features record,tokio --example record_tokio`

use spanker::{BlockQ4K, Matmul, Recorder, Sail, F32, Q4K};
use std::error::Error;
use std::fs::{self, File};
use std::io::BufReader;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("spanker-{}.jsonl", std::process::id()));

    // A recorder is used as the Sail that it wraps.
    let sail = Recorder::create(Sail::from_environment()?, &path)?;
    let blocks: Vec<_> = (0..64 * 4).map(block).collect();
    let weights = sail.upload::<Q4K>(64, 1024, &blocks)?;
    let x = sail.upload::<F32>(1, 1024, &[0.5; 1024])?;
    let y = sail.upload::<F32>(1, 1024, &[2.0; 1024])?;
    let of_x = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 64)?))?;
    let of_y = sail.submit(Matmul::new(&y, &weights, sail.matrix(1, 64)?))?;
    let (of_x, of_y) = tokio::try_join!(of_x, of_y)?;
    println!("{:?} and {:?}", &of_x.to_vec()?[..3], &of_y.to_vec()?[..3]);
    sail.finish()?;

    let text = fs::read_to_string(&path)?;
    println!("{} lines, {} bytes; those of WORK_SUBMIT:", text.lines().count(), text.len());
    for line in text.lines().filter(|line| line.contains("WORK_SUBMIT")) {
        println!("{}...", line.get(..100).unwrap_or(line));
    }

    let replayed = spanker::replay(&Sail::from_environment()?, BufReader::new(File::open(&path)?))?;
    fs::remove_file(&path)?;
    println!("run again: {} batches, {} results compared", replayed.batches, replayed.results);
    println!("{:?} then, {:?} now", replayed.recorded_time, replayed.time);
    match replayed.differences.first() {
        Some(difference) => Err(difference.to_string().into()),
        None => Ok(()),
    }
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
