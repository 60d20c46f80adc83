// SPDX-License-Identifier: Apache-2.0
//! One copy from matrix to matrix, done by the device.

use crate::element::Element;
use crate::error::{Error, Operand};
use crate::matmul::require_same_open;
use crate::matrix::Matrix;
use crate::open::Open;
use crate::sail::Sail;
use crate::work::{sealed, submit_product, Submitted, Work};
use spanker_sys::{spanker_op, spanker_operand, SPANKER_OPCODE_COPY};
use std::sync::Arc;

/// Copies matrix `a` to `out`, which has the same shape. This is how data gets
/// to and from [`Placement::Device`](crate::Placement::Device).
///
/// ```
/// use spanker::{Copy, Placement, Sail, F32};
///
/// # fn main() -> Result<(), spanker::Error> {
/// let sail = Sail::software()?;
/// let source = sail.upload::<F32>(1, 4, &[1.0, 2.0, 3.0, 4.0])?;
/// let resident = sail.matrix_in::<F32>(1, 4, Placement::Device)?;
/// let resident = sail.submit(Copy::new(&source, resident))?.wait()?;
/// let back = sail.submit(Copy::new(&resident, sail.matrix(1, 4)?))?.wait()?;
/// assert_eq!(back.to_vec()?, [1.0, 2.0, 3.0, 4.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until it is submitted"]
pub struct Copy<'a, E: Element> {
    a: &'a Matrix<E>,
    out: Matrix<E>,
}

impl<'a, E: Element> Copy<'a, E> {
    /// The copy of `a` to `out`.
    pub fn new(a: &'a Matrix<E>, out: Matrix<E>) -> Self {
        Self { a, out }
    }

    /// The matrix for the copy, taken back.
    pub fn into_out(self) -> Matrix<E> {
        self.out
    }

    fn to_op(&self, open: &Arc<Open>) -> Result<spanker_op, Error> {
        require_same_open(Operand::A, self.a.is_of(open))?;
        require_same_open(Operand::Out, self.out.is_of(open))?;
        let (required, given) = (self.a.shape(), self.out.shape());
        if given != required {
            let (operand, because) = (Operand::Out, "the shape of a");
            return Err(Error::OperandShape { operand, required, given, because });
        }
        let too_wide = |_| Error::MatrixShape {
            element: E::NAME,
            shape: self.a.shape(),
            requirement: "a row to be copied must be below 2^32 bytes",
        };
        let untyped = |of: &Matrix<E>| spanker_operand { type_: 0, ..of.untyped().operand };
        Ok(spanker_op {
            opcode: SPANKER_OPCODE_COPY,
            m: self.a.untyped().rows,
            k: u32::try_from(self.a.row_bytes()).map_err(too_wide)?,
            a: untyped(self.a),
            out: untyped(&self.out),
            ..Default::default()
        })
    }
}

impl<E: Element> sealed::Sealed for Copy<'_, E> {}
impl<E: Element> Work for Copy<'_, E> {
    type Results = Matrix<E>;

    fn submit_to(&self, sail: &Sail, _: sealed::Permission) -> Result<Submitted, Error> {
        let open = sail.open_handle();
        let op = self.to_op(open)?;
        submit_product(open, &op, &[self.a.buffer()], None)
    }

    fn into_results(self, _: sealed::Permission) -> Matrix<E> {
        self.out
    }
}
