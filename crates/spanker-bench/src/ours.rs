// SPDX-License-Identifier: Apache-2.0
//! The software Sail, through the whole public API: from submission to completion.

use crate::implementation::{Contestant, Implementation, Pair, Stored};
use crate::workload::{quantise, Shape, Task};
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
}

impl Implementation for Ours {
    fn kernel(&self) -> String {
        format!("spanker-{}", self.kernel.trim_start_matches("spanker-"))
    }

    fn is_peer(&self) -> bool {
        false
    }

    fn multiplies(&self, _: Pair) -> bool {
        true
    }

    fn store<'a>(
        &'a self,
        shape: Shape,
        blocks: &[BlockQ4K],
        copies: usize,
    ) -> Result<Box<dyn Stored + 'a>, Error> {
        let copies = (0..copies).map(|_| self.sail.upload(shape.rows, shape.columns, blocks));
        Ok(Box::new(Weights { sail: &self.sail, copies: copies.collect::<Result<_, _>>()? }))
    }
}

struct Weights<'a> {
    sail: &'a Sail,
    copies: Vec<Matrix<Q4K>>,
}

impl Stored for Weights<'_> {
    fn product<'a>(&'a self, task: &Task) -> Result<Box<dyn Contestant + 'a>, Error> {
        let (rows, columns) = (task.rows, task.shape.columns);
        match task.pair {
            Pair::F32 => self.by(self.sail.upload::<F32>(rows, columns, &task.x)?),
            Pair::Q8k => self.by(self.sail.upload::<Q8K>(rows, columns, &quantise(&task.x))?),
            Pair::Q4k => self.by(self.sail.upload::<Q4K>(rows, columns, &task.quantised)?),
        }
    }
}

impl Weights<'_> {
    fn by<'a, A: Activation>(&'a self, a: Matrix<A>) -> Result<Box<dyn Contestant + 'a>, Error> {
        let out = Some(self.sail.matrix(a.shape().rows, self.copies[0].shape().rows)?);
        Ok(Box::new(Product { sail: self.sail, a, weights: &self.copies, next: 0, out }))
    }
}

struct Product<'a, A: Activation> {
    sail: &'a Sail,
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
