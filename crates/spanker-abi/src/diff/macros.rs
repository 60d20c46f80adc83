// SPDX-License-Identifier: Apache-2.0
//! What only the preprocessor sees: whether a name is a macro.

use super::findings::{Difference, Findings, Found};
use super::{words, Class};
use crate::model::Facts;

/// Judges the names of constants and requests that were macros and are
/// enumerators now, and those that were enumerators and are macros.
pub(super) fn judge(old: &Facts, new: &Facts, findings: &mut Findings) {
    let has = |facts: &Facts, name: &String| {
        facts.constants.contains_key(name) || facts.requests.contains_key(name)
    };
    for name in old.enumerators.symmetric_difference(&new.enumerators) {
        if !(has(old, name) && has(new, name)) {
            continue;
        }
        let (class, kind, reason) = if new.enumerators.contains(name) {
            (Class::Breaking, "macro-removed", format!("#ifdef {name} no longer sees it"))
        } else {
            (Class::Neutral, "macro-added", format!("#ifdef {name} sees it now"))
        };
        let found = Found {
            class,
            kind,
            item: name.clone(),
            old: Some(words::enumerator(old, name).to_owned()),
            new: Some(words::enumerator(new, name).to_owned()),
            reason,
        };
        findings.add(found, [Difference::Enumerator(name.clone())]);
    }
}
