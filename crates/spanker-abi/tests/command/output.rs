// SPDX-License-Identifier: Apache-2.0
//! Where answers go: whole, or nowhere.

use crate::scene::{ran, Scene};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

const PRINTING: [&[&str]; 5] = [
    &["table", "old.h"],
    &["snapshot", "old.h"],
    &["diff", "old.json", "new.h"],
    &["check", "--snapshot", "old.json", "--header", "new.h"],
    &["snapshot", "old.h", "-o", "/dev/stdout"],
];

#[test]
fn a_file_has_what_would_have_been_printed() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    let printed = scene.run(&["snapshot", "old.h"]).stdout;
    for file in ["x.json", "./x.json"] {
        let ran = scene.run(&["snapshot", "old.h", "--output", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert_eq!(fs::read_to_string(scene.path("x.json")).unwrap(), printed);
    }
    assert_eq!(scene.run(&["snapshot", "old.h", "-o", "/dev/stdout"]).stdout, printed);
    assert_eq!(scene.names(), ["new.h", "old.h", "old.json", "x.json"]);
}

#[test]
fn a_header_that_is_refused_leaves_the_file_as_it_was() {
    let scene = Scene::changed("__u32 b", "nothing b");
    let before = fs::read(scene.path("old.json")).unwrap();
    assert_eq!(scene.run(&["snapshot", "new.h", "-o", "old.json"]).code, 3);
    assert_eq!(fs::read(scene.path("old.json")).unwrap(), before);
    assert_eq!(scene.run(&["snapshot", "new.h", "-o", "new.json"]).code, 3);
    assert_eq!(scene.names(), ["new.h", "old.h", "old.json"]);
}

#[test]
fn a_file_has_the_permissions_of_any_new_one() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    let mode = |name: &str| fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("old.json"), mode("old.h"));
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    fs::create_dir(scene.path("folder")).unwrap();
    for output in ["gone/x.json", "folder", "/proc/x.json", "/dev/full", ""] {
        let ran = scene.run(&["snapshot", "old.h", "-o", output]);
        assert_eq!(ran.code, 3, "{output}: {}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "{output}: {}", ran.stderr);
        assert!(ran.stderr.contains(output), "{output}: {}", ran.stderr);
    }
}

#[test]
fn an_answer_that_could_not_be_given_is_none() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    for arguments in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = scene.command(arguments).stdout(full).output().unwrap();
        let full = ran(&output);
        assert_eq!(full.code, 3, "{arguments:?}: {}", full.stderr);
        assert!(full.stderr.contains("No space left"), "{arguments:?}: {}", full.stderr);
    }
}

#[test]
fn a_reader_that_went_away_gets_no_verdict() {
    let scene = Scene::changed("__u32 b", "__u64 b");
    for arguments in &PRINTING[..4] {
        let mut child =
            scene.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let closed = ran(&child.wait_with_output().unwrap());
        assert_eq!(closed.code, 3, "{arguments:?}: {}", closed.stderr);
        assert!(closed.stderr.contains("standard output"), "{arguments:?}: {}", closed.stderr);
    }
}
