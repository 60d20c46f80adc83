// SPDX-License-Identifier: Apache-2.0
//! One matrix product.

use crate::element::{Activation, F32, Q4K};
use crate::error::{Error, Operand, Shape};
use crate::matrix::{Matrix, Untyped};
use crate::open::Open;
use crate::sail::Sail;
use crate::work::{sealed, submit_product, Submitted, Work};
use spanker_sys::{spanker_op, SPANKER_OPCODE_MATMUL, SPANKER_OP_ACCUMULATE};
use std::sync::Arc;

/// `out = a · bᵀ`: `a` is m×k activations, `b` n×k weights, `out` m×n results.
///
/// `a` and `b` are borrowed until the batch is submitted; `out` is moved in and
/// comes back from [`Pending::wait`](crate::Pending::wait).
///
/// A product that is larger than the card takes in one op
/// ([`DeviceInfo::max_m`](crate::DeviceInfo) and its neighbours) is submitted in
/// parts, by rows and by columns, and has the same bits as the whole.
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
    pub(crate) accumulate: bool,
}

impl<'a, A: Activation> Matmul<'a, A> {
    /// The product of `a` and `b`, into `out`.
    #[inline]
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
        let (a, b, out) = (self.a.untyped(), self.b.untyped(), self.out.untyped());
        checked_op(open, a, b, out, self.accumulate)
    }
}

/// The op of the ABI.
///
/// # Errors
/// If a matrix is of another open, or the shapes do not fit each other.
pub(crate) fn checked_op(
    open: &Arc<Open>,
    a: &Untyped,
    b: &Untyped,
    out: &Untyped,
    accumulate: bool,
) -> Result<spanker_op, Error> {
    require_same_open(Operand::A, a.buffer.is_of(open))?;
    require_same_open(Operand::B, b.buffer.is_of(open))?;
    if !fit_together(open, a, b, out) {
        return Err(misfit(open, a, b, out));
    }
    let mut op = spanker_op::default();
    fill_in(&mut op, a, b, out);
    if accumulate {
        op.flags = SPANKER_OP_ACCUMULATE;
    }
    Ok(op)
}

/// Whether the shapes fit each other, and `out` belongs to `open`.
#[inline]
pub(crate) fn fit_together(open: &Arc<Open>, a: &Untyped, b: &Untyped, out: &Untyped) -> bool {
    out.buffer.is_of(open) && a.cols == b.cols && out.rows == a.rows && out.cols == b.rows
}

/// Makes `op` the product of matrices that fit together.
#[inline]
pub(crate) fn fill_in(op: &mut spanker_op, a: &Untyped, b: &Untyped, out: &Untyped) {
    // As many as rows of a, and rows of b.
    let (m, n, k) = (out.rows, out.cols, a.cols);
    op.opcode = SPANKER_OPCODE_MATMUL;
    op.flags = 0;
    op.m = m;
    op.n = n;
    op.k = k;
    op.reserved = 0;
    op.a = a.operand;
    op.b = b.operand;
    op.out = out.operand;
}

/// Why they do not.
#[cold]
fn misfit(open: &Arc<Open>, a: &Untyped, b: &Untyped, out: &Untyped) -> Error {
    let (a, b, given) = (a.shape(), b.shape(), out.shape());
    let error = |operand, given, required, because| Error::OperandShape {
        operand,
        required,
        given,
        because,
    };
    if !out.buffer.is_of(open) {
        Error::ForeignMatrix { operand: Operand::Out }
    } else if a.cols != b.cols {
        let required = Shape { rows: b.rows, cols: a.cols };
        error(Operand::B, b, required, "as many columns as a has")
    } else {
        let required = Shape { rows: a.rows, cols: b.rows };
        error(Operand::Out, given, required, "the rows of a by the rows of b")
    }
}

pub(crate) fn require_same_open(operand: Operand, same: bool) -> Result<(), Error> {
    if same {
        Ok(())
    } else {
        Err(Error::ForeignMatrix { operand })
    }
}

impl<A: Activation> sealed::Sealed for Matmul<'_, A> {}
impl<A: Activation> Work for Matmul<'_, A> {
    type Results = Matrix<F32>;

    fn submit_to(&self, sail: &Sail, _: sealed::Permission) -> Result<Submitted, Error> {
        let open = sail.open_handle();
        let op = self.to_op(open)?;
        let reads = [&self.a.untyped().buffer, &self.b.untyped().buffer];
        let accumulated = self.accumulate.then_some(&self.out.untyped().buffer);
        submit_product(open, &op, &reads, accumulated)
    }

    fn into_results(self, _: sealed::Permission) -> Matrix<F32> {
        self.into_out()
    }
}
