// SPDX-License-Identifier: Apache-2.0
//! What a user writes first: one product on the software Sail.

use spanker::{Error, Matmul, Sail, F32, MIRROR_ORIGIN, Q4K};

fn main() -> Result<(), Error> {
    let sail = Sail::software()?;
    let bytes: Vec<u8> = (0..4 * 144).map(|i| i as u8).collect();
    let weights = sail.upload_bytes::<Q4K>(4, 256, &bytes)?;
    let x = sail.upload::<F32>(1, 256, &[1.0; 256])?;
    let pending = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 4)?))?;
    let out = pending.wait()?.to_vec()?;
    assert!(out.iter().all(|value| value.is_finite() && *value != 0.0));
    println!("mirror: {MIRROR_ORIGIN}, result: {out:?}");
    Ok(())
}
