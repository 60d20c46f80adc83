// SPDX-License-Identifier: Apache-2.0
//! The fields of two versions of a record, matched by name.

use crate::diff::bits::Bits;
use crate::diff::findings::Difference;
use crate::diff::reserved::is_reserved;
use crate::diff::types;
use crate::model::{Field, Record};

/// A field on both sides.
pub(super) type Pair<'a> = (&'a Field, &'a Field);

/// The fields of a record, matched by name.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    /// The record's name.
    pub(super) name: &'a str,
    pub(super) before: &'a Record,
    pub(super) after: &'a Record,
    /// Live fields that are as they were.
    pub(super) same: Vec<&'a Field>,
    /// Live fields that only begin elsewhere.
    pub(super) moved: Vec<Pair<'a>>,
    /// Live fields that are not the same for another reason.
    pub(super) changed: Vec<Pair<'a>>,
    /// Live fields that only the old side has.
    pub(super) gone: Vec<&'a Field>,
    /// Fields that only the new side has.
    pub(super) fresh: Vec<&'a Field>,
    /// Reserved fields that are not as they were, and what has become of them.
    pub(super) reserved: Vec<(&'a Field, Option<&'a Field>)>,
    /// Bits of the old side's live fields.
    pub(super) old_live: Bits,
    /// Bits of the old side that only reserved fields take.
    pub(super) old_reserved: Bits,
    /// All bits of the old side.
    pub(super) old_inside: Bits,
    /// Bits of the new side that a field takes.
    pub(super) new_taken: Bits,
}

impl<'a> Matched<'a> {
    /// Matches them.
    pub(super) fn of(name: &'a str, before: &'a Record, after: &'a Record) -> Self {
        let inside = |record: &Record| Bits::range(0, record.size.unwrap_or(0).saturating_mul(8));
        let leaves = |record: &'a Record, reserved: bool| {
            let (holders, fields): (Vec<_>, Vec<_>) = record
                .fields
                .iter()
                .filter(|field| is_reserved(&field.name) == reserved)
                .partition(|field| holds_others(field, record));
            let further = holders.into_iter().map(further_elements);
            further.fold(Bits::of_all(fields), |all, bits| all.or(&bits))
        };
        let old_live = leaves(before, false);
        let mut matched = Self {
            name,
            before,
            after,
            same: Vec::new(),
            moved: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            fresh: Vec::new(),
            reserved: Vec::new(),
            old_reserved: leaves(before, true).without(&old_live),
            old_live,
            old_inside: inside(before),
            new_taken: leaves(after, false).or(&leaves(after, true)).and(&inside(after)),
        };
        for old in &before.fields {
            let new = after.fields.iter().find(|new| new.name == old.name);
            match new {
                Some(new) if new == old && is_reserved(&old.name) => {}
                Some(new) if new == old => matched.same.push(old),
                _ if is_reserved(&old.name) => matched.reserved.push((old, new)),
                Some(new) if only_moved(old, new) => matched.moved.push((old, new)),
                Some(new) => matched.changed.push((old, new)),
                None => matched.gone.push(old),
            }
        }
        let known = |new: &&Field| before.fields.iter().any(|old| old.name == new.name);
        matched.fresh = after.fields.iter().filter(|new| !known(new)).collect();
        matched
    }

    /// The difference that a field of this record is.
    pub(super) fn difference(&self, field: &Field) -> Difference {
        Difference::Field(self.name.to_owned(), field.name.clone())
    }

    /// What a message calls a field of this record.
    pub(super) fn item(&self, field: &Field) -> String {
        format!("{}.{}", self.name, field.name)
    }

    /// Some of these bits were of a reserved field that is not as it was, which is
    /// said of that field.
    pub(super) fn says_it_of_reserved(&self, bits: &Bits) -> bool {
        self.reserved.iter().any(|(old, _)| Bits::of(old).meets(bits))
    }

    /// Bits of the old side, live or reserved.
    pub(super) fn old_taken(&self) -> Bits {
        self.old_live.or(&self.old_reserved)
    }
}

/// A field's path leads through `outer`.
pub(super) fn is_below(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// A field is a member of an inner struct that is in an array of the record.
pub(super) fn is_member(field: &Field, array: &Field) -> bool {
    is_below(&field.name, &array.name)
}

fn holds_others(array: &Field, record: &Record) -> bool {
    record.fields.iter().any(|field| is_member(field, array))
}

/// All elements of an array of inner structs but the first, whose members are
/// fields of the record.
fn further_elements(array: &Field) -> Bits {
    let elements = types::elements(&array.ty).max(1);
    Bits::of(array)
        .without(&Bits::of(&Field { size_bits: array.size_bits / elements, ..array.clone() }))
}

fn only_moved(old: &Field, new: &Field) -> bool {
    Field { offset_bits: old.offset_bits, ..new.clone() } == *old
}
