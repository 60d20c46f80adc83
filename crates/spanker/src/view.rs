// SPDX-License-Identifier: Apache-2.0
//! Matrices looked at in place.

use crate::element::{Element, F32};
use crate::error::Shape;
use spanker_sys::Plain;
use std::marker::PhantomData;
use std::mem::size_of;

/// A mapped matrix, to be read. It cannot exist while an op that writes the
/// matrix is in flight.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, E: Element> {
    bytes: &'a [u8],
    /// Values or blocks in a row.
    cols: usize,
    element: PhantomData<E>,
}

impl<'a, E: Element> View<'a, E> {
    pub(crate) fn new(bytes: &'a [u8], cols: usize) -> Self {
        Self { bytes, cols, element: PhantomData }
    }

    /// All of it, as it would be in a file: floats are little-endian.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Rows, and values or blocks in a row.
    pub fn shape(&self) -> Shape {
        let values = self.bytes.len() / size_of::<E::Stored>();
        Shape { rows: values / self.cols.max(1), cols: self.cols }
    }

    /// The values or blocks of a row; none if it is not inside.
    pub fn row(&self, row: usize) -> impl Iterator<Item = E::Stored> + 'a {
        let view = *self;
        (0..self.cols).map_while(move |col| view.get(row, col))
    }

    /// The value or block at `row` and `col` (counted in values or blocks), if
    /// it is inside.
    pub fn get(&self, row: usize, col: usize) -> Option<E::Stored> {
        let place = place::<E>(row, col, self.cols)?;
        E::Stored::from_bytes(self.bytes.get(place)?)
            .and_then(|values| values.first())
            .map(|value| E::swap_if_big_endian(*value))
    }
}

impl<'a> View<'a, F32> {
    /// All of it as floats, row after row. None on a big-endian host, where
    /// they would not be what they stand for: use [`View::get`] or
    /// [`Matrix::read`](crate::Matrix::read) there.
    pub fn as_f32(&self) -> Option<&'a [f32]> {
        if cfg!(target_endian = "little") {
            f32::from_bytes(self.bytes)
        } else {
            None
        }
    }
}

/// A mapped matrix, to be written. It cannot exist while an op that names the
/// matrix is in flight, and no batch can name the matrix while it exists.
#[derive(Debug)]
pub struct ViewMut<'a, E: Element> {
    bytes: &'a mut [u8],
    /// Values or blocks in a row.
    cols: usize,
    element: PhantomData<E>,
}

impl<'a, E: Element> ViewMut<'a, E> {
    pub(crate) fn new(bytes: &'a mut [u8], cols: usize) -> Self {
        Self { bytes, cols, element: PhantomData }
    }

    /// All of it, as it would be in a file: floats are little-endian.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// The same, to be read.
    pub fn as_view(&self) -> View<'_, E> {
        View::new(self.bytes, self.cols)
    }

    /// Sets the value or block at `row` and `col` (counted in values or
    /// blocks). Returns whether it is inside.
    pub fn set(&mut self, row: usize, col: usize, value: E::Stored) -> bool {
        let bytes = place::<E>(row, col, self.cols).and_then(|place| self.bytes.get_mut(place));
        match bytes {
            Some(bytes) => {
                bytes.copy_from_slice(E::swap_if_big_endian(value).bytes());
                true
            }
            None => false,
        }
    }
}

impl ViewMut<'_, F32> {
    /// All of it as floats, row after row. None on a big-endian host: use
    /// [`ViewMut::set`] or [`Matrix::write`](crate::Matrix::write) there.
    pub fn as_f32_mut(&mut self) -> Option<&mut [f32]> {
        if cfg!(target_endian = "little") {
            f32::from_bytes_mut(self.bytes)
        } else {
            None
        }
    }
}

/// The bytes of a value, if `col` is inside its row.
fn place<E: Element>(row: usize, col: usize, cols: usize) -> Option<std::ops::Range<usize>> {
    let size = size_of::<E::Stored>();
    let index = row.checked_mul(cols)?.checked_add(col).filter(|_| col < cols)?;
    let start = index.checked_mul(size)?;
    Some(start..start.checked_add(size)?)
}
