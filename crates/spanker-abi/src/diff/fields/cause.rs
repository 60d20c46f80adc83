// SPDX-License-Identifier: Apache-2.0
//! Breaking changes of fields, each with what follows from it: fields that it
//! moves, fields that take its place, and the size of the whole.

use super::matched::{Matched, Pair};
use crate::diff::bits::Bits;
use crate::diff::findings::{Difference, Findings, Found};
use crate::diff::{words, Class};
use crate::model::Field;

/// A breaking change and what follows from it.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    pub(super) found: Found,
    pub(super) covers: Vec<Difference>,
    /// The first bit it concerns.
    pub(super) at: u64,
    /// The bits it concerns on the old side, where it has some.
    pub(super) bits: Bits,
    /// It leaves more or less room, so that later fields begin elsewhere.
    pub(super) shifts: bool,
    /// It is a change only because it moves something.
    pub(super) if_it_moves: bool,
    pub(super) moved: Vec<Pair<'a>>,
    pub(super) takers: Vec<&'a Field>,
}

/// The breaking changes of a record's fields.
#[derive(Debug, Default)]
pub(super) struct Causes<'a> {
    causes: Vec<Cause<'a>>,
    consequences: Vec<String>,
}

impl<'a> Causes<'a> {
    pub(super) fn add(&mut self, cause: Cause<'a>) {
        self.causes.push(cause);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    /// Whether one of the changes explains this difference already.
    pub(super) fn explain(&self, difference: &Difference) -> bool {
        self.causes.iter().any(|cause| cause.covers.contains(difference))
    }

    /// Makes a new field part of the change whose bits, or moved fields' bits, it
    /// takes, if there is one.
    pub(super) fn take(&mut self, field: &'a Field) -> bool {
        let bits = Bits::of(field);
        let takes = |cause: &&mut Cause<'_>| {
            let moved = Bits::of_all(cause.moved.iter().map(|(old, _)| *old));
            cause.bits.or(&moved).meets(&bits)
        };
        match self.causes.iter_mut().find(takes) {
            Some(cause) => {
                cause.takers.push(field);
                true
            }
            None => false,
        }
    }

    /// Gives each field that only moved to the change before it that moved it, or
    /// makes it a change of its own.
    pub(super) fn attach_moved(&mut self, matched: &Matched<'a>) {
        let mut alone = Vec::new();
        for &pair in &matched.moved {
            let before = |cause: &&mut Cause<'_>| cause.shifts && cause.at <= pair.0.offset_bits;
            match self.causes.iter_mut().filter(before).max_by_key(|cause| cause.at) {
                Some(cause) => cause.moved.push(pair),
                None => alone.push(pair),
            }
        }
        self.causes.retain(|cause| !cause.if_it_moves || !cause.moved.is_empty());
        let realigned = matched.before.align != matched.after.align;
        let mut order = alone.clone();
        order.sort_by_key(|(_, new)| new.offset_bits);
        if realigned && alone.len() > 1 && order == alone {
            self.add(realignment(matched, alone));
        } else {
            alone.into_iter().for_each(|pair| self.add(moved(matched, pair)));
        }
        self.causes.sort_by_key(|cause| cause.at);
    }

    /// What the changes together lead to; the first of them says it.
    pub(super) fn conclude(&mut self, consequences: Vec<String>) {
        self.consequences = consequences;
    }

    /// Reports them all.
    pub(super) fn report(self, matched: &Matched<'_>, findings: &mut Findings) {
        let mut consequences = self.consequences;
        for cause in self.causes {
            let Cause { mut found, mut covers, moved, takers, .. } = cause;
            let mut also = Vec::new();
            if !takers.is_empty() {
                let names: Vec<String> = takers
                    .iter()
                    .map(|field| format!("{} ({})", field.name, words::field(field)))
                    .collect();
                also.push(format!("there now: {}", words::list(&names)));
            }
            if !moved.is_empty() {
                let names: Vec<String> = moved.iter().map(|pair| shift(*pair)).collect();
                also.push(format!("it moves {}", words::list(&names)));
            }
            also.append(&mut consequences);
            for clause in also {
                found.reason.push_str("; ");
                found.reason.push_str(&clause);
            }
            covers.extend(takers.iter().map(|field| matched.difference(field)));
            covers.extend(moved.iter().map(|(old, _)| matched.difference(old)));
            findings.add(found, covers);
        }
    }
}

fn shift((old, new): Pair<'_>) -> String {
    let (from, to) = (words::place(old.offset_bits), words::place(new.offset_bits));
    format!("{} ({from} → {})", old.name, to.strip_prefix("offset ").unwrap_or(&to))
}

fn moved<'a>(matched: &Matched<'a>, pair: Pair<'a>) -> Cause<'a> {
    let (old, new) = pair;
    let (from, to) = (words::place(old.offset_bits), words::place(new.offset_bits));
    Cause {
        found: Found {
            class: Class::Breaking,
            kind: "field-moved",
            item: matched.item(old),
            old: Some(words::field(old)),
            new: Some(words::field(new)),
            reason: format!("old callers have it at {from}, not at {to}"),
        },
        covers: vec![matched.difference(old)],
        at: old.offset_bits,
        bits: Bits::of(old),
        shifts: false,
        if_it_moves: false,
        moved: Vec::new(),
        takers: Vec::new(),
    }
}

fn realignment<'a>(matched: &Matched<'a>, moved: Vec<Pair<'a>>) -> Cause<'a> {
    let Matched { name, before, after, .. } = matched;
    Cause {
        found: Found {
            class: Class::Breaking,
            kind: "align-changed",
            item: (*name).to_owned(),
            old: Some(words::aligned(before)),
            new: Some(words::aligned(after)),
            reason: "its fields are aligned otherwise".to_owned(),
        },
        covers: Vec::new(),
        at: 0,
        bits: Bits::default(),
        shifts: true,
        if_it_moves: false,
        moved,
        takers: Vec::new(),
    }
}
