// SPDX-License-Identifier: Apache-2.0
//! Annotations and step summaries.

use crate::scene::{ran, Scene};
use std::fs;

const CHECK: [&str; 7] =
    ["check", "--header", "new.h", "--snapshot", "old.json", "--format", "github"];

#[test]
fn a_breaking_change_is_an_error_on_its_line() {
    let scene = Scene::changed("__u32 b;", "\n\t__u64 b;\n");
    for arguments in [&CHECK[..], &["diff", "old.json", "new.h", "--format", "github"]] {
        let ran = scene.run(arguments);
        let line = ran.stdout.lines().find(|line| line.contains("struct x.b"));
        let line = line.unwrap_or_else(|| panic!("{}", ran.stdout));
        assert!(line.starts_with("::error file=new.h,line=6,title=breaking "), "{line}");
    }
}

#[test]
fn a_gate_that_fails_says_so_on_the_first_line() {
    let ran = Scene::changed("__u32 b;", "__u64 b;").run(&CHECK);
    assert!(
        ran.stdout
            .lines()
            .any(|line| line.starts_with("::error file=new.h,line=1,title=ABI check")),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_gate_that_passes_has_no_error() {
    let scene =
        Scene::changed("#define X_VERSION_MAJOR 1", "#define X_MORE 1\n#define X_VERSION_MAJOR 2");
    let mut arguments = CHECK.to_vec();
    arguments.extend(["--version-macros", "X_VERSION"]);
    let ran = scene.run(&arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("::warning file=new.h,line=3,"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("::error"), "{}", ran.stdout);
}

#[test]
fn what_is_gone_is_told_where_it_was_part_of_something() {
    let ran = Scene::changed(" __u32 b;", "").run(&CHECK);
    let line = ran.stdout.lines().find(|line| line.contains("struct x.b")).unwrap();
    assert!(line.starts_with("::error file=new.h,line=5,"), "{line}");
}

#[test]
fn a_change_in_an_included_file_is_told_there() {
    let scene = Scene::new();
    scene.file("old.h", "#include \"part/p.h\"\n");
    scene.file("part/p.h", "struct p {\n\tint a;\n};\n");
    scene.snapshot("old");
    scene.file("part/p.h", "struct p {\n\n\tlong long a;\n};\n");
    fs::rename(scene.path("old.h"), scene.path("new.h")).unwrap();
    let ran = scene.run(&CHECK);
    assert!(ran.stdout.contains("::error file=part/p.h,line=3,"), "{}", ran.stdout);
}

#[test]
fn what_a_runner_would_take_apart_is_escaped() {
    let scene = Scene::new();
    let name = "a,b:c%d.h";
    scene.file(name, "#define TEXT \"100%\\n::error::x\"\n");
    let snapshot = scene.run(&["snapshot", name, "-o", "old.json", "-t", "x86_64"]);
    assert_eq!(snapshot.code, 0, "{}", snapshot.stderr);
    scene.file(name, "#define TEXT \"50%\\r\\n::warning::y\"\n");
    let ran = scene.run(&["diff", "old.json", name, "--format", "github"]);
    let annotations: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 1, "{}", ran.stdout);
    let (head, message) = annotations[0][2..].split_once("::").unwrap();
    assert!(head.contains("file=a%2Cb%3Ac%25d.h,line=1,"), "{head}");
    assert!(message.contains("100%25") && message.contains("50%25"), "{message}");
    assert!(ran.stdout.lines().all(|line| !line.starts_with("::warning")), "{}", ran.stdout);
}

#[test]
fn the_summary_is_added_to_the_steps() {
    let scene = Scene::changed("__u32 b;", "__u64 b;");
    scene.file("summary.md", "of another step\n");
    for _ in 0..2 {
        let mut command = scene.command(&CHECK);
        let output = command.env("GITHUB_STEP_SUMMARY", scene.path("summary.md")).output().unwrap();
        let ran = ran(&output);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(!ran.stdout.contains("|---|"), "{}", ran.stdout);
        assert!(ran.stdout.contains("::error"), "{}", ran.stdout);
    }
    let summary = fs::read_to_string(scene.path("summary.md")).unwrap();
    assert!(summary.starts_with("of another step\n### ABI of new.h: breaking\n"), "{summary}");
    assert_eq!(summary.matches("### ABI of new.h: breaking").count(), 2, "{summary}");
}

#[test]
fn without_a_file_for_it_the_summary_is_printed() {
    let scene = Scene::changed("__u32 b;", "__u64 b;");
    for nothing in [None, Some("")] {
        let mut command = scene.command(&CHECK);
        if let Some(nothing) = nothing {
            command.env("GITHUB_STEP_SUMMARY", nothing);
        }
        let ran = ran(&command.output().unwrap());
        assert!(ran.stdout.contains("### ABI of new.h: breaking"), "{}", ran.stdout);
    }
}

#[test]
fn a_summary_that_cannot_be_written_is_told() {
    let scene = Scene::changed("__u32 b;", "__u64 b;");
    let mut command = scene.command(&CHECK);
    let ran = ran(&command.env("GITHUB_STEP_SUMMARY", scene.path("gone/x.md")).output().unwrap());
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(ran.stderr.contains("gone/x.md"), "{}", ran.stderr);
}

#[test]
fn what_could_not_run_is_an_annotation_too() {
    let scene = Scene::changed("X_GET _IOR", "X_GET _IOR");
    let gate = ["check", "--header", "gone.h", "--snapshot", "old.json", "--format", "github"];
    let ran = scene.run(&gate);
    assert_eq!(ran.code, 3);
    let line = ran.stdout.lines().next().unwrap_or_default();
    assert!(line.starts_with("::error title=ABI check could not run::gone.h"), "{line}");
}
