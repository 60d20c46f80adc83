// SPDX-License-Identifier: Apache-2.0
//! What bindgen wrote, read as text: names, the values of constants, and the
//! layouts that it asserts where it was asked to.

use crate::answers::Answers;
use crate::encoding::Encoding;
use crate::header::Header;
use crate::question::{Fact, Question, Subject};
use crate::rust_source::in_rust;
use std::collections::BTreeMap;
use syn::{Expr, Fields, Item, Lit, UnOp};

/// A mirror, as bindgen wrote it.
#[derive(Debug, Clone, Default)]
pub struct MirrorText {
    /// Who wrote it, for messages.
    pub who: String,
    /// Its structs, and the names of their fields in order.
    pub structs: BTreeMap<String, Vec<String>>,
    /// The values of its constants.
    pub constants: BTreeMap<String, i128>,
    /// What it asserts of layouts, by bindgen's words for it, such as
    /// `Offset of field: spanker_wait::flags`.
    pub layouts: BTreeMap<String, u64>,
}

impl MirrorText {
    /// Reads the text of a mirror.
    ///
    /// # Errors
    /// It is not Rust, or has a constant that is no integer.
    pub fn parse(who: &str, text: &str) -> Result<Self, String> {
        let file = syn::parse_file(text).map_err(|e| format!("{who} is not Rust: {e}"))?;
        let mut mirror = Self { who: who.to_owned(), ..Self::default() };
        for item in file.items {
            match item {
                Item::Struct(item) => {
                    let Fields::Named(fields) = item.fields else {
                        return Err(format!("struct {} of {who} has no named fields", item.ident));
                    };
                    let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                    let names = names.map(ToString::to_string).collect();
                    mirror.structs.insert(item.ident.to_string(), names);
                }
                Item::Const(item) if item.ident == "_" => layouts(&item.expr, &mut mirror.layouts),
                Item::Const(item) => {
                    let name = item.ident.to_string();
                    let value = integer(&item.expr)
                        .ok_or_else(|| format!("constant {name} of {who} is no integer"))?;
                    mirror.constants.insert(name, value);
                }
                _ => {}
            }
        }
        Ok(mirror)
    }

    /// What the header declares and this does not, or the other way round, in
    /// words.
    pub fn other_names_than(&self, header: &Header) -> Vec<String> {
        let who = &self.who;
        let mut found = Vec::new();
        for declared in &header.structs {
            let name = &declared.name;
            let fields: Vec<String> = declared.fields.iter().map(|f| in_rust(&f.name)).collect();
            let Some(mirrored) = self.structs.get(name) else {
                found.push(format!("struct {name} is in the header and not in {who}"));
                continue;
            };
            let only = |one: &[String], in_one: &str, two: &[String], in_two: &str| {
                let missing = one.iter().filter(|field| !two.contains(field));
                let words = missing.map(|field| {
                    format!("struct {name}, field {field}: in {in_one} and not in {in_two}")
                });
                words.collect::<Vec<_>>()
            };
            let mut missing = only(&fields, "the header", mirrored, who);
            missing.extend(only(mirrored, who, &fields, "the header"));
            if missing.is_empty() && fields != *mirrored {
                missing.push(format!(
                    "struct {name}: its fields are in the order {} in the header, and {} in {who}",
                    fields.join(", "),
                    mirrored.join(", ")
                ));
            }
            found.extend(missing);
        }
        let macros = header.constants.iter().chain(header.requests.iter().map(|r| &r.name));
        let macros: Vec<&String> = macros.collect();
        for name in macros.iter().filter(|name| !self.constants.contains_key(**name)) {
            found.push(format!("{name} is in the header and not in {who}"));
        }
        let structs = self.structs.keys().filter(|s| header.structs.iter().all(|d| d.name != **s));
        let constants = self.constants.keys().filter(|name| !macros.contains(name));
        for name in structs.chain(constants) {
            found.push(format!("{name} is in {who} and not in the header"));
        }
        found
    }

    /// What this says of constants, request codes and, where it does, layouts.
    /// `raw` is whether codes are of the encoding that they are compared with.
    pub fn answers(&self, header: &Header, encoding: Encoding, raw: bool) -> Answers {
        let numbers = header.questions().into_iter().filter(|q| raw || q.fact != Fact::Code);
        let numbers = numbers.filter_map(|q| self.answer(&q, encoding).map(|number| (q, number)));
        Answers { who: self.who.clone(), numbers: numbers.collect() }
    }

    fn answer(&self, Question { subject, fact }: &Question, encoding: Encoding) -> Option<u64> {
        match subject {
            Subject::Struct(name) => {
                let what = if *fact == Fact::Size { "Size" } else { "Alignment" };
                self.layouts.get(&format!("{what} of {name}")).copied()
            }
            Subject::Field { of, name, .. } => {
                let offset = format!("Offset of field: {of}::{}", in_rust(name));
                self.layouts.get(&offset).filter(|_| *fact == Fact::Offset).copied()
            }
            Subject::Constant(name) => {
                let value = *self.constants.get(name)?;
                Some(if *fact == Fact::Negative { u64::from(value < 0) } else { value as u64 })
            }
            Subject::Request { name, .. } => {
                let code = u32::try_from(*self.constants.get(name)?).ok()?;
                encoding.answer(code, *fact)
            }
        }
    }
}

/// Adds `["words"][something - number];` of a block.
fn layouts(block: &Expr, found: &mut BTreeMap<String, u64>) {
    let Expr::Block(block) = block else { return };
    for statement in &block.block.stmts {
        let syn::Stmt::Expr(Expr::Index(index), _) = statement else { continue };
        let (Expr::Array(words), Expr::Binary(difference)) = (&*index.expr, &*index.index) else {
            continue;
        };
        let (Some(Expr::Lit(words)), Some(number)) =
            (words.elems.first(), integer(&difference.right))
        else {
            continue;
        };
        if let (Lit::Str(words), Ok(number)) = (&words.lit, u64::try_from(number)) {
            found.insert(words.value(), number);
        }
    }
}

fn integer(expression: &Expr) -> Option<i128> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            integer(&unary.expr).map(|number| -number)
        }
        _ => None,
    }
}
