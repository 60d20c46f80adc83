// SPDX-License-Identifier: Apache-2.0
//! Constants: macros and enumerators that have a value.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Difference, Findings, Found};
use super::{types, words, Class};
use crate::model::{Constant, Facts, Value};

type Constants<'a> = BTreeMap<&'a String, &'a Constant>;

/// Judges all constants. Those in `versions` may change their value.
pub(super) fn judge(
    old: &Facts,
    new: &Facts,
    versions: &BTreeSet<String>,
    findings: &mut Findings,
) {
    for (name, before) in &old.constants {
        let Some(after) = new.constants.get(name).filter(|after| *after != before) else {
            continue;
        };
        let (class, kind, reason) = difference(before, after, versions.contains(name));
        let found = Found {
            old: Some(words::constant(before)),
            new: Some(words::constant(after)),
            ..found(name, class, kind, reason)
        };
        findings.add(found, [Difference::Constant(name.clone())]);
    }
    // What is another kind of thing on the other side is judged by that.
    let is_elsewhere = |facts: &Facts, name: &String| {
        facts.requests.contains_key(name) || facts.texts.contains_key(name)
    };
    let only = |these: &Facts, those: &Facts| -> Vec<String> {
        let names = these.constants.keys();
        names
            .filter(|name| !those.constants.contains_key(*name) && !is_elsewhere(those, name))
            .cloned()
            .collect()
    };
    let mut fresh: Constants<'_> =
        only(new, old).iter().filter_map(|name| new.constants.get_key_value(name)).collect();
    fresh.retain(|name, _| !findings.covered.contains(&Difference::Constant((*name).clone())));
    for name in only(old, new) {
        if let Some(before) = old.constants.get(&name) {
            gone(&name, before, &mut fresh, findings);
        }
    }
    for (name, after) in fresh {
        let reason = "nothing that exists uses it".to_owned();
        let found = Found {
            new: Some(words::constant(after)),
            ..found(name, Class::Additive, "constant-added", reason)
        };
        findings.add(found, [Difference::Constant(name.clone())]);
    }
}

fn found(name: &str, class: Class, kind: &'static str, reason: String) -> Found {
    Found { class, kind, item: name.to_owned(), old: None, new: None, reason }
}

fn difference(before: &Constant, after: &Constant, version: bool) -> (Class, &'static str, String) {
    let comparable = std::mem::discriminant(&before.value) == std::mem::discriminant(&after.value);
    let same_width = before.ty == after.ty
        || types::width(&before.ty).is_some()
            && types::width(&before.ty) == types::width(&after.ty);
    let (old, new) = (words::value(&before.value), words::value(&after.value));
    let may_change = version && comparable && before.ty == after.ty;
    if before.value != after.value && !may_change {
        let reason = format!("programs built against the old header say {old}, not {new}");
        return (Class::Breaking, "constant-value", reason);
    }
    if before.value != after.value {
        return (Class::Neutral, "version", format!("the version was {old} and is {new}"));
    }
    let (old, new) = (&before.ty.0, &after.ty.0);
    if !same_width {
        let reason = format!(
            "the value is the same and its type is {new} instead of {old}, which sizeof, variable \
             arguments and typed languages see"
        );
        return (Class::Breaking, "constant-retyped", reason);
    }
    if before.ty != after.ty {
        let reason = format!(
            "the value is the same and its type is {new} instead of {old}, which turns comparisons \
             around and clears the upper half of what is wider, as in x &= ~1U"
        );
        return (Class::Breaking, "constant-sign", reason);
    }
    let of = |constant: &Constant| constant.of.clone().unwrap_or_else(|| "no enum".to_owned());
    let reason = format!("the same value and type, of {} instead of {}", of(after), of(before));
    (Class::Neutral, "constant-moved", reason)
}

fn gone(name: &String, before: &Constant, fresh: &mut Constants<'_>, findings: &mut Findings) {
    let twins: Vec<&String> = fresh
        .iter()
        .filter(|(other, after)| **after == before && related(name, other, before))
        .map(|(name, _)| *name)
        .collect();
    let old_side = Some(words::constant(before));
    if let [twin] = twins[..] {
        fresh.remove(twin);
        let reason = format!("programs that say {name} do not compile; {twin} has its value");
        let found = Found {
            old: old_side,
            new: Some(twin.clone()),
            ..found(name, Class::Breaking, "constant-renamed", reason)
        };
        findings.add(found, [name, twin].map(|name| Difference::Constant(name.clone())));
        return;
    }
    let reason = "programs that use it do not compile".to_owned();
    let found = Found { old: old_side, ..found(name, Class::Breaking, "constant-removed", reason) };
    findings.add(found, [Difference::Constant(name.clone())]);
}

/// Equal values alone say little: most are small numbers. Names that belong
/// together have all words in common but one, or come from one enum.
fn related(old: &str, new: &str, constant: &Constant) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split('_').collect(), new.split('_').collect());
    let first = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let last = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let common = first + last;
    constant.of.is_some()
        || matches!(constant.value, Value::Text(_))
        || common > 0 && common + 1 >= a.len().min(b.len())
}
