// SPDX-License-Identifier: Apache-2.0
//! Structs and unions: which came, went and were renamed, and what changed in
//! those that stayed.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Difference, Findings, Found};
use super::{fields, words, Class};
use crate::model::{Facts, Record};

/// The records that grew at their end as they may: additions and nothing worse.
pub(super) type Growth = BTreeSet<String>;

/// Judges all records.
pub(super) fn judge(old: &Facts, new: &Facts, findings: &mut Findings) -> Growth {
    let mut growth = Growth::new();
    for (name, before) in &old.records {
        let Some(after) = new.records.get(name) else { continue };
        if before == after {
            continue;
        }
        let start = findings.found.len();
        both(name, before, after, findings);
        let grew = findings.found[start..].iter().any(|found| found.kind == "struct-grown");
        if grew && findings.class_since(start) == Class::Additive {
            growth.insert(name.clone());
        }
    }
    let mut fresh: BTreeMap<&String, &Record> =
        new.records.iter().filter(|(name, _)| !old.records.contains_key(*name)).collect();
    for (name, before) in old.records.iter().filter(|(name, _)| !new.records.contains_key(*name)) {
        gone(name, before, new, &mut fresh, findings);
    }
    for (name, after) in fresh {
        let found = Found {
            class: Class::Additive,
            kind: "record-added",
            item: name.clone(),
            old: None,
            new: Some(words::record(after)),
            reason: format!("{name} is new: nothing that exists uses it"),
        };
        findings.add(found, [Difference::Record(name.clone())]);
    }
    growth
}

fn gone(
    name: &String,
    before: &Record,
    new: &Facts,
    fresh: &mut BTreeMap<&String, &Record>,
    findings: &mut Findings,
) {
    let old_side = Some(words::record(before));
    // A typedef of a struct without a tag may get one: the typedef still works.
    let tagged = new.typedefs.get(name).and_then(|ty| fresh.get_key_value(&ty.0));
    if let Some((&tag, &after)) = tagged.filter(|(_, after)| **after == before) {
        fresh.remove(tag);
        let found = Found {
            class: Class::Additive,
            kind: "record-tagged",
            item: name.clone(),
            old: old_side,
            new: Some(format!("{tag}: {}", words::record(after))),
            reason: format!("{name} can also be written {tag} now, and is what it was"),
        };
        findings.add(found, [name, tag].map(|name| Difference::Record(name.clone())));
        findings.covered.insert(Difference::Typedef(name.clone()));
        return;
    }
    // All that are only declared look the same, which says nothing.
    let twins: Vec<&String> = fresh
        .iter()
        .filter(|(_, after)| before.size.is_some() && same_layout(before, after))
        .map(|(name, _)| *name)
        .collect();
    if let [twin] = twins[..] {
        fresh.remove(twin);
        let found = Found {
            class: Class::Breaking,
            kind: "record-renamed",
            item: name.clone(),
            old: old_side,
            new: Some(twin.clone()),
            reason: format!("programs that say {name} do not compile; {twin} has the same fields"),
        };
        findings.add(found, [name, twin].map(|name| Difference::Record(name.clone())));
        return;
    }
    let found = Found {
        class: Class::Breaking,
        kind: "record-removed",
        item: name.clone(),
        old: old_side,
        new: None,
        reason: format!("programs that use {name} do not compile"),
    };
    findings.add(found, [Difference::Record(name.clone())]);
}

fn same_layout(before: &Record, after: &Record) -> bool {
    (before.kind, before.size, before.align) == (after.kind, after.size, after.align)
        && before.fields == after.fields
        && !before.fields.is_empty()
}

fn both(name: &str, before: &Record, after: &Record, findings: &mut Findings) {
    let whole = |class, kind, reason: String| Found {
        class,
        kind,
        item: name.to_owned(),
        old: Some(words::record(before)),
        new: Some(words::record(after)),
        reason,
    };
    let named = || name.to_owned();
    if before.kind != after.kind {
        let reason = format!(
            "a {} has become a {}, which puts its fields elsewhere",
            words::kind(before.kind),
            words::kind(after.kind)
        );
        let covers = everything(name, before, after);
        findings.add(whole(Class::Breaking, "record-kind-changed", reason), covers);
        return;
    }
    match (before.size, after.size) {
        (Some(_), None) => {
            let reason = "programs can no longer make one or look into it".to_owned();
            let covers = everything(name, before, after);
            findings.add(whole(Class::Breaking, "record-undefined", reason), covers);
            return;
        }
        (None, Some(_)) => {
            let reason = "only its name was known: what it holds is new".to_owned();
            let covers = everything(name, before, after);
            findings.add(whole(Class::Additive, "record-defined", reason), covers);
            return;
        }
        _ => {}
    }
    if before.extensible != after.extensible {
        let (class, kind, reason) = if before.extensible {
            let reason = "that it may grow at its end was a promise, and programs that pass its \
                          size rely on it";
            (Class::Breaking, "extensible-withdrawn", reason)
        } else {
            (Class::Additive, "extensible-declared", "from the next version on it may grow")
        };
        let found = whole(class, kind, reason.to_owned());
        findings.add(found, [Difference::Extensible(named())]);
    }
    fields::judge(name, before, after, findings);
}

/// All that can differ between two records, when one change explains it.
fn everything<'a>(
    name: &'a str,
    before: &'a Record,
    after: &'a Record,
) -> impl Iterator<Item = Difference> + 'a {
    let whole: [fn(String) -> Difference; 6] = [
        Difference::Record,
        Difference::Kind,
        Difference::Size,
        Difference::Align,
        Difference::Extensible,
        Difference::Order,
    ];
    let fields = before.fields.iter().chain(&after.fields);
    let fields = fields.map(|field| Difference::Field(name.to_owned(), field.name.clone()));
    whole.into_iter().map(|of| of(name.to_owned())).chain(fields)
}
