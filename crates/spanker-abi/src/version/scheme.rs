// SPDX-License-Identifier: Apache-2.0
//! Which macros say the version.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::Version;
use crate::model::{Abi, Facts, Value};

/// Which macros of a header say its version.
///
/// `PREFIX` is found as `PREFIX_MAJOR` with `PREFIX_MINOR` and, if there is one,
/// `PREFIX_PATCH`, `PREFIX_PATCHLEVEL` or `PREFIX_SUBLEVEL`; the same with
/// `PREFIX_VERSION` for `PREFIX`; as `PREFIX_VERSION` with
/// `PREFIX_MINOR_VERSION`; or as one macro, `PREFIX` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// What the macros' names begin with.
    pub prefix: String,
    /// How to read a version that is one integer. Where it is not said, small
    /// numbers are counters, and others an error: they may be packed.
    pub encoding: Option<Encoding>,
}

/// How one integer says a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// It only increases.
    Counter,
    /// As `KERNEL_VERSION` does: major << 16, minor << 8, patch.
    Kernel,
    /// major << 16, minor.
    Halves,
}

impl FromStr for Encoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "counter" => Ok(Self::Counter),
            "kernel" => Ok(Self::Kernel),
            "halves" => Ok(Self::Halves),
            _ => Err(Error::Encoding(name.to_owned())),
        }
    }
}

impl FromStr for Scheme {
    type Err = Error;

    /// `PREFIX` or `PREFIX:ENCODING`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (prefix, encoding) = match text.split_once(':') {
            Some((prefix, encoding)) => (prefix, Some(encoding.parse()?)),
            None => (text, None),
        };
        let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let prefix = prefix.trim_end_matches('_');
        if prefix.is_empty() || !prefix.chars().all(identifier) {
            return Err(Error::Prefix(prefix.to_owned()));
        }
        Ok(Self { prefix: prefix.to_owned(), encoding })
    }
}

/// Why a header's version is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No macro of that prefix says a version.
    Missing {
        /// The header.
        header: String,
        /// The target.
        target: String,
        /// The prefix.
        prefix: String,
    },
    /// A macro says something that is no version.
    NoVersion {
        /// The header.
        header: String,
        /// The macro.
        name: String,
        /// What it says.
        value: String,
    },
    /// The version is not the same on all targets.
    Differs {
        /// The header.
        header: String,
        /// One target and its version.
        one: (String, Version),
        /// Another target and its version.
        other: (String, Version),
    },
    /// One integer says the version, and may be several numbers packed.
    Packed {
        /// The header.
        header: String,
        /// The macro.
        name: String,
        /// What it says.
        value: u64,
        /// The prefix.
        prefix: String,
    },
    /// The two sides say their versions by different macros.
    OtherMacros {
        /// The old side's.
        old: Vec<String>,
        /// The new side's.
        new: Vec<String>,
    },
    /// There is no such encoding.
    Encoding(String),
    /// No macro can begin so.
    Prefix(String),
    /// The header was read for no target.
    NoTarget {
        /// The header.
        header: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { header, target, prefix } => write!(
                f,
                "{header} says no version on {target}: there is no {prefix}_MAJOR with \
                 {prefix}_MINOR, and no {prefix} that has a value"
            ),
            Self::NoVersion { header, name, value } => write!(
                f,
                "{header}: {name} is {value}, which is no version; a version is a number, or a \
                 string such as \"1.2.3\""
            ),
            Self::Differs { header, one, other } => write!(
                f,
                "{header} has version {} on {} and {} on {}; it has to be the same on all",
                one.1, one.0, other.1, other.0
            ),
            Self::Packed { header, name, value, prefix } => write!(
                f,
                "{header}: {name} is {value:#x}, which may be several numbers in one; write \
                 {prefix}:kernel for major << 16, minor << 8, patch, {prefix}:halves for major << \
                 16, minor, or {prefix}:counter for a number that only increases"
            ),
            Self::OtherMacros { old, new } => write!(
                f,
                "the old side says its version by {}, the new side by {}, so they cannot be \
                 compared; name macros that both sides have",
                old.join(" and "),
                new.join(" and ")
            ),
            Self::Encoding(name) => write!(
                f,
                "there is no encoding {name:?} of a version; there are counter, kernel and halves"
            ),
            Self::Prefix(prefix) => write!(f, "no macro's name begins with {prefix:?}"),
            Self::NoTarget { header } => write!(f, "{header} was read for no target"),
        }
    }
}

impl std::error::Error for Error {}

/// The macros that say a version.
enum Macros {
    Parts { major: String, minor: String, patch: Option<String> },
    One(String),
}

impl Macros {
    /// Those that there have to be.
    fn names(&self) -> Vec<String> {
        match self {
            Self::Parts { major, minor, .. } => vec![major.clone(), minor.clone()],
            Self::One(name) => vec![name.clone()],
        }
    }

    /// Those, the patch, and what a header makes of the parts.
    fn all(&self) -> Vec<String> {
        let mut all = self.names();
        if let Self::Parts { major, patch, .. } = self {
            all.extend(patch.clone());
            all.extend(major.strip_suffix("_MAJOR").into_iter().flat_map(derived));
        }
        all
    }
}

/// What a header makes of the parts of a version: it changes with them.
fn derived(stem: &str) -> impl Iterator<Item = String> + '_ {
    let ends = ["", "_STRING", "_STR", "_CODE", "_NUMBER"];
    ends.into_iter().map(move |end| format!("{stem}{end}"))
}

impl Scheme {
    /// The version that all targets of `abi` agree on.
    ///
    /// # Errors
    ///
    /// When the macros are missing or say no version on a target, or say another
    /// one on another target.
    pub fn version(&self, abi: &Abi) -> Result<Version, Error> {
        let mut first: Option<(&String, Version)> = None;
        for (target, facts) in &abi.targets {
            let version = self.version_on(&abi.header, target, facts)?;
            match first {
                Some((one, known)) if known != version => {
                    return Err(Error::Differs {
                        header: abi.header.clone(),
                        one: (one.clone(), known),
                        other: (target.clone(), version),
                    });
                }
                _ => first = Some((target, version)),
            }
        }
        let (_, version) = first.ok_or_else(|| Error::NoTarget { header: abi.header.clone() })?;
        Ok(version)
    }

    /// That both sides say the version by the same macros; a patch may come or go.
    ///
    /// # Errors
    ///
    /// When they do not, on a target that both have.
    pub fn agrees(&self, old: &Abi, new: &Abi) -> Result<(), Error> {
        for (target, before) in &old.targets {
            let sides = new.targets.get(target).map(|after| (self.find(before), self.find(after)));
            let Some((Some(before), Some(after))) = sides else { continue };
            if before.names() != after.names() {
                return Err(Error::OtherMacros { old: before.names(), new: after.names() });
            }
        }
        Ok(())
    }

    /// The names of the macros that say the version on both sides, and of those
    /// made of them; none where the sides say it by different ones.
    pub(crate) fn macros(&self, old: &Facts, new: &Facts) -> BTreeSet<String> {
        let (Some(before), Some(after)) = (self.find(old), self.find(new)) else {
            return BTreeSet::new();
        };
        if before.names() != after.names() {
            return BTreeSet::new();
        }
        let extra = [old, new].into_iter().filter_map(|facts| self.extra(facts));
        [before, after].iter().flat_map(Macros::all).chain(extra).collect()
    }

    /// Words beside the version, such as its date.
    fn extra(&self, facts: &Facts) -> Option<String> {
        let name = format!("{}_EXTRA", self.prefix);
        let text = facts.constants.get(&name).map(|constant| &constant.value);
        matches!(text, Some(Value::Text(_))).then_some(name)
    }

    fn find(&self, facts: &Facts) -> Option<Macros> {
        let prefix = &self.prefix;
        let has = |name: String| facts.constants.contains_key(&name).then_some(name);
        for stem in [prefix.clone(), format!("{prefix}_VERSION")] {
            let major = has(format!("{stem}_MAJOR"));
            if let (Some(major), Some(minor)) = (major, has(format!("{stem}_MINOR"))) {
                let patches = ["PATCH", "PATCHLEVEL", "SUBLEVEL"];
                let patch = patches.iter().find_map(|patch| has(format!("{stem}_{patch}")));
                return Some(Macros::Parts { major, minor, patch });
            }
        }
        for stem in [prefix.as_str(), prefix.strip_suffix("_VERSION").unwrap_or(prefix)] {
            let minor = has(format!("{stem}_MINOR_VERSION"));
            let majors = [format!("{stem}_MAJOR_VERSION"), format!("{stem}_VERSION")];
            if let (Some(major), Some(minor)) = (majors.into_iter().find_map(has), minor) {
                return Some(Macros::Parts { major, minor, patch: None });
            }
        }
        has(prefix.clone()).map(Macros::One)
    }

    fn version_on(&self, header: &str, target: &str, facts: &Facts) -> Result<Version, Error> {
        let value = |name: &String| facts.constants.get(name).map(|constant| &constant.value);
        let no_version = |name: &String, value: &Value| Error::NoVersion {
            header: header.to_owned(),
            name: name.clone(),
            value: match value {
                Value::Integer(integer) => integer.to_string(),
                Value::Float(float) => float.clone(),
                Value::Text(text) => format!("{text:?}"),
            },
        };
        let missing = || Error::Missing {
            header: header.to_owned(),
            target: target.to_owned(),
            prefix: self.prefix.clone(),
        };
        let integer = |name: &String| match value(name) {
            Some(Value::Integer(integer)) => {
                u64::try_from(*integer).map_err(|_| no_version(name, &Value::Integer(*integer)))
            }
            Some(other) => Err(no_version(name, other)),
            None => Err(missing()),
        };
        match self.find(facts).ok_or_else(missing)? {
            Macros::Parts { major, minor, patch } => Ok(Version::Numbered {
                major: integer(&major)?,
                minor: integer(&minor)?,
                patch: patch.as_ref().map_or(Ok(0), integer)?,
            }),
            Macros::One(name) => match value(&name) {
                Some(Value::Text(text)) => {
                    parse(text).ok_or_else(|| no_version(&name, &Value::Text(text.clone())))
                }
                _ => match (self.encoding, integer(&name)?) {
                    (None, value) if value > 0xffff => Err(Error::Packed {
                        header: header.to_owned(),
                        name,
                        value,
                        prefix: self.prefix.clone(),
                    }),
                    (encoding, value) => Ok(encoding.unwrap_or(Encoding::Counter).decode(value)),
                },
            },
        }
    }
}

impl Encoding {
    fn decode(self, value: u64) -> Version {
        match self {
            Self::Counter => Version::Counter(value),
            Self::Kernel => Version::Numbered {
                major: value >> 16,
                minor: value >> 8 & 0xff,
                patch: value & 0xff,
            },
            Self::Halves => {
                Version::Numbered { major: value >> 16, minor: value & 0xffff, patch: 0 }
            }
        }
    }
}

/// `a.b` or `a.b.c`.
fn parse(text: &str) -> Option<Version> {
    let mut parts = Vec::new();
    for part in text.split('.') {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.push(part.parse::<u64>().ok().filter(|_| digits)?);
    }
    match parts[..] {
        [major, minor] => Some(Version::Numbered { major, minor, patch: 0 }),
        [major, minor, patch] => Some(Version::Numbered { major, minor, patch }),
        _ => None,
    }
}

/// The macros of the only `…_VERSION_MAJOR`, `…_MINOR`, `…_PATCH` of integers that
/// two headers have; none when there are several.
pub(crate) fn only_trio(old: &Facts, new: &Facts) -> BTreeSet<String> {
    let trios: BTreeSet<&str> = [old, new].into_iter().flat_map(trios).collect();
    let only = if trios.len() == 1 { trios.into_iter().next() } else { None };
    let parts = ["MAJOR", "MINOR", "PATCH"];
    let parts = |stem| parts.iter().map(move |part| format!("{stem}_{part}"));
    only.into_iter().flat_map(|stem| parts(stem).chain(derived(stem))).collect()
}

fn trios(facts: &Facts) -> impl Iterator<Item = &str> {
    let integer = |name: String| {
        let value = facts.constants.get(&name).map(|constant| &constant.value);
        matches!(value, Some(Value::Integer(_)))
    };
    let stems = facts.constants.keys().filter_map(|name| name.strip_suffix("_MAJOR"));
    stems.filter(move |stem| {
        stem.ends_with("VERSION")
            && ["MAJOR", "MINOR", "PATCH"].iter().all(|part| integer(format!("{stem}_{part}")))
    })
}
