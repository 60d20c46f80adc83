// SPDX-License-Identifier: Apache-2.0
//! The version a header says it has, and the bump a change demands.

mod scheme;
#[cfg(test)]
mod scheme_tests;

pub use scheme::{Encoding, Error, Scheme};

pub(crate) use scheme::only_trio;

use std::fmt;

use crate::diff::Class;

/// The version of an ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// A SemVer triple.
    Numbered {
        /// Breaking changes increase it.
        major: u64,
        /// Additions increase it; breaking changes too while the major is 0.
        minor: u64,
        /// What no program can tell increases it.
        patch: u64,
    },
    /// One number, which any change increases.
    Counter(u64),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered { major, minor, patch } => write!(f, "{major}.{minor}.{patch}"),
            Self::Counter(counter) => counter.fmt(f),
        }
    }
}

/// How much a version has to increase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bump {
    /// Not at all.
    None,
    /// By a minor version at least.
    Minor,
    /// By a major version.
    Major,
}

impl Bump {
    /// Its name: `none`, `minor` or `major`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// What a change of this class demands of a header that has version `old`;
    /// where that is not known, as if the major were not 0.
    pub fn demanded(class: Class, old: Option<Version>) -> Self {
        match (class, old) {
            (Class::Neutral, _) => Self::None,
            (Class::Additive, _) => Self::Minor,
            // A counter has no majors: any increase is all it can say.
            (Class::Breaking, Some(Version::Counter(_) | Version::Numbered { major: 0, .. })) => {
                Self::Minor
            }
            (Class::Breaking, _) => Self::Major,
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Version {
    /// The least version after this one with that bump.
    pub fn bumped(self, bump: Bump) -> Self {
        match (self, bump) {
            (_, Bump::None) => self,
            (Self::Counter(counter), _) => Self::Counter(counter.saturating_add(1)),
            (Self::Numbered { major, minor, .. }, Bump::Minor) => {
                Self::Numbered { major, minor: minor.saturating_add(1), patch: 0 }
            }
            (Self::Numbered { major, .. }, Bump::Major) => {
                Self::Numbered { major: major.saturating_add(1), minor: 0, patch: 0 }
            }
        }
    }

    /// Whether this version comes after `old`, by that bump at least. Versions of
    /// different kinds never do.
    pub fn has_bump(self, bump: Bump, old: Self) -> bool {
        match (old.bumped(bump), self) {
            (Self::Counter(least), Self::Counter(counter)) => counter >= least,
            (
                Self::Numbered { major, minor, patch },
                Self::Numbered { major: new_major, minor: new_minor, patch: new_patch },
            ) => (new_major, new_minor, new_patch) >= (major, minor, patch),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bump, Version};
    use crate::diff::Class;

    fn version(major: u64, minor: u64, patch: u64) -> Version {
        Version::Numbered { major, minor, patch }
    }

    #[test]
    fn a_breaking_change_demands_a_major_unless_that_is_0() {
        assert_eq!(Bump::demanded(Class::Breaking, Some(version(0, 9, 9))), Bump::Minor);
        assert_eq!(Bump::demanded(Class::Breaking, Some(version(1, 0, 0))), Bump::Major);
        assert_eq!(Bump::demanded(Class::Breaking, None), Bump::Major);
        assert_eq!(Bump::demanded(Class::Breaking, Some(Version::Counter(7))), Bump::Minor);
        assert_eq!(Bump::demanded(Class::Additive, Some(version(0, 1, 0))), Bump::Minor);
        assert_eq!(Bump::demanded(Class::Neutral, None), Bump::None);
    }

    #[test]
    fn a_patch_is_no_minor_and_a_minor_no_major() {
        let old = version(1, 2, 3);
        assert!(!version(1, 2, 9).has_bump(Bump::Minor, old));
        assert!(version(1, 3, 0).has_bump(Bump::Minor, old));
        assert!(version(2, 0, 0).has_bump(Bump::Minor, old));
        assert!(!version(1, 9, 0).has_bump(Bump::Major, old));
        assert!(version(2, 0, 0).has_bump(Bump::Major, old));
        assert!(version(1, 2, 3).has_bump(Bump::None, old));
        assert!(!version(1, 2, 2).has_bump(Bump::None, old));
        assert!(!version(0, 9, 9).has_bump(Bump::Minor, old));
    }

    #[test]
    fn a_counter_has_to_increase_and_nothing_more() {
        let old = Version::Counter(12);
        assert!(Version::Counter(13).has_bump(Bump::Major, old));
        assert!(!Version::Counter(12).has_bump(Bump::Minor, old));
        assert!(!Version::Counter(11).has_bump(Bump::None, old));
        assert!(!version(13, 0, 0).has_bump(Bump::None, old));
    }

    #[test]
    fn the_largest_version_has_no_successor_and_no_overflow() {
        let last = version(u64::MAX, u64::MAX, 0);
        assert_eq!(last.bumped(Bump::Minor), last);
    }
}
