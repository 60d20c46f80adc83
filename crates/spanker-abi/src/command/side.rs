// SPDX-License-Identifier: Apache-2.0
//! One side of a comparison: a header, or a snapshot of one.

use super::HeaderOptions;
use spanker_abi::header::Reading;
use spanker_abi::model::Abi;
use spanker_abi::{snapshot, Error, Target};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(super) enum Side {
    Header(PathBuf),
    Snapshot(Abi),
}

impl Side {
    /// What is in a file: JSON is a snapshot, and no header begins like it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let text =
            fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            return Ok(Self::Snapshot(snapshot::load(path)?));
        }
        Ok(Self::Header(path.to_owned()))
    }
}

/// Both sides for the same targets: those that are asked for, else those of the
/// snapshots, else the defaults. A snapshot's target that the other snapshot
/// lacks is a difference; one that is asked for and missing is an error.
pub(super) fn read_both(
    old: Side,
    new: Side,
    options: &HeaderOptions,
) -> Result<(Reading, Reading), Error> {
    let targets = if options.targets.is_empty() {
        let known = [&old, &new].into_iter().find_map(|side| match side {
            Side::Snapshot(abi) => Some(abi.targets.keys()),
            Side::Header(_) => None,
        });
        match known {
            Some(known) => known.map(|name| Target::named(name)).collect::<Result<_, _>>()?,
            None => Target::defaults(),
        }
    } else {
        options.targets()?
    };
    Ok((read(old, options, &targets)?, read(new, options, &targets)?))
}

fn read(side: Side, options: &HeaderOptions, targets: &[Target]) -> Result<Reading, Error> {
    let mut abi = match side {
        Side::Header(header) => return options.read_for(&header, targets),
        Side::Snapshot(abi) => abi,
    };
    if !options.targets.is_empty() {
        if let Some(missing) =
            targets.iter().find(|target| !abi.targets.contains_key(target.name()))
        {
            let known: Vec<&str> = abi.targets.keys().map(String::as_str).collect();
            return Err(Error::Request(format!(
                "the snapshot of {} has no target {missing}, only {}",
                abi.header,
                known.join(", ")
            )));
        }
        abi.targets.retain(|name, _| targets.iter().any(|target| target.name() == name));
    }
    Ok(Reading { abi, places: BTreeMap::new() })
}
