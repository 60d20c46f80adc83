// SPDX-License-Identifier: Apache-2.0
//! Two Sails at once: the rows of the weights are split over them, both multiply
//! the same activations, and the halves are joined. Here they are two cards of a
//! software machine; with cards, open 0 and 1 (SpankerControl lists them).
//!
//! `cargo run --release -p spanker --example two_sails`

use spanker::spanker_soft::{CardConfig, Config, Machine};
use spanker::{BlockQ4K, Matmul, Sail, F32, Q4K};
use std::error::Error;
use std::time::{Duration, Instant};

const ROWS: usize = 4096;
const COLS: usize = 1024;
const TOKENS: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let cards = vec![CardConfig::default(); 2];
    let machine = Machine::new(Config { cards, ..Config::default() })?;
    let sails = [Sail::on_machine(&machine, 0)?, Sail::on_machine(&machine, 1)?];

    let blocks: Vec<_> = (0..ROWS * COLS / 256).map(block).collect();
    let x: Vec<f32> = (0..TOKENS * COLS).map(|i| (i as f32 * 0.1).sin()).collect();

    // Each has half of the weights' rows, and all activations.
    let (top, bottom) = blocks.split_at(blocks.len() / 2);
    let weights =
        [sails[0].upload::<Q4K>(ROWS / 2, COLS, top)?, sails[1].upload(ROWS / 2, COLS, bottom)?];
    let inputs = [sails[0].upload::<F32>(TOKENS, COLS, &x)?, sails[1].upload(TOKENS, COLS, &x)?];

    let before = busy(&sails)?;
    let begin = Instant::now();
    // Both are submitted before either is waited for.
    let submit = |i: usize| {
        let out = sails[i].matrix::<F32>(TOKENS, ROWS / 2)?;
        Ok::<_, spanker::Error>(sails[i].submit(Matmul::new(&inputs[i], &weights[i], out))?)
    };
    let (first, second) = (submit(0)?, submit(1)?);
    let (first, second) = (first.wait()?, second.wait()?);
    let elapsed = begin.elapsed();
    let after = busy(&sails)?;
    println!(
        "in {elapsed:?} the first was busy for {:?} and the second for {:?}",
        after[0] - before[0],
        after[1] - before[1]
    );

    // A token's results: those of the first rows, then those of the others.
    let halves = [first.to_vec()?, second.to_vec()?];
    let rows = halves[0].chunks(ROWS / 2).zip(halves[1].chunks(ROWS / 2));
    let joined: Vec<f32> = rows.flat_map(|(first, second)| [first, second].concat()).collect();

    // One Sail with all of the weights gives the same bits.
    let weights = sails[0].upload::<Q4K>(ROWS, COLS, &blocks)?;
    let whole =
        sails[0].submit(Matmul::new(&inputs[0], &weights, sails[0].matrix(TOKENS, ROWS)?))?;
    assert_eq!(joined, whole.wait()?.to_vec()?);
    println!("{} results, the same as of one Sail", joined.len());
    Ok(())
}

/// For how long each has been computing, ever.
fn busy(sails: &[Sail; 2]) -> Result<[Duration; 2], spanker::Error> {
    let [first, second] = [sails[0].telemetry()?, sails[1].telemetry()?];
    Ok([Duration::from_nanos(first.busy_ns), Duration::from_nanos(second.busy_ns)])
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
