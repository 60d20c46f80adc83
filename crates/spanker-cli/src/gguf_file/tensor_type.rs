// SPDX-License-Identifier: Apache-2.0
//! How ggml names and stores the elements of a tensor.

/// A type of elements that is known here: its number, name, and block size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TensorType {
    number: u32,
    /// As ggml writes it.
    pub(crate) name: &'static str,
    /// Elements in one block.
    pub(super) block_elements: u64,
    /// Bytes of one block.
    pub(super) block_bytes: u64,
}

impl TensorType {
    /// The type whose number in a file is `number`.
    pub(super) fn of_number(number: u32) -> Option<Self> {
        KNOWN.iter().copied().find(|known| known.number == number)
    }

    /// The type of the weights that a Sail multiplies.
    pub(super) fn is_q4k(self) -> bool {
        self.number == spanker_sys::SPANKER_TYPE_Q4_K
    }
}

const fn of(number: u32, name: &'static str, block_elements: u64, block_bytes: u64) -> TensorType {
    TensorType { number, name, block_elements, block_bytes }
}

/// `enum ggml_type`. A type that lacks here is only one whose tensors are not
/// checked to be whole.
const KNOWN: [TensorType; 29] = [
    of(0, "F32", 1, 4),
    of(1, "F16", 1, 2),
    of(2, "Q4_0", 32, 18),
    of(3, "Q4_1", 32, 20),
    of(6, "Q5_0", 32, 22),
    of(7, "Q5_1", 32, 24),
    of(8, "Q8_0", 32, 34),
    of(10, "Q2_K", 256, 84),
    of(11, "Q3_K", 256, 110),
    of(12, "Q4_K", 256, 144),
    of(13, "Q5_K", 256, 176),
    of(14, "Q6_K", 256, 210),
    of(16, "IQ2_XXS", 256, 66),
    of(17, "IQ2_XS", 256, 74),
    of(18, "IQ3_XXS", 256, 98),
    of(19, "IQ1_S", 256, 50),
    of(20, "IQ4_NL", 32, 18),
    of(21, "IQ3_S", 256, 110),
    of(22, "IQ2_S", 256, 82),
    of(23, "IQ4_XS", 256, 136),
    of(24, "I8", 1, 1),
    of(25, "I16", 1, 2),
    of(26, "I32", 1, 4),
    of(27, "I64", 1, 8),
    of(28, "F64", 1, 8),
    of(29, "IQ1_M", 256, 56),
    of(30, "BF16", 1, 2),
    of(34, "TQ1_0", 256, 54),
    of(39, "MXFP4", 32, 17),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_types_share_a_number_or_a_name() {
        for (i, known) in KNOWN.iter().enumerate() {
            assert_eq!(TensorType::of_number(known.number), Some(*known));
            assert!(KNOWN[..i].iter().all(|other| other.name != known.name));
        }
    }
}
