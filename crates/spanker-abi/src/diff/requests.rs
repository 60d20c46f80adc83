// SPDX-License-Identifier: Apache-2.0
//! Request codes.

use std::collections::BTreeMap;

use super::findings::{Difference, Findings, Found};
use super::records::Growth;
use super::{words, Class};
use crate::model::{Facts, Request, Value};

type Requests<'a> = BTreeMap<&'a String, &'a Request>;

/// Judges all requests. `growth` names the structs that grew as they may.
pub(super) fn judge(old: &Facts, new: &Facts, growth: &Growth, findings: &mut Findings) {
    for (name, before) in &old.requests {
        let Some(after) = new.requests.get(name).filter(|after| *after != before) else { continue };
        let found = both(name, before, after, growth);
        findings.add(found, [Difference::Request(name.clone())]);
    }
    // What is another kind of thing on the other side is judged by that.
    let is_elsewhere = |facts: &Facts, name: &String| {
        facts.constants.contains_key(name) || facts.texts.contains_key(name)
    };
    let only = |these: &'_ Facts, those: &Facts| -> Vec<String> {
        let names = these.requests.keys();
        names
            .filter(|name| !those.requests.contains_key(*name) && !is_elsewhere(those, name))
            .cloned()
            .collect()
    };
    let mut fresh: Requests<'_> =
        only(new, old).iter().filter_map(|name| new.requests.get_key_value(name)).collect();
    let coming = fresh.clone();
    fresh.retain(|name, _| !findings.covered.contains(&Difference::Request((*name).clone())));
    for name in only(old, new) {
        if let Some(before) = old.requests.get(&name) {
            gone(&name, before, &mut fresh, findings);
        }
    }
    for (name, after) in fresh {
        let found = added(name, after, old, &coming);
        findings.add(found, [Difference::Request(name.clone())]);
    }
}

fn found(name: &str, class: Class, kind: &'static str, reason: String) -> Found {
    Found { class, kind, item: name.to_owned(), old: None, new: None, reason }
}

fn both(name: &str, before: &Request, after: &Request, growth: &Growth) -> Found {
    let (class, kind, reason) = difference(before, after, growth);
    Found {
        old: Some(words::request(before)),
        new: Some(words::request(after)),
        ..found(name, class, kind, reason)
    }
}

fn difference(before: &Request, after: &Request, growth: &Growth) -> (Class, &'static str, String) {
    let mut parts = Vec::new();
    if before.magic != after.magic {
        parts.push(format!("the magic is {:#04x} instead of {:#04x}", after.magic, before.magic));
    }
    if before.number != after.number {
        let (old, new) = (before.number, after.number);
        parts.push(format!("the number is {new:#04x} instead of {old:#04x}"));
    }
    if (before.read, before.write) != (after.read, after.write) {
        let (old, new) = (words::direction(before), words::direction(after));
        parts.push(format!("the direction is {new} instead of {old}"));
    }
    let sizes = |of: &str| format!("{of} has {} bytes instead of {}", after.size, before.size);
    let argument = after.argument.as_ref().filter(|ty| before.argument.as_ref() == Some(ty));
    let grew = argument.filter(|ty| growth.contains(&ty.0) && after.size > before.size);
    if parts.is_empty() && before.size != after.size {
        if let Some(ty) = grew {
            let reason = format!(
                "the code has the size of {}, which is extensible and grew: a device takes both",
                ty.0
            );
            return (Class::Additive, "request-grown", reason);
        }
    }
    if before.size != after.size {
        parts.push(match argument {
            Some(ty) => sizes(&ty.0),
            None => sizes("the argument"),
        });
    }
    if parts.is_empty() && before.code != after.code {
        parts.push("the code is put together otherwise".to_owned());
    }
    if !parts.is_empty() {
        let reason = format!("old callers send another code: {}", words::list(&parts));
        return (Class::Breaking, "request-code", reason);
    }
    let (class, kind) = (Class::Breaking, "request-argument");
    match (&before.argument, &after.argument) {
        (Some(old), Some(new)) => {
            let reason =
                format!("the code is the same, the bytes are {} instead of {}", new.0, old.0);
            (class, kind, reason)
        }
        _ => {
            let reason =
                "the code is the same, but the type it is for is known on one side only: a \
                          person has to judge"
                    .to_owned();
            (class, "unjudged", reason)
        }
    }
}

fn gone(name: &String, before: &Request, fresh: &mut Requests<'_>, findings: &mut Findings) {
    let twins: Vec<&String> =
        fresh.iter().filter(|(_, after)| **after == before).map(|(name, _)| *name).collect();
    let old_side = Some(words::request(before));
    if let [twin] = twins[..] {
        fresh.remove(twin);
        let reason = format!("programs that say {name} do not compile; {twin} has the same code");
        let found = Found {
            old: old_side,
            new: Some(twin.clone()),
            ..found(name, Class::Breaking, "request-renamed", reason)
        };
        findings.add(found, [name, twin].map(|name| Difference::Request(name.clone())));
        return;
    }
    let reason = "programs that use it do not compile, and old ones still send its code".to_owned();
    let found = Found { old: old_side, ..found(name, Class::Breaking, "request-removed", reason) };
    findings.add(found, [Difference::Request(name.clone())]);
}

fn added(name: &String, after: &Request, old: &Facts, coming: &Requests<'_>) -> Found {
    let key = |request: &Request| (request.magic, request.number, request.read, request.write);
    let mut taken = old.requests.iter().filter(|(_, before)| key(before) == key(after));
    let first = taken.next();
    let has_code = |request: &Request| request.code == after.code;
    let mut olds = old.requests.iter().filter(|(_, before)| has_code(before)).map(|(name, _)| name);
    let mut news = coming.iter().filter(|(other, it)| **other != name && has_code(it));
    let mut numbers = old.constants.iter().filter(|(_, it)| is_code(&it.value, after.code));
    let same_code = olds
        .next()
        .or_else(|| news.next().map(|(name, _)| *name))
        .or_else(|| numbers.next().map(|(name, _)| name));
    let (class, kind, reason) = match (same_code, first) {
        (Some(other), _) => (
            Class::Breaking,
            "unjudged",
            format!("{other} has this very code: another name for it, or a clash; a person has to judge"),
        ),
        (None, Some((other, _))) => (
            Class::Breaking,
            "request-number-taken",
            format!("{other} has this magic, number and direction, and a device tells by these"),
        ),
        (None, None) => {
            (Class::Additive, "request-added", "nothing that exists sends it".to_owned())
        }
    };
    Found { new: Some(words::request(after)), ..found(name, class, kind, reason) }
}

/// Codes from before there was `_IO` are plain numbers; small ones are anything.
fn is_code(value: &Value, code: u32) -> bool {
    let Value::Integer(value) = value else { return false };
    let signed = i128::from(code as i32);
    code > 0xff && (*value == i128::from(code) || *value == signed)
}
