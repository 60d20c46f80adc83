// SPDX-License-Identifier: Apache-2.0
//! What has become of the fields that were there: live ones, which have to stay,
//! and reserved ones, whose bits have to.

use super::matched::{is_member, Matched, Pair};
use super::{Cause, Causes};
use crate::diff::bits::Bits;
use crate::diff::findings::{Difference, Findings, Found};
use crate::diff::reserved::is_reserved;
use crate::diff::types::{self, Difference as TypeDifference};
use crate::diff::{words, Class};
use crate::model::Field;

/// Judges live fields that are gone or not the same. Those that only moved are
/// for [`Causes::attach_moved`].
pub(super) fn judge_live<'a>(
    matched: &Matched<'a>,
    causes: &mut Causes<'a>,
    findings: &mut Findings,
) {
    for &pair in &matched.changed {
        changed(matched, pair, causes, findings);
    }
    let mut free = matched.fresh.clone();
    let mut renames: Vec<Pair<'a>> = Vec::new();
    let mut lost = Vec::new();
    for &old in &matched.gone {
        // Of the members of a union, prefer a live one.
        let twin = |reserved: bool| {
            let alike = |new: &&Field| only_renamed(old, new);
            free.iter().position(|new| is_reserved(&new.name) == reserved && alike(new))
        };
        match twin(false).or_else(|| twin(true)) {
            Some(index) => renames.push((old, free.remove(index))),
            None => lost.push(old),
        }
    }
    for &old in &lost {
        if lost.iter().any(|holder| is_member(old, holder)) {
            findings.covered.insert(matched.difference(old));
        } else {
            removed(matched, old, causes);
        }
    }
    for group in renames_of_one_struct(renames) {
        renamed(matched, &group, causes);
    }
}

fn only_renamed(old: &Field, new: &Field) -> bool {
    Field { name: old.name.clone(), ..new.clone() } == *old
}

fn cause<'a>(found: Found, covers: Vec<Difference>, old: &Field, shifts: bool) -> Cause<'a> {
    Cause {
        found,
        covers,
        at: old.offset_bits,
        bits: Bits::of(old),
        shifts,
        if_it_moves: false,
        moved: Vec::new(),
        takers: Vec::new(),
    }
}

fn changed<'a>(
    matched: &Matched<'a>,
    (old, new): Pair<'a>,
    causes: &mut Causes<'a>,
    findings: &mut Findings,
) {
    let ty = (old.ty != new.ty).then(|| types::difference(&old.ty, &new.ty));
    let in_place = (old.offset_bits, old.size_bits, old.bit_field)
        == (new.offset_bits, new.size_bits, new.bit_field);
    let mut found = Found {
        class: Class::Breaking,
        kind: "field-moved",
        item: matched.item(old),
        old: Some(words::field(old)),
        new: Some(words::field(new)),
        reason: String::new(),
    };
    let same_stride = old.stride == new.stride;
    if in_place && same_stride && ty == Some(TypeDifference::Spelling) {
        found.class = Class::Neutral;
        found.kind = "field-respelled";
        found.reason = "an array without elements of its own either way".to_owned();
        findings.add(found, [matched.difference(old)]);
        return;
    }
    let mut reasons = Vec::new();
    if old.offset_bits != new.offset_bits {
        let (from, to) = (words::place(old.offset_bits), words::place(new.offset_bits));
        reasons.push(format!("it moved from {from} to {to}"));
    }
    if let Some(difference) = ty {
        let (kind, reason) = match difference {
            TypeDifference::Sign => ("field-sign", "the same bits are another number: "),
            TypeDifference::ByteOrder => {
                ("field-byte-order", "the same bytes are another number: ")
            }
            TypeDifference::Spelling => (found.kind, ""),
            TypeDifference::Type => ("field-retyped", ""),
        };
        found.kind = kind;
        reasons.push(format!("{reason}it is {} instead of {}", new.ty.0, old.ty.0));
    }
    if old.bit_field != new.bit_field {
        found.kind = "field-retyped";
        let now = if new.bit_field { "is" } else { "is no longer" };
        reasons.push(format!("it {now} a bit-field"));
    }
    if old.size_bits != new.size_bits {
        found.kind = "field-resized";
        let (from, to) = (words::size(old.size_bits), words::size(new.size_bits));
        let whose = if ty.is_none() && !old.bit_field { "its type has" } else { "it has" };
        reasons.push(format!("{whose} {to} instead of {from}"));
    }
    match (old.stride, new.stride) {
        (Some(from), Some(to)) if from != to => {
            found.kind = "field-resized";
            let (from, to) = (words::bytes(from), words::bytes(to));
            reasons.push(format!("from one element to the next are {to} instead of {from}"));
        }
        // The type says it.
        _ if same_stride || ty.is_some() => {}
        _ => {
            found.kind = "unjudged";
            let reason = "the bytes from one element to the next are known on one side only: a \
                          person has to judge";
            reasons.push(reason.to_owned());
        }
    }
    found.reason = words::list(&reasons);
    let shifts = old.size_bits != new.size_bits;
    causes.add(cause(found, vec![matched.difference(old)], old, shifts));
}

fn removed<'a>(matched: &Matched<'a>, old: &'a Field, causes: &mut Causes<'a>) {
    let mut found = Found {
        class: Class::Breaking,
        kind: "field-removed",
        item: matched.item(old),
        old: Some(words::field(old)),
        new: None,
        reason: "programs that use it do not compile, and old callers still send or read it"
            .to_owned(),
    };
    let covers = vec![matched.difference(old)];
    if types::is_flexible(&old.ty) {
        found.kind = "unjudged";
        found.reason = "an array at the end is gone: what follows the struct now, a person has to \
                        judge"
            .to_owned();
    }
    causes.add(cause(found, covers, old, true));
}

/// Renames of all members of one inner struct are one: that of the struct.
fn renames_of_one_struct(renames: Vec<Pair<'_>>) -> Vec<Vec<Pair<'_>>> {
    let mut groups: Vec<Vec<Pair<'_>>> = Vec::new();
    for pair in renames {
        let outer = outer_names(pair);
        match groups.iter_mut().find(|group| outer_names(group[0]) == outer) {
            Some(group) => group.push(pair),
            None => groups.push(vec![pair]),
        }
    }
    groups
}

/// What the names of `u.x` and `v.x` differ in: `u` and `v`.
fn outer_names<'a>((old, new): Pair<'a>) -> (&'a str, &'a str) {
    let members = old.name.match_indices(['.', '[']).map(|(at, _)| &old.name[at..]);
    for member in members {
        if let Some(outer) = new.name.strip_suffix(member) {
            return (&old.name[..old.name.len() - member.len()], outer);
        }
    }
    (&old.name, &new.name)
}

fn renamed<'a>(matched: &Matched<'a>, group: &[Pair<'a>], causes: &mut Causes<'a>) {
    let Some(&(old, new)) = group.first() else { return };
    let covers =
        group.iter().flat_map(|(old, new)| [old, new]).map(|field| matched.difference(field));
    let covers = covers.collect();
    let found = match outer_names((old, new)) {
        (from, to) if group.len() > 1 => Found {
            class: Class::Breaking,
            kind: "field-renamed",
            item: format!("{}.{from}", matched.name),
            old: Some(from.to_owned()),
            new: Some(to.to_owned()),
            reason: format!("programs that say {from} do not compile; {to} has the same fields"),
        },
        _ if is_reserved(&new.name) => Found {
            class: Class::Breaking,
            kind: "field-removed",
            item: matched.item(old),
            old: Some(words::field(old)),
            new: Some(format!("{} {}", new.name, words::field(new))),
            reason: "its bytes are reserved now, and old callers still send or read it".to_owned(),
        },
        _ => Found {
            class: Class::Breaking,
            kind: "field-renamed",
            item: matched.item(old),
            old: Some(words::field(old)),
            new: Some(format!("{} {}", new.name, words::field(new))),
            reason: format!("programs that say {} do not compile", old.name),
        },
    };
    causes.add(Cause {
        bits: Bits::of_all(group.iter().map(|(old, _)| *old)),
        ..cause(found, covers, old, false)
    });
}

/// Judges reserved fields that are not as they were, by what their bits are now.
/// Returns those that reach beyond the old end.
pub(super) fn judge_reserved<'a>(
    matched: &Matched<'a>,
    causes: &mut Causes<'a>,
    findings: &mut Findings,
) -> Vec<&'a Field> {
    let mut growers = Vec::new();
    let fresh_live: Vec<&Field> =
        matched.fresh.iter().copied().filter(|field| !is_reserved(&field.name)).collect();
    let fresh_live = Bits::of_all(fresh_live);
    let shifted = matched.moved.iter().chain(&matched.changed).map(|(_, new)| *new);
    let shifted = Bits::of_all(shifted);
    for &(old, new) in &matched.reserved {
        let bits = Bits::of(old);
        let difference = matched.difference(old);
        let lost = bits.and(&matched.old_reserved).without(&matched.new_taken);
        let grows = new.filter(|new| !Bits::of(new).within(&matched.old_inside));
        growers.extend(grows);
        let found = |class, kind, reason: &str| Found {
            class,
            kind,
            item: matched.item(old),
            old: Some(words::field(old)),
            new: successors(matched, &bits),
            reason: reason.to_owned(),
        };
        let resized = new.map_or(true, |new| new.size_bits != old.size_bits);
        if bits.is_empty() {
            continue;
        } else if !lost.is_empty() {
            let reason = "bytes that were reserved are nobody's now: callers need not zero them, \
                          so they can never be put to use";
            let found = found(Class::Breaking, "reserved-removed", reason);
            causes.add(cause(found, vec![difference], old, true));
        } else if shifted.meets(&bits) {
            if resized {
                let reason = "its bytes went to other fields";
                let found = found(Class::Breaking, "reserved-removed", reason);
                let cause = cause(found, vec![difference.clone()], old, true);
                causes.add(Cause { if_it_moves: true, ..cause });
            }
            findings.covered.insert(difference);
        } else if grows.is_some() {
            // The growth says it.
        } else if fresh_live.meets(&bits) {
            findings.covered.insert(difference);
        } else {
            let twin = matched.fresh.iter().any(|new| only_renamed(old, new));
            let kind = if twin { "reserved-renamed" } else { "reserved-reshaped" };
            let reason = "its bytes are reserved as before";
            findings.add(found(Class::Neutral, kind, reason), [difference]);
        }
    }
    growers
}

/// The fields that have these bits now.
fn successors(matched: &Matched<'_>, bits: &Bits) -> Option<String> {
    let names: Vec<String> = matched
        .after
        .fields
        .iter()
        .filter(|field| Bits::of(field).meets(bits))
        .map(|field| format!("{} {}", field.name, words::field(field)))
        .collect();
    (!names.is_empty()).then(|| words::list(&names))
}
