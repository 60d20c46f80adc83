// SPDX-License-Identifier: Apache-2.0
//! Matrices in buffers of a card.

mod untyped;

pub(crate) use untyped::Untyped;

use crate::element::Element;
use crate::error::{Error, Shape};
use crate::open::Open;
use crate::transport::{Buffer, Placement};
use crate::view::{View, ViewMut};
use crate::work::{sealed, Results};
use spanker_sys::Plain;
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
    /// Boxed, since matrices are moved into work and back.
    untyped: Box<Untyped>,
    element: PhantomData<E>,
}

impl<E: Element> Matrix<E> {
    pub(crate) fn new(open: &Arc<Open>, shape: Shape, placement: Placement) -> Result<Self, Error> {
        let untyped = Box::new(Untyped::new::<E>(open, shape, placement)?);
        Ok(Self { untyped, element: PhantomData })
    }

    /// Rows and columns, in elements.
    pub fn shape(&self) -> Shape {
        self.untyped.shape()
    }

    /// Bytes in a row.
    pub fn row_bytes(&self) -> usize {
        self.shape().cols / E::PER_STORED * size_of::<E::Stored>()
    }

    /// Bytes in the matrix.
    pub fn byte_len(&self) -> usize {
        self.shape().rows * self.row_bytes()
    }

    /// How many values or blocks it is stored as.
    pub fn stored_len(&self) -> usize {
        self.shape().rows * (self.shape().cols / E::PER_STORED)
    }

    /// Where its bytes are.
    pub fn placement(&self) -> Placement {
        self.untyped.buffer.placement()
    }

    /// Copies all of the matrix in from `values`: floats, or blocks.
    ///
    /// # Errors
    /// [`Error::Length`] if `values` is not [`stored_len`](Self::stored_len)
    /// long; [`Error::InFlight`] while an op reads the matrix;
    /// [`Error::NotMapped`].
    pub fn write(&mut self, values: &[E::Stored]) -> Result<(), Error> {
        self.check_length(values.len(), self.stored_len(), unit::<E>())?;
        let bytes = self.untyped.buffer.bytes_mut()?;
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
        self.untyped.buffer.bytes_mut()?.copy_from_slice(bytes);
        Ok(())
    }

    /// Copies all of the matrix out to `values`.
    ///
    /// # Errors
    /// [`Error::Length`] if `values` is not [`stored_len`](Self::stored_len)
    /// long; [`Error::NotMapped`].
    pub fn read(&self, values: &mut [E::Stored]) -> Result<(), Error> {
        self.check_length(values.len(), self.stored_len(), unit::<E>())?;
        Plain::slice_bytes_mut(values).copy_from_slice(self.untyped.buffer.bytes()?);
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
        bytes.copy_from_slice(self.untyped.buffer.bytes()?);
        Ok(())
    }

    /// The matrix without a copy, to be read.
    ///
    /// # Errors
    /// [`Error::NotMapped`].
    pub fn view(&self) -> Result<View<'_, E>, Error> {
        let cols = self.shape().cols / E::PER_STORED;
        self.untyped.buffer.bytes().map(|bytes| View::new(bytes, cols))
    }

    /// The matrix without a copy, to be written. While the view exists, the
    /// matrix can be in no batch.
    ///
    /// # Errors
    /// [`Error::InFlight`] while an op reads the matrix; [`Error::NotMapped`].
    pub fn view_mut(&mut self) -> Result<ViewMut<'_, E>, Error> {
        let cols = self.shape().cols / E::PER_STORED;
        self.untyped.buffer.bytes_mut().map(|bytes| ViewMut::new(bytes, cols))
    }

    fn check_length(&self, given: usize, required: usize, unit: &'static str) -> Result<(), Error> {
        if given == required {
            return Ok(());
        }
        Err(Error::Length { shape: self.shape(), element: E::NAME, unit, required, given })
    }

    pub(crate) fn is_of(&self, open: &Arc<Open>) -> bool {
        self.untyped.buffer.is_of(open)
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.untyped.buffer
    }

    #[inline]
    pub(crate) fn untyped(&self) -> &Untyped {
        &self.untyped
    }
}

impl<E: Element> sealed::Sealed for Matrix<E> {}
impl<E: Element> Results for Matrix<E> {
    fn for_each_buffer(&self, show: &mut dyn FnMut(&Buffer)) {
        show(self.buffer());
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
