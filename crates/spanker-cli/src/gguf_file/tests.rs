// SPDX-License-Identifier: Apache-2.0
//! Against small files made here.

use std::io::{BufReader, Cursor};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::header::read_tensors;
use super::*;

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
        self.read(&tensor, &mut bytes)?;
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
    [
        kind.to_le_bytes().as_slice(),
        &count.to_le_bytes(),
        elements,
    ]
    .concat()
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
    (0..length)
        .map(|at| at.wrapping_mul(31).wrapping_add(at >> 8) as u8)
        .collect()
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
    let pairs = [
        pair("general.name", 8, &string("x")),
        pair("tokens", 9, &tokens),
    ];
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

#[test]
fn reads_exactly_the_bytes_of_the_named_tensor() {
    let (bytes, data) = sample();
    let file = TempFile::new(&bytes);
    let gguf = file.open().unwrap();
    let down = gguf.read_q4k("down.weight").unwrap();
    assert_eq!((down.k, down.rows), (256, 3));
    assert_eq!(down.bytes, &data[320..752]);
    let up = gguf.read_q4k("up.weight").unwrap();
    assert_eq!((up.k, up.rows), (512, 1));
    assert_eq!(up.bytes, &data[32..320]);
}

#[test]
fn lists_tensors_in_file_order() {
    let file = TempFile::new(&sample().0);
    let gguf = file.open().unwrap();
    let list: Vec<_> = gguf
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), t.type_name(), t.dims.clone()))
        .collect();
    assert_eq!(
        list,
        [
            ("norm.weight", "F32".to_owned(), vec![8]),
            ("up.weight", "Q4_K".to_owned(), vec![512, 1]),
            ("down.weight", "Q4_K".to_owned(), vec![256, 3]),
        ]
    );
}

#[test]
fn steps_over_metadata_of_every_type() {
    let mut pairs: Vec<_> = [1, 1, 2, 2, 4, 4, 4, 1]
        .iter()
        .zip(0u32..)
        .map(sized_pair)
        .collect();
    pairs.extend([8, 8, 8].iter().zip(10u32..).map(sized_pair));
    pairs.push(pair(
        "gpt-oss.Block__count",
        8,
        &string("hyphen, capital, two underscores"),
    ));
    pairs.push(pair(
        "not.utf8",
        8,
        &[&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat(),
    ));
    pairs.push(pair("f32s", 9, &array(6, 3, &[0xaa; 12])));
    pairs.push(pair("none", 9, &array(8, 0, &[])));
    let inner = [array(2, 2, &[0xaa; 4]), array(8, 1, &string("deep"))].concat();
    pairs.push(pair("arrays", 9, &array(9, 2, &inner)));
    let data = pattern(144);
    let file = TempFile::new(&file(&pairs, &[tensor("w", &[256], Q4_K, 0)], 32, &data));
    assert_eq!(file.open().unwrap().read_q4k("w").unwrap().bytes, data);
}

fn sized_pair((&size, kind): (&usize, u32)) -> Vec<u8> {
    pair(&format!("key.{kind}"), kind, &vec![0xaa; size])
}

#[test]
fn honours_the_alignment_in_the_metadata() {
    let pairs = [pair("general.alignment", 4, &256u32.to_le_bytes())];
    let data = pattern(144);
    let file = TempFile::new(&file(&pairs, &[tensor("w", &[256], Q4_K, 0)], 256, &data));
    assert_eq!(file.open().unwrap().read_q4k("w").unwrap().bytes, data);
}

#[test]
fn rejects_an_alignment_that_is_none() {
    for alignment in [0u32, 12] {
        let pairs = [pair("general.alignment", 4, &alignment.to_le_bytes())];
        assert_eq!(
            open_message(&file(&pairs, &[], 32, &[])),
            format!(
                "PATH has a malformed header: general.alignment is {alignment}, \
                 allowed is a multiple of 8"
            ),
        );
    }
}

#[test]
fn reads_version_2_and_refuses_other_versions_and_byte_orders() {
    let (mut bytes, _) = sample();
    bytes[4..8].copy_from_slice(&2u32.to_le_bytes());
    assert_eq!(TempFile::new(&bytes).open().unwrap().tensors.len(), 3);
    for (version, text) in [
        (
            1u32,
            "PATH is a GGUF of version 1, required is version 2 or 3",
        ),
        (4, "PATH is a GGUF of version 4, required is version 2 or 3"),
        (
            0x0300_0000,
            "PATH is a big-endian GGUF, required is a little-endian one",
        ),
    ] {
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        assert_eq!(open_message(&bytes), text);
    }
}

#[test]
fn says_when_a_file_is_no_gguf() {
    for bytes in [&b""[..], b"GGU", b"\x7fELF\x02\x01\x01", b"gguf\x03\0\0\0"] {
        let text = "PATH is not a GGUF file: it does not begin with the bytes \"GGUF\"";
        assert_eq!(open_message(bytes), text);
    }
}

#[test]
fn a_missing_file_and_a_folder_are_errors_that_name_the_path() {
    let missing = message(GgufFile::open(Path::new("/nonexistent/model.gguf")));
    assert!(
        missing.starts_with("cannot read /nonexistent/model.gguf: "),
        "{missing}"
    );
    let folder = message(GgufFile::open(&std::env::temp_dir()));
    assert!(folder.contains("cannot be read: "), "{folder}");
}

#[test]
fn truncation_at_every_byte_is_an_error_and_never_a_panic() {
    let (bytes, data) = sample();
    let header_end = bytes.len() - data.len();
    for length in 0..bytes.len() {
        let text = open_message(&bytes[..length]);
        let expected = match length {
            0..=3 => "not a GGUF",
            // Inside the padding that follows the descriptions, the first tensor is what lacks.
            _ if length < header_end - 31 => "inside the header",
            _ => "is truncated",
        };
        assert!(text.contains(expected), "{length}: {text}");
    }
    let last = open_message(&bytes[..bytes.len() - 1]);
    let (end, length) = (bytes.len(), bytes.len() - 1);
    assert_eq!(
        last,
        format!(
            "PATH is truncated: tensor \"down.weight\" ends at byte {end}, \
             the file at byte {length}"
        ),
    );
}

#[test]
fn no_single_wrong_byte_makes_it_panic() {
    let (bytes, data) = sample();
    let mut opened = 0;
    for at in 0..bytes.len() - data.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x20] {
            let mut wrong = bytes.clone();
            wrong[at] = value;
            let file = TempFile::new(&wrong);
            let Ok(gguf) = file.open() else { continue };
            opened += 1;
            for tensor in &gguf.tensors {
                let _ = gguf.read_q4k(&tensor.name);
            }
            let _ = gguf.read_q4k("none");
        }
    }
    assert!(
        opened > 100,
        "only {opened} of the files got past the header"
    );
}

#[test]
fn no_noise_makes_it_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..20_000 {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        for _ in 0..40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Mostly small numbers, as a header has.
            bytes.extend((state >> (state % 64)).to_le_bytes());
        }
        let length = bytes.len() as u64;
        let _ = read_tensors(BufReader::new(Cursor::new(bytes)), length);
    }
}

#[test]
fn counts_and_lengths_beyond_the_file_are_refused_not_allocated() {
    let huge = u64::MAX;
    let counts = |tensors: u64, pairs: u64| {
        [
            b"GGUF\x03\0\0\0".as_slice(),
            &tensors.to_le_bytes(),
            &pairs.to_le_bytes(),
        ]
        .concat()
    };
    let with_pair = |pair: Vec<u8>| header(3, &[pair], &[]);
    let mut nested = Vec::new();
    for _ in 0..100_000 {
        nested.extend(array(9, 1, &[]));
    }
    let long_name = [&huge.to_le_bytes()[..], &[b'n'; 99]].concat();
    for (bytes, expected) in [
        (
            counts(huge, 0),
            "the number of tensors is 18446744073709551615",
        ),
        (
            counts(0, huge),
            "the number of metadata entries is 18446744073709551615",
        ),
        (counts(1_000_000, 0), "end inside the header"),
        (counts(0, 100_000), "end inside the header"),
        (
            with_pair(huge.to_le_bytes().to_vec()),
            "the length of a metadata key is",
        ),
        (
            with_pair(pair("k", 8, &huge.to_le_bytes())),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 8, &1u64.to_le_bytes())),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 9, &array(0, huge, &[]))),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 9, &array(12, huge, &[]))),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 9, &array(8, huge, &[]))),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 9, &array(9, huge, &[]))),
            "end inside the header",
        ),
        (
            with_pair(pair("k", 9, &nested)),
            "the depth of a metadata array is 65",
        ),
        (
            with_pair(pair("k", 13, &[])),
            "the type of a metadata value is 13",
        ),
        (
            header(3, &[], &[long_name]),
            "the length of a tensor name is",
        ),
        (
            header(3, &[], &[tensor("w", &[1; 5], F32, 0)]),
            "dimensions of a tensor is 5",
        ),
        (
            header(3, &[], &[tensor("w", &[huge, 2], F32, 0)]),
            "tensor \"w\" overflows",
        ),
        (
            header(3, &[], &[tensor("w", &[huge], F32, 0)]),
            "tensor \"w\" overflows",
        ),
        (
            header(3, &[], &[tensor("w", &[8], F32, huge)]),
            "tensor \"w\" overflows",
        ),
        (
            header(3, &[], &[tensor("w", &[1 << 50, 256], Q4_K, 0)]),
            "tensor \"w\" ends at byte",
        ),
    ] {
        let text = open_message(&bytes);
        assert!(text.contains(expected), "{text}, expected {expected}");
    }
}

#[test]
fn a_name_that_is_no_text_or_not_the_only_one_is_refused() {
    let mut bytes = header(3, &[], &[tensor("w", &[0], F32, 0)]);
    bytes[32] = 0xff;
    let text = open_message(&bytes);
    assert_eq!(
        text,
        "PATH has a malformed header: the name of tensor 0 is not UTF-8"
    );
    let twice = [tensor("w", &[8], F32, 0), tensor("w", &[8], F32, 32)];
    let text = open_message(&file(&[], &twice, 32, &[0; 64]));
    assert_eq!(
        text,
        "PATH has a malformed header: two tensors are called \"w\""
    );
}

#[test]
fn a_tensor_of_an_unknown_type_does_not_hide_the_others() {
    let tensors = [
        tensor("new", &[7, 3], UNKNOWN, 0),
        tensor("w", &[256], Q4_K, 32),
    ];
    let file = TempFile::new(&file(&[], &tensors, 32, &pattern(176)));
    let gguf = file.open().unwrap();
    assert_eq!(gguf.read_q4k("w").unwrap().bytes, &pattern(176)[32..]);
    let text = message(gguf.read_q4k("new"));
    assert_eq!(
        text,
        "tensor \"new\" is type 9999, required is Q4_K; Q4_K in this file (1): \"w\"",
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let names = [
        "blk.0.attn_q.weight",
        "blk.0.attn_output.weight",
        "blk.1.attn_output.weight",
    ];
    let tensors = names.map(|name| tensor(name, &[0], F32, 0));
    let file = TempFile::new(&file(&[], &tensors, 32, &[]));
    let gguf = file.open().unwrap();
    let hint = |name: &str| match gguf.read_q4k(name) {
        Err(GgufError::NoSuchTensor { hint, .. }) => hint,
        other => panic!("{other:?}"),
    };
    let near = hint("blk.1.attn_output.wieght");
    assert!(
        near.starts_with("nearest: \"blk.1.attn_output.weight\", \"blk.0"),
        "{near}"
    );
    assert!(hint("blk.0.attn_output").starts_with("nearest: \"blk.0.attn_output.weight\""));
    assert!(hint("x").starts_with("it has 3 tensors: \"blk.0.attn_q.weight\", "));
    let text = message(gguf.read_q4k("x"));
    assert!(
        text.contains(" has no tensor \"x\"; it has 3 tensors"),
        "{text}"
    );
}

#[test]
fn an_unknown_name_in_an_empty_file_is_an_error_too() {
    let file = TempFile::new(&header(3, &[], &[]));
    let text = message(file.open().unwrap().read_q4k("w"));
    assert!(
        text.ends_with("has no tensor \"w\"; it has 0 tensors"),
        "{text}"
    );
}

#[test]
fn a_wrong_type_is_answered_with_the_tensors_that_fit() {
    let mut tensors = vec![tensor("six", &[256], Q6_K, 0), tensor("f", &[8], F32, 0)];
    let without = TempFile::new(&file(&[], &tensors, 32, &pattern(256)));
    assert_eq!(
        message(without.open().unwrap().read_q4k("f")),
        "tensor \"f\" is F32, required is Q4_K; the file has no Q4_K tensor",
    );
    tensors.extend(["a", "b", "c", "d"].map(|name| tensor(name, &[256], Q4_K, 0)));
    let with = TempFile::new(&file(&[], &tensors, 32, &pattern(256)));
    assert_eq!(
        message(with.open().unwrap().read_q4k("six")),
        "tensor \"six\" is Q6_K, required is Q4_K; \
         Q4_K in this file (4): \"a\", \"b\", \"c\", …",
    );
}

#[test]
fn k_must_be_whole_superblocks() {
    let file = TempFile::new(&file(
        &[],
        &[tensor("w", &[128, 2], Q4_K, 0)],
        32,
        &[0; 144],
    ));
    assert_eq!(
        message(file.open().unwrap().read_q4k("w")),
        "tensor \"w\" has k = 128, required is a multiple of 256",
    );
}

#[test]
fn only_a_matrix_is_read() {
    for (dims, expected) in [
        (&[256][..], Ok((256, 1))),
        (&[256, 2], Ok((256, 2))),
        (&[256, 2, 1, 1], Ok((256, 2))),
        (&[256, 2, 2], Err("[256, 2, 2]")),
        (&[256, 0], Err("[256, 0]")),
        (&[0, 2], Err("[0, 2]")),
        (&[], Err("[]")),
    ] {
        let file = TempFile::new(&file(&[], &[tensor("w", dims, Q4_K, 0)], 32, &[0; 576]));
        let read = file.open().unwrap().read_q4k("w");
        match (read, expected) {
            (Ok(weights), Ok(shape)) => assert_eq!((weights.k, weights.rows), shape),
            (Err(error), Err(shape)) => assert_eq!(
                error.to_string(),
                format!("tensor \"w\" has the dimensions {shape}, required is a matrix (k × rows)"),
            ),
            (read, expected) => panic!("{dims:?}: {read:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn a_tensor_beyond_4_gib_is_read_without_the_rest_of_the_file() {
    let offset = 1u64 << 36;
    let head = file(&[], &[tensor("far", &[256, 2], Q4_K, offset)], 32, &[]);
    let temp = TempFile::new(&head);
    let end = head.len() as u64 + offset + 288;
    let mut sparse = File::options().write(true).open(&temp.0).unwrap();
    sparse.set_len(end).unwrap();
    sparse.seek(SeekFrom::Start(end - 288)).unwrap();
    std::io::Write::write_all(&mut sparse, &pattern(288)).unwrap();
    // 64 GiB that do not exist: reading all of them would run out of memory or time.
    assert_eq!(
        temp.open().unwrap().read_q4k("far").unwrap().bytes,
        pattern(288)
    );
}

#[test]
fn a_file_that_shrinks_after_opening_is_an_error() {
    let (bytes, _) = sample();
    let temp = TempFile::new(&bytes);
    let gguf = temp.open().unwrap();
    File::options()
        .write(true)
        .open(&temp.0)
        .unwrap()
        .set_len(100)
        .unwrap();
    let text = message(gguf.read_q4k("down.weight"));
    assert!(text.starts_with("cannot read "), "{text}");
}

#[test]
fn names_with_control_characters_are_shown_escaped() {
    let tensors = [tensor("\x1b[2Jweight", &[8], F32, 0)];
    let file = TempFile::new(&file(&[], &tensors, 32, &[0; 32]));
    let text = message(file.open().unwrap().read_q4k("weight"));
    assert!(text.ends_with("nearest: \"\\u{1b}[2Jweight\""), "{text}");
}
