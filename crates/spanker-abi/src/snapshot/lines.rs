// SPDX-License-Identifier: Apache-2.0
//! The lines of a snapshot, and the way from facts to lines and back.

use crate::model::{
    Abi, Constant, Enum, Facts, Field, Record, RecordKind, Request, Text, Type, Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(rename = "format")]
    _format: String,
    header: String,
    pub(super) targets: Vec<String>,
    records: Vec<On<RecordLine>>,
    fields: Vec<On<FieldLine>>,
    enums: Vec<On<TypeLine>>,
    typedefs: Vec<On<TypeLine>>,
    constants: Vec<On<ConstantLine>>,
    requests: Vec<On<RequestLine>>,
    texts: Vec<On<TextLine>>,
}

/// A line, and the targets it holds for: none named, all.
#[derive(Debug, Serialize, Deserialize)]
struct On<T> {
    #[serde(flatten)]
    line: T,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    on: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Struct,
    Union,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RecordLine {
    name: String,
    kind: Kind,
    /// Missing where the header only declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    align: u64,
    #[serde(default, skip_serializing_if = "is_false")]
    extensible: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FieldLine {
    of: String,
    name: String,
    #[serde(flatten)]
    bits: Bits,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Bits {
    Bytes { offset: u64, size: u64 },
    Bits { offset_bits: u64, size_bits: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TypeLine {
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ConstantLine {
    name: String,
    /// As text, since JSON's numbers need not be exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    float: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// It is no macro: `#ifdef` does not see it.
    #[serde(default, skip_serializing_if = "is_false")]
    enumerator: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RequestLine {
    name: String,
    code: String,
    direction: Direction,
    magic: u8,
    number: u8,
    size: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    argument: Option<String>,
    /// It is no macro: `#ifdef` does not see it.
    #[serde(default, skip_serializing_if = "is_false")]
    enumerator: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    None,
    Read,
    Write,
    Both,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TextLine {
    name: String,
    what: String,
    tokens: String,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One fact of every target, gathered to lines.
struct Gather<T>(BTreeMap<String, Vec<On<T>>>);

impl<T: PartialEq> Gather<T> {
    fn add(&mut self, key: String, target: &str, line: T) {
        let lines = self.0.entry(key).or_default();
        match lines.iter_mut().find(|known| known.line == line) {
            Some(known) => known.on.push(target.to_owned()),
            None => lines.push(On { line, on: vec![target.to_owned()] }),
        }
    }

    fn lines(self, targets: usize) -> Vec<On<T>> {
        let mut lines: Vec<On<T>> = self.0.into_values().flatten().collect();
        for line in &mut lines {
            if line.on.len() == targets {
                line.on.clear();
            }
        }
        lines
    }
}

impl Document {
    pub(super) fn of(abi: &Abi) -> Self {
        let targets = abi.targets.len();
        fn gather<T: PartialEq>(
            abi: &Abi,
            lines: impl Fn(&Facts) -> Vec<(String, T)>,
        ) -> Gather<T> {
            let mut gather = Gather(BTreeMap::new());
            for (target, facts) in &abi.targets {
                for (key, line) in lines(facts) {
                    gather.add(key, target, line);
                }
            }
            gather
        }
        Self {
            _format: String::new(),
            header: abi.header.clone(),
            targets: abi.targets.keys().cloned().collect(),
            records: gather(abi, records).lines(targets),
            fields: in_order(gather(abi, fields).lines(targets)),
            enums: gather(abi, |facts| {
                types(facts.enums.iter().map(|(name, value)| (name, &value.ty)))
            })
            .lines(targets),
            typedefs: gather(abi, |facts| types(facts.typedefs.iter())).lines(targets),
            constants: gather(abi, constants).lines(targets),
            requests: gather(abi, requests).lines(targets),
            texts: gather(abi, texts).lines(targets),
        }
    }

    /// The sections in the order in which they are written.
    pub(super) fn sections(&self) -> [(&'static str, Vec<String>); 7] {
        [
            ("records", written(&self.records)),
            ("fields", written(&self.fields)),
            ("enums", written(&self.enums)),
            ("typedefs", written(&self.typedefs)),
            ("constants", written(&self.constants)),
            ("requests", written(&self.requests)),
            ("texts", written(&self.texts)),
        ]
    }

    pub(super) fn facts(self) -> Result<Abi, String> {
        let mut abi = Abi { header: self.header, targets: BTreeMap::new() };
        for target in &self.targets {
            if abi.targets.insert(target.clone(), Facts::default()).is_some() {
                return Err(format!("target {target} is there twice"));
            }
        }
        let targets = &mut abi.targets;
        spread(targets, self.records, |facts, line| {
            let record = Record {
                kind: match line.kind {
                    Kind::Struct => RecordKind::Struct,
                    Kind::Union => RecordKind::Union,
                },
                size: line.size,
                align: line.align,
                extensible: line.extensible,
                fields: Vec::new(),
            };
            once(&mut facts.records, line.name, record)
        })?;
        spread(targets, self.fields, |facts, line| {
            let fields = facts.records.get_mut(&line.of).map(|record| &mut record.fields);
            let fields = fields.ok_or(format!("{} has fields and is no record", line.of))?;
            let name = format!("{}.{}", line.of, line.name);
            if fields.iter().any(|field| field.name == line.name) {
                return Err(twice(&name));
            }
            let bytes = |bytes: u64| {
                bytes.checked_mul(8).ok_or(format!("{name} is too far away: {bytes} bytes"))
            };
            let (offset_bits, size_bits, bit_field) = match line.bits {
                Bits::Bytes { offset, size } => (bytes(offset)?, bytes(size)?, false),
                Bits::Bits { offset_bits, size_bits } => (offset_bits, size_bits, true),
            };
            offset_bits.checked_add(size_bits).ok_or(format!("{name} is too large"))?;
            let ty = Type(line.ty);
            let (name, stride) = (line.name, line.stride);
            fields.push(Field { name, offset_bits, size_bits, ty, bit_field, stride });
            Ok(())
        })?;
        spread(targets, self.enums, |facts, line| {
            once(&mut facts.enums, line.name, Enum { ty: Type(line.ty) })
        })?;
        spread(targets, self.typedefs, |facts, line| {
            once(&mut facts.typedefs, line.name, Type(line.ty))
        })?;
        spread(targets, self.constants, |facts, line| {
            let value = match (line.integer, line.float, line.text) {
                (Some(integer), None, None) => Value::Integer(
                    integer.parse().map_err(|e| format!("{}: {integer:?}: {e}", line.name))?,
                ),
                (None, Some(float), None) => Value::Float(float),
                (None, None, Some(text)) => Value::Text(text),
                _ => return Err(format!("{} needs one of integer, float, text", line.name)),
            };
            let constant = Constant { value, ty: Type(line.ty), of: line.of };
            if line.enumerator {
                facts.enumerators.insert(line.name.clone());
            }
            once(&mut facts.constants, line.name, constant)
        })?;
        spread(targets, self.requests, |facts, line| {
            let digits = line.code.strip_prefix("0x").unwrap_or_default();
            let code = u32::from_str_radix(digits, 16)
                .map_err(|e| format!("{}: code {:?}: {e}", line.name, line.code))?;
            let request = Request {
                code,
                read: matches!(line.direction, Direction::Read | Direction::Both),
                write: matches!(line.direction, Direction::Write | Direction::Both),
                magic: line.magic,
                number: line.number,
                size: line.size,
                argument: line.argument.map(Type),
            };
            if line.enumerator {
                facts.enumerators.insert(line.name.clone());
            }
            once(&mut facts.requests, line.name, request)
        })?;
        spread(targets, self.texts, |facts, line| {
            once(&mut facts.texts, line.name, Text { what: line.what, tokens: line.tokens })
        })?;
        for record in targets.values_mut().flat_map(|facts| facts.records.values_mut()) {
            record.sort_fields();
        }
        Ok(abi)
    }
}

/// Gives each line to the facts of its targets.
fn spread<T: Clone>(
    targets: &mut BTreeMap<String, Facts>,
    lines: Vec<On<T>>,
    mut add: impl FnMut(&mut Facts, T) -> Result<(), String>,
) -> Result<(), String> {
    for On { line, on } in lines {
        if on.is_empty() {
            for facts in targets.values_mut() {
                add(facts, line.clone())?;
            }
        }
        for target in on {
            let facts = targets.get_mut(&target);
            add(facts.ok_or(format!("{target} is not among its targets"))?, line.clone())?;
        }
    }
    Ok(())
}

fn once<T>(map: &mut BTreeMap<String, T>, name: String, value: T) -> Result<(), String> {
    match map.entry(name) {
        std::collections::btree_map::Entry::Occupied(known) => Err(twice(known.key())),
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(value);
            Ok(())
        }
    }
}

fn twice(name: &str) -> String {
    format!("{name} is there twice for one target")
}

fn written<T: Serialize>(lines: &[On<T>]) -> Vec<String> {
    // Strings, numbers and lists of them always are JSON.
    lines.iter().map(|line| serde_json::to_string(line).unwrap_or_default()).collect()
}

fn records(facts: &Facts) -> Vec<(String, RecordLine)> {
    let line = |(name, record): (&String, &Record)| {
        let line = RecordLine {
            name: name.clone(),
            kind: match record.kind {
                RecordKind::Struct => Kind::Struct,
                RecordKind::Union => Kind::Union,
            },
            size: record.size,
            align: record.align,
            extensible: record.extensible,
        };
        (name.clone(), line)
    };
    facts.records.iter().map(line).collect()
}

fn fields(facts: &Facts) -> Vec<(String, FieldLine)> {
    let mut lines = Vec::new();
    for (of, record) in &facts.records {
        for field in &record.fields {
            let bits = if field.bit_field {
                Bits::Bits { offset_bits: field.offset_bits, size_bits: field.size_bits }
            } else {
                Bits::Bytes { offset: field.offset_bits / 8, size: field.size_bits / 8 }
            };
            let line = FieldLine {
                of: of.clone(),
                name: field.name.clone(),
                bits,
                ty: field.ty.0.clone(),
                stride: field.stride,
            };
            lines.push((format!("{of} {}", field.name), line));
        }
    }
    lines
}

/// In the order of the struct, which is how a reader looks for a field.
fn in_order(mut lines: Vec<On<FieldLine>>) -> Vec<On<FieldLine>> {
    lines.sort_by(|a, b| {
        let key = |on: &On<FieldLine>| match on.line.bits {
            Bits::Bytes { offset, .. } => offset.saturating_mul(8),
            Bits::Bits { offset_bits, .. } => offset_bits,
        };
        (&a.line.of, key(a), &a.line.name).cmp(&(&b.line.of, key(b), &b.line.name))
    });
    lines
}

fn types<'a>(types: impl Iterator<Item = (&'a String, &'a Type)>) -> Vec<(String, TypeLine)> {
    types
        .map(|(name, ty)| (name.clone(), TypeLine { name: name.clone(), ty: ty.0.clone() }))
        .collect()
}

fn constants(facts: &Facts) -> Vec<(String, ConstantLine)> {
    let line = |(name, constant): (&String, &Constant)| {
        let (mut integer, mut float, mut text) = (None, None, None);
        match &constant.value {
            Value::Integer(value) => integer = Some(value.to_string()),
            Value::Float(value) => float = Some(value.clone()),
            Value::Text(value) => text = Some(value.clone()),
        }
        let (ty, of) = (constant.ty.0.clone(), constant.of.clone());
        let enumerator = facts.enumerators.contains(name);
        let name = name.clone();
        (name.clone(), ConstantLine { name, integer, float, text, ty, of, enumerator })
    };
    facts.constants.iter().map(line).collect()
}

fn requests(facts: &Facts) -> Vec<(String, RequestLine)> {
    let line = |(name, request): (&String, &Request)| {
        let line = RequestLine {
            name: name.clone(),
            code: format!("{:#010x}", request.code),
            direction: match (request.read, request.write) {
                (false, false) => Direction::None,
                (true, false) => Direction::Read,
                (false, true) => Direction::Write,
                (true, true) => Direction::Both,
            },
            magic: request.magic,
            number: request.number,
            size: request.size,
            argument: request.argument.as_ref().map(|argument| argument.0.clone()),
            enumerator: facts.enumerators.contains(name),
        };
        (name.clone(), line)
    };
    facts.requests.iter().map(line).collect()
}

fn texts(facts: &Facts) -> Vec<(String, TextLine)> {
    let line = |(name, text): (&String, &Text)| {
        let (what, tokens) = (text.what.clone(), text.tokens.clone());
        (name.clone(), TextLine { name: name.clone(), what, tokens })
    };
    facts.texts.iter().map(line).collect()
}
