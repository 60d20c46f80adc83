// SPDX-License-Identifier: Apache-2.0
//! What can go wrong where work is awaited, and what to do then: a mistake is told
//! and the work handed back, a full queue is waited for, and after a fault the Sail
//! is opened again. The software Sail fails on purpose here, by a plan.
//!
//! `cargo run --release -p spanker --features tokio --example errors_tokio`

use spanker::spanker_soft::{Config, FaultPlan, Machine};
use spanker::{BlockQ4K, Error, Matmul, Matrix, Pending, Refused, Sail, F32, Q4K};
use std::collections::VecDeque;

const ROWS: usize = 512;
const COLS: usize = 256;
const STEPS: usize = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The third submission finds the queue full, and the fifth batch fails.
    let faults: FaultPlan = "WORK_SUBMIT#3=EAGAIN; batch#5".parse()?;
    let machine = Machine::new(Config { faults, ..Config::default() })?;
    let mut sail = Sail::on_machine(&machine, 0)?;
    let blocks: Vec<_> = (0..ROWS * COLS / 256).map(block).collect();
    let mut weights = sail.upload::<Q4K>(ROWS, COLS, &blocks)?;

    // A mistake: nothing has run, and what was moved into the work comes back.
    let narrow = sail.upload::<F32>(1, 512, &[1.0; 512])?;
    match sail.submit(Matmul::new(&narrow, &weights, sail.matrix(1, ROWS)?)) {
        Err(Refused { error: Error::OperandShape { operand, required, given, .. }, work }) => {
            let out = work.into_out().shape();
            println!("operand {operand} is {given}, not {required}; the {out} for results is back");
        }
        Err(refused) => return Err(refused.into()),
        Ok(_) => return Err("512 columns were multiplied by 256".into()),
    }

    let mut results = vec![None; STEPS];
    while let Err(error) = run(&sail, &weights, &mut results).await {
        match &error {
            Error::Fault { seqno, op, .. } => println!("op {op} of batch {seqno} failed"),
            Error::Cancelled { .. } => println!("{error}"),
            error if error.needs_reopening() => println!("{error}"),
            _ => return Err(error.into()),
        }
        // A Sail that has failed takes no more work; what is in its matrices can
        // still be read.
        sail = Sail::on_machine(&machine, 0)?;
        weights = sail.upload_bytes(ROWS, COLS, weights.view()?.bytes())?;
        let done = results.iter().flatten().count();
        println!("opened again, weights taken along; {done} of {STEPS} are done");
    }

    // All is as where nothing goes wrong.
    let sound = Sail::software()?;
    let mut expected = vec![None; STEPS];
    run(&sound, &sound.upload(ROWS, COLS, &blocks)?, &mut expected).await?;
    assert_eq!(results, expected);
    println!("sums: {:?}", results.iter().flatten().collect::<Vec<_>>());
    Ok(())
}

type InFlight = VecDeque<(usize, Pending<Matrix<F32>>)>;

/// Computes the results that are missing.
async fn run(sail: &Sail, weights: &Matrix<Q4K>, results: &mut [Option<f32>]) -> Result<(), Error> {
    let mut in_flight = InFlight::new();
    for step in (0..STEPS).filter(|step| results[*step].is_none()).collect::<Vec<_>>() {
        let x = sail.upload::<F32>(1, COLS, &[step as f32; COLS])?;
        let mut work = Matmul::new(&x, weights, sail.matrix(1, ROWS)?);
        let pending = loop {
            work = match sail.submit(work) {
                Ok(pending) => break pending,
                Err(Refused { error, work }) if error.is_queue_full() => {
                    println!("step {step}: {error}");
                    take_oldest(&mut in_flight, results).await?;
                    work
                }
                // A batch has failed: those in flight are waited for, and it tells
                // that it was the one.
                Err(Refused { error, work })
                    if error.needs_reopening() && !in_flight.is_empty() =>
                {
                    take_oldest(&mut in_flight, results).await?;
                    work
                }
                Err(refused) => return Err(refused.error),
            };
        };
        in_flight.push_back((step, pending));
    }
    while !in_flight.is_empty() {
        take_oldest(&mut in_flight, results).await?;
    }
    Ok(())
}

async fn take_oldest(in_flight: &mut InFlight, results: &mut [Option<f32>]) -> Result<(), Error> {
    if let Some((step, pending)) = in_flight.pop_front() {
        results[step] = Some(pending.await?.to_vec()?.iter().sum());
    }
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
