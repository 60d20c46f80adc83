// SPDX-License-Identifier: Apache-2.0
//! Several products in one submission: first some that read the same activations,
//! into matrices that are used again and again, then two of which the second reads
//! what the first wrote.
//!
//! `cargo run --release -p spanker --example batch`

use spanker::{Batch, BlockQ4K, Error, Matmul, Matrix, Sail, F32, Q4K};

const TOKENS: usize = 50;

fn main() -> Result<(), Error> {
    let sail = Sail::from_environment()?;
    let mut x = upload_activations(&sail)?;

    // Three products of the same activations, as in attention.
    let (q, k, v) =
        (weights(&sail, 256, 256)?, weights(&sail, 256, 256)?, weights(&sail, 128, 256)?);
    let mut batch = Batch::new(&sail);
    for weights in [&q, &k, &v] {
        batch.push(Matmul::new(&x, weights, sail.matrix(1, weights.shape().rows)?))?;
    }
    let before = sail.telemetry()?;
    let mut scores = Vec::new();
    for token in 1..=TOKENS {
        batch = sail.submit(batch)?.wait()?;
        let (queries, keys) = (batch.results()[0].to_vec()?, batch.results()[1].to_vec()?);
        scores.push(queries.iter().zip(&keys).map(|(q, k)| q * k).sum::<f32>());

        // The results of this round are where the next writes: no new matrices.
        batch.recycle();
        x.write(&[token as f32 / TOKENS as f32; 256])?;
        for weights in [&q, &k, &v] {
            batch.push_recycled(&x, weights)?;
        }
    }
    let after = sail.telemetry()?;
    println!(
        "{} batches, {} products: scores from {} to {}",
        after.batches - before.batches,
        after.ops - before.ops,
        scores[0],
        scores[TOKENS - 1]
    );

    // Two products, the second of the first's result, in one submission too.
    let (up, down) = (weights(&sail, 1024, 256)?, weights(&sail, 256, 1024)?);
    let mut chain = Batch::new(&sail);
    let hidden = chain.push(Matmul::new(&x, &up, sail.matrix(1, 1024)?))?;
    chain.push_chained(hidden, &down, sail.matrix(1, 256)?)?;
    let mut chain = sail.submit(chain)?.wait()?;
    let results: Vec<_> = chain.drain_results().collect();

    // One after the other they give the same bits.
    let hidden = sail.submit(Matmul::new(&x, &up, sail.matrix(1, 1024)?))?.wait()?;
    let y = sail.submit(Matmul::new(&hidden, &down, sail.matrix(1, 256)?))?.wait()?;
    assert_eq!(results[0].to_vec()?, hidden.to_vec()?);
    assert_eq!(results[1].to_vec()?, y.to_vec()?);
    println!("chained: {:?}...", &y.to_vec()?[..4]);
    Ok(())
}

fn upload_activations(sail: &Sail) -> Result<Matrix<F32>, Error> {
    sail.upload(1, 256, &std::array::from_fn::<f32, 256, _>(|i| i as f32 / 256.0))
}

fn weights(sail: &Sail, rows: usize, cols: usize) -> Result<Matrix<Q4K>, Error> {
    let blocks: Vec<_> = (0..rows * cols / 256).map(block).collect();
    sail.upload(rows, cols, &blocks)
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
