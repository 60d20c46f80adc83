// SPDX-License-Identifier: Apache-2.0
//! What changed between two ABIs, and what each change breaks.
//!
//! Each target is compared by itself, since a field may be at another place on
//! each; equal changes of several targets are then one. The rules are in
//! `docs/adr/0003-interface-contracts.md`. A difference that no rule knows is a
//! change of kind `unjudged`, and breaking.

mod bits;
mod constants;
mod differences;
mod fields;
mod findings;
mod macros;
mod names;
mod records;
mod requests;
mod reserved;
mod shadows;
mod types;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use findings::{Findings, Found};

use crate::model::{Abi, Facts};
use crate::version::Scheme;

/// What a change means for programs and devices that know the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nobody can tell the difference.
    Neutral,
    /// There is more than before, and what was there is as it was.
    Additive,
    /// Something that worked does not work, or means something else.
    Breaking,
}

impl Class {
    /// Its name: `neutral`, `additive` or `breaking`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }

    /// The worst of these changes; of none, neutral.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        changes.into_iter().map(|change| change.class).max().unwrap_or(Self::Neutral)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it means.
    pub class: Class,
    /// What kind of change it is: `field-moved`, `request-added`, `unjudged` ….
    pub kind: &'static str,
    /// What changed: `struct x`, `struct x.field`, `MACRO`.
    pub item: String,
    /// The targets it holds on.
    pub targets: Vec<String>,
    /// The old side, in words; `None` where there is none.
    pub old: Option<String>,
    /// The new side, in words; `None` where there is none.
    pub new: Option<String>,
    /// Why it is of this class.
    pub reason: String,
}

/// Why two ABIs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No target is on both sides.
    NoCommonTarget {
        /// The old side's targets.
        old: Vec<String>,
        /// The new side's targets.
        new: Vec<String>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NoCommonTarget { old, new } = self;
        let some = |targets: &[String]| match targets {
            [] => "no target".to_owned(),
            _ => targets.join(", "),
        };
        write!(
            f,
            "no target is on both sides, so there is nothing to compare: the old side has {}, the \
             new side {}; read the header for a target of the other side",
            some(old),
            some(new)
        )
    }
}

impl std::error::Error for Error {}

/// What changed from `old` to `new`, on the targets that both have: the worst
/// class first, then by item.
///
/// The constants that `scheme` makes a version of are not judged as values: that
/// they change is what they are for. Without a scheme they are those of the only
/// `…_VERSION_MAJOR`, `…_VERSION_MINOR`, `…_VERSION_PATCH` there is, if any.
///
/// # Errors
///
/// When no target is on both sides.
pub fn diff(old: &Abi, new: &Abi, scheme: Option<&Scheme>) -> Result<Vec<Change>, Error> {
    let found = |targets: &BTreeMap<String, Facts>| targets.keys().cloned().collect::<Vec<_>>();
    if !old.targets.keys().any(|target| new.targets.contains_key(target)) {
        return Err(Error::NoCommonTarget { old: found(&old.targets), new: found(&new.targets) });
    }
    let mut changes: Vec<Change> = Vec::new();
    let targets: BTreeSet<&String> = old.targets.keys().chain(new.targets.keys()).collect();
    for target in targets {
        let found = match (old.targets.get(target), new.targets.get(target)) {
            (Some(old), Some(new)) => compare(old, new, scheme),
            (Some(_), None) => vec![target_removed(target)],
            (None, Some(_)) => vec![target_added(target)],
            (None, None) => Vec::new(),
        };
        for found in found {
            merge(&mut changes, found, target);
        }
    }
    changes.sort_by(|a, b| {
        let key = |change: &Change| (std::cmp::Reverse(change.class), change.item.clone());
        (key(a), a.kind, &a.targets, &a.old, &a.new, &a.reason).cmp(&(
            key(b),
            b.kind,
            &b.targets,
            &b.old,
            &b.new,
            &b.reason,
        ))
    });
    Ok(changes)
}

/// The changes on one target.
fn compare(old: &Facts, new: &Facts, scheme: Option<&Scheme>) -> Vec<Found> {
    let mut findings = Findings::default();
    let versions = match scheme {
        Some(scheme) => scheme.macros(old, new),
        None => crate::version::only_trio(old, new),
    };
    let growth = records::judge(old, new, &mut findings);
    shadows::judge(old, new, &mut findings);
    requests::judge(old, new, &growth, &mut findings);
    constants::judge(old, new, &versions, &mut findings);
    macros::judge(old, new, &mut findings);
    names::judge(old, new, &mut findings);
    differences::name_the_unjudged(old, new, &mut findings);
    findings.found
}

fn merge(changes: &mut Vec<Change>, found: Found, target: &str) {
    let Found { class, kind, item, old, new, reason } = found;
    let change = Change { class, kind, item, targets: Vec::new(), old, new, reason };
    let same = |other: &&mut Change| {
        (other.class, other.kind, &other.item) == (change.class, change.kind, &change.item)
            && (&other.old, &other.new, &other.reason) == (&change.old, &change.new, &change.reason)
    };
    if let Some(other) = changes.iter_mut().find(same) {
        if other.targets.last().map(String::as_str) != Some(target) {
            other.targets.push(target.to_owned());
        }
        return;
    }
    changes.push(Change { targets: vec![target.to_owned()], ..change });
}

fn target_removed(target: &str) -> Found {
    Found {
        class: Class::Breaking,
        kind: "target-removed",
        item: target.to_owned(),
        old: Some("described".to_owned()),
        new: None,
        reason: "nothing shows that the ABI is the same on this target any more".to_owned(),
    }
}

fn target_added(target: &str) -> Found {
    Found {
        class: Class::Additive,
        kind: "target-added",
        item: target.to_owned(),
        old: None,
        new: Some("described".to_owned()),
        reason: "what holds on this target is promised from now on".to_owned(),
    }
}
