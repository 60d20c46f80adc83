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
/// When one of them has none, or has one that is not the same on all targets, or
/// they say it by different macros.
pub fn versions(
    old: &Abi,
    new: &Abi,
    scheme: &Scheme,
) -> Result<(Version, Version), version::Error> {
    let versions = (scheme.version(old)?, scheme.version(new)?);
    scheme.agrees(old, new)?;
    Ok(versions)
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
                 macros with --version-macros or, where it has none and the change is meant, write \
                 the snapshot anew"
            );
            (false, message)
        }
        Some((old, new)) if !new.has_bump(Bump::None, old) => {
            (false, format!("the version went back from {old} to {new}, which no change allows"))
        }
        Some((old, _)) if class == Class::Neutral => (true, format!("{what} since {old}")),
        Some((old, new)) if new.has_bump(demanded, old) => {
            let next = format!("when {new} is released, its snapshot is the one to check against");
            (true, format!("{what}: {old} → {new} is enough; {next}"))
        }
        Some((old, new)) => {
            let least = old.bumped(demanded);
            (false, format!("{what}: {old} → {least} is demanded, the header says {new}"))
        }
    };
    Verdict { exit: if well { 0 } else { refused }, class, demanded, message }
}

#[cfg(test)]
mod tests {
    use super::{check, Verdict};
    use crate::diff::{Change, Class};
    use crate::version::Version;

    const ALL: [Class; 3] = [Class::Neutral, Class::Additive, Class::Breaking];

    fn verdict(class: Class, versions: Option<(Version, Version)>) -> Verdict {
        let change = Change {
            class,
            kind: "unjudged",
            item: "X".to_owned(),
            targets: Vec::new(),
            old: None,
            new: None,
            reason: String::new(),
        };
        check(&[change], versions)
    }

    fn numbered(class: Class, old: [u64; 3], new: [u64; 3]) -> Verdict {
        let of = |[major, minor, patch]: [u64; 3]| Version::Numbered { major, minor, patch };
        verdict(class, Some((of(old), of(new))))
    }

    fn exits(old: [u64; 3], new: [u64; 3]) -> [u8; 3] {
        ALL.map(|class| numbered(class, old, new).exit)
    }

    #[test]
    fn each_class_has_its_exit_code_without_its_bump() {
        assert_eq!(exits([1, 2, 3], [1, 2, 3]), [0, 2, 1]);
        assert_eq!(exits([1, 2, 3], [1, 2, 4]), [0, 2, 1]);
        assert_eq!(exits([1, 2, 3], [1, 3, 0]), [0, 0, 1]);
        assert_eq!(exits([1, 2, 3], [2, 0, 0]), [0, 0, 0]);
        assert_eq!(exits([0, 2, 0], [0, 2, 1]), [0, 2, 1]);
        assert_eq!(exits([0, 2, 0], [0, 3, 0]), [0, 0, 0]);
        assert_eq!(exits([0, 2, 0], [1, 0, 0]), [0, 0, 0]);
    }

    #[test]
    fn a_version_that_goes_back_is_never_well() {
        for new in [[1, 2, 2], [1, 1, 9], [0, 9, 9]] {
            assert_eq!(exits([1, 2, 3], new), [1, 2, 1]);
            for class in ALL {
                let message = numbered(class, [1, 2, 3], new).message;
                assert!(message.contains("went back from 1.2.3"), "{message}");
            }
        }
    }

    #[test]
    fn a_counter_says_any_change_by_increasing() {
        let with = |new| {
            ALL.map(|class| {
                verdict(class, Some((Version::Counter(12), Version::Counter(new)))).exit
            })
        };
        assert_eq!(with(12), [0, 2, 1]);
        assert_eq!(with(13), [0, 0, 0]);
        assert_eq!(with(11), [1, 2, 1]);
    }

    #[test]
    fn without_versions_only_no_change_is_well() {
        assert_eq!(ALL.map(|class| verdict(class, None).exit), [0, 2, 1]);
        assert_eq!(check(&[], None).exit, 0);
    }

    #[test]
    fn the_message_says_what_is_demanded_and_what_is_there() {
        let message = numbered(Class::Breaking, [0, 2, 0], [0, 2, 1]).message;
        assert!(message.contains("0.2.0 → 0.3.0 is demanded"), "{message}");
        assert!(message.contains("the header says 0.2.1"), "{message}");
    }

    #[test]
    fn the_message_says_what_to_do_next() {
        for class in [Class::Additive, Class::Breaking] {
            let message = numbered(class, [0, 2, 0], [0, 3, 0]).message;
            let next = "when 0.3.0 is released, its snapshot is the one to check against";
            assert!(message.ends_with(next), "{message}");
            let message = verdict(class, None).message;
            assert!(message.contains("--version-macros"), "{message}");
            assert!(message.contains("write the snapshot anew"), "{message}");
        }
        let message = numbered(Class::Neutral, [0, 2, 0], [0, 2, 1]).message;
        assert!(!message.contains("snapshot"), "{message}");
    }
}
