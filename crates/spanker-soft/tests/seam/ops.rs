// SPDX-License-Identifier: Apache-2.0
//! An op of every kind that an engine runs in its own way.

use crate::card::Card;
use spanker_sys::*;

const K: u32 = 256 * 17;

fn row_bytes(type_: u32, k: u32) -> u64 {
    match type_ {
        SPANKER_TYPE_F32 => u64::from(k) * 4,
        SPANKER_TYPE_Q4_K => u64::from(k) / 256 * 144,
        _ => u64::from(k) / 256 * 292,
    }
}

fn operand(card: &Card, type_: u32, rows: u32, elements: u32) -> spanker_operand {
    let row_stride = row_bytes(type_, elements);
    let handle = card.create(row_stride * u64::from(rows)).unwrap().handle;
    spanker_operand { handle, type_, offset: 0, row_stride }
}

/// Several tiles and panels in each direction, but for those of one row.
fn matmul(card: &Card, a_type: u32, m: u32, flags: u32) -> spanker_op {
    let n = 20;
    spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags,
        m,
        n,
        k: K,
        a: operand(card, a_type, m, K),
        b: operand(card, SPANKER_TYPE_Q4_K, n, K),
        out: operand(card, SPANKER_TYPE_F32, m, n),
        ..Default::default()
    }
}

/// Two tiles.
fn copy(card: &Card) -> spanker_op {
    let bytes = 1_500_000;
    let operand = || {
        let handle = card.create(bytes).unwrap().handle;
        spanker_operand { handle, type_: 0, offset: 0, row_stride: bytes }
    };
    spanker_op {
        opcode: SPANKER_OPCODE_COPY,
        m: 1,
        k: bytes as u32,
        a: operand(),
        out: operand(),
        ..Default::default()
    }
}

pub(crate) fn every_kind(card: &Card) -> Vec<(&'static str, spanker_op)> {
    vec![
        ("F32", matmul(card, SPANKER_TYPE_F32, 70, 0)),
        ("Q8_K", matmul(card, SPANKER_TYPE_Q8_K, 70, 0)),
        ("Q4_K", matmul(card, SPANKER_TYPE_Q4_K, 70, 0)),
        ("F32, one row", matmul(card, SPANKER_TYPE_F32, 1, 0)),
        ("F32, ACCUMULATE", matmul(card, SPANKER_TYPE_F32, 3, SPANKER_OP_ACCUMULATE)),
        ("COPY", copy(card)),
        ("COPY of little", card.copy_op().unwrap()),
    ]
}
