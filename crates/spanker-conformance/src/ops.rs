// SPDX-License-Identifier: Apache-2.0
//! Ops to submit, and small valid ones that a case spoils in one place.

use spanker_sys::{
    spanker_op, spanker_operand, SPANKER_OPCODE_COPY, SPANKER_OPCODE_MATMUL, SPANKER_TYPE_F32,
    SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K,
};

use crate::open::{Buffer, Open};

/// The types that MATMUL is defined for as `a`, each with Q4_K as `b`.
pub const A_TYPES: [u32; 3] = [SPANKER_TYPE_F32, SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K];

/// Reaches an operand of an op.
pub type Place = fn(&mut spanker_op) -> &mut spanker_operand;

/// The operands of MATMUL.
pub const OPERANDS: [Place; 3] = [|op| &mut op.a, |op| &mut op.b, |op| &mut op.out];

/// The operands of COPY.
pub const OPERANDS_OF_COPY: [Place; 2] = [|op| &mut op.a, |op| &mut op.out];

/// A type that the card takes as `a` with Q4_K: Q4_K itself, if it can.
#[track_caller]
pub fn any_a_type(open: &Open) -> u32 {
    *open.a_types().last().expect("the card offers a combination of types")
}

/// Bytes of a row of `elements` of a type.
pub fn row_bytes(type_: u32, elements: usize) -> usize {
    match type_ {
        SPANKER_TYPE_F32 => elements * 4,
        SPANKER_TYPE_Q4_K => elements / 256 * 144,
        SPANKER_TYPE_Q8_K => elements / 256 * 292,
        _ => panic!("no type {type_}"),
    }
}

/// Rows of a type one behind the other, from the start of a buffer.
pub fn dense(buffer: &Buffer, type_: u32, elements: usize) -> spanker_operand {
    spanker_operand {
        handle: buffer.handle,
        type_,
        offset: 0,
        row_stride: row_bytes(type_, elements) as u64,
    }
}

/// MATMUL of `a`, m×k, and `b`, n×k.
pub fn matmul(
    (m, n, k): (usize, usize, usize),
    a: spanker_operand,
    b: spanker_operand,
    out: spanker_operand,
) -> spanker_op {
    spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        m: m as u32,
        n: n as u32,
        k: k as u32,
        a,
        b,
        out,
        ..Default::default()
    }
}

/// COPY of `rows` rows of `len` bytes.
pub fn copy((rows, len): (usize, usize), a: spanker_operand, out: spanker_operand) -> spanker_op {
    spanker_op {
        opcode: SPANKER_OPCODE_COPY,
        m: rows as u32,
        k: len as u32,
        a,
        out,
        ..Default::default()
    }
}

/// Bytes of a buffer as an operand of COPY.
pub fn bytes(buffer: &Buffer, offset: usize, row_stride: usize) -> spanker_operand {
    spanker_operand {
        handle: buffer.handle,
        type_: 0,
        offset: offset as u64,
        row_stride: row_stride as u64,
    }
}

/// COPY of the first `len` bytes of a buffer to the start of another.
pub fn copy_start(a: &Buffer, out: &Buffer, len: usize) -> spanker_op {
    copy((1, len), bytes(a, 0, len), bytes(out, 0, len))
}

/// Buffers and a valid op on them.
#[derive(Clone, Copy, Debug)]
pub struct Valid {
    /// An op that can be submitted as it is.
    pub op: spanker_op,
    /// The buffer of `a`, which has just enough room.
    pub a: Buffer,
    /// The buffer of `b`, which has just enough room.
    pub b: Buffer,
    /// The buffer of `out`, which has just enough room.
    pub out: Buffer,
}

/// A valid MATMUL with m 2, n 3 and k 512.
#[track_caller]
pub fn valid_matmul(open: &Open) -> Valid {
    valid_matmul_of(open, any_a_type(open), (2, 3, 512))
}

/// A valid MATMUL of some type with Q4_K.
#[track_caller]
pub fn valid_matmul_of(open: &Open, a_type: u32, shape: (usize, usize, usize)) -> Valid {
    let (m, n, k) = shape;
    let a = open.create(m * row_bytes(a_type, k));
    let b = open.create(n * row_bytes(SPANKER_TYPE_Q4_K, k));
    let out = open.create(m * n * 4);
    let op = matmul(
        shape,
        dense(&a, a_type, k),
        dense(&b, SPANKER_TYPE_Q4_K, k),
        dense(&out, SPANKER_TYPE_F32, n),
    );
    Valid { op, a, b, out }
}

/// A valid COPY of 3 rows of 20 bytes. Its `b` is a copy of `a`: COPY has none.
#[track_caller]
pub fn valid_copy(open: &Open) -> Valid {
    let a = open.create(60);
    let out = open.create(60);
    Valid { op: copy((3, 20), bytes(&a, 0, 20), bytes(&out, 0, 20)), a, b: a, out }
}
