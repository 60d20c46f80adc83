// SPDX-License-Identifier: Apache-2.0
//! Against small files made here.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

mod reading;
mod refusing;

const F32: u32 = 0;
const Q4_K: u32 = 12;
const Q6_K: u32 = 14;
const UNKNOWN: u32 = 9999;

/// A tensor and its bytes.
#[derive(Debug)]
struct Q4KWeights {
    k: usize,
    rows: usize,
    bytes: Vec<u8>,
}

impl GgufFile {
    fn read_q4k(&self, name: &str) -> Result<Q4KWeights, GgufError> {
        let tensor = self.q4k(name)?;
        let mut bytes = vec![0; tensor.length];
        self.read(&tensor, &mut bytes, &|_| ())?;
        let Q4KTensor { k, rows, .. } = tensor;
        Ok(Q4KWeights { k, rows, bytes })
    }
}

/// A file that is removed when the test ends.
struct TempFile(PathBuf);

impl TempFile {
    fn new(bytes: &[u8]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (id, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("spanker-gguf-{id}-{number}.gguf"));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn open(&self) -> Result<GgufFile, GgufError> {
        GgufFile::open(&self.0)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

fn pair(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [string(key).as_slice(), &kind.to_le_bytes(), value].concat()
}

fn array(kind: u32, count: u64, elements: &[u8]) -> Vec<u8> {
    [kind.to_le_bytes().as_slice(), &count.to_le_bytes(), elements].concat()
}

fn tensor(name: &str, dims: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut bytes = string(name);
    bytes.extend((dims.len() as u32).to_le_bytes());
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

/// A header without its final padding.
fn header(version: u32, pairs: &[Vec<u8>], tensors: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend((pairs.len() as u64).to_le_bytes());
    bytes.extend(pairs.concat());
    bytes.extend(tensors.concat());
    bytes
}

fn file(pairs: &[Vec<u8>], tensors: &[Vec<u8>], alignment: usize, data: &[u8]) -> Vec<u8> {
    let mut bytes = header(3, pairs, tensors);
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
    bytes.extend(data);
    bytes
}

/// Bytes that differ from place to place.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| at.wrapping_mul(31).wrapping_add(at >> 8) as u8).collect()
}

/// One F32 vector of 8 and two Q4_K matrices, 512 × 1 and 256 × 3; 752 bytes of data.
fn sample() -> (Vec<u8>, Vec<u8>) {
    let data = pattern(320 + 432);
    let tensors = [
        tensor("norm.weight", &[8], F32, 0),
        tensor("up.weight", &[512, 1], Q4_K, 32),
        tensor("down.weight", &[256, 3], Q4_K, 320),
    ];
    let tokens = array(8, 2, &[string("<s>"), string("a")].concat());
    let pairs = [pair("general.name", 8, &string("x")), pair("tokens", 9, &tokens)];
    (file(&pairs, &tensors, 32, &data), data)
}

fn message<T: std::fmt::Debug>(result: Result<T, GgufError>) -> String {
    result.unwrap_err().to_string()
}

fn open_message(bytes: &[u8]) -> String {
    let file = TempFile::new(bytes);
    let text = message(file.open());
    let path = file.0.display().to_string();
    assert!(text.contains(&path), "{text} does not name the file");
    text.replace(&path, "PATH")
}
