// SPDX-License-Identifier: Apache-2.0
//! What a user writes first: one product on the software Sail. Beside it a C
//! file that is compiled against the same header.

use spanker::{Error, Matmul, Sail, F32, Q4K};

extern "C" {
    fn op_size() -> u32;
}

fn main() -> Result<(), Error> {
    let sail = Sail::software()?;
    let bytes: Vec<u8> = (0..4 * 144).map(|i| i as u8).collect();
    let weights = sail.upload_bytes::<Q4K>(4, 256, &bytes)?;
    let x = sail.upload::<F32>(1, 256, &[1.0; 256])?;
    let pending = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 4)?))?;
    let out = pending.wait()?.to_vec()?;
    assert!(out.iter().all(|value| value.is_finite() && *value != 0.0));
    // SAFETY: the function takes nothing and returns a number.
    let op_size = unsafe { op_size() };
    assert_eq!(op_size as usize, std::mem::size_of::<spanker_sys::spanker_op>());
    println!("mirror: {}, result: {out:?}", spanker_sys::ORIGIN);
    Ok(())
}
