// SPDX-License-Identifier: Apache-2.0
//! A folder with a header and a mirror of their own.

use spanker_layout_tests::compiled::MIRRORS;
use spanker_layout_tests::native::{self, TARGET};
use spanker_layouts::compilers::{Language, NoAnswer};
use spanker_layouts::encoding::Encoding;
use spanker_layouts::header::Header;
use spanker_layouts::mirror_text::MirrorText;
use spanker_layouts::{c_source, Answers};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Scene {
    folder: PathBuf,
    /// The text of the header.
    pub(crate) header: String,
    /// The text of the committed mirror for this target.
    pub(crate) mirror: String,
}

impl Scene {
    /// The header and its mirror as they are.
    pub(crate) fn new(name: &str) -> Self {
        let of_target = |text| Encoding::of_mirror(text) == Some(Encoding::of_target(TARGET));
        let committed = MIRRORS.iter().find(|mirror| !mirror.in_use && of_target(mirror.text));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        Self {
            folder,
            header: spanker_sys::header::TEXT.to_owned(),
            mirror: committed.expect("a mirror is committed for this target").text.to_owned(),
        }
    }

    /// Puts `to` where `from` is in the declaration that begins with `begin`.
    pub(crate) fn change_header(mut self, begin: &str, from: &str, to: &str) -> Self {
        self.header = changed(&self.header, begin, from, to);
        self
    }

    /// The same in the mirror.
    pub(crate) fn change_mirror(mut self, begin: &str, from: &str, to: &str) -> Self {
        self.mirror = changed(&self.mirror, begin, from, to);
        self
    }

    pub(crate) fn parsed(&self) -> Header {
        Header::parse(&self.header).expect("the changed header is understood")
    }

    fn include(&self) -> PathBuf {
        let include = self.folder.join("include");
        fs::create_dir_all(include.join("linux")).expect("a folder");
        fs::write(include.join("linux/spanker_ioctl.h"), &self.header).expect("a file");
        include
    }

    /// What C says about the header here.
    pub(crate) fn c(&self) -> Answers {
        let c = native::c(Language::C).expect("the compiler that built this");
        let questions = self.parsed().questions();
        c.ask(&questions, &self.include(), &self.folder, "").expect("C that compiles").0
    }

    /// What rustc says about the mirror here, asked for the names in the header.
    pub(crate) fn rust(&self) -> Result<Answers, NoAnswer> {
        let mirror = self.folder.join("mirror.rs");
        fs::create_dir_all(&self.folder).expect("a folder");
        fs::write(&mirror, &self.mirror).expect("a file");
        native::rustc().ask("Rust", &self.parsed(), &mirror, &self.folder, "rust")
    }

    pub(crate) fn text(&self) -> MirrorText {
        MirrorText::parse("the mirror", &self.mirror).expect("a mirror")
    }

    /// What was written in the mirror.
    pub(crate) fn written(&self) -> Answers {
        self.text().answers(&self.parsed(), Encoding::of_target(TARGET), true)
    }

    /// Holds that C and Rust differ, that one of the differences is these words,
    /// and that static asserts in C and in C++ say so too.
    #[track_caller]
    pub(crate) fn assert_drift(&self, words: &str) {
        let rust = self.rust().map_err(String::from).expect("a mirror with the header's names");
        let differences = self.c().differences(&rust);
        assert!(differences.iter().any(|found| found == words), "{differences:#?}");
        let (in_c, in_rust) = words.split_once(" for C, ").expect("words of a difference");
        let (subject, _) = in_c.split_once(": ").expect("words of a difference");
        let assert = format!("{subject}: {in_rust}, and not for this compiler");
        for language in [Language::C, Language::Cpp] {
            let compiler = match native::c(language) {
                Ok(compiler) => compiler,
                // That is said by the test of facts that needs it.
                Err(NoAnswer::Absent(_)) if language == Language::Cpp => continue,
                Err(other) => panic!("{}", String::from(other)),
            };
            let asserts = c_source::asserts(&rust);
            match compiler.compile(&asserts, &self.include(), &self.folder, "asserts") {
                Err(NoAnswer::Refused(log)) => assert!(log.contains(&assert), "{log}"),
                other => panic!("{language:?}: {other:?}"),
            }
        }
    }

    /// Holds that C differs from what was written in the mirror, in these words.
    #[track_caller]
    pub(crate) fn assert_written_otherwise(&self, words: &str) {
        let differences = self.c().differences(&self.written());
        assert!(differences.iter().any(|found| found == words), "{differences:#?}");
    }

    /// Holds that C, Rust and what was written agree, and on the same names.
    #[track_caller]
    pub(crate) fn assert_agreement(&self) {
        assert_eq!(self.text().other_names_than(&self.parsed()), [""; 0]);
        let rust = self.rust().map_err(String::from).expect("a mirror with the header's names");
        let c = self.c();
        assert_eq!(c.differences(&rust), [""; 0]);
        assert_eq!(c.differences(&self.written()), [""; 0]);
    }

    /// The refusal of rustc, which found that the mirror lacks something.
    #[track_caller]
    pub(crate) fn refusal(&self) -> String {
        match self.rust() {
            Err(NoAnswer::Refused(log)) => log,
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn changed(text: &str, begin: &str, from: &str, to: &str) -> String {
    let at = text.find(begin).unwrap_or_else(|| panic!("no `{begin}`"));
    let (before, rest) = text.split_at(at);
    assert!(rest.contains(from), "no `{from}` after `{begin}`");
    format!("{before}{}", rest.replacen(from, to, 1))
}
