// SPDX-License-Identifier: Apache-2.0
//! What new fields mean: it depends on what their bits were.

use super::matched::{is_below, is_member, Matched, Pair};
use super::{Cause, Causes};
use crate::diff::bits::Bits;
use crate::diff::findings::{Findings, Found};
use crate::diff::reserved::is_reserved;
use crate::diff::{words, Class};
use crate::model::{Field, RecordKind};

/// A class, the kind of change, and the reason.
type Judged = (Class, &'static str, &'static str);

/// New fields that cannot be judged by themselves.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    /// They reach beyond the old end.
    pub(super) growers: Vec<&'a Field>,
    /// They lie where a field was that only moved.
    pub(super) settlers: Vec<&'a Field>,
}

/// Judges new fields.
pub(super) fn judge<'a>(
    matched: &Matched<'a>,
    causes: &mut Causes<'a>,
    findings: &mut Findings,
) -> Fresh<'a> {
    let mut growers = Vec::new();
    let mut settlers = Vec::new();
    let mut parts: Vec<(Option<&str>, Judged, Vec<&'a Field>)> = Vec::new();
    for &field in &matched.fresh {
        if causes.explain(&matched.difference(field)) {
            continue;
        }
        // The members of a new array of inner structs are judged with it.
        let holder = matched.fresh.iter().find(|holder| is_member(field, holder));
        if holder.is_some_and(|holder| !causes.explain(&matched.difference(holder))) {
            findings.covered.insert(matched.difference(field));
            continue;
        }
        let bits = Bits::of(field);
        if bits.is_empty() {
            let reason = "an array at the end, or a marker: what follows the struct, a person has \
                          to judge";
            let found = found(matched, field, Class::Breaking, "unjudged", reason);
            findings.add(found, [matched.difference(field)]);
        } else if causes.take(field) {
            continue;
        } else if matched.moved.iter().any(|pair| displaces(field, *pair)) {
            causes.add(inserted(matched, field));
        } else if matched.moved.iter().any(|(old, _)| Bits::of(old).meets(&bits)) {
            settlers.push(field);
        } else if !bits.within(&matched.old_inside) && !bits.meets(&matched.old_live) {
            grower(matched, field, &mut growers, findings);
        } else {
            let judged = inside(matched, field, &bits);
            if judged.1 == "union-grown" {
                let found = found(matched, field, judged.0, judged.1, judged.2);
                causes.add(cause(matched, field, found));
            } else if judged.1 == "reserved-reshaped" && matched.says_it_of_reserved(&bits) {
                findings.covered.insert(matched.difference(field));
            } else {
                let part = new_part(matched, field);
                match parts
                    .iter_mut()
                    .find(|(of, same, _)| part.is_some() && (*of, *same) == (part, judged))
                {
                    Some((_, _, fields)) => fields.push(field),
                    None => parts.push((part, judged, vec![field])),
                }
            }
        }
    }
    for (part, judged, fields) in parts {
        report(matched, part, judged, &fields, findings);
    }
    Fresh { growers, settlers }
}

/// Fields of one new inner struct of which the same is to be said are one change.
fn report(
    matched: &Matched<'_>,
    part: Option<&str>,
    (class, kind, reason): Judged,
    fields: &[&Field],
    findings: &mut Findings,
) {
    let Some(&first) = fields.first() else { return };
    let mut found = found(matched, first, class, kind, reason);
    if let (Some(part), true) = (part, fields.len() > 1) {
        found.item = format!("{}.{part}", matched.name);
        let fields = fields.iter().map(|field| format!("{} {}", field.name, words::field(field)));
        found.new = Some(words::list(&fields.collect::<Vec<_>>()));
    }
    findings.add(found, fields.iter().map(|field| matched.difference(field)));
}

/// A new field that reaches beyond the old end, and takes nothing live.
fn grower<'a>(
    matched: &Matched<'a>,
    field: &'a Field,
    growers: &mut Vec<&'a Field>,
    findings: &mut Findings,
) {
    let bits = Bits::of(field);
    let padding = bits.and(&matched.old_inside).without(&matched.old_taken());
    if !padding.is_empty() && !is_reserved(&field.name) {
        let reason = "it begins in what was padding at the end, which old callers leave as it was";
        let found = found(matched, field, Class::Breaking, "padding-used", reason);
        findings.add(found, [matched.difference(field)]);
    }
    growers.push(field);
}

/// A new field within the old size, where no live field changed.
fn inside(matched: &Matched<'_>, field: &Field, bits: &Bits) -> Judged {
    let reserved = is_reserved(&field.name);
    if member_of_union(matched, field) {
        return union_member(matched, field, bits);
    }
    if bits.within(&matched.old_reserved) {
        return if reserved {
            (Class::Neutral, "reserved-reshaped", "its bytes were reserved already")
        } else {
            (Class::Additive, "reserved-used", "its bytes were reserved, so old callers send zero")
        };
    }
    if reserved {
        let reason = "bytes that were padding have a name now, and nothing moves";
        return (Class::Neutral, "padding-explicit", reason);
    }
    let reason = "its bytes were padding, which old callers leave as it was";
    (Class::Breaking, "padding-used", reason)
}

fn union_member(matched: &Matched<'_>, field: &Field, bits: &Bits) -> Judged {
    if !bits.within(&matched.old_inside) || matched.before.size != matched.after.size {
        let reason = "the new member makes the union larger";
        return (Class::Breaking, "union-grown", reason);
    }
    if is_reserved(&field.name) {
        let reason = "another name for bytes of the union, which stay as they were";
        return (Class::Neutral, "reserved-reshaped", reason);
    }
    // Which member is meant is told by something that old callers never send.
    let chosen = matched.before.kind == RecordKind::Union || new_part(matched, field).is_some();
    if !chosen && !bits.within(&matched.old_taken()) {
        let reason = "some of its bytes were padding, which old callers leave as it was";
        return (Class::Breaking, "padding-used", reason);
    }
    (Class::Additive, "union-member-added", "the other members of the union are as they were")
}

/// It shares bits with live fields, or another member of the same new inner
/// struct does.
fn member_of_union(matched: &Matched<'_>, field: &Field) -> bool {
    if matched.before.kind == RecordKind::Union || Bits::of(field).meets(&matched.old_live) {
        return true;
    }
    new_part(matched, field).is_some_and(|part| {
        let others = matched.fresh.iter().filter(|other| new_part(matched, other) == Some(part));
        Bits::of_all(others.copied()).meets(&matched.old_live)
    })
}

/// The inner struct of a new field, when that is new as a whole.
fn new_part<'f>(matched: &Matched<'_>, field: &'f Field) -> Option<&'f str> {
    let mut inner = field.name.match_indices(['.', '[']).map(|(end, _)| &field.name[..end]);
    inner.find(|part| {
        let known = |old: &Field| old.name == *part || is_below(&old.name, part);
        !matched.before.fields.iter().any(known)
    })
}

/// The moved field moved up, and the new one lies where it was or where it moved
/// over.
fn displaces(field: &Field, (old, new): Pair<'_>) -> bool {
    Bits::of(field).meets(&Bits::range(old.offset_bits, new.offset_bits))
}

fn inserted<'a>(matched: &Matched<'a>, field: &'a Field) -> Cause<'a> {
    let shared = Bits::of(field).meets(&Bits::of_all(matched.same.iter().copied()));
    let (kind, reason) = if shared {
        ("union-grown", "the new member makes the union larger")
    } else {
        ("field-inserted", "a new field has its place among those that were there")
    };
    let displaced = matched.moved.iter().filter(|pair| displaces(field, **pair));
    let first = displaced.map(|(old, _)| old.offset_bits).min();
    let found = found(matched, field, Class::Breaking, kind, reason);
    let cause = cause(matched, field, found);
    Cause { at: cause.at.min(first.unwrap_or(cause.at)), ..cause }
}

fn cause<'a>(matched: &Matched<'a>, field: &'a Field, found: Found) -> Cause<'a> {
    Cause {
        found,
        covers: vec![matched.difference(field)],
        at: field.offset_bits,
        bits: Bits::default(),
        shifts: true,
        if_it_moves: false,
        moved: Vec::new(),
        takers: Vec::new(),
    }
}

fn found(
    matched: &Matched<'_>,
    field: &Field,
    class: Class,
    kind: &'static str,
    reason: &str,
) -> Found {
    Found {
        class,
        kind,
        item: matched.item(field),
        old: None,
        new: Some(words::field(field)),
        reason: reason.to_owned(),
    }
}
