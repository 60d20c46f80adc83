// SPDX-License-Identifier: Apache-2.0
//! Macros, and the guard around them.

use super::lines::{is_name, words, Directive};
use super::{Header, NotUnderstood, Request};

/// What `<linux/ioctl.h>` makes request codes with.
const REQUEST_MACROS: [&str; 5] = ["_IO", "_IOR", "_IOW", "_IOWR", "_IOC"];

/// Headers that declare nothing of the ABI.
const INCLUDES: [&str; 2] = ["<linux/ioctl.h>", "<linux/types.h>"];

/// Adds the macros of the directives to `header`.
pub(super) fn read(directives: &[Directive], header: &mut Header) -> Result<(), NotUnderstood> {
    let mut guard = None;
    let mut open = false;
    for Directive { text, line } in directives {
        let not = |what: &str| NotUnderstood::new(*line, format!("`#{text}`: {what}"));
        let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match keyword {
            "include" if INCLUDES.contains(&rest) => {}
            "include" => return Err(not("what is declared there would not be compared")),
            "ifndef" if guard.is_none() => {
                guard = Some(rest);
                open = true;
            }
            "endif" if open => open = false,
            "define" if guard == Some(rest) => {}
            "define" => define(rest, header).map_err(not)?,
            _ => return Err(not("what is declared must not depend on conditions")),
        }
    }
    Ok(())
}

fn define(definition: &str, header: &mut Header) -> Result<(), &'static str> {
    let end = definition.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, body) = definition.split_at(end.unwrap_or(definition.len()));
    if !is_name(name) {
        return Err("the macro has no name");
    }
    if body.starts_with('(') {
        return Err("a macro with parameters has no value to compare");
    }
    let body: Vec<String> = words(body).collect();
    let body: Vec<&str> = body.iter().map(String::as_str).collect();
    let request = match body.as_slice() {
        [] => return Err("the macro has no value to compare"),
        [made_by, "(", .., "struct", record, ")"] if REQUEST_MACROS.contains(made_by) => {
            if header.structs.iter().all(|s| s.name != *record) {
                return Err("its struct is not declared");
            }
            Some(Some((*record).to_owned()))
        }
        [made_by, "(", ..] if REQUEST_MACROS.contains(made_by) => Some(None),
        // Another name of a request is a request.
        [other] => header.requests.iter().find(|r| r.name == *other).map(|r| r.record.clone()),
        _ => None,
    };
    match request {
        Some(record) => header.requests.push(Request { name: name.to_owned(), record }),
        None => header.constants.push(name.to_owned()),
    }
    Ok(())
}
