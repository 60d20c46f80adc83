// SPDX-License-Identifier: Apache-2.0
//! What is no answer exits with 3 and a message, and never like an answer.

use crate::scene::{Scene, OLD};

fn refused(scene: &Scene, arguments: &[&str]) -> String {
    let ran = scene.run(arguments);
    assert_eq!(ran.code, 3, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "", "{arguments:?}");
    assert!(ran.stderr.contains("error: "), "{arguments:?}: {}", ran.stderr);
    ran.stderr
}

/// Every subcommand that reads `h.h`.
const READING: [&[&str]; 4] = [
    &["table", "h.h"],
    &["snapshot", "h.h"],
    &["diff", "old.json", "h.h"],
    &["check", "--snapshot", "old.json", "--header", "h.h"],
];

fn refused_by_all(header: &str, words: &[&str]) {
    let scene = Scene::changed("__u32 b", "__u32 b");
    scene.file("h.h", header);
    for arguments in READING {
        let message = refused(&scene, arguments);
        for word in words {
            assert!(message.contains(word), "{arguments:?}: no {word} in {message}");
        }
    }
}

#[test]
fn a_wrong_command_line() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    for arguments in [
        &["nothing"][..],
        &["table"],
        &["table", "old.h", "more.h"],
        &["table", "old.h", "--format", "xml"],
        &["table", "old.h", "--nothing"],
        &["diff", "old.h"],
        &["diff", "old.h", "new.h", "--json", "--format", "text"],
        &["check", "--header", "old.h"],
        &["check", "--header", "old.h", "--snapshot", "old.json", "--version-macros", "A B"],
        &["check", "--header", "old.h", "--snapshot", "old.json", "--version-macros", "A:b"],
    ] {
        refused(&scene, arguments);
    }
    // Without arguments, help is the message.
    assert_eq!(scene.run(&[]).code, 3);
}

#[test]
fn a_file_that_is_not_there() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    for arguments in READING {
        assert!(refused(&scene, arguments).contains("h.h: No such file"));
    }
    for arguments in [
        &["diff", "gone.json", "old.h"][..],
        &["check", "--snapshot", "gone.json", "--header", "old.h"],
    ] {
        assert!(refused(&scene, arguments).contains("gone.json: No such file"));
    }
}

#[test]
fn a_header_with_a_mistake() {
    refused_by_all(
        "struct x {\n\tnothing a;\n};\n",
        &["h.h:2:2: error: unknown type name 'nothing'"],
    );
}

#[test]
fn a_header_that_includes_what_is_not_there() {
    refused_by_all(
        "#include <not/there.h>\nint a;",
        &["'not/there.h' file not found", "--include DIR"],
    );
}

#[test]
fn a_header_that_declares_nothing() {
    refused_by_all("#ifndef H\n#define H\n#endif\n", &["declares nothing"]);
    refused_by_all("", &["declares nothing"]);
}

#[test]
fn an_included_header_that_is_found_is_no_mistake() {
    let scene = Scene::new();
    scene.file("h.h", "#include <deep/there.h>\nstruct x { struct y y; };");
    scene.file("inc/deep/there.h", "struct y { int a; };");
    for given in [["-I", "inc"], ["--include", "inc"]] {
        let ran = scene.run(&["table", "h.h", given[0], given[1]]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert!(refused(&scene, &["table", "h.h", "-I", "gone"]).contains("gone"));
}

#[test]
fn a_target_that_there_is_not() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    for arguments in [
        &["table", "old.h", "-t", "z80"][..],
        &["snapshot", "old.h", "-t", "x86_64,z80"],
        &["diff", "old.h", "new.h", "--target", "z80"],
        &["check", "--snapshot", "old.json", "--header", "new.h", "-t", "z80"],
    ] {
        let message = refused(&scene, arguments);
        assert!(message.contains("`z80`") && message.contains("s390x"), "{message}");
    }
}

#[test]
fn a_target_that_the_snapshot_has_not() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    for arguments in [
        &["diff", "old.json", "new.h", "-t", "s390x"][..],
        &["check", "--snapshot", "old.json", "--header", "new.h", "-t", "s390x"],
    ] {
        let message = refused(&scene, arguments);
        assert!(message.contains("no target s390x, only i686, x86_64"), "{message}");
    }
}

#[test]
fn a_snapshot_of_targets_that_the_header_is_not_for() {
    let scene = Scene::new();
    scene.file("old.h", OLD);
    scene.snapshot("old");
    scene.file("new.h", format!("#ifdef __i386__\n#error no i686 here\n#endif\n{OLD}"));
    for arguments in [
        &["diff", "old.json", "new.h"][..],
        &["check", "--snapshot", "old.json", "--header", "new.h"],
    ] {
        let message = refused(&scene, arguments);
        assert!(message.contains("for i686") && message.contains("no i686 here"), "{message}");
    }
}

#[test]
fn a_snapshot_that_is_none() {
    let scene = Scene::new();
    scene.file("h.h", OLD);
    for text in [&b"{}"[..], b"{\"format\"", b"{\"format\": \"\xff\"}"] {
        scene.file("x.json", text);
        let message = refused(&scene, &["check", "--snapshot", "x.json", "--header", "h.h"]);
        assert!(message.contains("x.json"), "{message}");
        refused(&scene, &["diff", "x.json", "h.h"]);
        refused(&scene, &["diff", "h.h", "x.json"]);
    }
}

#[test]
fn snapshots_without_a_common_target() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    scene.run(&["snapshot", "old.h", "-t", "s390x", "-o", "s.json"]);
    let message = refused(&scene, &["diff", "old.json", "s.json"]);
    assert!(message.contains("s390x") && message.contains("x86_64"), "{message}");
}

#[test]
fn a_header_without_the_version_that_was_asked_for() {
    let scene = Scene::changed("X_VERSION_MINOR", "X_VERSION_MINIR");
    for arguments in [
        &["check", "--snapshot", "old.json", "--header", "new.h", "--version-macros", "X_VERSION"]
            [..],
        &["check", "--snapshot", "old.json", "--header", "old.h", "--version-macros", "Y"],
        &["diff", "old.json", "old.h", "--version-macros", "Y"],
    ] {
        assert!(refused(&scene, arguments).contains("version"));
    }
}

#[test]
fn a_machine_without_libclang() {
    let scene = Scene::changed("__u32 b", "__u32 b");
    std::fs::create_dir(scene.path("empty")).unwrap();
    for arguments in [
        &["table", "old.h"][..],
        &["snapshot", "old.h", "-o", "x.json"],
        &["diff", "old.json", "new.h"],
        &["check", "--snapshot", "old.json", "--header", "new.h"],
    ] {
        let mut command = scene.command(arguments);
        // A file that is named is the only one that is tried.
        let output =
            command.env("LIBCLANG_PATH", scene.path("empty/libclang.so")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(0) {
            println!("SKIPPED: LIBCLANG_PATH does not hide libclang: `cargo xtask test bare` does");
            return;
        }
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains("libclang was not found: install it"), "{stderr}");
    }
}

#[test]
fn a_snapshot_in_the_place_of_the_header_is_no_check() {
    let scene = Scene::changed("X_GET _IOR", "X_GET _IOR");
    let ran = scene.run(&["check", "--header", "old.json", "--snapshot", "old.json"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("this is a snapshot"), "{}", ran.stderr);
}
