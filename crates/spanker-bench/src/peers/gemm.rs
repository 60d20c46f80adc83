// SPDX-License-Identifier: Apache-2.0
//! The gemm crate's product of F32 matrices, on weights that were dequantised beforehand: what is
//! gained by having them in 4 bits. It packs them anew for each product of more than one row, which
//! only many rows make up for.

use crate::implementation::{Contestant, Implementation, Stored};
use crate::workload::{dequantise, Shape, Task};
use crate::Error;
use gemm::Parallelism;
use spanker::BlockQ4K;
use std::num::NonZeroUsize;

/// The gemm crate, with so many threads of rayon's.
#[derive(Debug)]
pub(crate) struct Gemm {
    pub(crate) threads: NonZeroUsize,
}

impl Implementation for Gemm {
    fn kernel(&self) -> String {
        "gemm-f32".to_owned()
    }

    fn bytes(&self, shape: Shape) -> usize {
        shape.rows * shape.columns * size_of::<f32>()
    }

    fn store<'a>(
        &'a self,
        shape: Shape,
        blocks: &[BlockQ4K],
        copies: usize,
    ) -> Result<Box<dyn Stored + 'a>, Error> {
        let values = dequantise(blocks);
        let parallelism = match self.threads.get() {
            1 => Parallelism::None,
            threads => Parallelism::Rayon(threads),
        };
        Ok(Box::new(Weights { shape, copies: vec![values; copies], parallelism }))
    }
}

struct Weights {
    shape: Shape,
    copies: Vec<Vec<f32>>,
    parallelism: Parallelism,
}

impl Stored for Weights {
    fn product<'a>(&'a self, task: &Task) -> Result<Box<dyn Contestant + 'a>, Error> {
        let out = vec![0.0; task.rows * self.shape.rows];
        Ok(Box::new(Product { weights: self, x: task.x.clone(), rows: task.rows, next: 0, out }))
    }
}

struct Product<'a> {
    weights: &'a Weights,
    x: Vec<f32>,
    rows: usize,
    next: usize,
    out: Vec<f32>,
}

impl Contestant for Product<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let Weights { shape, copies, parallelism } = self.weights;
        let b = &copies[self.next];
        self.next = (self.next + 1) % copies.len();
        let k = isize::try_from(shape.columns)?;
        let n = isize::try_from(shape.rows)?;
        // The slices are what the strides below reach.
        assert_eq!(self.x.len(), self.rows * shape.columns);
        assert_eq!(b.len(), shape.rows * shape.columns);
        assert_eq!(self.out.len(), self.rows * shape.rows);
        // SAFETY: element (i, j) of a matrix is at i times its stride of rows plus j times its
        // stride of columns. These are out (rows×n), x (rows×k) and b transposed (k×n), all
        // within slices of just so many elements; only `out` is written.
        unsafe {
            gemm::gemm(
                self.rows,
                shape.rows,
                shape.columns,
                self.out.as_mut_ptr(),
                1,
                n,
                false,
                self.x.as_ptr(),
                1,
                k,
                b.as_ptr(),
                k,
                1,
                0.0,
                1.0,
                false,
                false,
                false,
                *parallelism,
            );
        }
        Ok(())
    }

    fn output(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.out.clone())
    }
}
