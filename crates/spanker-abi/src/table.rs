// SPDX-License-Identifier: Apache-2.0
//! Facts as tables for people: what holds on all targets is said once, and what
//! differs stands beside it with the targets it is of.

use crate::model::{Abi, Facts, Record, RecordKind, Request, Type, Value};
use serde_json::{json, Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use tabled::builder::Builder;
use tabled::settings::Style;

/// How tables are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// For a terminal.
    Plain,
    /// Markdown.
    Markdown,
}

/// All facts as tables.
pub fn tables(abi: &Abi, drawing: Drawing) -> String {
    let page = Page { abi, drawing };
    let mut text = page.heading(1, &abi.header);
    let targets: Vec<&str> = abi.targets.keys().map(String::as_str).collect();
    text += &format!("Targets: {}.\n", targets.join(", "));
    for name in page.names(|facts| &facts.records) {
        text += &page.record(&name);
    }
    let section = |title: &str, head: &[&str], rows: Vec<Vec<String>>| {
        if rows.is_empty() {
            return String::new();
        }
        page.heading(2, title) + &page.draw(head, rows)
    };
    text += &section(
        "Requests",
        &["request", "direction", "magic", "number", "size", "argument", "code"],
        page.requests(),
    );
    text += &section("Constants", &["constant", "value", "hex", "type", "of"], page.constants());
    text += &section(
        "Enums",
        &["enum", "type"],
        page.types(|facts| {
            facts.enums.iter().map(|(name, value)| (name.clone(), value.ty.clone())).collect()
        }),
    );
    text += &section("Typedefs", &["typedef", "type"], page.types(|facts| facts.typedefs.clone()));
    text += &section("Other text", &["name", "what", "text"], page.texts());
    text
}

struct Page<'a> {
    abi: &'a Abi,
    drawing: Drawing,
}

impl Page<'_> {
    fn heading(&self, level: usize, text: &str) -> String {
        match self.drawing {
            Drawing::Plain if level == 1 => format!("{text}\n"),
            Drawing::Plain => format!("\n{text}\n"),
            Drawing::Markdown if level == 1 => format!("# {text}\n\n"),
            Drawing::Markdown => format!("\n{} {text}\n\n", "#".repeat(level)),
        }
    }

    fn draw(&self, head: &[&str], rows: Vec<Vec<String>>) -> String {
        let mut builder = Builder::default();
        builder.push_record(head.iter().copied());
        for row in rows {
            builder.push_record(row.into_iter().map(|cell| self.escaped(&cell)));
        }
        let mut table = builder.build();
        match self.drawing {
            Drawing::Plain => table.with(Style::blank()),
            Drawing::Markdown => table.with(Style::markdown()),
        };
        let mut text = String::new();
        for line in table.to_string().lines() {
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    fn escaped(&self, cell: &str) -> String {
        let cell: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match self.drawing {
            Drawing::Plain => cell,
            Drawing::Markdown => cell.replace('|', "\\|").replace('<', "&lt;"),
        }
    }

    fn names<T>(&self, of: impl Fn(&Facts) -> &BTreeMap<String, T>) -> BTreeSet<String> {
        self.abi.targets.values().flat_map(|facts| of(facts).keys().cloned()).collect()
    }

    /// What each target has under a name, if it has it.
    fn each<'b, T>(
        &'b self,
        pick: impl Fn(&'b Facts) -> Option<T>,
    ) -> BTreeMap<&'b str, Option<T>> {
        let pick = |(target, facts): (&'b String, &'b Facts)| (target.as_str(), pick(facts));
        self.abi.targets.iter().map(pick).collect()
    }

    fn cell<T: Display>(&self, pick: impl Fn(&Facts) -> Option<T>) -> String {
        merged(&self.each(|facts| pick(facts).map(|value| value.to_string())))
    }

    fn record(&self, name: &str) -> String {
        let known = |facts: &Facts| facts.records.get(name).cloned();
        let size =
            self.cell(|facts| Some(known(facts)?.size.map_or("?".to_owned(), |s| s.to_string())));
        let align = self.cell(|facts| Some(known(facts)?.align));
        let first = self.abi.targets.values().find_map(|facts| facts.records.get(name));
        if first.is_some_and(|record| record.size.is_none()) {
            return self.heading(2, &format!("{name}: declared and not defined here"));
        }
        let extensible = first.is_some_and(|record| record.extensible);
        let title = format!(
            "{name}: size {size}, alignment {align}{}",
            if extensible { ", extensible" } else { "" }
        );
        let mut rows: BTreeMap<(u64, usize, String), Vec<String>> = BTreeMap::new();
        for facts in self.abi.targets.values() {
            let Some(record) = facts.records.get(name) else { continue };
            for field in &record.fields {
                // Where the first target that has it has it.
                if rows.keys().any(|(_, _, known)| *known == field.name) {
                    continue;
                }
                let part = |part: fn(&crate::model::Field) -> String| {
                    self.cell(|facts| {
                        let fields = &facts.records.get(name)?.fields;
                        fields.iter().find(|known| known.name == field.name).map(part)
                    })
                };
                let row = vec![
                    part(|field| bytes(field.offset_bits, field.bit_field)),
                    part(|field| bytes(field.size_bits, field.bit_field)),
                    part(|field| field.ty.0.clone()),
                    field.name.clone(),
                ];
                rows.insert((field.offset_bits, 1, field.name.clone()), row);
            }
        }
        for hole in self.holes(name) {
            rows.insert((hole.0, 0, format!("hole {}", hole.1)), hole.2);
        }
        let rows: Vec<Vec<String>> = rows.into_values().collect();
        let mut text = self.heading(2, &title);
        if !rows.is_empty() {
            text += &self.draw(&["offset", "size", "type", "field"], rows);
        }
        text
    }

    /// The holes of a record, each with the targets it is on.
    fn holes(&self, name: &str) -> Vec<(u64, u64, Vec<String>)> {
        let mut on: BTreeMap<(u64, u64), Vec<&str>> = BTreeMap::new();
        let mut having = 0;
        for (target, facts) in &self.abi.targets {
            let Some(record) = facts.records.get(name) else { continue };
            having += 1;
            for hole in record.holes() {
                on.entry(hole).or_default().push(target);
            }
        }
        let row = |((offset, size), targets): ((u64, u64), Vec<&str>)| {
            let some = if targets.len() == having {
                String::new()
            } else {
                format!(" on {}", targets.join(", "))
            };
            let bits = offset % 8 != 0 || size % 8 != 0;
            let row = vec![
                bytes(offset, bits),
                bytes(size, bits),
                String::new(),
                format!("(hole{some})"),
            ];
            (offset, size, row)
        };
        on.into_iter().map(row).collect()
    }

    fn requests(&self) -> Vec<Vec<String>> {
        let row = |name: &String| {
            let part = |part: fn(&Request) -> String| {
                self.cell(|facts| facts.requests.get(name).map(part))
            };
            vec![
                name.clone(),
                part(|request| direction(request).to_owned()),
                part(|request| format!("{:#04x}", request.magic)),
                part(|request| format!("{:#04x}", request.number)),
                part(|request| request.size.to_string()),
                part(|request| request.argument.as_ref().map_or("", |ty| &ty.0).to_owned()),
                part(|request| format!("{:#010x}", request.code)),
            ]
        };
        self.names(|facts| &facts.requests).iter().map(row).collect()
    }

    fn constants(&self) -> Vec<Vec<String>> {
        let row = |name: &String| {
            let of = |facts: &Facts| facts.constants.get(name).cloned();
            vec![
                name.clone(),
                self.cell(|facts| Some(shown(&of(facts)?.value))),
                self.cell(|facts| match of(facts)?.value {
                    Value::Integer(value) if value >= 0 => Some(format!("{value:#x}")),
                    _ => Some(String::new()),
                }),
                self.cell(|facts| Some(of(facts)?.ty.0)),
                self.cell(|facts| Some(of(facts)?.of.unwrap_or_default())),
            ]
        };
        self.names(|facts| &facts.constants).iter().map(row).collect()
    }

    fn types(&self, types: impl Fn(&Facts) -> BTreeMap<String, Type>) -> Vec<Vec<String>> {
        let names: BTreeSet<String> =
            self.abi.targets.values().flat_map(|facts| types(facts).into_keys()).collect();
        let row = |name: String| {
            let ty = self.cell(|facts| types(facts).get(&name).map(|ty| ty.0.clone()));
            vec![name, ty]
        };
        names.into_iter().map(row).collect()
    }

    fn texts(&self) -> Vec<Vec<String>> {
        let row = |name: &String| {
            let of = |facts: &Facts| facts.texts.get(name).cloned();
            vec![
                name.clone(),
                self.cell(|facts| Some(of(facts)?.what)),
                self.cell(|facts| Some(of(facts)?.tokens)),
            ]
        };
        self.names(|facts| &facts.texts).iter().map(row).collect()
    }
}

/// The value that most targets have, and the others' behind it.
fn merged(values: &BTreeMap<&str, Option<String>>) -> String {
    let mut groups: Vec<(Option<&String>, Vec<&str>)> = Vec::new();
    for (target, value) in values {
        match groups.iter_mut().find(|(known, _)| *known == value.as_ref()) {
            Some((_, targets)) => targets.push(target),
            None => groups.push((value.as_ref(), vec![target])),
        }
    }
    // Stable, so that the first target decides between equals.
    groups.sort_by_key(|(value, targets)| (value.is_none(), usize::MAX - targets.len()));
    let mut text = String::new();
    for (at, (value, targets)) in groups.iter().enumerate() {
        let value = value.map_or("missing", String::as_str);
        if at == 0 {
            text += value;
        } else {
            text += &format!("; {}: {value}", targets.join(", "));
        }
    }
    text
}

/// A number of bits in bytes or, for bit-fields, bytes and bits.
fn bytes(bits: u64, bit_field: bool) -> String {
    match (bit_field, bits / 8, bits % 8) {
        (false, bytes, _) => bytes.to_string(),
        (true, 0, bits) => format!("{bits} bits"),
        (true, bytes, 0) => format!("{bytes}"),
        (true, bytes, bits) => format!("{bytes} + {bits} bits"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => value.clone(),
        Value::Text(value) => format!("{value:?}"),
    }
}

fn direction(request: &Request) -> &'static str {
    match (request.read, request.write) {
        (false, false) => "none",
        (true, false) => "read",
        (false, true) => "write",
        (true, true) => "read, write",
    }
}

/// All facts as JSON, for each target by itself and with the holes: for
/// programs that want to look something up. (To compare, a snapshot is better.)
pub fn json(abi: &Abi) -> Json {
    let targets: Map<String, Json> =
        abi.targets.iter().map(|(target, facts)| (target.clone(), facts_json(facts))).collect();
    json!({ "header": abi.header, "targets": targets })
}

fn facts_json(facts: &Facts) -> Json {
    fn object<T>(map: &BTreeMap<String, T>, value: impl Fn(&T) -> Json) -> Json {
        map.iter().map(|(name, fact)| (name.clone(), value(fact))).collect::<Map<_, _>>().into()
    }
    json!({
        "records": object(&facts.records, record_json),
        "requests": object(&facts.requests, |request| json!({
            "code": request.code,
            "read": request.read,
            "write": request.write,
            "magic": request.magic,
            "number": request.number,
            "size": request.size,
            "argument": request.argument.as_ref().map(|ty| &ty.0),
        })),
        "constants": object(&facts.constants, |constant| json!({
            "value": match &constant.value {
                Value::Integer(value) => i64::try_from(*value).map(Json::from)
                    .or_else(|_| u64::try_from(*value).map(Json::from))
                    .unwrap_or_else(|_| Json::from(value.to_string())),
                Value::Float(value) | Value::Text(value) => Json::from(value.clone()),
            },
            "type": constant.ty.0,
            "of": constant.of,
        })),
        "enums": object(&facts.enums, |value| json!({ "type": value.ty.0 })),
        "typedefs": object(&facts.typedefs, |ty| json!({ "type": ty.0 })),
        "texts": object(&facts.texts, |text| json!({ "what": text.what, "tokens": text.tokens })),
    })
}

fn record_json(record: &Record) -> Json {
    let hole = |(offset, size): (u64, u64)| json!({ "offset_bits": offset, "size_bits": size });
    let fields = record.fields.iter().map(|field| {
        json!({
            "name": field.name,
            "offset_bits": field.offset_bits,
            "size_bits": field.size_bits,
            "type": field.ty.0,
            "bit_field": field.bit_field,
        })
    });
    json!({
        "kind": match record.kind { RecordKind::Struct => "struct", RecordKind::Union => "union" },
        "size": record.size,
        "align": record.align,
        "extensible": record.extensible,
        "fields": fields.collect::<Vec<_>>(),
        "holes": record.holes().into_iter().map(hole).collect::<Vec<_>>(),
    })
}
