// SPDX-License-Identifier: Apache-2.0
//! Headers in a folder of their own, and facts in short words.

use spanker_abi::header::{Header, Reading};
use spanker_abi::model::{Abi, Facts, RecordKind, Value};
use spanker_abi::{Error, Target};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) const NOTHING: [&str; 0] = [];

/// A folder with the header `h.h` and others.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (name, text) in files {
            let file = folder.path(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, targets: &[&str]) -> Result<Reading, Error> {
        let targets: Vec<Target> =
            targets.iter().map(|name| Target::named(name).unwrap()).collect();
        Header::new(self.path("h.h")).include(self.0.path()).read(&targets)
    }

    pub(crate) fn facts(&self) -> Facts {
        self.read(&["x86_64"]).unwrap().abi.targets.remove("x86_64").unwrap()
    }
}

pub(crate) fn abi(text: &str, targets: &[&str]) -> Abi {
    Folder::with(&[("h.h", text)]).read(targets).unwrap().abi
}

pub(crate) fn facts_on(target: &str, text: &str) -> Facts {
    abi(text, &[target]).targets.remove(target).unwrap()
}

pub(crate) fn facts(text: &str) -> Facts {
    facts_on("x86_64", text)
}

/// `size/alignment: field@offset+size type, …`, in bytes; bits of a bit-field are
/// behind a colon.
pub(crate) fn layout(facts: &Facts, name: &str) -> String {
    let record = facts.records.get(name).unwrap_or_else(|| {
        panic!("{name} is not among {:?}", facts.records.keys().collect::<Vec<_>>())
    });
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|field| {
            let ty = &field.ty.0;
            if field.bit_field {
                return format!("{}@:{}+:{} {ty}", field.name, field.offset_bits, field.size_bits);
            }
            assert_eq!((field.offset_bits % 8, field.size_bits % 8), (0, 0), "{}", field.name);
            format!("{}@{}+{} {ty}", field.name, field.offset_bits / 8, field.size_bits / 8)
        })
        .collect();
    let size = record.size.map_or("?".to_owned(), |size| size.to_string());
    let kind = if record.kind == RecordKind::Union { "union " } else { "" };
    format!("{kind}{size}/{}: {}", record.align, fields.join(", "))
}

/// Every constant, as `NAME value type`, behind which is the enum's name.
pub(crate) fn constants(facts: &Facts) -> Vec<String> {
    let constants = facts.constants.iter().map(|(name, constant)| {
        let value = match &constant.value {
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => value.clone(),
            Value::Text(value) => format!("{value:?}"),
        };
        let of = constant.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        format!("{name} {value} {}{of}", constant.ty.0)
    });
    constants.collect()
}

/// Every request code, as `NAME code direction magic number size argument`.
pub(crate) fn requests(facts: &Facts) -> Vec<String> {
    let requests = facts.requests.iter().map(|(name, request)| {
        let direction = match (request.read, request.write) {
            (false, false) => "none",
            (true, false) => "read",
            (false, true) => "write",
            (true, true) => "both",
        };
        let argument = request.argument.as_ref().map_or("-", |argument| argument.0.as_str());
        let (code, size) = (request.code, request.size);
        format!(
            "{name} {code:#010x} {direction} {:#04x} {} {size} {argument}",
            request.magic, request.number
        )
    });
    requests.collect()
}

/// Every text, as `NAME what: tokens`.
pub(crate) fn texts(facts: &Facts) -> Vec<String> {
    let texts = facts.texts.iter();
    texts.map(|(name, text)| format!("{name} {}: {}", text.what, text.tokens)).collect()
}
