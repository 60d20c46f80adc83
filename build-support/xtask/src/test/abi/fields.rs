// SPDX-License-Identifier: Apache-2.0
//! Every field of the header, changed one after another, in a copy: the gate has
//! to see each.

use super::{releases, scratch, spanker_abi, HEADER, VERSION};
use crate::repository;
use crate::run::json;
use std::fs;
use std::process::Stdio;

/// What a field's type becomes: as wide with another sign or byte order, or, of a
/// struct, something else.
const OTHER: [(&str, &str); 10] = [
    ("__u8", "__s8"),
    ("__u16", "__s16"),
    ("__u32", "__s32"),
    ("__u64", "__s64"),
    ("__s8", "__u8"),
    ("__s16", "__u16"),
    ("__s64", "__u64"),
    ("__le16", "__be16"),
    ("__le32", "__be32"),
    ("struct spanker_operand", "__u64"),
];

/// What is reserved is looked at as bytes, whatever their sign: those change in
/// number.
const WIDER: [(&str, &str); 2] = [("__u16", "__u32"), ("__u32", "__u64")];

pub(super) fn check() -> Result<(), String> {
    let table = json(&mut spanker_abi(&["table", HEADER, "-t", "x86_64", "--format", "json"]))?;
    let records = table["targets"]["x86_64"]["records"].as_object();
    let header = fs::read_to_string(repository().join(HEADER)).map_err(|e| e.to_string())?;
    let snapshot = releases::current()?.to_string_lossy().into_owned();
    let folder = scratch("fields")?;
    let copy = folder.join("spanker_ioctl.h").to_string_lossy().into_owned();
    let mut count = 0;
    let mut missed = Vec::new();
    for (record, facts) in records.ok_or("the table has no records")? {
        for field in facts["fields"].as_array().map_or(&[][..], Vec::as_slice) {
            let name = field["name"].as_str().unwrap_or_default();
            let changed = changed(&header, record, name)
                .ok_or(format!("{record}.{name}: its declaration is not found in {HEADER}"))?;
            fs::write(&copy, changed).map_err(|e| format!("{copy}: {e}"))?;
            let item = format!("{record}.{name}");
            let ran = spanker_abi(&["check", "--header", &copy, "--snapshot", &snapshot])
                .args(["--version-macros", VERSION, "-t", "x86_64,i686"])
                .stderr(Stdio::piped())
                .output()
                .map_err(|e| format!("spanker-abi: {e}"))?;
            let said = String::from_utf8_lossy(&ran.stdout);
            count += 1;
            if !matches!(ran.status.code(), Some(1 | 2)) || !said.contains(&item) {
                missed.push(format!("{item}: {}: {said}", ran.status));
            }
        }
    }
    if !missed.is_empty() {
        return Err(format!("{} of {count} fields:\n{}", missed.len(), missed.join("\n")));
    }
    println!("{count} fields changed, and the gate saw each");
    if count < LEAST {
        return Err(format!("the header has {count} fields and had {LEAST}"));
    }
    Ok(())
}

/// How many fields the header has at least, so that none is ever everything.
const LEAST: usize = 80;

/// The header with another type for this field.
fn changed(header: &str, record: &str, field: &str) -> Option<String> {
    let begin = header.find(&format!("\n{record} {{"))?;
    let end = begin + header[begin..].find("\n};")?;
    let mut at = begin;
    for line in header[begin..end].split_inclusive('\n') {
        let declaration = line.split(';').next().unwrap_or(line);
        let words = declaration.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if line.contains(';') && words.skip(1).any(|word| word == field) {
            let start = at + line.len() - line.trim_start().len();
            let fits = |ty: &str| {
                let rest = header[start..].strip_prefix(ty);
                rest.is_some_and(|rest| rest.starts_with([' ', '\t']))
            };
            let others = if field == "reserved" { &WIDER[..] } else { &OTHER[..] };
            let (old, new) = others.iter().find(|(old, _)| fits(old))?;
            return Some(format!("{}{new}{}", &header[..start], &header[start + old.len()..]));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn the_field_that_is_meant_is_changed() {
        let header =
            "\nstruct a {\n\t__u8 x;\t/* y; */\n\t__u8 y[4];\n};\nstruct b {\n\t__u32 y;\n};\n";
        let expected = header.replace("__u8 y", "__s8 y");
        assert_eq!(changed(header, "struct a", "y"), Some(expected));
        let expected = header.replace("__u32 y", "__s32 y");
        assert_eq!(changed(header, "struct b", "y"), Some(expected));
        assert_eq!(changed(header, "struct b", "x"), None);
    }
}
