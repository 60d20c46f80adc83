// SPDX-License-Identifier: Apache-2.0
//! Small models and arrays, byte by byte.

/// ggml's numbers of the types used here.
pub(crate) const F32: u32 = 0;
pub(crate) const Q4_K: u32 = 12;

/// A tensor: name, type, dimensions with the contiguous one first, bytes.
pub(crate) struct Tensor {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) dims: Vec<u64>,
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    /// `rows` rows of `k` weights, whose superblocks `block` makes.
    pub(crate) fn q4k(
        name: &'static str,
        rows: usize,
        k: usize,
        mut block: impl FnMut(usize, usize) -> Vec<u8>,
    ) -> Self {
        let places = (0..rows).flat_map(|row| (0..k / 256).map(move |at| (row, at)));
        Self {
            name,
            kind: Q4_K,
            dims: vec![k as u64, rows as u64],
            bytes: places.flat_map(|(row, at)| block(row, at)).collect(),
        }
    }
}

/// A GGUF file, version 3.
pub(crate) fn gguf(tensors: &[Tensor]) -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut file = b"GGUF".to_vec();
    file.extend(3_u32.to_le_bytes());
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend(string("general.architecture"));
    file.extend(8_u32.to_le_bytes());
    file.extend(string("test"));
    let mut data: Vec<u8> = Vec::new();
    for tensor in tensors {
        file.extend(string(tensor.name));
        file.extend((tensor.dims.len() as u32).to_le_bytes());
        file.extend(tensor.dims.iter().flat_map(|dim| dim.to_le_bytes()));
        file.extend(tensor.kind.to_le_bytes());
        file.extend((data.len() as u64).to_le_bytes());
        data.extend(&tensor.bytes);
        data.resize(data.len().next_multiple_of(32), 0);
    }
    file.resize(file.len().next_multiple_of(32), 0);
    [file, data].concat()
}

/// A model with one tensor `w`, of random blocks.
pub(crate) fn random_model(rows: usize, k: usize) -> Vec<u8> {
    let mut state = 1_u64;
    gguf(&[Tensor::q4k("w", rows, k, |_, _| {
        // d and dmin about 1 and 8, as binary16.
        let mut block = vec![0x00, 0x3c, 0x00, 0x48];
        block.extend((0..140).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }));
        block
    })])
}

/// A superblock of 256 weights `d * nibble`, with d as binary16.
pub(crate) fn plain_block(d: u16, nibble: u8) -> Vec<u8> {
    let mut block = d.to_le_bytes().to_vec();
    // dmin 0, scales 1, mins 0
    block.extend([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
    block.extend([nibble | nibble << 4; 128]);
    block
}

/// 1 as binary16.
pub(crate) const ONE: u16 = 0x3c00;

/// An `.npy` file of float32.
pub(crate) fn npy(rows: usize, cols: usize, values: &[f32]) -> Vec<u8> {
    npy_of("<f4", rows, cols, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// An `.npy` file of elements of the type `descr`.
pub(crate) fn npy_of(descr: &str, rows: usize, cols: usize, data: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(format!("{header:<117}\n").bytes());
    file.extend(data);
    file
}

/// Shape and values of an `.npy` file of float32, if its header says just that.
pub(crate) fn read_npy(bytes: &[u8], rows: usize, cols: usize) -> Vec<f32> {
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header: String = String::from_utf8_lossy(&bytes[10..start]).split_whitespace().collect();
    for part in ["'descr':'<f4'", "'fortran_order':False", &format!("'shape':({rows},{cols}")] {
        assert!(header.contains(part), "no {part} in {header}");
    }
    let values: Vec<f32> =
        bytes[start..].chunks(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect();
    assert_eq!(values.len(), rows * cols);
    values
}
