// SPDX-License-Identifier: Apache-2.0
//! What a matrix is whatever its elements are: what ops need to know of it,
//! laid out for filling in many ops fast.

use crate::element::Element;
use crate::error::{Error, Shape};
use crate::open::Open;
use crate::transport::{Buffer, Placement};
use spanker_sys::{spanker_operand, SPANKER_QK_K};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Untyped {
    /// The whole matrix as an operand of MATMUL.
    pub(crate) operand: spanker_operand,
    /// Below 2^32, as ops count them.
    pub(crate) rows: u32,
    /// Elements in a row.
    pub(crate) cols: u32,
    pub(crate) buffer: Buffer,
    /// One op takes all of it, as `a` or as `b`.
    fits_an_op: bool,
    /// The filling of a batch that it was last found fit to be read in; see
    /// [`Batch`](crate::Batch).
    filling: AtomicU64,
}

impl Untyped {
    /// A zeroed matrix of `shape` elements of `E`.
    pub(crate) fn new<E: Element>(
        open: &Arc<Open>,
        shape: Shape,
        placement: Placement,
    ) -> Result<Self, Error> {
        let (rows, cols, row_bytes, bytes) = checked::<E>(shape)?;
        let buffer = Buffer::new(open, bytes, placement)?;
        let info = &open.info;
        Ok(Self {
            operand: spanker_operand {
                handle: buffer.handle(),
                type_: E::TYPE,
                offset: 0,
                row_stride: row_bytes as u64,
            },
            rows,
            cols,
            buffer,
            fits_an_op: rows <= info.max_m && rows <= info.max_n && cols <= info.max_k,
            filling: AtomicU64::new(0),
        })
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape { rows: self.rows as usize, cols: self.cols as usize }
    }

    /// Whether [`Untyped::note_filling`] was last called with this one.
    #[inline]
    pub(crate) fn is_noted_in(&self, filling: u64) -> bool {
        self.filling.load(Ordering::Relaxed) == filling
    }

    /// Takes note that it may be read in ops of a filling without more ado, if
    /// one op takes all of it. Returns whether it does.
    pub(crate) fn note_filling(&self, filling: u64) -> bool {
        if self.fits_an_op {
            self.filling.store(filling, Ordering::Relaxed);
        }
        self.fits_an_op
    }
}

/// Rows, columns, bytes in a row and bytes in all, if there can be such a
/// matrix.
fn checked<E: Element>(shape: Shape) -> Result<(u32, u32, usize, usize), Error> {
    let refuse = |requirement| Error::MatrixShape { element: E::NAME, shape, requirement };
    if shape.rows == 0 || shape.cols == 0 {
        return Err(refuse("it needs at least one row and one column"));
    }
    if shape.cols % E::PER_STORED != 0 {
        debug_assert_eq!(E::PER_STORED, SPANKER_QK_K as usize);
        return Err(refuse("its columns must be a multiple of 256"));
    }
    let (Ok(rows), Ok(cols)) = (u32::try_from(shape.rows), u32::try_from(shape.cols)) else {
        return Err(refuse("rows and columns must be below 2^32"));
    };
    let too_large = || refuse("it is larger than the address space");
    let row_bytes =
        (shape.cols / E::PER_STORED).checked_mul(size_of::<E::Stored>()).ok_or_else(too_large)?;
    let bytes = row_bytes
        .checked_mul(shape.rows)
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(too_large)?;
    Ok((rows, cols, row_bytes, bytes))
}
