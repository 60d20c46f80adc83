// SPDX-License-Identifier: Apache-2.0
//! A file that appears whole or not at all.

use crate::exit::{Code, Failure};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;

/// Where results go. The file is written beside its place under another name,
/// and moved there when it is whole.
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// The option that names it.
    option: &'static str,
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
    /// Makes sure that a file can be created at `path`, which `option` gives,
    /// without creating it. It must be none of `others`, which are files and what
    /// to call them.
    ///
    /// # Errors
    /// If it cannot, or is one of them.
    pub(crate) fn prepare(
        option: &'static str,
        path: &Path,
        others: &[(&Path, &str)],
    ) -> Result<Self, Failure> {
        for (other, what) in others {
            if is_the_same(path, other) {
                return Err(Failure::new(
                    Code::Usage,
                    format!(
                        "{option} {} would replace {what}: choose another file",
                        path.display()
                    ),
                ));
            }
        }
        let way = Way::to(path).map_err(|reason| cannot_write(option, path, &reason))?;
        let path = path.to_owned();
        Ok(Self { option, path, way })
    }

    /// Writes what `fill` puts into the file.
    ///
    /// # Errors
    /// If not all of it can be written; nothing is left behind then.
    pub(crate) fn write(self, fill: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Failure> {
        let unfinished = self.begin()?;
        fill(&unfinished.file).map_err(|reason| unfinished.failure(&reason))?;
        unfinished.finish()
    }

    /// Opens it, to be written bit by bit.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn begin(self) -> Result<UnfinishedFile, Failure> {
        let opened = match &self.way {
            Way::Into => File::options().write(true).open(&self.path),
            Way::Replace { unfinished, .. } => {
                File::options().write(true).create_new(true).open(unfinished)
            }
        };
        match opened {
            Ok(file) => Ok(UnfinishedFile { file, output: self, moved: false }),
            Err(reason) => Err(cannot_write(self.option, &self.path, &reason)),
        }
    }
}

/// A file that is being written. Dropped before it is finished, it leaves nothing
/// behind.
#[derive(Debug)]
pub(crate) struct UnfinishedFile {
    file: File,
    output: OutputFile,
    /// It has its own name.
    moved: bool,
}

impl UnfinishedFile {
    /// The file, for who keeps it while writing.
    ///
    /// # Errors
    /// If this process can have no more files.
    pub(crate) fn file(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|reason| self.failure(&reason))
    }

    /// All is written: the file takes its place.
    ///
    /// # Errors
    /// If it cannot; nothing is left behind then.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        if let Way::Replace { place, unfinished } = &self.output.way {
            replace(&self.file, place, unfinished).map_err(|reason| self.failure(&reason))?;
            self.moved = true;
        }
        Ok(())
    }

    /// What to tell if it could not be written.
    pub(crate) fn failure(&self, reason: &io::Error) -> Failure {
        cannot_write(self.output.option, &self.output.path, reason)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        if let (Way::Replace { unfinished, .. }, false) = (&self.output.way, self.moved) {
            // Where this fails, there is nobody to tell.
            let _ = fs::remove_file(unfinished);
        }
    }
}

impl Way {
    fn to(path: &Path) -> io::Result<Self> {
        // Through links, so that the file and not the link is replaced.
        let place = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(there) if !there.is_file() => return Ok(Self::Into),
            Ok(there) if is_a_standard_stream(&there) => {
                return Err(io::Error::other("this command prints to it already"))
            }
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

/// A file that standard output or error goes to: it would be replaced, with what
/// was printed to it.
fn is_a_standard_stream(file: &Metadata) -> bool {
    ["/proc/self/fd/1", "/proc/self/fd/2"].iter().any(|stream| {
        fs::metadata(stream)
            .is_ok_and(|stream| (stream.dev(), stream.ino()) == (file.dev(), file.ino()))
    })
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// Also of files that are not there yet.
fn is_the_same(path: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        fs::canonicalize(path).ok().or_else(|| {
            let folder = match path.parent()? {
                folder if folder.as_os_str().is_empty() => Path::new("."),
                folder => folder,
            };
            Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
        })
    };
    matches!((place(path), place(other)), (Some(path), Some(other)) if path == other)
}

fn replace(file: &File, place: &Path, unfinished: &Path) -> io::Result<()> {
    if let Some(permissions) = fs::metadata(place).ok().map(|old: Metadata| old.permissions()) {
        file.set_permissions(permissions)?;
    }
    // Some file systems tell only now that there was no room.
    file.sync_all()?;
    fs::rename(unfinished, place)
}

fn cannot_write(option: &str, path: &Path, reason: &io::Error) -> Failure {
    Failure::new(
        Code::Output,
        format!(
            "cannot write {}: {reason}; give {option} a file in a folder that exists and may be written",
            path.display()
        ),
    )
}
