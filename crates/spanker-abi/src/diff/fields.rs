// SPDX-License-Identifier: Apache-2.0
//! What happened to the fields of one record.
//!
//! Fields are matched by name and judged by the bits they take: bits of live
//! fields have to stay as they are, bits of reserved ones are zero in old callers
//! and may be put to use, and bits of nobody (implicit padding) hold anything.
//! One mistake often moves many fields; it is one change, which names them.

mod cause;
mod fresh;
mod kept;
mod matched;

use cause::{Cause, Causes};
use fresh::Fresh;
use matched::{is_member, Matched};

use super::bits::Bits;
use super::findings::{Difference, Findings, Found};
use super::reserved::is_reserved;
use super::{types, words, Class};
use crate::model::{Field, Record};

/// Judges fields, size and alignment of a record that both sides define, or both
/// only declare.
pub(super) fn judge(name: &str, before: &Record, after: &Record, findings: &mut Findings) {
    if !is_sound(before) || !is_sound(after) {
        return;
    }
    let start = findings.found.len();
    let matched = Matched::of(name, before, after);
    let mut causes = Causes::default();
    kept::judge_live(&matched, &mut causes, findings);
    let Fresh { mut growers, settlers } = fresh::judge(&matched, &mut causes, findings);
    growers.extend(kept::judge_reserved(&matched, &mut causes, findings));
    causes.attach_moved(&matched);
    for settler in settlers {
        causes.take(settler);
    }

    let intact = causes.is_empty() && findings.class_since(start) < Class::Breaking;
    // Members of an array beyond the end are no growth; they stay unjudged.
    if growers.iter().all(|field| is_reserved(&field.name)) && !causes.is_empty() {
        // What was reserved at the end only moved with the rest.
        findings.covered.extend(growers.iter().map(|field| matched.difference(field)));
    } else if !growers.is_empty() && after.size > before.size {
        grown(&matched, &growers, intact, findings);
    }
    whole(&matched, &mut causes, findings);
    causes.report(&matched, findings);
    order(&matched, findings);
}

/// Each name is there once and each field inside; C has no other records, a
/// snapshot might. Others cannot be judged.
fn is_sound(record: &Record) -> bool {
    let mut names: Vec<&str> = record.fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    let inside = Bits::range(0, record.size.unwrap_or(0).saturating_mul(8));
    let flexible = |field: &&Field| types::is_flexible(&field.ty);
    record.fields.iter().all(|field| {
        let beyond = || record.fields.iter().filter(flexible).any(|it| is_member(field, it));
        Bits::of(field).within(&inside) || beyond()
    }) && names.windows(2).all(|pair| pair[0] != pair[1])
}

/// The record has more bytes at its end, and fields in them.
fn grown(matched: &Matched<'_>, growers: &[&Field], intact: bool, findings: &mut Findings) {
    let Matched { name, before, after, .. } = matched;
    let flexible = before.fields.iter().any(|field| types::is_flexible(&field.ty));
    let may = before.extensible && after.extensible;
    let (class, reason) = if may && intact && !flexible {
        let reason = format!(
            "{name} is extensible and grows at its end; zero, which old callers send or get, \
             means what was before"
        );
        (Class::Additive, reason)
    } else if flexible {
        let reason = format!("{name} ends in an array, whose elements are where it grows");
        (Class::Breaking, reason)
    } else if may {
        let reason = format!("{name} is extensible, but what it had did not stay as it was");
        (Class::Breaking, reason)
    } else if before.extensible {
        (Class::Breaking, format!("{name} is not declared extensible any more"))
    } else {
        let reason = format!(
            "{name} is not declared extensible: whoever has the old size sends, gets or strides \
             over too few bytes"
        );
        (Class::Breaking, reason)
    };
    let added: Vec<String> =
        growers.iter().map(|field| format!("{} {}", field.name, words::field(field))).collect();
    let found = Found {
        class,
        kind: "struct-grown",
        item: (*name).to_owned(),
        old: Some(words::record(before)),
        new: Some(format!("{}, with {}", words::record(after), words::list(&added))),
        reason,
    };
    findings.add(found, growers.iter().map(|field| matched.difference(field)));
    findings.covered.insert(Difference::Size((*name).to_owned()));
    findings.covered.insert(Difference::Align((*name).to_owned()));
}

/// Size and alignment, where nothing said so far explains them.
fn whole(matched: &Matched<'_>, causes: &mut Causes<'_>, findings: &mut Findings) {
    let Matched { name, before, after, .. } = matched;
    let size = Difference::Size((*name).to_owned());
    let align = Difference::Align((*name).to_owned());
    let mut consequences = Vec::new();
    if before.size != after.size && !findings.covered.contains(&size) {
        let said = |size: Option<u64>| size.map(words::bytes).unwrap_or_default();
        let (old, new) = (said(before.size), said(after.size));
        if causes.is_empty() {
            let verb = if after.size > before.size { "grew" } else { "shrank" };
            let found = Found {
                class: Class::Breaking,
                kind: "size-changed",
                item: (*name).to_owned(),
                old: Some(words::record(before)),
                new: Some(words::record(after)),
                reason: format!("{name} {verb} from {old} to {new} and its fields do not say why"),
            };
            findings.add(found, [size.clone(), align.clone()]);
        } else {
            consequences.push(format!("{name} has {new} instead of {old}"));
            findings.covered.insert(size);
        }
    }
    if before.align != after.align && !findings.covered.contains(&align) {
        let aligned = format!("{name} is aligned to {} instead of {}", after.align, before.align);
        if causes.is_empty() {
            let found = Found {
                class: Class::Breaking,
                kind: "align-changed",
                item: (*name).to_owned(),
                old: Some(words::aligned(before)),
                new: Some(words::aligned(after)),
                reason: format!("{aligned}, which moves it where it is inside another"),
            };
            findings.add(found, [align]);
        } else {
            consequences.push(aligned);
            findings.covered.insert(align);
        }
    }
    causes.conclude(consequences);
}

/// The same members in another order: those of a union have one offset.
fn order(matched: &Matched<'_>, findings: &mut Findings) {
    let Matched { name, before, after, .. } = matched;
    let sorted = |record: &Record| {
        let mut fields = record.fields.clone();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields
    };
    if before.fields != after.fields && sorted(before) == sorted(after) {
        let found = Found {
            class: Class::Neutral,
            kind: "members-reordered",
            item: (*name).to_owned(),
            old: None,
            new: None,
            reason: "the same fields at the same offsets, declared in another order".to_owned(),
        };
        findings.add(found, [Difference::Order((*name).to_owned())]);
    }
}
