// SPDX-License-Identifier: Apache-2.0
//! One mutation of a header, and what has to be said of it.

/// What is mutated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// The header of this project.
    Header,
    /// The same, with kinds of declarations that it does not have.
    Kinds,
}

/// An anchor that is in the text once, what is replaced behind it, and by what.
pub(crate) type Edit = (&'static str, &'static str, &'static str);

/// A mutation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutation {
    pub(crate) name: &'static str,
    pub(crate) base: Base,
    pub(crate) edits: &'static [Edit],
    /// The class of all changes together.
    pub(crate) class: &'static str,
    /// What the gate exits with.
    pub(crate) check: u8,
    /// The kind and the item of a change of that class; empty where there is none.
    pub(crate) change: (&'static str, &'static str),
}

type Change = (&'static str, &'static str);

const fn of(
    name: &'static str,
    class: &'static str,
    check: u8,
    change: Change,
    edits: &'static [Edit],
) -> Mutation {
    Mutation { name, base: Base::Header, edits, class, check, change }
}

pub(crate) const fn breaking(
    name: &'static str,
    change: Change,
    edits: &'static [Edit],
) -> Mutation {
    of(name, "breaking", 1, change, edits)
}

pub(crate) const fn additive(
    name: &'static str,
    change: Change,
    edits: &'static [Edit],
) -> Mutation {
    of(name, "additive", 2, change, edits)
}

pub(crate) const fn neutral(
    name: &'static str,
    change: Change,
    edits: &'static [Edit],
) -> Mutation {
    of(name, "neutral", 0, change, edits)
}

/// No change at all.
pub(crate) const fn nothing(name: &'static str, edits: &'static [Edit]) -> Mutation {
    neutral(name, ("", ""), edits)
}

impl Mutation {
    /// The same on a header with more kinds of declarations.
    pub(crate) const fn of_kinds(self) -> Self {
        Self { base: Base::Kinds, ..self }
    }

    /// The gate exits otherwise than the class alone says.
    pub(crate) const fn checked(self, check: u8) -> Self {
        Self { check, ..self }
    }

    /// The text with all edits made, in their order.
    pub(crate) fn apply(&self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        for (anchor, from, to) in self.edits {
            if text.matches(anchor).count() != 1 {
                return Err(format!("{anchor:?} is not in the text once"));
            }
            let behind = text.find(anchor).unwrap_or_default();
            let at = text[behind..].find(from).ok_or_else(|| format!("no {from:?}"))? + behind;
            text.replace_range(at..at + from.len(), to);
        }
        Ok(text)
    }
}
