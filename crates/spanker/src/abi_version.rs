// SPDX-License-Identifier: Apache-2.0
//! The version of the ABI, and which versions understand each other.

use spanker_sys::{
    spanker_version, SPANKER_ABI_VERSION_MAJOR, SPANKER_ABI_VERSION_MINOR,
    SPANKER_ABI_VERSION_PATCH,
};
use std::fmt;

/// Major version of the ABI that this crate speaks.
pub const ABI_VERSION_MAJOR: u16 = SPANKER_ABI_VERSION_MAJOR as u16;
/// Minor version of the ABI that this crate speaks.
pub const ABI_VERSION_MINOR: u16 = SPANKER_ABI_VERSION_MINOR as u16;
/// Patch level of the ABI that this crate speaks.
pub const ABI_VERSION_PATCH: u16 = SPANKER_ABI_VERSION_PATCH as u16;

/// A version of the ABI. Ordered by age, and shown as `0.2.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbiVersion {
    /// Changes when what worked may stop working.
    pub major: u16,
    /// Changes when something is added; while the major is 0, also when
    /// something else is changed.
    pub minor: u16,
    /// Changes when the text of the specification is made clearer.
    pub patch: u16,
}

impl AbiVersion {
    /// The version that this crate speaks.
    pub const LIBRARY: Self =
        Self { major: ABI_VERSION_MAJOR, minor: ABI_VERSION_MINOR, patch: ABI_VERSION_PATCH };

    /// Whether a caller and a device of these versions understand each other:
    /// the majors are equal and, while the major is 0, the minors too.
    ///
    /// ```
    /// use spanker::AbiVersion;
    ///
    /// let version = |major, minor, patch| AbiVersion { major, minor, patch };
    /// assert!(version(0, 2, 0).is_compatible_with(version(0, 2, 7)));
    /// assert!(!version(0, 2, 0).is_compatible_with(version(0, 3, 0)));
    /// assert!(version(1, 4, 0).is_compatible_with(version(1, 0, 0)));
    /// assert!(!version(1, 0, 0).is_compatible_with(version(2, 0, 0)));
    /// ```
    pub const fn is_compatible_with(self, other: Self) -> bool {
        self.major == other.major && (self.major > 0 || self.minor == other.minor)
    }
}

impl fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl From<spanker_version> for AbiVersion {
    fn from(version: spanker_version) -> Self {
        Self { major: version.major, minor: version.minor, patch: version.patch }
    }
}
