// SPDX-License-Identifier: Apache-2.0
//! How a record is written down: one JSON object a line, operand bytes in
//! hexadecimal. The module's parent documents it.

use crate::abi_version::AbiVersion;
use crate::info::DeviceInfo;
use serde_json::{json, Value};
use spanker_sys::{spanker_op, spanker_operand};

/// The version of the format, in the first line.
pub(super) const VERSION: u64 = 1;

pub(super) fn first_line(card: &DeviceInfo, abi: AbiVersion) -> String {
    let (name, uuid) = (Value::from(card.name.as_str()), card.uuid);
    format!(r#"{{"spanker_record":{VERSION},"abi":"{abi}","card":{name},"uuid":"{uuid}"}}"#)
}

pub(super) fn op(op: &spanker_op) -> Value {
    json!({
        "opcode": op.opcode,
        "flags": op.flags,
        "m": op.m,
        "n": op.n,
        "k": op.k,
        "a": operand(&op.a),
        "b": operand(&op.b),
        "out": operand(&op.out),
    })
}

fn operand(operand: &spanker_operand) -> Value {
    json!({
        "handle": operand.handle,
        "type": operand.type_,
        "offset": operand.offset,
        "row_stride": operand.row_stride,
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

/// The bytes that [`hex`] wrote; None if it did not.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// The op that [`op`] wrote; None if it did not.
pub(super) fn parse_op(line: &Value) -> Option<spanker_op> {
    Some(spanker_op {
        opcode: number(line, "opcode")?,
        flags: number(line, "flags")?,
        m: number(line, "m")?,
        n: number(line, "n")?,
        k: number(line, "k")?,
        reserved: 0,
        a: parse_operand(line.get("a")?)?,
        b: parse_operand(line.get("b")?)?,
        out: parse_operand(line.get("out")?)?,
    })
}

fn parse_operand(line: &Value) -> Option<spanker_operand> {
    Some(spanker_operand {
        handle: number(line, "handle")?,
        type_: number(line, "type")?,
        offset: number(line, "offset")?,
        row_stride: number(line, "row_stride")?,
    })
}

/// The number in a field, if it is there and of this size.
pub(super) fn number<T: TryFrom<u64>>(line: &Value, field: &str) -> Option<T> {
    line.get(field)?.as_u64()?.try_into().ok()
}
