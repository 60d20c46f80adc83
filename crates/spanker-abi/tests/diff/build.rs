// SPDX-License-Identifier: Apache-2.0
//! Facts built by hand, laid out as a compiler does.

use spanker_abi::diff::{diff, Change, Class};
use spanker_abi::model::{
    Abi, Constant, Enum, Facts, Field, Record, RecordKind, Request, Text, Type, Value,
};

/// A struct whose fields are `type name`, each at its natural alignment. `name:3`
/// is a bit-field; `=8` sets the offset in bytes of the next field, and `-1`
/// begins a union with the field before.
pub(crate) fn record(fields: &[&str]) -> Record {
    let mut record = Record {
        kind: RecordKind::Struct,
        size: None,
        align: 1,
        extensible: false,
        fields: Vec::new(),
    };
    let (mut at, mut end) = (0, 0);
    for declaration in fields {
        if let Some(offset) = declaration.strip_prefix('=') {
            at = offset.parse::<u64>().unwrap() * 8;
            continue;
        }
        let (ty, name) = declaration.rsplit_once(' ').unwrap();
        let (size, align) = layout(ty);
        record.align = record.align.max(align / 8);
        let field = match name.split_once(':') {
            Some((name, bits)) => Field {
                name: name.to_owned(),
                offset_bits: at,
                size_bits: bits.parse().unwrap(),
                ty: Type(ty.to_owned()),
                bit_field: true,
                stride: None,
            },
            None => Field {
                name: name.to_owned(),
                offset_bits: at.next_multiple_of(align),
                size_bits: size,
                ty: Type(ty.to_owned()),
                bit_field: false,
                stride: None,
            },
        };
        at = field.offset_bits + field.size_bits;
        end = end.max(at);
        record.fields.push(field);
    }
    record.size = Some(end.next_multiple_of(record.align * 8) / 8);
    record.fields.sort_by(|a, b| (a.offset_bits, &a.name).cmp(&(b.offset_bits, &b.name)));
    record
}

/// The same, marked extensible.
pub(crate) fn extensible(fields: &[&str]) -> Record {
    Record { extensible: true, ..record(fields) }
}

/// A union of such fields.
pub(crate) fn union(fields: &[&str]) -> Record {
    let all: Vec<&str> = fields.iter().flat_map(|field| ["=0", field]).collect();
    Record { kind: RecordKind::Union, ..record(&all) }
}

fn layout(ty: &str) -> (u64, u64) {
    let (base, dimensions) = ty.split_at(ty.find('[').unwrap_or(ty.len()));
    let size = match base {
        "struct of_8" => 64,
        "struct of_16" => 128,
        "pointer" => 64,
        _ => base.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().unwrap(),
    };
    let mut elements = 1;
    for length in dimensions.split(['[', ']']).filter(|length| !length.is_empty()) {
        elements *= length.parse::<u64>().unwrap();
    }
    if dimensions.contains("[]") {
        elements = 0;
    }
    (size * elements, size.min(64))
}

/// Facts with one record, `struct x`.
pub(crate) fn with(record: Record) -> Facts {
    let mut facts = Facts::default();
    facts.records.insert("struct x".to_owned(), record);
    facts
}

/// One header on one target.
pub(crate) fn abi(facts: Facts) -> Abi {
    Abi { header: "x.h".to_owned(), targets: [("x86_64".to_owned(), facts)].into() }
}

/// What changed on one target.
pub(crate) fn changes(old: &Facts, new: &Facts) -> Vec<Change> {
    diff(&abi(old.clone()), &abi(new.clone()), None).unwrap()
}

/// Requires these changes of two versions of `struct x`, and no other: each a
/// class, a kind and an item.
#[track_caller]
pub(crate) fn requires(old: Record, new: Record, expected: &[(Class, &str, &str)]) {
    requires_of(&with(old), &with(new), expected);
}

/// Requires these changes, and no other.
#[track_caller]
pub(crate) fn requires_of(old: &Facts, new: &Facts, expected: &[(Class, &str, &str)]) {
    let changes = changes(old, new);
    let got: Vec<_> = changes.iter().map(|it| (it.class, it.kind, it.item.as_str())).collect();
    assert_eq!(got, expected, "{changes:#?}");
}

pub(crate) fn integer(value: i128, ty: &str) -> Constant {
    Constant { value: Value::Integer(value), ty: Type(ty.to_owned()), of: None }
}

/// A request code as most targets put it together.
pub(crate) fn request(direction: u8, number: u8, size: u32, argument: &str) -> Request {
    Request {
        code: u32::from(direction) << 30 | size << 16 | 0xe300 | u32::from(number),
        read: direction & 2 != 0,
        write: direction & 1 != 0,
        magic: 0xe3,
        number,
        size,
        argument: (!argument.is_empty()).then(|| Type(argument.to_owned())),
    }
}

pub(crate) fn text(tokens: &str) -> Text {
    Text { what: "macro with parameters".to_owned(), tokens: tokens.to_owned() }
}

pub(crate) fn enumeration(ty: &str) -> Enum {
    Enum { ty: Type(ty.to_owned()) }
}
