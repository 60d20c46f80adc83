// SPDX-License-Identifier: Apache-2.0
//! The header of a GGUF file: a bounded walk to its list of tensors.
//!
//! Nothing is allocated by a number the file merely claims: every count and length is held
//! against what is left of the file, or against a limit of the format, before it is believed.

use std::io::{BufReader, ErrorKind, Read, Seek};

use super::tensor_type::TensorType;
use super::value_type;

/// Where tensors begin unless the metadata says otherwise, in bytes.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Bytes in a metadata key, as the format allows.
const MAX_KEY_LENGTH: u64 = 65_535;
/// Bytes in a tensor's name, as ggml allows.
const MAX_TENSOR_NAME_LENGTH: u64 = 64;
/// Dimensions of a tensor, as ggml allows.
const MAX_DIMENSIONS: u32 = 4;
/// Arrays in arrays. The format sets no limit; each is a call deeper here.
const MAX_ARRAY_DEPTH: usize = 64;
/// Metadata entries; real models have some hundreds at most.
const MAX_METADATA_COUNT: u64 = 100_000;
/// Tensors; real models have some thousands at most.
const MAX_TENSOR_COUNT: u64 = 1_000_000;

/// What makes a header unusable. Messages continue a sentence that begins with the file's path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeaderError {
    /// The first four bytes are not `GGUF`.
    #[error("is not a GGUF file: it does not begin with the bytes \"GGUF\"")]
    NotGguf,
    /// Another version of the format.
    #[error("is a GGUF of version {0}, required is version 2 or 3")]
    Version(u32),
    /// The numbers of the file are big-endian.
    #[error("is a big-endian GGUF, required is a little-endian one")]
    BigEndian,
    /// The file ends inside its header.
    #[error("is truncated: its {length} bytes end inside the header")]
    TruncatedHeader {
        /// Length of the file in bytes.
        length: u64,
    },
    /// The file ends before a tensor does.
    #[error("is truncated: tensor {name:?} ends at byte {end}, the file at byte {length}")]
    TruncatedTensor {
        /// The tensor.
        name: String,
        /// First byte after the tensor.
        end: u64,
        /// Length of the file in bytes.
        length: u64,
    },
    /// A number in the header is beyond what the format allows.
    #[error("has a malformed header: {what} is {found}, allowed is {allowed}")]
    OutOfRange {
        /// The number.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The values it may have.
        allowed: &'static str,
    },
    /// A tensor's name is not text.
    #[error("has a malformed header: the name of tensor {0} is not UTF-8")]
    NameNotUtf8(u64),
    /// Two tensors have the same name.
    #[error("has a malformed header: two tensors are called {0:?}")]
    DuplicateName(String),
    /// A tensor's size or place does not fit 64 bits.
    #[error("has a malformed header: size or offset of tensor {0:?} overflows")]
    TensorOverflow(String),
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
}

/// One tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorEntry {
    /// Its name.
    pub(crate) name: String,
    /// Its type; `None` for a number no type is known for.
    pub(crate) kind: Option<TensorType>,
    /// The number of its type in the file.
    pub(crate) type_number: u32,
    /// Its dimensions, the contiguous one (k) first.
    pub(crate) dims: Vec<u64>,
    /// Its first byte, counted from the start of the file.
    pub(crate) start: u64,
}

impl TensorEntry {
    /// The name of its type, `Q4_K` for example, or `type 99` for an unknown one.
    pub(crate) fn type_name(&self) -> String {
        match self.kind {
            Some(kind) => kind.name.to_owned(),
            None => format!("type {}", self.type_number),
        }
    }

    /// Its size in bytes: `None` when the type is unknown or a row is no whole number of blocks,
    /// which only matters to whoever asks for this tensor.
    pub(super) fn size(&self) -> Result<Option<u64>, HeaderError> {
        let overflow = || HeaderError::TensorOverflow(self.name.clone());
        let elements = self
            .dims
            .iter()
            .try_fold(1u64, |product, &dim| product.checked_mul(dim))
            .ok_or_else(overflow)?;
        let (Some(kind), Some(&k)) = (self.kind, self.dims.first()) else {
            return Ok(None);
        };
        match k.checked_rem(kind.block_elements) {
            Some(0) => elements
                .checked_div(kind.block_elements)
                .and_then(|blocks| blocks.checked_mul(kind.block_bytes))
                .map(Some)
                .ok_or_else(overflow),
            _ => Ok(None),
        }
    }
}

/// Reads the header of a GGUF file of `length` bytes and returns its tensors.
///
/// # Errors
/// See [`HeaderError`]. A tensor whose type is unknown is listed, not refused.
pub(super) fn read_tensors<R: Read + Seek>(
    input: BufReader<R>,
    length: u64,
) -> Result<Vec<TensorEntry>, HeaderError> {
    let mut header = Header { input, position: 0, length };
    let magic = header.bytes::<4>();
    if !matches!(&magic, Ok(magic) if magic == b"GGUF") {
        // A file too short for the magic is no truncated GGUF, as far as anyone can tell.
        return Err(match magic {
            Err(error @ HeaderError::Io(_)) => error,
            _ => HeaderError::NotGguf,
        });
    }
    match header.u32()? {
        2 | 3 => {}
        version if matches!(version.swap_bytes(), 2 | 3) => return Err(HeaderError::BigEndian),
        version => return Err(HeaderError::Version(version)),
    }
    let tensor_count = header.u64()?;
    let what = "the number of tensors";
    within(what, tensor_count, MAX_TENSOR_COUNT, "at most 1000000")?;
    let pair_count = header.u64()?;
    let what = "the number of metadata entries";
    within(what, pair_count, MAX_METADATA_COUNT, "at most 100000")?;

    let mut alignment = DEFAULT_ALIGNMENT;
    for _ in 0..pair_count {
        if let Some(value) = header.metadata_pair()? {
            alignment = value;
        }
    }
    let mut tensors = Vec::new();
    for index in 0..tensor_count {
        tensors.push(header.tensor(index)?);
    }
    if let Some(name) = duplicate_name(&tensors) {
        return Err(HeaderError::DuplicateName(name.to_owned()));
    }
    // Offsets in the file count from the first aligned byte after the header.
    let data = header
        .position
        .checked_next_multiple_of(alignment)
        .ok_or(HeaderError::TruncatedHeader { length })?;
    for tensor in &mut tensors {
        let overflow = || HeaderError::TensorOverflow(tensor.name.clone());
        let start = tensor.start.checked_add(data).ok_or_else(overflow)?;
        let end = start.checked_add(tensor.size()?.unwrap_or(0)).ok_or_else(overflow)?;
        if end > length {
            return Err(HeaderError::TruncatedTensor { name: tensor.name.clone(), end, length });
        }
        tensor.start = start;
    }
    Ok(tensors)
}

/// The first name that two tensors share.
fn duplicate_name(tensors: &[TensorEntry]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    tensors.iter().map(|tensor| tensor.name.as_str()).find(|name| !seen.insert(*name))
}

/// Bytes of a metadata value of the type `kind`; none if each has its own length.
fn fixed_size(kind: u32) -> Result<Option<u64>, HeaderError> {
    value_type::fixed_size(kind).ok_or(HeaderError::OutOfRange {
        what: "the type of a metadata value",
        found: u64::from(kind),
        allowed: "0 to 12",
    })
}

/// Refuses a number above `limit`.
fn within(
    what: &'static str,
    found: u64,
    limit: u64,
    allowed: &'static str,
) -> Result<(), HeaderError> {
    if found > limit {
        return Err(HeaderError::OutOfRange { what, found, allowed });
    }
    Ok(())
}

/// A position in a header that never passes the end of the file.
struct Header<R> {
    /// The file.
    input: BufReader<R>,
    /// Bytes read or stepped over so far; at most `length`.
    position: u64,
    /// Length of the file in bytes.
    length: u64,
}

impl<R: Read + Seek> Header<R> {
    /// Moves the position over `count` bytes, if the file has them.
    fn advance(&mut self, count: u64) -> Result<(), HeaderError> {
        let truncated = HeaderError::TruncatedHeader { length: self.length };
        let end = self.position.checked_add(count).ok_or(truncated)?;
        if end > self.length {
            return Err(HeaderError::TruncatedHeader { length: self.length });
        }
        self.position = end;
        Ok(())
    }

    /// Fills `buffer` from the file.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), HeaderError> {
        self.advance(buffer.len() as u64)?;
        // The file may have become shorter since its length was taken.
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => HeaderError::TruncatedHeader { length: self.length },
            _ => HeaderError::Io(error),
        })
    }

    /// Steps over `count` bytes.
    fn skip(&mut self, count: u64) -> Result<(), HeaderError> {
        self.advance(count)?;
        let truncated = HeaderError::TruncatedHeader { length: self.length };
        let count = i64::try_from(count).map_err(|_| truncated)?;
        self.input.seek_relative(count).map_err(HeaderError::Io)
    }

    /// The next `N` bytes.
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next 32-bit number.
    fn u32(&mut self) -> Result<u32, HeaderError> {
        self.bytes().map(u32::from_le_bytes)
    }

    /// The next 64-bit number.
    fn u64(&mut self) -> Result<u64, HeaderError> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// The next string's bytes; its length may be at most `limit`.
    fn string(
        &mut self,
        what: &'static str,
        limit: u64,
        allowed: &'static str,
    ) -> Result<Vec<u8>, HeaderError> {
        let length = self.u64()?;
        within(what, length, limit, allowed)?;
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Steps over one key and value; returns the value if it is the tensors' alignment.
    fn metadata_pair(&mut self) -> Result<Option<u64>, HeaderError> {
        let what = "the length of a metadata key";
        let key = self.string(what, MAX_KEY_LENGTH, "at most 65535")?;
        let kind = self.u32()?;
        if key != b"general.alignment" || kind != value_type::U32 {
            self.skip_value(kind, 0)?;
            return Ok(None);
        }
        let alignment = u64::from(self.u32()?);
        if alignment == 0 || alignment % 8 != 0 {
            return Err(HeaderError::OutOfRange {
                what: "general.alignment",
                found: alignment,
                allowed: "a multiple of 8",
            });
        }
        Ok(Some(alignment))
    }

    /// Steps over a value that lies inside `depth` arrays.
    fn skip_value(&mut self, kind: u32, depth: usize) -> Result<(), HeaderError> {
        match kind {
            value_type::STRING => {
                let length = self.u64()?;
                self.skip(length)
            }
            value_type::ARRAY => self.skip_array(depth.saturating_add(1)),
            _ => self.skip(fixed_size(kind)?.unwrap_or(0)),
        }
    }

    /// Steps over an array that is itself at `depth`.
    fn skip_array(&mut self, depth: usize) -> Result<(), HeaderError> {
        let what = "the depth of a metadata array";
        within(what, depth as u64, MAX_ARRAY_DEPTH as u64, "at most 64")?;
        let kind = self.u32()?;
        let count = self.u64()?;
        if let Some(size) = fixed_size(kind)? {
            let truncated = HeaderError::TruncatedHeader { length: self.length };
            return self.skip(count.checked_mul(size).ok_or(truncated)?);
        }
        // Each element takes bytes of the file, so its end also ends a count that lies.
        for _ in 0..count {
            self.skip_value(kind, depth)?;
        }
        Ok(())
    }

    /// The next tensor's description; its `start` still counts from the start of the data.
    fn tensor(&mut self, index: u64) -> Result<TensorEntry, HeaderError> {
        let what = "the length of a tensor name";
        let name = self.string(what, MAX_TENSOR_NAME_LENGTH, "at most 64")?;
        let name = String::from_utf8(name).map_err(|_| HeaderError::NameNotUtf8(index))?;
        let dim_count = self.u32()?;
        let what = "the number of dimensions of a tensor";
        within(what, u64::from(dim_count), u64::from(MAX_DIMENSIONS), "at most 4")?;
        let dims = (0..dim_count).map(|_| self.u64()).collect::<Result<_, _>>()?;
        let type_number = self.u32()?;
        let kind = TensorType::of_number(type_number);
        Ok(TensorEntry { name, kind, type_number, dims, start: self.u64()? })
    }
}
