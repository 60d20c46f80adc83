// SPDX-License-Identifier: Apache-2.0
//! The work through the safe API.

use crate::{COLUMNS, M, N, ROWS};
use spanker::{Batch, Error, Matmul, Matrix, Sail, F32, Q4K};
use std::path::Path;

pub(crate) struct Safe {
    sail: Sail,
    a: Vec<Matrix<F32>>,
    b: Vec<Matrix<Q4K>>,
    outs: Vec<Matrix<F32>>,
}

impl Safe {
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let sail = Sail::open_path(path)?;
        let a = (0..ROWS).map(|_| sail.matrix(M, 256)).collect::<Result<_, _>>()?;
        let b = (0..COLUMNS).map(|_| sail.matrix(N, 256)).collect::<Result<_, _>>()?;
        let outs = (0..ROWS * COLUMNS).map(|_| sail.matrix(M, N)).collect::<Result<_, _>>()?;
        Ok(Self { sail, a, b, outs })
    }
}

/// Batches of all pairs: filled, submitted, and waited for. What they write is
/// written anew by the next.
#[inline(never)]
pub(crate) fn safe_batches(safe: &mut Safe, count: usize) -> Result<(), Error> {
    let Safe { sail, a, b, outs } = safe;
    let mut batch = Batch::new(sail);
    for (out, a, b) in outs.drain(..).zip(pairs(a, b)).map(|(out, (a, b))| (out, a, b)) {
        batch.push(Matmul::new(a, b, out))?;
    }
    for _ in 0..count {
        batch = sail.submit(batch)?.wait()?;
        batch.recycle();
        for a in &*a {
            for b in &*b {
                batch.push_recycled(a, b)?;
            }
        }
    }
    batch = sail.submit(batch)?.wait()?;
    outs.extend(batch.drain_results());
    Ok(())
}

/// The same, but what they write is taken out of each, and moved into the next.
#[inline(never)]
pub(crate) fn safe_moving_batches(safe: &mut Safe, count: usize) -> Result<(), Error> {
    let Safe { sail, a, b, outs } = safe;
    let mut batch = Batch::new(sail);
    for _ in 0..count {
        for a in &*a {
            for b in &*b {
                let Some(out) = outs.pop() else { return Ok(()) };
                batch.push(Matmul::new(a, b, out))?;
            }
        }
        batch = sail.submit(batch)?.wait()?;
        outs.extend(batch.drain_results());
    }
    Ok(())
}

fn pairs<'a>(
    a: &'a [Matrix<F32>],
    b: &'a [Matrix<Q4K>],
) -> impl Iterator<Item = (&'a Matrix<F32>, &'a Matrix<Q4K>)> {
    a.iter().flat_map(move |a| b.iter().map(move |b| (a, b)))
}

/// One op at a time.
#[inline(never)]
pub(crate) fn safe_single(safe: &mut Safe, count: usize) -> Result<(), Error> {
    let Safe { sail, a, b, outs } = safe;
    let Some(mut out) = outs.pop() else { return Ok(()) };
    for _ in 0..count {
        out = sail.submit(Matmul::new(&a[0], &b[0], out))?.wait()?;
    }
    outs.push(out);
    Ok(())
}
