// SPDX-License-Identifier: Apache-2.0
//! One product, on whichever Sail the environment names.
//!
//! `cargo run -p spanker --example hello`

use spanker::{BlockQ4K, Error, Matmul, Sail, F32, Q4K};

fn main() -> Result<(), Error> {
    let sail = Sail::from_environment()?;
    println!("{}, ABI {}", sail.info().name, sail.version());

    // Row j of the weights is j everywhere: d = 1.0, scales 1, mins 0.
    let row = |j: u8| BlockQ4K {
        d: 0x3c00_u16.to_le(),
        dmin: 0,
        scales: [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1],
        qs: [j | j << 4; 128],
    };
    let weights = sail.upload::<Q4K>(4, 256, &[row(0), row(1), row(2), row(3)])?;
    let x = sail.upload::<F32>(1, 256, &[1.0; 256])?;

    let out = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 4)?))?.wait()?;
    println!("x · weightsᵀ = {:?}", out.to_vec()?);
    Ok(())
}
