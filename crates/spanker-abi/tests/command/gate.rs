// SPDX-License-Identifier: Apache-2.0
//! What diff and check exit with, and say, in every format.

use crate::scene::{Ran, Scene};
use serde_json::Value;

const FORMATS: [&str; 4] = ["text", "json", "markdown", "github"];

/// A change, what diff exits with, and check without a bump.
const CHANGES: [(&str, &str, &str, i32, i32); 5] = [
    ("X_GET _IOR", "X_GET _IOR", "neutral", 0, 0),
    ("__u32 b", "__u64 b", "breaking", 1, 1),
    ("X_GET _IOR", "X_GOT _IOR", "breaking", 1, 1),
    ("#define X_GET", "#define X_MORE 7\n#define X_GET", "additive", 2, 2),
    ("struct x {", "struct y { int n; };\nstruct x {", "additive", 2, 2),
];

fn check(scene: &Scene, more: &[&str]) -> Ran {
    let mut arguments = vec!["check", "--header", "new.h", "--snapshot", "old.json"];
    arguments.extend(["--version-macros", "X_VERSION"]);
    arguments.extend(more);
    scene.run(&arguments)
}

#[test]
fn diff_exits_with_the_worst_class_in_every_format() {
    for (from, to, class, code, _) in CHANGES {
        let scene = Scene::changed(from, to);
        for format in FORMATS {
            let ran = scene.run(&["diff", "old.json", "new.h", "--format", format]);
            assert_eq!(ran.code, code, "{to}, {format}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains(class), "{to}, {format}: {}", ran.stdout);
            assert_eq!(ran.stderr, "");
        }
    }
}

#[test]
fn check_exits_with_what_lacks_its_bump_in_every_format() {
    for (from, to, class, _, code) in CHANGES {
        let scene = Scene::changed(from, to);
        for format in FORMATS {
            let ran = check(&scene, &["--format", format]);
            assert_eq!(ran.code, code, "{to}, {format}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains(class), "{to}, {format}: {}", ran.stdout);
        }
    }
}

#[test]
fn check_passes_with_the_bump_that_is_demanded_and_no_less() {
    let growth = "#define X_MORE 7\n#define X_VERSION_MINOR";
    for (version, to, code) in [
        ("#define X_VERSION_MINOR", format!("{growth} 5 //"), 0),
        ("#define X_VERSION_MINOR", format!("{growth} 3 //"), 2),
        ("#define X_VERSION_MAJOR", "#define X_MORE 7\n#define X_VERSION_MAJOR 2 //".to_owned(), 0),
        ("__u32 b", "__u64 b".to_owned(), 1),
        (
            "__u32 b; };",
            "__u64 b; };\n#undef X_VERSION_MINOR\n#define X_VERSION_MINOR 5".to_owned(),
            1,
        ),
        (
            "__u32 b; };",
            "__u64 b; };\n#undef X_VERSION_MAJOR\n#define X_VERSION_MAJOR 2".to_owned(),
            0,
        ),
    ] {
        let ran = check(&Scene::changed(version, &to), &[]);
        assert_eq!(ran.code, code, "{to}: {}{}", ran.stdout, ran.stderr);
        let word = if code == 0 { "passed" } else { "FAILED" };
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
}

#[test]
fn check_without_the_versions_macros_fails_on_every_change() {
    let arguments = ["check", "--header", "new.h", "--snapshot", "old.json"];
    let scene = Scene::changed("#define X_GET", "#define X_MORE\n#define X_GET");
    assert_eq!(scene.run(&arguments).code, 2);
    assert_eq!(Scene::changed("__u32 b", "__u32  b").run(&arguments).code, 0);
}

#[test]
fn json_has_the_class_and_each_change() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    for arguments in [
        &["diff", "old.json", "new.h", "--format", "json"][..],
        &["diff", "old.json", "new.h", "--json"],
        &["diff", "old.h", "new.h", "--json"],
        &["check", "--header", "new.h", "--snapshot", "old.json", "--json"],
    ] {
        let report: Value = serde_json::from_str(&scene.run(arguments).stdout).unwrap();
        assert_eq!(report["class"], "breaking");
        let changes = report["changes"].as_array().unwrap();
        assert!(!changes.is_empty());
        for change in changes {
            for key in ["class", "kind", "item", "reason"] {
                assert!(change[key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {change}");
            }
            assert!(change["targets"].as_array().is_some_and(|it| !it.is_empty()), "{change}");
            let sides = [&change["old"], &change["new"]];
            assert!(sides.iter().all(|side| side.is_string() || side.is_null()), "{change}");
            assert!(sides.iter().any(|side| side.is_string()), "{change}");
        }
        assert!(changes.iter().any(|change| change["item"] == "struct x.b"), "{changes:?}");
    }
}

#[test]
fn json_of_no_change_has_an_empty_list() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    let report: Value =
        serde_json::from_str(&scene.run(&["diff", "old.json", "new.h", "--json"]).stdout).unwrap();
    assert_eq!((&report["class"], &report["changes"]), (&"neutral".into(), &Value::Array(vec![])));
}

#[test]
fn either_side_may_be_a_header_or_a_snapshot() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    scene.snapshot("new");
    for (old, new) in
        [("old.h", "new.h"), ("old.json", "new.h"), ("old.h", "new.json"), ("old.json", "new.json")]
    {
        assert_eq!(scene.run(&["diff", old, new]).code, 1, "{old} {new}");
        assert_eq!(scene.run(&["diff", old, old]).code, 0, "{old}");
    }
}

#[test]
fn the_targets_of_a_snapshot_are_the_ones_compared() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    let targets = |arguments: &[&str]| {
        let report: Value = serde_json::from_str(&scene.run(arguments).stdout).unwrap();
        report["targets"].clone()
    };
    assert_eq!(
        targets(&["diff", "old.json", "new.h", "--json"]),
        serde_json::json!(["i686", "x86_64"])
    );
    assert_eq!(
        targets(&["diff", "old.json", "new.h", "--json", "-t", "i686"]),
        serde_json::json!(["i686"])
    );
}
