// SPDX-License-Identifier: Apache-2.0
//! Activations and results as NumPy `.npy` files.
//!
//! Read: an array of f32, little- or big-endian, in C or Fortran order (`numpy.save` chooses the
//! latter by itself for a transposed array), of shape `(n, k)`, or `(k,)` for a single row.
//! Written: f32, little-endian, C order, shape `(n, rows)`.
//!
//! Layout: versions 1.0 to 3.0 of NumPy's format, `numpy.lib.format`.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read};
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, NpyHeader, Order, TypeChar, WriterBuilder};

/// Bytes a header may have; NumPy itself trusts no more than 10 000.
const MAX_HEADER: u32 = 10_000;
/// Digits a header may have, so that the product of its dimensions stays below 2^64.
const MAX_DIGITS: usize = 19;
/// Brackets a header may open; a plain array's header opens two.
const MAX_BRACKETS: usize = 8;

/// Why an `.npy` file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NpyError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file is not an `.npy` file, or its header makes no sense.
    #[error("{} is not a usable .npy file: {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The elements are not f32.
    #[error(
        "{} holds elements of type {found}, required is float32 ('<f4'): \
         save x.astype(numpy.float32)",
        path.display()
    )]
    NotF32 {
        /// The file.
        path: PathBuf,
        /// NumPy's description of the type.
        found: String,
    },
    /// The array is not a non-empty matrix or row.
    #[error("{} has the shape {found:?}, required is (n, k), or (k) for one row", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The shape it has.
        found: Vec<u64>,
    },
    /// The file holds fewer or more bytes than its shape needs.
    #[error(
        "{} holds {found} bytes of data, its shape {rows} × {cols} needs {required}",
        path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Rows of the array.
        rows: u64,
        /// Elements in each row.
        cols: u64,
        /// Bytes the shape needs.
        required: u64,
        /// Bytes there are.
        found: u64,
    },
    /// An element is NaN or infinite.
    #[error(
        "{} holds {value} at row {row}, column {col} (counted from 0), required are finite numbers",
        path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Row of the first such element.
        row: usize,
        /// Column of the first such element.
        col: usize,
        /// The element.
        value: f32,
    },
}

/// A dense row-major matrix of f32: `rows × cols` values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct F32Matrix {
    /// Rows.
    pub(crate) rows: usize,
    /// Elements in each row.
    pub(crate) cols: usize,
    /// The elements, row after row: `rows * cols` of them.
    pub(crate) values: Vec<f32>,
}

impl F32Matrix {
    /// The first NaN or infinite element: its row, column and value.
    pub(crate) fn first_non_finite(&self) -> Option<(usize, usize, f32)> {
        let (at, &value) = self.values.iter().enumerate().find(|(_, value)| !value.is_finite())?;
        Some((at.checked_div(self.cols)?, at.checked_rem(self.cols)?, value))
    }
}

/// An `.npy` file whose header has been read.
pub(crate) struct NpyInput {
    /// Where it is, for messages.
    path: PathBuf,
    /// What its header says.
    header: NpyHeader,
    /// The file, at the first element.
    input: BufReader<File>,
    /// Rows of the matrix; a one-dimensional array is one row.
    pub(crate) rows: usize,
    /// Elements in each row.
    pub(crate) cols: usize,
}

impl NpyInput {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, is not an `.npy` file of f32 in one or two dimensions, is empty,
    /// or has another length than its shape says. Whether its columns suit the weights is for
    /// the caller to say.
    pub(crate) fn open(path: &Path) -> Result<Self, NpyError> {
        let io = |reason| NpyError::Read { path: path.to_owned(), reason };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?;
        let length = length.is_file().then_some(length.len());
        let mut input = BufReader::new(file);
        let (header, header_length) = read_header(&mut input, path)?;

        if !is_f32(&header.dtype()) {
            return Err(NpyError::NotF32 { path: path.to_owned(), found: header.dtype().descr() });
        }
        let shape = || NpyError::Shape { path: path.to_owned(), found: header.shape().to_vec() };
        let (rows, cols) = match *header.shape() {
            [cols] if cols > 0 => (1, cols),
            [rows, cols] if rows > 0 && cols > 0 => (rows, cols),
            _ => return Err(shape()),
        };
        let required = rows.checked_mul(cols).and_then(|n| n.checked_mul(4)).ok_or_else(shape)?;
        // Before anything of that size is allocated. A pipe has no length: it is read to its end.
        if let Some(found) = length.map(|length| length.saturating_sub(header_length)) {
            if found != required {
                return Err(wrong_length(path, rows, cols, found));
            }
        }
        let (rows, cols) = match (usize::try_from(rows), usize::try_from(cols)) {
            (Ok(rows), Ok(cols)) => (rows, cols),
            _ => return Err(shape()),
        };
        Ok(Self { path: path.to_owned(), header, input, rows, cols })
    }

    /// Reads the matrix.
    ///
    /// # Errors
    /// Reading fails, a pipe ends early, or an element is NaN or infinite.
    pub(crate) fn read(self) -> Result<F32Matrix, NpyError> {
        let Self { path, header, input, rows, cols } = self;
        let order = header.order();
        let array = NpyFile::with_header(header, input)
            .data::<f32>()
            .map_err(|error| NpyError::Header { path: path.clone(), reason: error.to_string() })?;
        let mut stored = Vec::new();
        for value in array {
            stored.push(value.map_err(|reason| match reason.kind() {
                ErrorKind::UnexpectedEof => {
                    let found = (stored.len() as u64).saturating_mul(4);
                    wrong_length(&path, rows as u64, cols as u64, found)
                }
                _ => NpyError::Read { path: path.clone(), reason },
            })?);
        }
        let values = match order {
            Order::C => stored,
            Order::Fortran => transposed(&stored, rows),
        };
        let matrix = F32Matrix { rows, cols, values };
        match matrix.first_non_finite() {
            Some((row, col, value)) => Err(NpyError::NotFinite { path, row, col, value }),
            None => Ok(matrix),
        }
    }
}

/// Writes `matrix` to `output` as little-endian f32 in C order.
///
/// # Errors
/// Not all of it can be written.
pub(crate) fn write_npy(output: &File, matrix: &F32Matrix) -> io::Result<()> {
    let mut array = npyz::WriteOptions::new()
        .dtype(DType::Plain("<f4".parse().map_err(io::Error::other)?))
        .shape(&[matrix.rows as u64, matrix.cols as u64])
        .writer(BufWriter::new(output))
        .begin_nd()?;
    array.extend(matrix.values.iter().copied())?;
    // Flushes too. Dropping the array would do the same, but keep an error, such as a full disk,
    // to itself.
    array.finish()
}

/// The error of a file whose data are not as long as its shape says.
fn wrong_length(path: &Path, rows: u64, cols: u64, found: u64) -> NpyError {
    NpyError::Length {
        path: path.to_owned(),
        rows,
        cols,
        required: rows.saturating_mul(cols).saturating_mul(4),
        found,
    }
}

/// Reads the header and returns it with its length in bytes; `input` then stands at the data.
///
/// npyz would allocate whatever length the file claims, multiply the dimensions unchecked, and
/// descend into brackets until the stack ends, in time that doubles with each, so all three are
/// bounded here first.
fn read_header(input: &mut impl Read, path: &Path) -> Result<(NpyHeader, u64), NpyError> {
    let reject = |reason: &str| NpyError::Header { path: path.to_owned(), reason: reason.into() };
    let io = |reason: io::Error| match reason.kind() {
        ErrorKind::UnexpectedEof => reject("it ends inside its header"),
        _ => NpyError::Read { path: path.to_owned(), reason },
    };
    let mut bytes = Vec::new();
    input.take(8).read_to_end(&mut bytes).map_err(io)?;
    let length = match *bytes.as_slice() {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => {
            let mut field = [0; 2];
            input.read_exact(&mut field).map_err(io)?;
            bytes.extend(field);
            u32::from(u16::from_le_bytes(field))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', _, _] => {
            let mut field = [0; 4];
            input.read_exact(&mut field).map_err(io)?;
            bytes.extend(field);
            u32::from_le_bytes(field)
        }
        _ => return Err(reject("it does not begin with the bytes \"\\x93NUMPY\"")),
    };
    if length > MAX_HEADER {
        return Err(reject("its header is longer than 10000 bytes"));
    }
    let mut text = vec![0; length as usize];
    input.read_exact(&mut text).map_err(io)?;
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    // Hexadecimal and its like would hide digits from the count.
    let radix = text.windows(2).any(|pair| matches!(pair, [b'0', b'a'..=b'z' | b'A'..=b'Z']));
    if digits > MAX_DIGITS || radix {
        return Err(reject("the numbers in its header are too large"));
    }
    let brackets = text.iter().filter(|byte| matches!(byte, b'(' | b'[' | b'{'));
    if brackets.count() > MAX_BRACKETS {
        return Err(reject("its header opens too many brackets"));
    }
    bytes.extend(text);
    let header = NpyHeader::from_reader(bytes.as_slice())
        .map_err(|error| reject(error.to_string().lines().next().unwrap_or_default()))?;
    Ok((header, bytes.len() as u64))
}

/// Whether an element is one f32.
fn is_f32(dtype: &DType) -> bool {
    matches!(dtype, DType::Plain(plain)
        if plain.type_char() == TypeChar::Float && plain.size_field() == 4)
}

/// Brings a matrix of `rows` rows from column-after-column into row-after-row order.
fn transposed(stored: &[f32], rows: usize) -> Vec<f32> {
    (0..rows).flat_map(|row| stored.iter().skip(row).step_by(rows).copied()).collect()
}
