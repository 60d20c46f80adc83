// SPDX-License-Identifier: Apache-2.0
//! Targets by the names people use, and what clang calls them.

use crate::error::Error;
use std::fmt;

/// A machine that a header is compiled for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    name: String,
    triple: String,
    multiarch: Option<&'static str>,
}

/// Name, clang's triple, and the directory that Debian's packages use.
const KNOWN: [(&str, &str, &str); 16] = [
    ("x86_64", "x86_64-unknown-linux-gnu", "x86_64-linux-gnu"),
    ("i686", "i686-unknown-linux-gnu", "i686-linux-gnu"),
    ("aarch64", "aarch64-unknown-linux-gnu", "aarch64-linux-gnu"),
    ("arm", "armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf"),
    ("riscv64", "riscv64-unknown-linux-gnu", "riscv64-linux-gnu"),
    ("s390x", "s390x-unknown-linux-gnu", "s390x-linux-gnu"),
    ("powerpc64le", "powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu"),
    ("mips64el", "mips64el-unknown-linux-gnuabi64", "mips64el-linux-gnuabi64"),
    ("aarch64_be", "aarch64_be-unknown-linux-gnu", "aarch64_be-linux-gnu"),
    ("armeb", "armebv7-unknown-linux-gnueabihf", "armeb-linux-gnueabihf"),
    ("powerpc", "powerpc-unknown-linux-gnu", "powerpc-linux-gnu"),
    ("powerpc64", "powerpc64-unknown-linux-gnu", "powerpc64-linux-gnu"),
    ("mips", "mips-unknown-linux-gnu", "mips-linux-gnu"),
    ("mipsel", "mipsel-unknown-linux-gnu", "mipsel-linux-gnu"),
    ("riscv32", "riscv32-unknown-linux-gnu", "riscv32-linux-gnu"),
    ("sparc64", "sparc64-unknown-linux-gnu", "sparc64-linux-gnu"),
];

/// How many of the known targets are taken where none is named.
const DEFAULTS: usize = 8;

impl Target {
    /// The target of a short name (`s390x`) or of a triple (`s390x-linux-gnu`).
    /// A triple that is not known is left for clang to judge.
    ///
    /// # Errors
    /// [`Error::Target`] for a name that is neither.
    pub fn named(name: &str) -> Result<Self, Error> {
        let name = name.trim();
        let known = KNOWN
            .iter()
            .find(|(short, triple, multiarch)| [*short, *triple, *multiarch].contains(&name));
        if let Some((short, triple, multiarch)) = known {
            return Ok(Self {
                name: (*short).to_owned(),
                triple: (*triple).to_owned(),
                multiarch: Some(multiarch),
            });
        }
        let triple = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.contains('-') && !name.starts_with('-') && name.chars().all(triple) {
            return Ok(Self { name: name.to_owned(), triple: name.to_owned(), multiarch: None });
        }
        Err(Error::Target(name.to_owned()))
    }

    /// The targets that are taken where none is named: both word sizes, both
    /// byte orders, and both encodings of request codes.
    pub fn defaults() -> Vec<Self> {
        Self::known().take(DEFAULTS).collect()
    }

    /// Every target that has a short name.
    pub fn known() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|(name, triple, multiarch)| Self {
            name: (*name).to_owned(),
            triple: (*triple).to_owned(),
            multiarch: Some(multiarch),
        })
    }

    /// The short name, or the triple where there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What clang is asked for.
    pub(crate) fn triple(&self) -> &str {
        &self.triple
    }

    /// Debian's name of it, as in `/usr/s390x-linux-gnu/include`.
    pub(crate) fn multiarch(&self) -> Option<&'static str> {
        self.multiarch
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
