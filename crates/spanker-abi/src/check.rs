// SPDX-License-Identifier: Apache-2.0
//! The gate: whether a header's version says what changed in it.

use crate::diff::{Change, Class};
use crate::model::Abi;
use crate::version::{self, Bump, Scheme, Version};

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the command exits with: 0 all well, 1 breaking without its bump, 2
    /// additive without its bump.
    pub exit: u8,
    /// The worst class of the changes.
    pub class: Class,
    /// The bump that this class demands.
    pub demanded: Bump,
    /// The verdict in words.
    pub message: String,
}

/// The versions of both sides.
///
/// # Errors
///
/// When one of them has none, or has one that is not the same on all targets.
pub fn versions(
    old: &Abi,
    new: &Abi,
    scheme: &Scheme,
) -> Result<(Version, Version), version::Error> {
    Ok((scheme.version(old)?, scheme.version(new)?))
}

/// Judges `changes` by the versions of both sides. Without versions no bump can
/// be seen, and there is none.
pub fn check(changes: &[Change], versions: Option<(Version, Version)>) -> Verdict {
    let class = Class::of(changes);
    let demanded = Bump::demanded(class, versions.map(|(old, _)| old));
    let refused = match class {
        // A version that goes back breaks those who ask for at least the old one.
        Class::Breaking | Class::Neutral => 1,
        Class::Additive => 2,
    };
    let what = match class {
        Class::Neutral => "nothing that a program can tell has changed",
        Class::Additive => "the ABI has grown",
        Class::Breaking => "the ABI has broken",
    };
    let (well, message) = match versions {
        None if class == Class::Neutral => (true, what.to_owned()),
        None => {
            let message = format!(
                "{what}: that demands a bump, and no version is known; name the header's version \
                 macros"
            );
            (false, message)
        }
        Some((old, new)) if !new.has_bump(Bump::None, old) => {
            (false, format!("the version went back from {old} to {new}, which no change allows"))
        }
        Some((old, new)) if new.has_bump(demanded, old) => {
            (true, format!("{what}: {old} → {new} is enough"))
        }
        Some((old, new)) => {
            let least = old.bumped(demanded);
            (false, format!("{what}: {old} → {least} is demanded, the header says {new}"))
        }
    };
    Verdict { exit: if well { 0 } else { refused }, class, demanded, message }
}
