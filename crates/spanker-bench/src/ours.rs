// SPDX-License-Identifier: Apache-2.0
//! The software Sail, through the whole public API: from submission to completion.

use crate::compute::Pair;
use crate::contest::Contestant;
use crate::workload::{quantise, Shape};
use crate::Error;
use spanker::{Activation, BlockQ4K, Matmul, Matrix, Sail, F32, Q4K, Q8K};
use spanker_soft::{Config, CpuEngine, Machine};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A Sail that computes with one of our kernels.
#[derive(Debug)]
pub(crate) struct Ours {
    kernel: &'static str,
    sail: Sail,
    _machine: Machine,
}

impl Ours {
    pub(crate) fn new(kernel: &'static str, threads: NonZeroUsize) -> Result<Self, Error> {
        let engine = CpuEngine::with_kernel(kernel)
            .ok_or_else(|| format!("this CPU cannot run the kernel {kernel}"))?;
        let machine = Machine::new(Config {
            threads: Some(threads),
            engine: Arc::new(engine),
            ..Config::default()
        })?;
        Ok(Self { kernel, sail: Sail::on_machine(&machine, 0)?, _machine: machine })
    }

    /// The name in reports.
    pub(crate) fn name(&self) -> String {
        format!("spanker-{}", self.kernel.trim_start_matches("spanker-"))
    }

    pub(crate) fn weights(&self, shape: Shape, blocks: &[BlockQ4K]) -> Result<Matrix<Q4K>, Error> {
        Ok(self.sail.upload(shape.rows, shape.columns, blocks)?)
    }

    /// Products of `rows` rows of activations by each of `weights` in turn.
    pub(crate) fn product<'a>(
        &self,
        pair: Pair,
        (rows, x): (usize, &[f32]),
        quantised: &[BlockQ4K],
        weights: &'a [Matrix<Q4K>],
    ) -> Result<Box<dyn Contestant + 'a>, Error> {
        let shape = weights[0].shape();
        Ok(match pair {
            Pair::F32 => self.over(self.sail.upload::<F32>(rows, shape.cols, x)?, weights)?,
            Pair::Q8k => {
                self.over(self.sail.upload::<Q8K>(rows, shape.cols, &quantise(x))?, weights)?
            }
            Pair::Q4k => {
                self.over(self.sail.upload::<Q4K>(rows, shape.cols, quantised)?, weights)?
            }
        })
    }

    fn over<'a, A: Activation>(
        &self,
        a: Matrix<A>,
        weights: &'a [Matrix<Q4K>],
    ) -> Result<Box<dyn Contestant + 'a>, Error> {
        let out = Some(self.sail.matrix(a.shape().rows, weights[0].shape().rows)?);
        Ok(Box::new(Product { sail: self.sail.clone(), a, weights, next: 0, out }))
    }
}

struct Product<'a, A: Activation> {
    sail: Sail,
    a: Matrix<A>,
    weights: &'a [Matrix<Q4K>],
    next: usize,
    /// Not there while a product is under way, and after one that failed.
    out: Option<Matrix<F32>>,
}

impl<A: Activation> Contestant for Product<'_, A> {
    fn run(&mut self) -> Result<(), Error> {
        let b = &self.weights[self.next];
        self.next = (self.next + 1) % self.weights.len();
        let out = self.out.take().ok_or("the last product failed")?;
        let pending =
            self.sail.submit(Matmul::new(&self.a, b, out)).map_err(spanker::Error::from)?;
        self.out = Some(pending.wait()?);
        Ok(())
    }

    fn output(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.out.as_ref().ok_or("the last product failed")?.to_vec()?)
    }
}
