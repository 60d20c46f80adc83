// SPDX-License-Identifier: Apache-2.0
//! What is read.

use super::*;

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
    let list: Vec<_> =
        gguf.tensors.iter().map(|t| (t.name.as_str(), t.type_name(), t.dims.clone())).collect();
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
    let mut pairs: Vec<_> = [1, 1, 2, 2, 4, 4, 4, 1].iter().zip(0u32..).map(sized_pair).collect();
    pairs.extend([8, 8, 8].iter().zip(10u32..).map(sized_pair));
    pairs.push(pair("gpt-oss.Block__count", 8, &string("hyphen, capital, two underscores")));
    pairs.push(pair("not.utf8", 8, &[&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat()));
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
fn reads_version_2_and_refuses_other_versions_and_byte_orders() {
    let (mut bytes, _) = sample();
    bytes[4..8].copy_from_slice(&2u32.to_le_bytes());
    assert_eq!(TempFile::new(&bytes).open().unwrap().tensors.len(), 3);
    for (version, text) in [
        (1u32, "PATH is a GGUF of version 1, required is version 2 or 3"),
        (4, "PATH is a GGUF of version 4, required is version 2 or 3"),
        (0x0300_0000, "PATH is a big-endian GGUF, required is a little-endian one"),
    ] {
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        assert_eq!(open_message(&bytes), text);
    }
}

#[test]
fn a_tensor_of_an_unknown_type_does_not_hide_the_others() {
    let tensors = [tensor("new", &[7, 3], UNKNOWN, 0), tensor("w", &[256], Q4_K, 32)];
    let file = TempFile::new(&file(&[], &tensors, 32, &pattern(176)));
    let gguf = file.open().unwrap();
    assert_eq!(gguf.read_q4k("w").unwrap().bytes, &pattern(176)[32..]);
    let text = message(gguf.read_q4k("new"));
    assert_eq!(text, "tensor \"new\" is type 9999, required is Q4_K; Q4_K in this file (1): \"w\"",);
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
    assert_eq!(temp.open().unwrap().read_q4k("far").unwrap().bytes, pattern(288));
}
