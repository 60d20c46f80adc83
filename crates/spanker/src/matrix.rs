// SPDX-License-Identifier: Apache-2.0
//! Matrices in buffers of a card.

use crate::element::Element;
use crate::error::{Error, Shape};
use crate::open::Open;
use crate::transport::{Buffer, Placement};
use crate::view::{View, ViewMut};
use spanker_sys::{spanker_operand, Plain};
use std::marker::PhantomData;
use std::mem::size_of;
use std::sync::Arc;

/// A matrix of `rows` × `cols` elements of type `E`, row after row, in a buffer
/// of its own on one Sail.
///
/// Made by [`Sail::matrix`](crate::Sail::matrix) and its neighbours. Dropping
/// it gives the memory back, once the last op that names it has completed.
///
/// While an op that reads it is in flight it can be read but not written
/// ([`Error::InFlight`]). While an op that writes it is in flight it is out of
/// reach, inside the [`Pending`](crate::Pending) that will hand it back.
#[derive(Debug)]
pub struct Matrix<E: Element> {
    buffer: Buffer,
    shape: Shape,
    element: PhantomData<E>,
}

impl<E: Element> Matrix<E> {
    pub(crate) fn new(open: &Arc<Open>, shape: Shape, placement: Placement) -> Result<Self, Error> {
        let bytes = checked_bytes::<E>(shape)?;
        let buffer = Buffer::new(open, bytes, placement)?;
        Ok(Self { buffer, shape, element: PhantomData })
    }

    /// Rows and columns, in elements.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Bytes in a row.
    pub fn row_bytes(&self) -> usize {
        self.shape.cols / E::PER_STORED * size_of::<E::Stored>()
    }

    /// Bytes in the matrix.
    pub fn byte_len(&self) -> usize {
        self.shape.rows * self.row_bytes()
    }

    /// How many values or blocks it is stored as.
    pub fn stored_len(&self) -> usize {
        self.shape.rows * (self.shape.cols / E::PER_STORED)
    }

    /// Where its bytes are.
    pub fn placement(&self) -> Placement {
        self.buffer.placement()
    }

    /// Copies all of the matrix in from `values`: floats, or blocks.
    ///
    /// # Errors
    /// [`Error::Length`] if `values` is not [`stored_len`](Self::stored_len)
    /// long; [`Error::InFlight`] while an op reads the matrix;
    /// [`Error::NotMapped`].
    pub fn write(&mut self, values: &[E::Stored]) -> Result<(), Error> {
        self.check_length(values.len(), self.stored_len(), unit::<E>())?;
        let bytes = self.buffer.bytes_mut()?;
        if cfg!(target_endian = "little") {
            bytes.copy_from_slice(Plain::slice_bytes(values));
        } else {
            for (to, value) in bytes.chunks_exact_mut(size_of::<E::Stored>()).zip(values) {
                to.copy_from_slice(E::swap_if_big_endian(*value).bytes());
            }
        }
        Ok(())
    }

    /// Copies all of the matrix in from bytes as they are in a file: blocks as
    /// they stand, floats little-endian.
    ///
    /// # Errors
    /// As [`write`](Self::write); `bytes` has to be
    /// [`byte_len`](Self::byte_len) long.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.check_length(bytes.len(), self.byte_len(), "bytes")?;
        self.buffer.bytes_mut()?.copy_from_slice(bytes);
        Ok(())
    }

    /// Copies all of the matrix out to `values`.
    ///
    /// # Errors
    /// [`Error::Length`] if `values` is not [`stored_len`](Self::stored_len)
    /// long; [`Error::NotMapped`].
    pub fn read(&self, values: &mut [E::Stored]) -> Result<(), Error> {
        self.check_length(values.len(), self.stored_len(), unit::<E>())?;
        Plain::slice_bytes_mut(values).copy_from_slice(self.buffer.bytes()?);
        if cfg!(target_endian = "big") {
            values.iter_mut().for_each(|value| *value = E::swap_if_big_endian(*value));
        }
        Ok(())
    }

    /// Copies all of the matrix out to bytes as they would be in a file.
    ///
    /// # Errors
    /// [`Error::Length`] if `bytes` is not [`byte_len`](Self::byte_len) long;
    /// [`Error::NotMapped`].
    pub fn read_bytes(&self, bytes: &mut [u8]) -> Result<(), Error> {
        self.check_length(bytes.len(), self.byte_len(), "bytes")?;
        bytes.copy_from_slice(self.buffer.bytes()?);
        Ok(())
    }

    /// The matrix without a copy, to be read.
    ///
    /// # Errors
    /// [`Error::NotMapped`].
    pub fn view(&self) -> Result<View<'_, E>, Error> {
        let cols = self.shape.cols / E::PER_STORED;
        self.buffer.bytes().map(|bytes| View::new(bytes, cols))
    }

    /// The matrix without a copy, to be written. While the view exists, the
    /// matrix can be in no batch.
    ///
    /// # Errors
    /// [`Error::InFlight`] while an op reads the matrix; [`Error::NotMapped`].
    pub fn view_mut(&mut self) -> Result<ViewMut<'_, E>, Error> {
        let cols = self.shape.cols / E::PER_STORED;
        self.buffer.bytes_mut().map(|bytes| ViewMut::new(bytes, cols))
    }

    fn check_length(&self, given: usize, required: usize, unit: &'static str) -> Result<(), Error> {
        if given == required {
            return Ok(());
        }
        Err(Error::Length { shape: self.shape, element: E::NAME, unit, required, given })
    }

    pub(crate) fn is_of(&self, open: &Arc<Open>) -> bool {
        self.buffer.is_of(open)
    }

    pub(crate) fn mark_read_by(&self, seqno: u64) {
        self.buffer.mark_read_by(seqno);
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The whole matrix as an operand of MATMUL.
    pub(crate) fn operand(&self) -> spanker_operand {
        spanker_operand {
            handle: self.buffer.handle(),
            type_: E::TYPE,
            offset: 0,
            row_stride: self.row_bytes() as u64,
        }
    }
}

impl Matrix<crate::F32> {
    /// Copies all of the matrix out to a new vector, row after row.
    ///
    /// # Errors
    /// [`Error::NotMapped`].
    pub fn to_vec(&self) -> Result<Vec<f32>, Error> {
        let mut values = vec![0.0; self.stored_len()];
        self.read(&mut values)?;
        Ok(values)
    }
}

fn unit<E: Element>() -> &'static str {
    if E::PER_STORED == 1 {
        "values"
    } else {
        "blocks"
    }
}

/// Bytes of a matrix of this shape, if there can be one.
fn checked_bytes<E: Element>(shape: Shape) -> Result<usize, Error> {
    let refuse = |requirement| Error::MatrixShape { element: E::NAME, shape, requirement };
    if shape.rows == 0 || shape.cols == 0 {
        return Err(refuse("it needs at least one row and one column"));
    }
    if shape.cols % E::PER_STORED != 0 {
        return Err(refuse("its columns must be a multiple of 256"));
    }
    if u32::try_from(shape.rows).is_err() || u32::try_from(shape.cols).is_err() {
        return Err(refuse("rows and columns must be below 2^32"));
    }
    (shape.cols / E::PER_STORED)
        .checked_mul(size_of::<E::Stored>())
        .and_then(|row| row.checked_mul(shape.rows))
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(|| refuse("it is larger than the address space"))
}
