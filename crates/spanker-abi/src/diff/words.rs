// SPDX-License-Identifier: Apache-2.0
//! How facts are put into words.

use crate::model::{Constant, Facts, Field, Record, RecordKind, Request, Text, Value};

/// A field: its type and its place.
pub(super) fn field(field: &Field) -> String {
    let place = place(field.offset_bits);
    if field.bit_field {
        return format!("{} : {} at {place}", field.ty.0, field.size_bits);
    }
    if let Some(stride) = field.stride {
        return format!("{} at {place}, {} each", field.ty.0, bytes(stride));
    }
    if field.size_bits == 0 {
        return format!("{} at {place}", field.ty.0);
    }
    format!("{} at {place}, {}", field.ty.0, size(field.size_bits))
}

/// Where something begins.
pub(super) fn place(bits: u64) -> String {
    match bits % 8 {
        0 => format!("offset {}", bits / 8),
        bit => format!("offset {} bit {bit}", bits / 8),
    }
}

/// How large something is.
pub(super) fn size(bits: u64) -> String {
    match bits % 8 {
        0 => bytes(bits / 8),
        _ => format!("{bits} bits"),
    }
}

/// A number of bytes.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{bytes} bytes"),
    }
}

/// A record: what it is and how large.
pub(super) fn record(record: &Record) -> String {
    let kind = kind(record.kind);
    let extensible = if record.extensible { "extensible " } else { "" };
    match record.size {
        Some(size) => format!("{extensible}{kind} of {}", bytes(size)),
        None => format!("{kind} that is only declared"),
    }
}

/// A record whose alignment matters.
pub(super) fn aligned(aligned: &Record) -> String {
    format!("{} aligned to {}", record(aligned), aligned.align)
}

/// Struct or union.
pub(super) fn kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Struct => "struct",
        RecordKind::Union => "union",
    }
}

/// A constant: its value and its type.
pub(super) fn constant(constant: &Constant) -> String {
    let of = constant.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
    format!("{} ({}){of}", value(&constant.value), constant.ty.0)
}

/// A constant's value.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.clone(),
        Value::Text(text) => format!("{text:?}"),
    }
}

/// Whether a constant or request is an enumerator or a macro.
pub(super) fn enumerator(facts: &Facts, name: &str) -> &'static str {
    if facts.enumerators.contains(name) {
        "enumerator"
    } else {
        "macro"
    }
}

/// A request code.
pub(super) fn request(request: &Request) -> String {
    let argument = match &request.argument {
        Some(ty) => format!(", {}", ty.0),
        None => String::new(),
    };
    format!(
        "{:#010x}: {}, magic {:#04x}, number {:#04x}, {}{argument}",
        request.code,
        direction(request),
        request.magic,
        request.number,
        bytes(u64::from(request.size)),
    )
}

/// Which way a request carries data.
pub(super) fn direction(request: &Request) -> &'static str {
    match (request.read, request.write) {
        (false, false) => "no data",
        (true, false) => "read",
        (false, true) => "write",
        (true, true) => "read and write",
    }
}

/// A text.
pub(super) fn text(text: &Text) -> String {
    format!("{}: {}", text.what, text.tokens)
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
