// SPDX-License-Identifier: Apache-2.0
//! What clang answered: constants and request codes.

use super::inventory::Inventory;
use super::layout::Layouts;
use super::probe::{Probe, Question, ENCODING, REQUEST_TYPE};
use super::{errors, Place};
use crate::model::{Constant, Facts, Request, Text, Type, Value};
use clang::{Entity, EntityKind, EvaluationResult, TranslationUnit, Type as ClangType, TypeKind};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Values {
    constants: BTreeMap<String, (Value, Type)>,
    /// Request codes, and what their sizes were taken of.
    requests: BTreeMap<String, Option<Type>>,
    /// Names that stand for something when the header has been read.
    defined: BTreeSet<String>,
    encoding: Encoding,
}

/// The answers in a unit.
pub(super) fn read<'tu>(
    unit: &'tu TranslationUnit<'tu>,
    probe: &Probe,
    layouts: &mut Layouts<'tu, '_>,
) -> Result<Values, String> {
    let refused = refused(unit, probe)?;
    let mut values = Values {
        constants: BTreeMap::new(),
        requests: BTreeMap::new(),
        defined: refused.clone(),
        encoding: Encoding::default(),
    };
    for variable in unit.get_entity().get_children() {
        if variable.get_kind() != EntityKind::VarDecl {
            continue;
        }
        let (Some(name), Some(ty)) = (variable.get_name(), variable.get_type()) else { continue };
        match probe.question(&name) {
            Some(Question::Value(name)) if !refused.contains(name) => {
                values.defined.insert(name.to_owned());
                if let Some(value) = value(&variable, ty, layouts) {
                    values.constants.insert(name.to_owned(), value);
                }
            }
            Some(Question::Defined(name)) => {
                values.defined.insert(name.to_owned());
            }
            Some(Question::Request(name)) if !refused.contains(name) => {
                if let Some(argument) = request(ty, layouts) {
                    values.requests.insert(name.to_owned(), argument);
                }
            }
            Some(Question::Encoding(number)) => {
                let integer = variable.evaluate().and_then(|result| integer(&result));
                let integer = integer.and_then(|integer| u32::try_from(integer).ok());
                values.encoding.0[number] = integer.ok_or("its _IOC macros are no numbers")?;
            }
            _ => {}
        }
    }
    Ok(values)
}

/// The names whose value was asked for on lines that clang did not accept.
fn refused(unit: &TranslationUnit<'_>, probe: &Probe) -> Result<BTreeSet<String>, String> {
    let mut refused = BTreeSet::new();
    for error in errors(unit) {
        let is_probe = error.file.as_ref().is_some_and(|file| file.ends_with("probe.c"));
        if !is_probe {
            // The first look would have found it.
            return Err(error.message);
        }
        if let Some(name) = probe.asked_on(error.line) {
            refused.insert(name.to_owned());
        }
    }
    Ok(refused)
}

fn value<'tu>(
    variable: &Entity<'tu>,
    ty: ClangType<'tu>,
    layouts: &mut Layouts<'tu, '_>,
) -> Option<(Value, Type)> {
    let result = variable.evaluate()?;
    if let EvaluationResult::String(text) = &result {
        let text = text.to_string_lossy().into_owned();
        return Some((Value::Text(text), Type("string".to_owned())));
    }
    if ty.get_canonical_type().get_kind() == TypeKind::Pointer {
        return None;
    }
    let ty = layouts.describe(ty.get_canonical_type());
    // clang hands out 64 bits of a number.
    if ["s128", "u128", "f128", "f96"].contains(&ty.0.as_str()) {
        return None;
    }
    let value = match &result {
        EvaluationResult::Float(float) => Value::Float(float.to_string()),
        other => Value::Integer(integer(other)?),
    };
    Some((value, ty))
}

/// Whether a string was read as it is: clang hands out its bytes up to the first
/// NUL, and nothing of how wide they are.
fn is_exact(value: &Value, tokens: &[String]) -> bool {
    let plain = |token: &String| !token.contains('"') || token.starts_with('"');
    // Of escapes, those of one character that is not NUL.
    let escaped = |token: &String| {
        let after = token.split('\\').skip(1).map(|rest| rest.chars().next());
        after.flatten().any(|c| !"abefnrtv'\"?".contains(c))
    };
    !matches!(value, Value::Text(_)) || tokens.iter().all(|token| plain(token) && !escaped(token))
}

fn integer(result: &EvaluationResult) -> Option<i128> {
    match result {
        EvaluationResult::SignedInteger(value) => Some(i128::from(*value)),
        EvaluationResult::UnsignedInteger(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Whether a type is that of a request code, and what its size was taken of.
fn request<'tu>(ty: ClangType<'tu>, layouts: &mut Layouts<'tu, '_>) -> Option<Option<Type>> {
    let functions = ty.get_canonical_type().get_pointee_type()?;
    let function = functions.get_element_type()?.get_pointee_type()?.get_canonical_type();
    let result = function.get_result_type()?;
    if result.get_canonical_type().get_display_name() != REQUEST_TYPE {
        return None;
    }
    let parameter = function.get_argument_types()?.into_iter().next()?;
    let parameter = parameter.get_canonical_type();
    if parameter.get_kind() != TypeKind::Pointer {
        return Some(None);
    }
    Some(parameter.get_pointee_type().map(|argument| layouts.describe(argument)))
}

/// The values of [`ENCODING`].
#[derive(Default)]
struct Encoding([u32; ENCODING.len()]);

impl Encoding {
    fn decode(&self, code: u32, argument: Option<Type>) -> Request {
        let [number, magic, size, direction, number_mask, magic_mask, size_mask, read, write] =
            self.0;
        let part = |shift: u32, mask: u32| code.checked_shr(shift).unwrap_or(0) & mask;
        let direction = part(direction, u32::MAX);
        Request {
            code,
            read: direction & read != 0,
            write: direction & write != 0,
            magic: part(magic, magic_mask) as u8,
            number: part(number, number_mask) as u8,
            size: part(size, size_mask),
            argument,
        }
    }
}

impl Values {
    /// Adds what the names stand for to the facts, and where they are.
    pub(super) fn join(
        self,
        facts: &mut Facts,
        inventory: &Inventory,
        places: &mut BTreeMap<String, Place>,
    ) {
        for (name, made) in &inventory.macros {
            if !self.defined.contains(name) {
                continue;
            }
            if made.has_parameters || made.tokens.is_empty() || !made.is_expression_like {
                let what = if made.has_parameters { "macro with parameters" } else { "macro" };
                let text = Text { what: what.to_owned(), tokens: made.tokens.join(" ") };
                facts.texts.insert(name.clone(), text);
            } else {
                self.add(name, None, &made.tokens, facts);
            }
            places.entry(name.clone()).or_insert_with(|| made.place.clone());
        }
        for (name, enumerator) in &inventory.enumerators {
            if inventory.macros.contains_key(name) && self.defined.contains(name) {
                facts.enumerators.remove(name);
            } else {
                facts.enumerators.insert(name.clone());
            }
            self.add(name, enumerator.of.as_ref(), &enumerator.tokens, facts);
            places.entry(name.clone()).or_insert_with(|| enumerator.place.clone());
        }
    }

    fn add(&self, name: &str, of: Option<&String>, tokens: &[String], facts: &mut Facts) {
        let name = name.to_owned();
        // As an enumerator of an enum that is used, it is there already.
        facts.constants.remove(&name);
        let known = self.constants.get(&name);
        let Some((value, ty)) = known.filter(|(value, _)| is_exact(value, tokens)) else {
            let what = if facts.enumerators.remove(&name) { "enumerator" } else { "macro" };
            let text = Text { what: what.to_owned(), tokens: tokens.join(" ") };
            facts.texts.insert(name, text);
            return;
        };
        if let (Some(argument), Value::Integer(code)) = (self.requests.get(&name), value) {
            // As an int, a code can be negative.
            let code = *code as u32;
            facts.requests.insert(name, self.encoding.decode(code, argument.clone()));
            return;
        }
        let (value, ty, of) = (value.clone(), ty.clone(), of.cloned());
        facts.constants.insert(name, Constant { value, ty, of });
    }
}
