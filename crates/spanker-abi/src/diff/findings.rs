// SPDX-License-Identifier: Apache-2.0
//! What the rules have found on one target, and which differences that covers.

use std::collections::BTreeSet;

use super::Class;

/// One difference between two sets of facts, as small as facts can be compared.
/// The rules owe a word about each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// A record is on one side only, or only one side says what is in it.
    Record(String),
    /// Struct or union.
    Kind(String),
    /// A record's size.
    Size(String),
    /// A record's alignment.
    Align(String),
    /// A record's mark.
    Extensible(String),
    /// A record's fields are equal and in another order.
    Order(String),
    /// A field of a record.
    Field(String, String),
    /// An enum.
    Enum(String),
    /// A typedef.
    Typedef(String),
    /// A constant.
    Constant(String),
    /// A request.
    Request(String),
    /// A text.
    Text(String),
    /// Whether a constant or request is an enumerator and no macro.
    Enumerator(String),
}

impl Difference {
    /// What a message calls it.
    pub(super) fn item(&self) -> String {
        match self {
            Self::Field(record, field) => format!("{record}.{field}"),
            Self::Record(name)
            | Self::Kind(name)
            | Self::Size(name)
            | Self::Align(name)
            | Self::Extensible(name)
            | Self::Order(name)
            | Self::Enum(name)
            | Self::Typedef(name)
            | Self::Constant(name)
            | Self::Request(name)
            | Self::Text(name)
            | Self::Enumerator(name) => name.clone(),
        }
    }
}

/// A change on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) class: Class,
    pub(super) kind: &'static str,
    pub(super) item: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) reason: String,
}

/// All changes on one target.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    /// The differences that `found` explains.
    pub(super) covered: BTreeSet<Difference>,
}

impl Findings {
    /// Adds a change that explains `covers`.
    pub(super) fn add(&mut self, found: Found, covers: impl IntoIterator<Item = Difference>) {
        self.found.push(found);
        self.covered.extend(covers);
    }

    /// The worst class of what was added from index `start` on.
    pub(super) fn class_since(&self, start: usize) -> Class {
        let added = self.found.get(start..).unwrap_or_default();
        added.iter().map(|found| found.class).max().unwrap_or(Class::Neutral)
    }
}
