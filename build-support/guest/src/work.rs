// SPDX-License-Identifier: Apache-2.0
//! Work for a card, and its result.

use spanker::{Error, Matmul, Matrix, Pending, Sail, F32, Q4K};

/// Operands of one product.
pub(crate) struct Operands {
    pub(crate) a: Matrix<F32>,
    pub(crate) b: Matrix<Q4K>,
}

impl Operands {
    /// m rows by n rows of k.
    pub(crate) fn new(sail: &Sail, m: usize, n: usize, k: usize) -> Result<Self, Error> {
        let mut a = sail.matrix::<F32>(m, k)?;
        a.view_mut()?.bytes_mut().chunks_exact_mut(4).for_each(|value| {
            value.copy_from_slice(&1.0_f32.to_le_bytes());
        });
        let mut b = sail.matrix::<Q4K>(n, k)?;
        b.view_mut()?.bytes_mut().chunks_exact_mut(144).for_each(fill_with_threes);
        Ok(Self { a, b })
    }

    pub(crate) fn submit(&self, sail: &Sail) -> Result<Pending<Matrix<F32>>, Error> {
        let out = sail.matrix(self.a.shape().rows, self.b.shape().rows)?;
        Ok(sail.submit(Matmul::new(&self.a, &self.b, out))?)
    }

    /// Submits the product, waits for it and looks at the result.
    pub(crate) fn check(&self, sail: &Sail) -> Result<(), Error> {
        let out = self.submit(sail)?.wait()?.to_vec()?;
        let right = 3.0 * self.a.shape().cols as f32;
        assert!(out.iter().all(|value| *value == right), "{right} became {out:?}");
        Ok(())
    }
}

/// Operands of a product that keeps the card busy for longer than anybody here
/// waits: thousands of millions of multiplications, and little memory.
pub(crate) struct LongWork {
    a: Matrix<Q4K>,
    b: Matrix<Q4K>,
}

impl LongWork {
    pub(crate) fn new(sail: &Sail) -> Result<Self, Error> {
        Ok(Self { a: sail.matrix(1024, 4096)?, b: sail.matrix(2048, 4096)? })
    }

    pub(crate) fn submit(&self, sail: &Sail) -> Result<Pending<Matrix<F32>>, Error> {
        Ok(sail.submit(Matmul::new(&self.a, &self.b, sail.matrix(1024, 2048)?))?)
    }
}

/// 256 weights that are 3: d is 1, the scales are 1 and the mins 0. By them and
/// activations of 1 the result is exact.
fn fill_with_threes(block: &mut [u8]) {
    block[..4].copy_from_slice(&[0x00, 0x3c, 0, 0]);
    block[4..16].copy_from_slice(&[1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
    block[16..].fill(0x33);
}

/// Opens card `index` and has it work out a small product.
pub(crate) fn expect_working(index: u32) {
    let sail = Sail::open(index).unwrap();
    Operands::new(&sail, 3, 5, 512).unwrap().check(&sail).unwrap();
}
