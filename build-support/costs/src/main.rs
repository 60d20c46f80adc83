// SPDX-License-Identifier: Apache-2.0
//! Runs the same work through the safe API and on raw libc, against a card that
//! answers at once, for valgrind to count the instructions of both.

mod device;
mod raw;
mod safe;

use device::Device;
use std::error::Error;

/// Matrices of activations and of weights; a batch multiplies each by each.
const ROWS: usize = 16;
const COLUMNS: usize = 16;
/// Their rows.
const M: usize = 4;
const N: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100);
    let device = Device::new()?;
    let mut safe = safe::Safe::new(&device.path())?;
    let mut raw = raw::Raw::new(0);
    safe::safe_batches(&mut safe, count)?;
    safe::safe_moving_batches(&mut safe, count)?;
    raw::raw_batches(&mut raw, count)?;
    safe::safe_single(&mut safe, count)?;
    raw::raw_single(&mut raw, count)?;
    Ok(())
}
