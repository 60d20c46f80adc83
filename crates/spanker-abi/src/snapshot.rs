// SPDX-License-Identifier: Apache-2.0
//! Facts written down: JSON with one fact a line, sorted, so that a change of
//! the ABI is a change of few lines, and can be reviewed as one.
//!
//! A line holds for the targets under its key `on`, or for all of them where
//! there is none. Layouts are in bytes; those of bit-fields in bits.

mod lines;

use crate::error::Error;
use crate::model::Abi;
use lines::Document;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The version of the format.
const FORMAT: &str = "spanker-abi snapshot 1";

/// The snapshot of these facts.
pub fn write(abi: &Abi) -> String {
    let document = Document::of(abi);
    let mut text = String::from("{\n");
    let _ = writeln!(text, "\"format\": {},", json(&FORMAT));
    let _ = writeln!(text, "\"header\": {},", json(&abi.header));
    let _ = writeln!(text, "\"targets\": {},", json(&document.targets));
    let sections = document.sections();
    for (at, (name, lines)) in sections.iter().enumerate() {
        let _ = write!(text, "{}: [", json(name));
        for (at, line) in lines.iter().enumerate() {
            text += if at == 0 { "\n" } else { ",\n" };
            text += line;
        }
        text += if lines.is_empty() { "]" } else { "\n]" };
        text += if at + 1 < sections.len() { ",\n" } else { "\n" };
    }
    text + "}\n"
}

/// The facts of a snapshot.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(text: &str) -> Result<Abi, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head =
        serde_json::from_str(text).map_err(|e| format!("this is no snapshot of an ABI: {e}"))?;
    if head.format != FORMAT {
        return Err(format!("its format is {:?}; this version reads {FORMAT:?}", head.format));
    }
    let document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
    document.facts()
}

/// The facts of the snapshot in a file.
///
/// # Errors
/// [`Error::File`] and [`Error::Snapshot`].
pub fn load(path: &Path) -> Result<Abi, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    read(&text).map_err(|message| Error::Snapshot { path: path.to_owned(), message })
}

/// Writes the snapshot of these facts to a file: whole, or not at all.
///
/// # Errors
/// [`Error::File`].
pub fn save(abi: &Abi, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let text = write(abi);
    // A device or a pipe is written to; what a link points to is replaced, and
    // not the link.
    let place = match fs::metadata(path) {
        Ok(known) if !known.is_file() => return fs::write(path, text).map_err(failed),
        Ok(_) => fs::canonicalize(path).map_err(failed)?,
        Err(_) => path.to_owned(),
    };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".spanker-abi")
        // Less what the umask takes away: what any new file has.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(place).map_err(|error| failed(error.error))?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    // Strings and lists of them always are JSON.
    serde_json::to_string(value).unwrap_or_default()
}
