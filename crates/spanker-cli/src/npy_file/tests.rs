// SPDX-License-Identifier: Apache-2.0
//! Against files made here, byte by byte, in the layout NumPy writes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A file that is removed when the test ends.
struct TempFile(PathBuf);

impl TempFile {
    fn new(bytes: &[u8]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (id, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("spanker-npy-{id}-{number}.npy"));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A version 1.0 file with the given header text and data.
fn with_header(text: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, text.as_bytes(), data].concat()
}

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    with_header(&format!("{dict:<117}\n"), data)
}

fn little(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn big(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn read_npy(path: &Path) -> Result<F32Matrix, NpyError> {
    NpyInput::open(path)?.read()
}

fn read(bytes: &[u8]) -> Result<F32Matrix, NpyError> {
    read_npy(&TempFile::new(bytes).0)
}

fn message(bytes: &[u8]) -> String {
    let file = TempFile::new(bytes);
    let text = read_npy(&file.0).unwrap_err().to_string();
    let path = file.0.display().to_string();
    assert!(text.contains(&path), "{text} does not name the file");
    text.replace(&path, "PATH")
}

fn matrix(rows: usize, cols: usize, values: &[f32]) -> F32Matrix {
    F32Matrix { rows, cols, values: values.to_vec() }
}

const SIX: [f32; 6] = [1.0, -2.5, 3.0, 4.0, 5.0, 6.0];

#[test]
fn reads_both_byte_orders() {
    let expected = matrix(2, 3, &SIX);
    assert_eq!(read(&npy("'<f4'", false, "(2, 3)", &little(&SIX))).unwrap(), expected);
    assert_eq!(read(&npy("'>f4'", false, "(2, 3)", &big(&SIX))).unwrap(), expected);
}

#[test]
fn reads_fortran_order_as_the_same_matrix() {
    let columns = [1.0, 4.0, -2.5, 5.0, 3.0, 6.0];
    let bytes = npy("'<f4'", true, "(2, 3)", &little(&columns));
    assert_eq!(read(&bytes).unwrap(), matrix(2, 3, &SIX));
    let row = npy("'<f4'", true, "(6,)", &little(&SIX));
    assert_eq!(read(&row).unwrap(), matrix(1, 6, &SIX));
}

#[test]
fn a_one_dimensional_array_is_one_row() {
    assert_eq!(read(&npy("'<f4'", false, "(6,)", &little(&SIX))).unwrap(), matrix(1, 6, &SIX));
}

#[test]
fn reads_versions_2_and_3_of_the_format() {
    let first = npy("'<f4'", false, "(2, 3)", &little(&SIX));
    for version in [2, 3] {
        let length = u32::from(u16::from_le_bytes([first[8], first[9]])).to_le_bytes();
        let start = [b"\x93NUMPY".as_slice(), &[version, 0]].concat();
        let bytes = [start.as_slice(), &length, &first[10..]].concat();
        assert_eq!(read(&bytes).unwrap(), matrix(2, 3, &SIX));
    }
    let mut fourth = first;
    fourth[6] = 4;
    assert!(message(&fourth).starts_with("PATH is not a usable .npy file: "));
}

#[test]
fn other_element_types_are_refused_by_name() {
    for descr in ["'<f8'", "'<f2'", "'<i4'", "'|u1'", "'<c8'", "'|b1'", "'|O'", "'<U4'"] {
        let text = message(&npy(descr, false, "(2, 3)", &[0; 48]));
        assert_eq!(
            text,
            format!(
                "PATH holds elements of type {descr}, required is float32 ('<f4'): \
                 save x.astype(numpy.float32)"
            ),
        );
    }
    let record = message(&npy("[('a', '<f4')]", false, "(6,)", &little(&SIX)));
    assert!(record.contains("elements of type [('a', '<f4'"), "{record}");
}

#[test]
fn other_shapes_are_refused() {
    for (shape, shown) in [
        ("()", "[]"),
        ("(1, 2, 3)", "[1, 2, 3]"),
        ("(0, 3)", "[0, 3]"),
        ("(2, 0)", "[2, 0]"),
        ("(0,)", "[0]"),
    ] {
        let text = message(&npy("'<f4'", false, shape, &little(&SIX)));
        assert_eq!(
            text,
            format!("PATH has the shape {shown}, required is (n, k), or (k) for one row"),
        );
    }
}

#[test]
fn data_must_be_exactly_as_long_as_the_shape_says() {
    for values in [&[0.0; 5][..], &[0.0; 7], &[]] {
        let text = message(&npy("'<f4'", false, "(2, 3)", &little(values)));
        let found = values.len() * 4;
        assert_eq!(text, format!("PATH holds {found} bytes of data, its shape 2 × 3 needs 24"),);
    }
}

#[test]
fn a_pipe_that_ends_early_is_an_error() {
    // What `reads` sees of a pipe: a file without a length.
    let file = TempFile::new(&npy("'<f4'", false, "(2, 3)", &little(&SIX[..4])));
    let script = format!("exec cat '{}'", file.0.display());
    let mut cat = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = cat.stdout.take().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&pipe));
    let text = read_npy(Path::new(&path)).unwrap_err().to_string();
    cat.wait().unwrap();
    assert_eq!(text, format!("{path} holds 16 bytes of data, its shape 2 × 3 needs 24"));
}

#[test]
fn nan_and_infinity_are_found_with_row_and_column() {
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut values = SIX;
        values[5] = value;
        values[4] = value;
        let text = message(&npy("'<f4'", false, "(2, 3)", &little(&values)));
        assert_eq!(
            text,
            format!(
                "PATH holds {name} at row 1, column 1 (counted from 0), \
                 required are finite numbers"
            ),
        );
    }
}

#[test]
fn the_place_of_a_nan_is_its_place_in_the_matrix_not_in_the_file() {
    let columns = [1.0, 4.0, 2.0, f32::NAN, 3.0, 6.0];
    let text = message(&npy("'<f4'", true, "(2, 3)", &little(&columns)));
    assert!(text.contains("NaN at row 1, column 1 "), "{text}");
}

#[test]
fn truncation_at_every_byte_is_an_error_and_never_a_panic() {
    let bytes = npy("'<f4'", false, "(2, 3)", &little(&SIX));
    for length in 0..bytes.len() {
        let text = message(&bytes[..length]);
        let expected = match length {
            0..=7 => "does not begin with the bytes \"\\x93NUMPY\"",
            8..=127 => "it ends inside its header",
            _ => "its shape 2 × 3 needs 24",
        };
        assert!(text.contains(expected), "{length}: {text}");
    }
}

#[test]
fn no_single_wrong_byte_makes_it_panic() {
    let bytes = npy("'<f4'", false, "(2, 3)", &little(&SIX));
    let mut read_well = 0;
    for at in 0..128 {
        for value in *b"\0\x01\x02\n '\"(),0179:<>[]fx{}\x7f\x80\xff" {
            let mut wrong = bytes.clone();
            wrong[at] = value;
            read_well += usize::from(read(&wrong).is_ok());
        }
    }
    assert!(read_well > 64, "only {read_well} of the files were read");
}

#[test]
fn numbers_and_lengths_beyond_the_file_are_refused_not_allocated() {
    for shape in [
        "(1099511627776, 1099511627776)",
        "(0xffffffffffffffff, 0xffffffffffffffff)",
        "(4294967296, 4294967296, 0)",
        "(99999999999999999999,)",
    ] {
        assert_eq!(
            message(&npy("'<f4'", false, shape, &[])),
            "PATH is not a usable .npy file: the numbers in its header are too large",
        );
    }
    let text = message(&npy("'<f4'", false, "(100000000, 100000000)", &[]));
    assert!(text.ends_with("its shape 100000000 × 100000000 needs 40000000000000000"), "{text}");
    let long = [b"\x93NUMPY\x02\x00".as_slice(), &[0xff; 4], b"{"].concat();
    assert_eq!(
        message(&long),
        "PATH is not a usable .npy file: its header is longer than 10000 bytes",
    );
}

#[test]
fn headers_that_are_no_dictionary_are_refused_in_one_line() {
    for text in ["", "\n", "{}", "1", "{'descr': '<f4'}", "{'descr'", "__import__('os')"] {
        let text = message(&with_header(text, &[]));
        assert!(text.starts_with("PATH is not a usable .npy file: "), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn no_repetition_in_a_header_exhausts_the_stack() {
    for (unit, end) in [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("{", "}"),
        ("-", ""),
        ("+", ""),
        ("- ", ""),
        ("''", ""),
        ("'' ", ""),
        (",", ""),
        ("\\", ""),
        (" ", ""),
        ("True+", ""),
        ("b", ""),
        ("j", ""),
        ("_", ""),
        ("#", ""),
    ] {
        let most = 9_900 / (unit.len() + end.len());
        for times in [MAX_BRACKETS - 1, most] {
            let text = format!("{}1{}", unit.repeat(times), end.repeat(times));
            for text in [text.clone(), format!("{{'shape': {text}")] {
                let text = message(&with_header(&text, &[]));
                assert!(text.starts_with("PATH is not a usable .npy file: "), "{text}");
            }
        }
    }
}

#[test]
fn what_is_written_is_what_numpy_reads_and_reads_back() {
    let file =
        TempFile::new(b"what was there before, and longer than what follows".repeat(9).as_slice());
    let matrix = matrix(2, 3, &SIX);
    write_npy(&File::create(&file.0).unwrap(), &matrix).unwrap();
    let bytes = std::fs::read(&file.0).unwrap();
    let header = bytes.len() - 24;
    assert_eq!(bytes[header..], little(&SIX));
    let text = String::from_utf8_lossy(&bytes[10..header]).into_owned();
    for part in ["'descr': '<f4'", "'fortran_order': False", "'shape': (2, 3, )"] {
        let (text, part) = (text.replace(", ", ","), part.replace(", ", ","));
        assert!(text.contains(&part) || text.contains(&part.replace(",)", ")")), "{text}");
    }
    assert_eq!(read_npy(&file.0).unwrap(), matrix);
}

#[test]
fn a_full_disk_and_a_missing_file_are_errors() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let error = write_npy(&full, &matrix(2, 3, &SIX)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(28), "ENOSPC: {error}");
    let missing = read_npy(Path::new("/nonexistent/x.npy")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read /nonexistent/x.npy: "), "{missing}");
}
