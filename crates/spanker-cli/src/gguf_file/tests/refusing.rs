// SPDX-License-Identifier: Apache-2.0
//! What is refused, and in which words.

use super::super::header::read_tensors;
use super::*;
use std::io::{BufReader, Cursor};

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
fn says_when_a_file_is_no_gguf() {
    for bytes in [&b""[..], b"GGU", b"\x7fELF\x02\x01\x01", b"gguf\x03\0\0\0"] {
        let text = "PATH is not a GGUF file: it does not begin with the bytes \"GGUF\"";
        assert_eq!(open_message(bytes), text);
    }
}

#[test]
fn a_missing_file_and_a_folder_are_errors_that_name_the_path() {
    let missing = message(GgufFile::open(Path::new("/nonexistent/model.gguf")));
    assert!(missing.starts_with("cannot read /nonexistent/model.gguf: "), "{missing}");
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
    assert!(opened > 100, "only {opened} of the files got past the header");
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
        [b"GGUF\x03\0\0\0".as_slice(), &tensors.to_le_bytes(), &pairs.to_le_bytes()].concat()
    };
    let with_pair = |pair: Vec<u8>| header(3, &[pair], &[]);
    let mut nested = Vec::new();
    for _ in 0..100_000 {
        nested.extend(array(9, 1, &[]));
    }
    let long_name = [&huge.to_le_bytes()[..], &[b'n'; 99]].concat();
    for (bytes, expected) in [
        (counts(huge, 0), "the number of tensors is 18446744073709551615"),
        (counts(0, huge), "the number of metadata entries is 18446744073709551615"),
        (counts(1_000_000, 0), "end inside the header"),
        (counts(0, 100_000), "end inside the header"),
        (with_pair(huge.to_le_bytes().to_vec()), "the length of a metadata key is"),
        (with_pair(pair("k", 8, &huge.to_le_bytes())), "end inside the header"),
        (with_pair(pair("k", 8, &1u64.to_le_bytes())), "end inside the header"),
        (with_pair(pair("k", 9, &array(0, huge, &[]))), "end inside the header"),
        (with_pair(pair("k", 9, &array(12, huge, &[]))), "end inside the header"),
        (with_pair(pair("k", 9, &array(8, huge, &[]))), "end inside the header"),
        (with_pair(pair("k", 9, &array(9, huge, &[]))), "end inside the header"),
        (with_pair(pair("k", 9, &nested)), "the depth of a metadata array is 65"),
        (with_pair(pair("k", 13, &[])), "the type of a metadata value is 13"),
        (header(3, &[], &[long_name]), "the length of a tensor name is"),
        (header(3, &[], &[tensor("w", &[1; 5], F32, 0)]), "dimensions of a tensor is 5"),
        (header(3, &[], &[tensor("w", &[huge, 2], F32, 0)]), "tensor \"w\" overflows"),
        (header(3, &[], &[tensor("w", &[huge], F32, 0)]), "tensor \"w\" overflows"),
        (header(3, &[], &[tensor("w", &[8], F32, huge)]), "tensor \"w\" overflows"),
        (header(3, &[], &[tensor("w", &[1 << 50, 256], Q4_K, 0)]), "tensor \"w\" ends at byte"),
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
    assert_eq!(text, "PATH has a malformed header: the name of tensor 0 is not UTF-8");
    let twice = [tensor("w", &[8], F32, 0), tensor("w", &[8], F32, 32)];
    let text = open_message(&file(&[], &twice, 32, &[0; 64]));
    assert_eq!(text, "PATH has a malformed header: two tensors are called \"w\"");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let names = ["blk.0.attn_q.weight", "blk.0.attn_output.weight", "blk.1.attn_output.weight"];
    let tensors = names.map(|name| tensor(name, &[0], F32, 0));
    let file = TempFile::new(&file(&[], &tensors, 32, &[]));
    let gguf = file.open().unwrap();
    let hint = |name: &str| match gguf.read_q4k(name) {
        Err(GgufError::NoSuchTensor { hint, .. }) => hint,
        other => panic!("{other:?}"),
    };
    let near = hint("blk.1.attn_output.wieght");
    assert!(near.starts_with("nearest: \"blk.1.attn_output.weight\", \"blk.0"), "{near}");
    assert!(hint("blk.0.attn_output").starts_with("nearest: \"blk.0.attn_output.weight\""));
    assert!(hint("x").starts_with("it has 3 tensors: \"blk.0.attn_q.weight\", "));
    let text = message(gguf.read_q4k("x"));
    assert!(text.contains(" has no tensor \"x\"; it has 3 tensors"), "{text}");
}

#[test]
fn an_unknown_name_in_an_empty_file_is_an_error_too() {
    let file = TempFile::new(&header(3, &[], &[]));
    let text = message(file.open().unwrap().read_q4k("w"));
    assert!(text.ends_with("has no tensor \"w\"; it has 0 tensors"), "{text}");
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
    let file = TempFile::new(&file(&[], &[tensor("w", &[128, 2], Q4_K, 0)], 32, &[0; 144]));
    assert_eq!(
        message(file.open().unwrap().read_q4k("w")),
        "tensor \"w\" has k = 128, required is a multiple of 256",
    );
}

#[test]
fn a_file_that_shrinks_after_opening_is_an_error() {
    let (bytes, _) = sample();
    let temp = TempFile::new(&bytes);
    let gguf = temp.open().unwrap();
    File::options().write(true).open(&temp.0).unwrap().set_len(100).unwrap();
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
