// SPDX-License-Identifier: Apache-2.0
//! The product of two small Q4_K matrices, on whichever Sail the environment
//! names: the first card, or without one the software Sail.
//!
//! `cargo run --release -p ggml-spanker --example matmul`

use ggml_spanker::{MatmulInt4, SailMatmul, OUTPUT_ELEM_BYTES, Q4_K_BLOCK_BYTES, QK_K};
use spanker::Sail;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let sail = SailMatmul::new(Sail::from_environment()?);
    println!("{}", sail.sail().info().name);

    // Row i of a is 1 + i everywhere, row j of b is j.
    let (m, k, n) = (2, 2 * QK_K, 4);
    let a = rows(1..3, k);
    let b = rows(0..4, k);
    let mut out = vec![0; m * n * OUTPUT_ELEM_BYTES];
    sail.matmul_q4_k(&a, &b, &mut out, m, k, n)?;

    for (i, row) in out.chunks_exact(n * OUTPUT_ELEM_BYTES).enumerate() {
        let results = row.chunks_exact(OUTPUT_ELEM_BYTES).map(|bytes| {
            let mut result = [0; OUTPUT_ELEM_BYTES];
            result.copy_from_slice(bytes);
            f32::from_le_bytes(result)
        });
        println!("row {i}: {:?}", results.collect::<Vec<_>>());
    }
    Ok(())
}

/// Rows of `k` weights that are all the same, each from 0 to 15.
fn rows(weights: std::ops::Range<u8>, k: usize) -> Vec<u8> {
    weights.flat_map(|weight| block(weight).repeat(k / QK_K)).collect()
}

/// d is 1.0, the scales are 1 and the mins 0.
fn block(weight: u8) -> [u8; Q4_K_BLOCK_BYTES] {
    let mut block = [weight | weight << 4; Q4_K_BLOCK_BYTES];
    block[..4].copy_from_slice(&[0x00, 0x3c, 0, 0]);
    block[4..16].copy_from_slice(&[1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
    block
}
