// SPDX-License-Identifier: Apache-2.0
//! What changed between two ABIs, and what each change breaks.

use crate::model::Abi;

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

/// What changed from `old` to `new`, on the targets that both have.
pub fn diff(_old: &Abi, _new: &Abi) -> Vec<Change> {
    Vec::new()
}
