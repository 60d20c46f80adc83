// SPDX-License-Identifier: Apache-2.0
//! One matrix product.

use crate::element::{Activation, F32, Q4K};
use crate::error::{Error, Operand, Shape};
use crate::matrix::Matrix;
use crate::open::Open;
use spanker_sys::{spanker_op, SPANKER_OPCODE_MATMUL, SPANKER_OP_ACCUMULATE};
use std::sync::Arc;

/// `out = a · bᵀ`: `a` is m×k activations, `b` n×k weights, `out` m×n results.
///
/// `a` and `b` are borrowed until the batch is submitted; `out` is moved in and
/// comes back from [`Pending::wait`](crate::Pending::wait).
///
/// ```
/// use spanker::{Matmul, Sail, F32, Q4K};
///
/// # fn main() -> Result<(), spanker::Error> {
/// let sail = Sail::software()?;
/// let a = sail.upload::<F32>(2, 256, &[1.0; 512])?;
/// let b = sail.matrix::<Q4K>(8, 256)?;
/// let out = sail.matrix::<F32>(2, 8)?;
/// let out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
/// assert_eq!(out.to_vec()?, [0.0; 16]); // The weights are zero so far.
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until it is submitted"]
pub struct Matmul<'a, A: Activation> {
    pub(crate) a: &'a Matrix<A>,
    pub(crate) b: &'a Matrix<Q4K>,
    pub(crate) out: Matrix<F32>,
    accumulate: bool,
}

impl<'a, A: Activation> Matmul<'a, A> {
    /// The product of `a` and `b`, into `out`.
    pub fn new(a: &'a Matrix<A>, b: &'a Matrix<Q4K>, out: Matrix<F32>) -> Self {
        Self { a, b, out, accumulate: false }
    }

    /// Adds the product to what `out` holds, instead of replacing it. A product
    /// split along k, its parts accumulated in ascending order, has the same
    /// bits as the whole.
    pub fn accumulate(mut self) -> Self {
        self.accumulate = true;
        self
    }

    /// The matrix for the results, taken back.
    pub fn into_out(self) -> Matrix<F32> {
        self.out
    }

    /// The op of the ABI, if the operands fit each other and belong to `open`.
    pub(crate) fn to_op(&self, open: &Arc<Open>) -> Result<spanker_op, Error> {
        require_same_open(Operand::A, self.a.is_of(open))?;
        require_same_open(Operand::B, self.b.is_of(open))?;
        require_same_open(Operand::Out, self.out.is_of(open))?;
        matmul_op(self.a, self.b, &self.out, self.accumulate)
    }
}

/// The op of the ABI, if the shapes fit each other.
pub(crate) fn matmul_op<A: Activation>(
    a: &Matrix<A>,
    b: &Matrix<Q4K>,
    out: &Matrix<F32>,
    accumulate: bool,
) -> Result<spanker_op, Error> {
    let (a_shape, b_shape, out_shape) = (a.shape(), b.shape(), out.shape());
    require_shape(
        Operand::B,
        b_shape,
        Shape { rows: b_shape.rows, cols: a_shape.cols },
        "as many columns as a has",
    )?;
    require_shape(
        Operand::Out,
        out_shape,
        Shape { rows: a_shape.rows, cols: b_shape.rows },
        "the rows of a by the rows of b",
    )?;
    // Matrices have rows and columns below 2^32.
    Ok(spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags: if accumulate { SPANKER_OP_ACCUMULATE } else { 0 },
        m: a_shape.rows as u32,
        n: b_shape.rows as u32,
        k: a_shape.cols as u32,
        reserved: 0,
        a: a.operand(),
        b: b.operand(),
        out: out.operand(),
    })
}

pub(crate) fn require_same_open(operand: Operand, same: bool) -> Result<(), Error> {
    if same {
        Ok(())
    } else {
        Err(Error::ForeignMatrix { operand })
    }
}

pub(crate) fn require_shape(
    operand: Operand,
    given: Shape,
    required: Shape,
    because: &'static str,
) -> Result<(), Error> {
    if given == required {
        Ok(())
    } else {
        Err(Error::OperandShape { operand, required, given, because })
    }
}
