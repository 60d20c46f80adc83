// SPDX-License-Identifier: Apache-2.0
//! The product on a Sail.

use crate::error::Error;
use crate::matmul_int4::MatmulInt4;
use crate::shape::Shape;
use spanker::{Matmul, Sail, F32, Q4K};
use std::sync::{Arc, Mutex, PoisonError};

/// Multiplies on a Sail, through WORK_SUBMIT: operands are copied to its memory,
/// one product is submitted and waited for, and the results are copied back.
/// Products larger than the card takes in one op are split, with the same bits.
///
/// It can be shared between threads, and cloned; the products then queue on the
/// one Sail.
#[derive(Clone, Debug)]
pub struct SailMatmul {
    sail: Sail,
    /// Held while a product is computed: one has all of the Sail's threads, and
    /// a card may have room for one only.
    turn: Arc<Mutex<()>>,
}

impl SailMatmul {
    /// Multiplies on `sail`.
    pub fn new(sail: Sail) -> Self {
        Self { sail, turn: Arc::default() }
    }

    /// The Sail that it multiplies on.
    pub fn sail(&self) -> &Sail {
        &self.sail
    }
}

impl MatmulInt4 for SailMatmul {
    fn matmul_q4_k(
        &self,
        a: &[u8],
        b: &[u8],
        out: &mut [u8],
        m: usize,
        k: usize,
        n: usize,
    ) -> Result<(), Error> {
        let Some(shape) = Shape::check(a, b, out, (m, k, n))? else {
            return Ok(());
        };
        let a = self.sail.upload_bytes::<Q4K>(m, k, a)?;
        let b = self.sail.upload_bytes::<Q4K>(n, k, b)?;
        let product = Matmul::new(&a, &b, self.sail.matrix::<F32>(m, n)?);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let results = self.sail.submit(product).map_err(|refused| refused.error)?.wait()?;
        drop(turn);
        results.read_bytes(&mut out[..shape.out_bytes])?;
        Ok(())
    }
}
