// SPDX-License-Identifier: Apache-2.0
//! Many tasks that await one Sail on one thread; a wait that has a time limit and is
//! taken up again; work that nobody waits for.
//!
//! `cargo run --release -p spanker --features tokio --example tokio_tasks`

use spanker::spanker_soft::{Config, FaultPlan, Machine};
use spanker::{BlockQ4K, Matmul, Sail, F32, Q4K};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ROWS: usize = 512;
const COLS: usize = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Every op takes 5 ms longer, so that there is something to wait for.
    let faults = FaultPlan::new().slow(Duration::from_millis(5));
    let machine = Machine::new(Config { faults, ..Config::default() })?;
    let sail = Arc::new(Sail::on_machine(&machine, 0)?);
    let blocks: Vec<_> = (0..ROWS * COLS / 256).map(block).collect();
    let weights = Arc::new(sail.upload::<Q4K>(ROWS, COLS, &blocks)?);

    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let (sail, weights) = (Arc::clone(&sail), Arc::clone(&weights));
        tasks.spawn(async move {
            let (mut x, mut out) = (sail.matrix::<F32>(1, COLS)?, sail.matrix(1, ROWS)?);
            let mut sum = 0.0;
            for round in 0..5 {
                x.write(&[(5 * task + round) as f32; COLS])?;
                out = sail.submit(Matmul::new(&x, &weights, out))?.await?;
                sum += out.to_vec()?.iter().sum::<f32>();
            }
            Ok::<_, spanker::Error>((task, sum))
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (task, sum) = done??;
        println!("task {task} is done: {sum}");
    }

    // When the time is up, the work goes on, and so can the wait.
    let x = sail.upload::<F32>(1, COLS, &[1.0; COLS])?;
    let mut pending = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, ROWS)?))?;
    let (begin, mut timeouts) = (Instant::now(), 0);
    let out = loop {
        match timeout(Duration::from_millis(1), &mut pending).await {
            Ok(out) => break out?,
            Err(_) => timeouts += 1,
        }
    };
    println!("done after {timeouts} timeouts, {:?}", begin.elapsed());

    // Work that is dropped is done all the same, before what comes after it.
    let before = sail.telemetry()?;
    drop(sail.submit(Matmul::new(&x, &weights, sail.matrix(1, ROWS)?))?);
    let again = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, ROWS)?))?.await?;
    assert_eq!(again.to_vec()?, out.to_vec()?);
    let ops = sail.telemetry()?.ops - before.ops;
    println!("{ops} ops were done, of which one was awaited");
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
