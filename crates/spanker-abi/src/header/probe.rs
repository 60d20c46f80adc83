// SPDX-License-Identifier: Apache-2.0
//! The second look's source, which stands behind the header: a declaration for
//! each question.

use super::inventory::Inventory;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The macros of `<linux/ioctl.h>` that say how codes are put together.
pub(super) const ENCODING: [&str; 9] = [
    "_IOC_NRSHIFT",
    "_IOC_TYPESHIFT",
    "_IOC_SIZESHIFT",
    "_IOC_DIRSHIFT",
    "_IOC_NRMASK",
    "_IOC_TYPEMASK",
    "_IOC_SIZEMASK",
    "_IOC_READ",
    "_IOC_WRITE",
];

/// What the declared names begin with.
const VALUE: &str = "spanker_abi_value_";
const REQUEST: &str = "spanker_abi_request_";
const ENCODED: &str = "spanker_abi_encoding_";

/// The type that stands for a request code.
pub(super) const REQUEST_TYPE: &str = "struct spanker_abi_request";

/// A question to clang, by the variable that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question<'a> {
    /// What value does it have?
    Value(&'a str),
    /// Is it a request code, and of what?
    Request(&'a str),
    /// A macro of [`ENCODING`].
    Encoding(usize),
}

pub(super) struct Probe {
    text: String,
    line_count: u32,
    /// What is asked about, in the order of the numbers in variables' names.
    names: Vec<String>,
    /// The line that a question about a value stands on.
    lines: BTreeMap<u32, usize>,
}

impl Probe {
    pub(super) fn new(inventory: &Inventory) -> Self {
        let mut probe =
            Self { text: String::new(), line_count: 0, names: Vec::new(), lines: BTreeMap::new() };
        let mut requests = Vec::new();
        for (name, made) in &inventory.macros {
            if made.has_parameters || !made.is_expression_like || made.tokens.is_empty() {
                continue;
            }
            // It may have been undefined again.
            probe.line(&format!("#ifdef {name}"));
            requests.push((probe.ask_value(name), name.clone(), true));
            probe.line("#endif");
        }
        for (name, enumerator) in &inventory.enumerators {
            let number = probe.ask_value(name);
            if !enumerator.tokens.is_empty() {
                requests.push((number, enumerator.tokens.join(" "), false));
            }
        }
        probe.line("#ifdef _IOC");
        for (number, name) in ENCODING.iter().enumerate() {
            probe.line(&format!("__auto_type {ENCODED}{number} = ({name});"));
        }
        // With these, what is a request code has the type of a function, from
        // which no number can be had: whatever computes with a code is refused.
        // The parameter is a pointer to what the size was taken of.
        probe.line(&format!("{REQUEST_TYPE};"));
        probe.line("#undef _IOC");
        probe.line(&format!(
            "#define _IOC(dir, type, nr, size) (({REQUEST_TYPE} (*)(__typeof__(size)))0)"
        ));
        probe.line("#undef _IOC_TYPECHECK");
        probe.line("#define _IOC_TYPECHECK(arg) ((__typeof__(arg) *)0)");
        for (number, expression, is_macro) in requests {
            if is_macro {
                probe.line(&format!("#ifdef {expression}"));
            }
            probe.line(&format!("extern __typeof__(({expression})) {REQUEST}{number};"));
            if is_macro {
                probe.line("#endif");
            }
        }
        probe.line("#endif");
        probe
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The question that a variable answers.
    pub(super) fn question(&self, variable: &str) -> Option<Question<'_>> {
        let number = |prefix| variable.strip_prefix(prefix).and_then(|n: &str| n.parse().ok());
        if let Some(number) = number(ENCODED) {
            return Some(Question::Encoding(number));
        }
        let name = |number: usize| self.names.get(number).map(String::as_str);
        match number(VALUE).and_then(name) {
            Some(name) => Some(Question::Value(name)),
            None => number(REQUEST).and_then(name).map(Question::Request),
        }
    }

    /// The name whose value is asked for on this line.
    pub(super) fn asked_on(&self, line: u32) -> Option<&str> {
        self.lines.get(&line).map(|number| self.names[*number].as_str())
    }

    fn ask_value(&mut self, name: &str) -> usize {
        let number = self.names.len();
        let line = self.line(&format!("__auto_type {VALUE}{number} = {name};"));
        self.names.push(name.to_owned());
        self.lines.insert(line, number);
        number
    }

    /// Adds a line and returns its number.
    fn line(&mut self, line: &str) -> u32 {
        let _ = writeln!(self.text, "{line}");
        self.line_count += 1;
        self.line_count
    }
}
