// SPDX-License-Identifier: Apache-2.0
//! The mirrors there are: the one that spanker-sys is compiled with, and every
//! committed one, whatever targets it is for.

use spanker_layouts::answers::Answers;
use spanker_layouts::compilers::Rustc;
use spanker_layouts::encoding::Encoding;
use spanker_layouts::header::Header;
use spanker_layouts::mirror_text::MirrorText;
use spanker_layouts::question::Fact;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Mirror {
    pub(crate) who: String,
    pub(crate) path: PathBuf,
    pub(crate) in_use: bool,
    /// Of a committed one.
    pub(crate) encoding: Option<Encoding>,
    text: String,
}

pub(crate) fn all(root: &Path) -> Result<Vec<Mirror>, String> {
    let in_use = env::var_os("DEP_SPANKER_MIRROR").ok_or("spanker-sys does not tell its mirror")?;
    let mut mirrors = vec![Mirror::read("the mirror in use".to_owned(), in_use.into(), true)?];
    let folder = root.join("../spanker-sys/src/mirror");
    println!("cargo:rerun-if-changed={}", folder.display());
    let at = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(at)? {
        files.push(entry.map_err(at)?.path());
    }
    files.sort();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        mirrors.push(Mirror::read(format!("the committed {name}"), path, false)?);
    }
    Ok(mirrors)
}

impl Mirror {
    fn read(who: String, path: PathBuf, in_use: bool) -> Result<Self, String> {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let encoding = Encoding::of_mirror(&text);
        if encoding.is_none() && !in_use {
            return Err(format!("{} does not say what target it is for", path.display()));
        }
        Ok(Self { who, path, in_use, encoding, text })
    }

    /// What rustc says about it for this target, codes of another encoding left
    /// out.
    pub(crate) fn ask(
        &self,
        rustc: &Rustc,
        header: &Header,
        target: &str,
        out: &Path,
        name: &str,
    ) -> Result<Answers, String> {
        let others = MirrorText::parse(&self.who, &self.text)?.other_names_than(header);
        if !others.is_empty() {
            return Err(others.join("\n"));
        }
        let who = format!("rustc with {}", self.who);
        let mut answers = rustc.ask(&who, header, &self.path, out, name)?;
        let here = Encoding::of_target(target);
        if self.encoding.unwrap_or(here) != here {
            answers.numbers.retain(|question, _| question.fact != Fact::Code);
        }
        Ok(answers)
    }
}
