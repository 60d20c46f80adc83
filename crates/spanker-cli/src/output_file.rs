// SPDX-License-Identifier: Apache-2.0
//! A file that appears whole or not at all.

use crate::exit::{Code, Failure};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// Where results go. The file is written beside its place under another name,
/// and moved there when it is whole.
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// As it was given.
    path: PathBuf,
    way: Way,
}

/// How the bytes get there.
#[derive(Debug)]
enum Way {
    /// Into a new file, which then takes this place.
    Replace { place: PathBuf, unfinished: PathBuf },
    /// Into a pipe or device, which must stay what it is.
    Into,
}

impl OutputFile {
    /// Makes sure that a file can be created at `path`, without creating it.
    /// It must be none of `inputs`, which are files and what to call them.
    ///
    /// # Errors
    /// If it cannot, or is one of them.
    pub(crate) fn prepare(path: &Path, inputs: &[(&Path, &str)]) -> Result<Self, Failure> {
        for (input, what) in inputs {
            if is_the_same(path, input) {
                return Err(Failure::new(
                    Code::Usage,
                    format!(
                        "--output {} would replace {what}: choose another file",
                        path.display()
                    ),
                ));
            }
        }
        let way = Way::to(path).map_err(|reason| cannot_write(path, &reason))?;
        let path = path.to_owned();
        Ok(Self { path, way })
    }

    /// Writes what `fill` puts into the file.
    ///
    /// # Errors
    /// If not all of it can be written; nothing is left behind then.
    pub(crate) fn write(&self, fill: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Failure> {
        let written = match &self.way {
            Way::Into => File::options().write(true).open(&self.path).and_then(|file| fill(&file)),
            Way::Replace { place, unfinished } => {
                let replaced = replace(place, unfinished, fill);
                if replaced.is_err() {
                    // It may never have been there.
                    let _ = fs::remove_file(unfinished);
                }
                replaced
            }
        };
        written.map_err(|reason| cannot_write(&self.path, &reason))
    }
}

impl Way {
    fn to(path: &Path) -> io::Result<Self> {
        // Through links, so that the file and not the link is replaced.
        let place = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(there) if !there.is_file() => return Ok(Self::Into),
            Ok(_) => {
                File::options().write(true).open(path)?;
                fs::canonicalize(path)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        let names_a_file = place.file_name().is_some() && !ends_with_slash(&place);
        if !names_a_file {
            return Err(io::Error::other("it is not the name of a file"));
        }
        let unfinished = place.with_file_name(format!(".spanker-{}.unfinished", process::id()));
        File::options().write(true).create_new(true).open(&unfinished)?;
        // Whoever interrupts the computation is not left with it.
        fs::remove_file(&unfinished)?;
        Ok(Self::Replace { place, unfinished })
    }
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn is_the_same(path: &Path, other: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(other)) {
        (Ok(path), Ok(other)) => path == other,
        _ => false,
    }
}

fn replace(
    place: &Path,
    unfinished: &Path,
    fill: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).open(unfinished)?;
    fill(&file)?;
    if let Some(permissions) = fs::metadata(place).ok().map(|old: Metadata| old.permissions()) {
        file.set_permissions(permissions)?;
    }
    // Some file systems tell only now that there was no room.
    file.sync_all()?;
    fs::rename(unfinished, place)
}

fn cannot_write(path: &Path, reason: &io::Error) -> Failure {
    Failure::new(
        Code::Output,
        format!(
            "cannot write {}: {reason}; choose an --output in a folder that exists and may be written",
            path.display()
        ),
    )
}
