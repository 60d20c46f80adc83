// SPDX-License-Identifier: Apache-2.0
//! Where spanker-sys gets its mirror from, tried by building it: with libclang
//! and without, with the feature and without, from this header and from a
//! changed one, for targets of both encodings. What a build should do depends
//! on whether this machine has libclang; both are expectations here, and the
//! full test command runs this both ways.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Builds share a target directory, so that bindgen is compiled once.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn libclang_is_here() -> bool {
    clang_sys::load().is_ok()
}

/// A copy of spanker-sys, alone in a workspace.
struct Copied {
    root: PathBuf,
    target: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Copied {
    fn new(name: &str) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mirror-sources");
        let root = scratch.join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("crates")).unwrap();
        fs::create_dir_all(root.join("build-support")).unwrap();
        for part in ["include", "crates/spanker-sys", "build-support/shims", "Cargo.lock"] {
            let status = Command::new("cp")
                .arg("-a")
                .arg(repository().join(part))
                .arg(root.join(part))
                .status()
                .unwrap();
            assert!(status.success(), "cp {part}");
        }
        let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        let (before, rest) = manifest.split_once("members = [").unwrap();
        let (_, after) = rest.split_once(']').unwrap();
        let manifest = format!("{before}members = [\"crates/spanker-sys\"]{after}");
        let alone = manifest.lines().filter(|line| !line.starts_with("default-members"));
        fs::write(root.join("Cargo.toml"), alone.collect::<Vec<_>>().join("\n")).unwrap();
        Self { root, target: scratch.join("target"), _turn: turn }
    }

    fn header(&self) -> PathBuf {
        self.root.join("include/uapi/linux/spanker_ioctl.h")
    }

    /// Puts a line before the end of the header's guard.
    fn add_to_header(&self, line: &str) {
        let text = fs::read_to_string(self.header()).unwrap();
        let (before, after) = text.rsplit_once("#endif").unwrap();
        fs::write(self.header(), format!("{before}{line}\n#endif{after}")).unwrap();
    }

    fn build(&self, choice: Option<&str>, arguments: &[&str]) -> Built {
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(&self.root)
            .args(["check", "--offline", "--package", "spanker-sys"])
            .args(arguments)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("SPANKER_SYS_BINDGEN");
        if let Some(choice) = choice {
            command.env("SPANKER_SYS_BINDGEN", choice);
        }
        let output = command.output().unwrap();
        Built {
            success: output.status.success(),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What the build script told cargo last, for a target.
    fn told(&self, target: &str) -> Told {
        let build = self.target.join(target).join("debug/build");
        let outputs = fs::read_dir(build).unwrap().map(|entry| entry.unwrap().path());
        let ours = outputs
            .map(|directory| directory.join("output"))
            .filter(|output| {
                let text = fs::read_to_string(output).unwrap_or_default();
                text.contains(&*self.root.to_string_lossy())
            })
            .max_by_key(|output| fs::metadata(output).unwrap().modified().unwrap())
            .expect("the build script has run");
        let text = fs::read_to_string(ours).unwrap();
        let value = |name: &str| {
            let line = format!("cargo:rustc-env={name}=");
            text.lines().find_map(|l| l.strip_prefix(&line)).expect(name).to_owned()
        };
        Told {
            origin: value("SPANKER_SYS_ORIGIN"),
            mirror: fs::read_to_string(value("SPANKER_SYS_MIRROR")).unwrap(),
        }
    }
}

struct Built {
    success: bool,
    log: String,
}

struct Told {
    origin: String,
    mirror: String,
}

impl Built {
    fn refused_with(&self, words: &[&str]) {
        assert!(!self.success, "should have been refused:\n{}", self.log);
        for word in words {
            assert!(self.log.contains(word), "`{word}` is not in\n{}", self.log);
        }
        let lines = self.log.lines().filter(|line| line.contains("spanker-sys: ")).count();
        assert_eq!(lines, 1, "one line should say it:\n{}", self.log);
    }

    fn accepted(&self) {
        assert!(self.success, "{}", self.log);
    }
}

const HOST: &str = "";

#[test]
fn this_header_builds_with_libclang_and_without() {
    let copied = Copied::new("as-it-is");
    copied.build(None, &[]).accepted();
    let expected = if libclang_is_here() { "bindgen" } else { "committed" };
    assert_eq!(copied.told(HOST).origin, expected);
}

#[test]
fn a_changed_header_is_mirrored_anew_or_refused_with_what_to_install() {
    let copied = Copied::new("changed");
    copied.add_to_header("#define SPANKER_ADDED 77");
    let built = copied.build(None, &[]);
    if libclang_is_here() {
        built.accepted();
        assert!(copied.told(HOST).mirror.contains("SPANKER_ADDED"));
    } else {
        built.refused_with(&["has changed", "libclang was not found", "libclang-dev"]);
    }
}

#[test]
fn a_header_that_does_not_parse_is_refused_even_though_there_is_a_committed_mirror() {
    let copied = Copied::new("broken");
    copied.add_to_header("struct spanker_broken { __u32 ");
    copied.build(None, &[]).refused_with(&["has changed"]);
}

#[test]
fn a_struct_of_another_size_does_not_compile() {
    let copied = Copied::new("resized");
    let text = fs::read_to_string(copied.header()).unwrap();
    let grown = text.replace("\t__u64 completed;	/* out */", "\t__u64 completed;\n\t__u64 more;");
    assert_ne!(text, grown);
    fs::write(copied.header(), grown).unwrap();
    let built = copied.build(None, &[]);
    assert!(!built.success);
    if libclang_is_here() {
        assert!(built.log.contains("size of struct spanker_wait is not 32"), "{}", built.log);
    }
}

#[test]
fn require_takes_no_committed_mirror() {
    let copied = Copied::new("require");
    let built = copied.build(Some("require"), &[]);
    if libclang_is_here() {
        built.accepted();
        assert_eq!(copied.told(HOST).origin, "bindgen");
    } else {
        built.refused_with(&["SPANKER_SYS_BINDGEN=require", "libclang was not found"]);
    }
    copied
        .build(Some("require"), &["--no-default-features"])
        .refused_with(&["SPANKER_SYS_BINDGEN=require", "feature `bindgen`"]);
}

#[test]
fn never_takes_only_the_committed_mirror() {
    let copied = Copied::new("never");
    copied.build(Some("never"), &[]).accepted();
    assert_eq!(copied.told(HOST).origin, "committed");
    copied.add_to_header("#define SPANKER_ADDED 77");
    copied.build(Some("never"), &[]).refused_with(&["has changed", "SPANKER_SYS_BINDGEN=never"]);
}

#[test]
fn without_the_feature_bindgen_is_not_compiled() {
    let copied = Copied::new("feature-off");
    let built = copied.build(None, &["--no-default-features", "--verbose"]);
    built.accepted();
    assert!(!built.log.contains("bindgen v"), "{}", built.log);
    assert_eq!(copied.told(HOST).origin, "committed");
    copied.add_to_header("#define SPANKER_ADDED 77");
    copied
        .build(None, &["--no-default-features"])
        .refused_with(&["has changed", "feature `bindgen`"]);
}

#[test]
fn a_choice_that_is_none_is_refused() {
    let copied = Copied::new("choice");
    copied.build(Some("maybe"), &[]).refused_with(&[
        "SPANKER_SYS_BINDGEN=maybe",
        "require",
        "never",
    ]);
}

/// The standard library for these targets need not be here: the build script
/// runs, and what it has decided is looked at.
#[test]
fn request_codes_have_the_encoding_of_the_target_both_ways() {
    let copied = Copied::new("targets");
    for (target, wait) in [
        ("aarch64-unknown-linux-gnu", 0xc020_e331_u32),
        ("i686-unknown-linux-gnu", 0xc020_e331),
        ("riscv64gc-unknown-linux-gnu", 0xc020_e331),
        ("s390x-unknown-linux-gnu", 0xc020_e331),
        ("powerpc64le-unknown-linux-gnu", 0xc020_e331),
        ("powerpc-unknown-linux-gnu", 0xc020_e331),
        ("mips64el-unknown-linux-gnuabi64", 0xc020_e331),
        ("sparc-unknown-linux-gnu", 0xc020_e331),
        ("sparc64-unknown-linux-gnu", 0xc020_e331),
    ] {
        let wide = ["powerpc", "mips", "sparc"].iter().any(|arch| target.starts_with(arch));
        // PING tells the encodings apart: its direction is 1 in one, 0 in the other.
        let ping = if wide { 0x2000_e301_u32 } else { 0x0000_e301 };
        let ways: &[_] = if libclang_is_here() { &["require", "never"] } else { &["never"] };
        for way in ways {
            // What an earlier run has left must not be taken for this one's.
            let _ = fs::remove_dir_all(copied.target.join(target));
            copied.build(Some(way), &["--target", target]);
            let dense: String =
                copied.told(target).mirror.chars().filter(|c| !c.is_whitespace()).collect();
            for (name, code) in [("PING", ping), ("WAIT", wait)] {
                let line = format!("constSPANKER_IOC_{name}:u32={code}");
                assert!(dense.contains(&line), "{target}, {way}: {line}");
            }
        }
    }
}

/// libclang knows fewer targets than Rust, and bindgen panics at the others.
#[test]
fn a_target_that_libclang_does_not_know_gets_the_committed_mirror() {
    let copied = Copied::new("unknown-target");
    let target = "csky-unknown-linux-gnuabiv2";
    let _ = fs::remove_dir_all(copied.target.join(target));
    copied.build(None, &["--target", target]);
    assert!(copied.told(target).mirror.contains("SPANKER_IOC_PING"));
}
