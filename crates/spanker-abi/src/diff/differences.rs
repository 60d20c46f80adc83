// SPDX-License-Identifier: Apache-2.0
//! All differences between two sets of facts, found without any rule: what the
//! rules leave uncovered is unjudged, so that nothing passes by omission.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Difference, Findings, Found};
use super::Class;
use crate::model::{Facts, Record};

/// Adds an unjudged change for each difference that nothing found so far covers.
pub(super) fn name_the_unjudged(old: &Facts, new: &Facts, findings: &mut Findings) {
    for difference in between(old, new) {
        if findings.covered.contains(&difference) {
            continue;
        }
        let (before, after) = sides(old, new, &difference);
        let found = Found {
            class: Class::Breaking,
            kind: "unjudged",
            item: difference.item(),
            old: before,
            new: after,
            reason: "there is no rule for this difference: a person has to judge it".to_owned(),
        };
        findings.add(found, [difference]);
    }
}

/// All differences.
pub(super) fn between(old: &Facts, new: &Facts) -> BTreeSet<Difference> {
    let mut all = BTreeSet::new();
    for name in unequal(&old.records, &new.records) {
        match (old.records.get(name), new.records.get(name)) {
            (Some(old), Some(new)) => records(name, old, new, &mut all),
            _ => {
                all.insert(Difference::Record(name.clone()));
            }
        }
    }
    let named = |name: &String, kind: Of| kind(name.clone());
    all.extend(unequal(&old.enums, &new.enums).map(|name| named(name, Difference::Enum)));
    all.extend(unequal(&old.typedefs, &new.typedefs).map(|name| named(name, Difference::Typedef)));
    all.extend(
        unequal(&old.constants, &new.constants).map(|name| named(name, Difference::Constant)),
    );
    all.extend(unequal(&old.requests, &new.requests).map(|name| named(name, Difference::Request)));
    all.extend(unequal(&old.texts, &new.texts).map(|name| named(name, Difference::Text)));
    // Where the name itself comes or goes, that is the difference.
    let has = |facts: &Facts, name: &String| {
        facts.constants.contains_key(name) || facts.requests.contains_key(name)
    };
    let enumerators = old.enumerators.symmetric_difference(&new.enumerators);
    let enumerators = enumerators.filter(|name| has(old, name) && has(new, name));
    all.extend(enumerators.map(|name| named(name, Difference::Enumerator)));
    all
}

fn records(name: &str, old: &Record, new: &Record, all: &mut BTreeSet<Difference>) {
    let whole: [(bool, Of); 5] = [
        (old.kind != new.kind, Difference::Kind),
        (old.size.is_some() != new.size.is_some(), Difference::Record),
        (old.size != new.size, Difference::Size),
        (old.align != new.align, Difference::Align),
        (old.extensible != new.extensible, Difference::Extensible),
    ];
    all.extend(whole.iter().filter(|(differs, _)| *differs).map(|(_, of)| of(name.to_owned())));
    if old.fields == new.fields {
        return;
    }
    let names: BTreeSet<&str> =
        old.fields.iter().chain(&new.fields).map(|field| field.name.as_str()).collect();
    let mut any = false;
    for field in names {
        let on = |record: &Record| -> Vec<_> {
            record.fields.iter().filter(|other| other.name == field).cloned().collect()
        };
        if on(old) != on(new) {
            all.insert(Difference::Field(name.to_owned(), field.to_owned()));
            any = true;
        }
    }
    if !any {
        all.insert(Difference::Order(name.to_owned()));
    }
}

type Of = fn(String) -> Difference;

fn unequal<'a, T: PartialEq>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = &'a String> {
    let gone_or_changed = old.iter().filter(|(name, value)| new.get(*name) != Some(value));
    let fresh = new.iter().filter(|(name, _)| !old.contains_key(*name));
    gone_or_changed.chain(fresh).map(|(name, _)| name)
}

fn sides(old: &Facts, new: &Facts, difference: &Difference) -> (Option<String>, Option<String>) {
    let on = |facts: &Facts| match difference {
        Difference::Record(name)
        | Difference::Kind(name)
        | Difference::Size(name)
        | Difference::Align(name)
        | Difference::Extensible(name)
        | Difference::Order(name) => facts.records.get(name).map(super::words::record),
        Difference::Field(record, name) => facts
            .records
            .get(record)
            .and_then(|record| record.fields.iter().find(|field| field.name == *name))
            .map(super::words::field),
        Difference::Enum(name) => facts.enums.get(name).map(|it| it.ty.0.clone()),
        Difference::Typedef(name) => facts.typedefs.get(name).map(|ty| ty.0.clone()),
        Difference::Constant(name) => facts.constants.get(name).map(super::words::constant),
        Difference::Request(name) => facts.requests.get(name).map(super::words::request),
        Difference::Text(name) => facts.texts.get(name).map(super::words::text),
        Difference::Enumerator(name) => Some(super::words::enumerator(facts, name).to_owned()),
    };
    (on(old), on(new))
}
