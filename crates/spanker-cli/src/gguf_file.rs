// SPDX-License-Identifier: Apache-2.0
//! The tensors of a GGUF file, and the weights of one of them.
//!
//! Opening a file reads its header only: names, types, shapes and places of the tensors. The
//! bytes of a tensor are read when they are asked for, so a model of any size costs the memory
//! of the one tensor that is used. Metadata is stepped over, not decoded.
//!
//! Layout: GGUF versions 2 and 3, little-endian, as defined in ggml's `docs/gguf.md`.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod header;
mod tensor_type;
#[cfg(test)]
mod tests;
mod value_type;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use header::{HeaderError, TensorEntry};
use tensor_type::TensorType;

/// Weights in one Q4_K superblock.
pub(crate) const SUPERBLOCK_WEIGHTS: u64 = 256;
/// Bytes of one Q4_K superblock.
pub(crate) const SUPERBLOCK_BYTES: u64 = 144;
/// Bytes read between two looks at how far it is.
const READ_AT_A_TIME: usize = 1 << 22;
/// Names offered when a tensor is not found, or has another type.
const NAMES_SHOWN: usize = 3;

/// Why a GGUF file, or a tensor of it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GgufError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The file's header is not one this reader accepts.
    #[error("{} {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: HeaderError,
    },
    /// No tensor has the requested name.
    #[error("{} has no tensor {name:?}; {hint}", path.display())]
    NoSuchTensor {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// Names the file does have.
        hint: String,
    },
    /// The tensor exists but is not Q4_K.
    #[error("tensor {name:?} is {found}, required is Q4_K; {hint}")]
    NotQ4K {
        /// The tensor.
        name: String,
        /// The type it has.
        found: String,
        /// Q4_K tensors of the same file.
        hint: String,
    },
    /// The tensor is not a matrix of k × rows.
    #[error("tensor {name:?} has the dimensions {dims:?}, required is a matrix (k × rows)")]
    NotAMatrix {
        /// The tensor.
        name: String,
        /// Its dimensions, the contiguous one first.
        dims: Vec<u64>,
    },
    /// The tensor's rows do not end at a superblock.
    #[error("tensor {name:?} has k = {k}, required is a multiple of {SUPERBLOCK_WEIGHTS}")]
    PartialSuperblock {
        /// The tensor.
        name: String,
        /// Weights in one of its rows.
        k: u64,
    },
    /// The tensor does not fit this machine's address space.
    #[error("tensor {name:?} ({rows} rows of {k}) is too large for this machine")]
    TooLarge {
        /// The tensor.
        name: String,
        /// Weights in one of its rows.
        k: u64,
        /// Its rows.
        rows: u64,
    },
}

/// Why a Sail cannot multiply a tensor.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    NotQ4K,
    NotAMatrix,
    PartialSuperblock { k: u64 },
    TooLarge { k: u64, rows: u64 },
}

impl Obstacle {
    /// For a list of many tensors.
    fn in_short(self) -> &'static str {
        match self {
            Self::NotQ4K => "its type is not Q4_K",
            Self::NotAMatrix => "it is not a matrix",
            Self::PartialSuperblock { .. } => "k is not a multiple of 256",
            Self::TooLarge { .. } => "it is too large for this machine",
        }
    }
}

/// A matrix of Q4_K weights in a file: `rows` rows of `k / 256` superblocks of 144 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Q4KTensor {
    /// Weights in one row; a multiple of 256.
    pub(crate) k: usize,
    /// Rows of the matrix.
    pub(crate) rows: usize,
    /// Its bytes: `rows * k / 256 * 144`.
    pub(crate) length: usize,
    /// The first of them, counted from the start of the file.
    start: u64,
}

/// A tensor, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// As ggml writes it, or `type 99`.
    pub(crate) type_name: String,
    /// Its dimensions, the contiguous one (k) last.
    pub(crate) shape: Vec<u64>,
    /// `None` if its type is unknown, or a row is no whole number of blocks.
    pub(crate) bytes: Option<u64>,
    /// Why a Sail cannot multiply it.
    pub(crate) problem: Option<&'static str>,
}

/// An open GGUF file whose header has been read.
#[derive(Debug)]
pub(crate) struct GgufFile {
    /// Where it is, for messages.
    path: PathBuf,
    /// The file itself.
    file: File,
    /// Its tensors in the order of the file.
    tensors: Vec<TensorEntry>,
}

impl GgufFile {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, is not a GGUF of version 2 or 3, is truncated (in its header, or
    /// before the end of any tensor), or its header contradicts itself.
    pub(crate) fn open(path: &Path) -> Result<Self, GgufError> {
        let io = |reason| GgufError::Io { path: path.to_owned(), reason };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let tensors = header::read_tensors(BufReader::new(&file), length)
            .map_err(|reason| GgufError::Header { path: path.to_owned(), reason })?;
        Ok(Self { path: path.to_owned(), file, tensors })
    }

    /// Its tensors, in the order of the file.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = Listed> + '_ {
        self.tensors.iter().map(|tensor| Listed {
            name: tensor.name.clone(),
            type_name: tensor.type_name(),
            shape: tensor.dims.iter().rev().copied().collect(),
            // The header was refused if one of them overflows.
            bytes: tensor.size().ok().flatten(),
            problem: q4k_matrix(tensor).err().map(Obstacle::in_short),
        })
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    /// [`GgufError::NoSuchTensor`], with the nearest names.
    fn tensor(&self, name: &str) -> Result<&TensorEntry, GgufError> {
        self.tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
            GgufError::NoSuchTensor {
                path: self.path.clone(),
                name: name.to_owned(),
                hint: self.nearest_names(name),
            }
        })
    }

    /// The Q4_K matrix called `name`.
    ///
    /// # Errors
    /// There is no such tensor, it is not a Q4_K matrix, or its k is not a multiple of 256.
    pub(crate) fn q4k(&self, name: &str) -> Result<Q4KTensor, GgufError> {
        let tensor = self.tensor(name)?;
        q4k_matrix(tensor).map_err(|obstacle| {
            let name = tensor.name.clone();
            match obstacle {
                Obstacle::NotQ4K => {
                    GgufError::NotQ4K { name, found: tensor.type_name(), hint: self.q4k_names() }
                }
                Obstacle::NotAMatrix => GgufError::NotAMatrix { name, dims: tensor.dims.clone() },
                Obstacle::PartialSuperblock { k } => GgufError::PartialSuperblock { name, k },
                Obstacle::TooLarge { k, rows } => GgufError::TooLarge { name, k, rows },
            }
        })
    }

    /// Reads a tensor's bytes, and nothing else of the file, into `bytes`, which is as long.
    /// `done` is told how many more have been read.
    ///
    /// # Errors
    /// Reading fails, or the file has become shorter.
    pub(crate) fn read(
        &self,
        tensor: &Q4KTensor,
        bytes: &mut [u8],
        done: &dyn Fn(usize),
    ) -> Result<(), GgufError> {
        let io = |reason| GgufError::Io { path: self.path.clone(), reason };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(tensor.start)).map_err(io)?;
        for part in bytes.chunks_mut(READ_AT_A_TIME) {
            file.read_exact(part).map_err(io)?;
            done(part.len());
        }
        Ok(())
    }

    /// Says which tensor names come nearest to `wanted`.
    fn nearest_names(&self, wanted: &str) -> String {
        let mut near: Vec<(f64, &str)> = self
            .tensors
            .iter()
            .map(|tensor| tensor.name.as_str())
            .map(|name| (strsim::normalized_damerau_levenshtein(wanted, name), name))
            .filter(|&(likeness, _)| likeness >= 0.5)
            .collect();
        // Stable: equally near names stay in the order of the file.
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        if near.is_empty() {
            let total = self.tensors.len();
            return format!(
                "it has {total} tensors{}",
                shown(self.tensors.iter().map(|tensor| tensor.name.as_str()), total),
            );
        }
        let names = near.iter().map(|&(_, name)| name).take(NAMES_SHOWN);
        format!("nearest{}", shown(names, NAMES_SHOWN.min(near.len())))
    }

    /// Says which tensors are Q4_K.
    fn q4k_names(&self) -> String {
        let names = || self.tensors.iter().filter(|t| is_q4k(t)).map(|t| t.name.as_str());
        match names().count() {
            0 => "the file has no Q4_K tensor".to_owned(),
            total => format!("Q4_K in this file ({total}){}", shown(names(), total)),
        }
    }
}

/// The Q4_K matrix that `tensor` is, if it is one.
fn q4k_matrix(tensor: &TensorEntry) -> Result<Q4KTensor, Obstacle> {
    if !is_q4k(tensor) {
        return Err(Obstacle::NotQ4K);
    }
    let (k, rows) = match *tensor.dims.as_slice() {
        [k] => (k, 1),
        [k, rows, ref rest @ ..] if rest.iter().all(|&dim| dim == 1) => (k, rows),
        _ => return Err(Obstacle::NotAMatrix),
    };
    if k == 0 || rows == 0 {
        return Err(Obstacle::NotAMatrix);
    }
    if k % SUPERBLOCK_WEIGHTS != 0 {
        return Err(Obstacle::PartialSuperblock { k });
    }
    let too_large = Obstacle::TooLarge { k, rows };
    let length = (k / SUPERBLOCK_WEIGHTS)
        .checked_mul(SUPERBLOCK_BYTES)
        .and_then(|row| row.checked_mul(rows))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or(too_large)?;
    Ok(Q4KTensor {
        k: usize::try_from(k).map_err(|_| too_large)?,
        rows: usize::try_from(rows).map_err(|_| too_large)?,
        length,
        start: tensor.start,
    })
}

/// Whether `tensor` is stored as Q4_K.
fn is_q4k(tensor: &TensorEntry) -> bool {
    tensor.kind.is_some_and(TensorType::is_q4k)
}

/// Writes the first of `total` names as `: "a", "b", …`, or nothing when there is none.
fn shown<'a>(names: impl Iterator<Item = &'a str>, total: usize) -> String {
    // Debug formatting, since a name from a file may hold control characters.
    let list: Vec<String> = names.take(NAMES_SHOWN).map(|name| format!("{name:?}")).collect();
    if list.is_empty() {
        return String::new();
    }
    let more = if total > list.len() { ", …" } else { "" };
    format!(": {}{more}", list.join(", "))
}
