// SPDX-License-Identifier: Apache-2.0
//! One product, awaited. The thread is free for other tasks meanwhile, and no
//! other thread waits in its place.
//!
//! `cargo run --release -p spanker --features tokio --example hello_tokio`

use spanker::{BlockQ4K, Error, Matmul, Sail, F32, Q4K};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sail = Sail::from_environment()?;
    println!("{}, ABI {}", sail.info().name, sail.version());

    // Row j of the weights is j everywhere.
    let weights = sail.upload::<Q4K>(4, 256, &[block(0), block(1), block(2), block(3)])?;
    let x = sail.upload::<F32>(1, 256, &[1.0; 256])?;

    let out = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 4)?))?.await?;
    println!("x · weightsᵀ = {:?}", out.to_vec()?);
    Ok(())
}

/// 256 weights that are all `weight`, from 0 to 15: d is 1.0, the scales are 1
/// and the mins 0.
fn block(weight: u8) -> BlockQ4K {
    BlockQ4K {
        d: 0x3c00_u16.to_le(),
        dmin: 0,
        scales: [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1],
        qs: [weight | weight << 4; 128],
    }
}
