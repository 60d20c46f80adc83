// SPDX-License-Identifier: Apache-2.0
//! candle-core's product of F32 activations by Q4_K weights.

use crate::implementation::{Contestant, Implementation, Stored};
use crate::workload::{Shape, Task};
use crate::Error;
use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Tensor};
use spanker::BlockQ4K;
use spanker_sys::Plain;
use std::borrow::Cow;

/// candle, whose threads are as many as `RAYON_NUM_THREADS` said when they started.
#[derive(Debug)]
pub(crate) struct Candle;

impl Implementation for Candle {
    fn kernel(&self) -> String {
        "candle-q4k".to_owned()
    }

    fn store<'a>(
        &'a self,
        shape: Shape,
        blocks: &[BlockQ4K],
        copies: usize,
    ) -> Result<Box<dyn Stored + 'a>, Error> {
        let copies = (0..copies).map(|_| -> candle_core::Result<_> {
            let bytes = Cow::Borrowed(Plain::slice_bytes(blocks));
            let storage = QStorage::from_data(bytes, &Device::Cpu, GgmlDType::Q4K)?;
            QMatMul::from_qtensor(QTensor::new(storage, (shape.rows, shape.columns))?)
        });
        Ok(Box::new(Weights(copies.collect::<Result<_, _>>()?)))
    }
}

struct Weights(Vec<QMatMul>);

impl Stored for Weights {
    fn product<'a>(&'a self, task: &Task) -> Result<Box<dyn Contestant + 'a>, Error> {
        let x = Tensor::from_slice(&task.x, (task.rows, task.shape.columns), &Device::Cpu)?;
        Ok(Box::new(Product { weights: &self.0, x, next: 0, out: None }))
    }
}

struct Product<'a> {
    weights: &'a [QMatMul],
    x: Tensor,
    next: usize,
    out: Option<Tensor>,
}

impl Contestant for Product<'_> {
    fn run(&mut self) -> Result<(), Error> {
        self.out = Some(self.weights[self.next].forward(&self.x)?);
        self.next = (self.next + 1) % self.weights.len();
        Ok(())
    }

    fn output(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.out.as_ref().ok_or("nothing has been computed")?.flatten_all()?.to_vec1()?)
    }
}
