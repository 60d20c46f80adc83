// SPDX-License-Identifier: Apache-2.0
//! Enums, typedefs, and what has only a text; and names that stand for another
//! kind of thing than before.

use std::collections::BTreeMap;

use super::findings::{Difference, Findings, Found};
use super::{words, Class};
use crate::model::{Facts, Type};

/// Judges them.
pub(super) fn judge(old: &Facts, new: &Facts, findings: &mut Findings) {
    kinds(old, new, findings);
    let before: BTreeMap<&String, &Type> =
        old.enums.iter().map(|(name, it)| (name, &it.ty)).collect();
    let after = new.enums.iter().map(|(name, it)| (name, &it.ty)).collect();
    let same_members = |a: &str, b: &str| {
        let of = |facts: &Facts, name: &str| -> Vec<String> {
            let members = facts.constants.iter();
            members
                .filter(|(_, constant)| constant.of.as_deref() == Some(name))
                .map(|(name, _)| name.clone())
                .collect()
        };
        let members = of(old, a);
        !members.is_empty() && members == of(new, b)
    };
    let kinds = Kinds {
        of: Difference::Enum,
        added: "enum-added",
        removed: "enum-removed",
        renamed: "enum-renamed",
        retyped: "enum-retyped",
    };
    types(before, after, &kinds, same_members, findings);

    let before: BTreeMap<&String, &Type> = old.typedefs.iter().collect();
    let after = new.typedefs.iter().collect();
    let kinds = Kinds {
        of: Difference::Typedef,
        added: "typedef-added",
        removed: "typedef-removed",
        renamed: "typedef-renamed",
        retyped: "typedef-retyped",
    };
    types(before, after, &kinds, |_, _| true, findings);
    texts(old, new, findings);
}

struct Kinds {
    of: fn(String) -> Difference,
    added: &'static str,
    removed: &'static str,
    renamed: &'static str,
    retyped: &'static str,
}

/// Names of types, and what they stand for.
fn types(
    before: BTreeMap<&String, &Type>,
    mut after: BTreeMap<&String, &Type>,
    kinds: &Kinds,
    related: impl Fn(&str, &str) -> bool,
    findings: &mut Findings,
) {
    let covered =
        |findings: &Findings, name: &String| findings.covered.contains(&(kinds.of)(name.clone()));
    let mut gone = Vec::new();
    for (name, old) in before {
        let difference = (kinds.of)(name.clone());
        match after.remove(name) {
            Some(new) if new == old => {}
            Some(new) => {
                let reason = format!("it stands for {} instead of {}", new.0, old.0);
                let found = Found {
                    class: Class::Breaking,
                    kind: kinds.retyped,
                    item: name.clone(),
                    old: Some(old.0.clone()),
                    new: Some(new.0.clone()),
                    reason,
                };
                findings.add(found, [difference]);
            }
            None if covered(findings, name) => {}
            None => gone.push((name, old)),
        }
    }
    after.retain(|name, _| !covered(findings, name));
    for &(name, old) in &gone {
        let twins: Vec<&String> = after
            .iter()
            .filter(|(other, new)| **new == old && related(name, other))
            .map(|(name, _)| *name)
            .collect();
        let rivals = gone.iter().filter(|(_, other)| *other == old).count();
        let mut found = Found {
            class: Class::Breaking,
            kind: kinds.removed,
            item: name.clone(),
            old: Some(old.0.clone()),
            new: None,
            reason: "programs that use it do not compile".to_owned(),
        };
        let mut covers = vec![(kinds.of)(name.clone())];
        if let ([twin], 1) = (&twins[..], rivals) {
            after.remove(*twin);
            found.kind = kinds.renamed;
            found.new = Some((*twin).clone());
            found.reason = format!("programs that say {name} do not compile; {twin} is the same");
            covers.push((kinds.of)((*twin).clone()));
        }
        findings.add(found, covers);
    }
    for (name, new) in after {
        let found = Found {
            class: Class::Additive,
            kind: kinds.added,
            item: name.clone(),
            old: None,
            new: Some(new.0.clone()),
            reason: "nothing that exists uses it".to_owned(),
        };
        findings.add(found, [(kinds.of)(name.clone())]);
    }
}

fn texts(old: &Facts, new: &Facts, findings: &mut Findings) {
    for name in old.texts.keys().chain(new.texts.keys()) {
        let difference = Difference::Text(name.clone());
        let (before, after) = (old.texts.get(name), new.texts.get(name));
        if before == after || findings.covered.contains(&difference) {
            continue;
        }
        let (class, kind, reason) = match (before, after) {
            (Some(_), Some(_)) => {
                let reason = "its text is another; what it does, a person has to judge";
                (Class::Breaking, "unjudged", reason)
            }
            (Some(_), None) => {
                (Class::Breaking, "text-removed", "programs that use it do not compile")
            }
            _ => (Class::Additive, "text-added", "nothing that exists uses it"),
        };
        let found = Found {
            class,
            kind,
            item: name.clone(),
            old: before.map(words::text),
            new: after.map(words::text),
            reason: reason.to_owned(),
        };
        findings.add(found, [difference]);
    }
}

/// Names of one kind of thing that are names of another now: macros, enumerators
/// and typedefs share one space of names.
fn kinds(old: &Facts, new: &Facts, findings: &mut Findings) {
    let names = old.constants.keys().chain(old.requests.keys()).chain(old.texts.keys());
    for name in names.chain(old.typedefs.keys()) {
        let (was, is) = (meanings(old, name), meanings(new, name));
        let before = was.iter().find(|was| !is.iter().any(|is| is.what == was.what));
        let after = is.iter().find(|is| !was.iter().any(|was| was.what == is.what));
        let (Some(before), Some(after)) = (before, after) else { continue };
        let said = [&before.difference, &after.difference];
        if said.iter().any(|difference| findings.covered.contains(difference)) {
            continue;
        }
        let (kind, reason) = match (before.what, after.what) {
            ("text", _) | (_, "text") => {
                let reason = format!(
                    "it was a {} and is a {}: a person has to judge",
                    before.what, after.what
                );
                ("unjudged", reason)
            }
            _ => ("kind-changed", format!("it was a {} and is a {}", before.what, after.what)),
        };
        let found = Found {
            class: Class::Breaking,
            kind,
            item: name.clone(),
            old: Some(before.words.clone()),
            new: Some(after.words.clone()),
            reason,
        };
        findings.add(found, said.map(Clone::clone));
    }
}

struct Meaning {
    what: &'static str,
    words: String,
    difference: Difference,
}

fn meanings(facts: &Facts, name: &str) -> Vec<Meaning> {
    let of = |what, words: Option<String>, difference: fn(String) -> Difference| {
        words.map(|words| Meaning { what, words, difference: difference(name.to_owned()) })
    };
    let all = [
        of("constant", facts.constants.get(name).map(words::constant), Difference::Constant),
        of("request", facts.requests.get(name).map(words::request), Difference::Request),
        of("text", facts.texts.get(name).map(words::text), Difference::Text),
        of("typedef", facts.typedefs.get(name).map(|ty| ty.0.clone()), Difference::Typedef),
    ];
    all.into_iter().flatten().collect()
}
