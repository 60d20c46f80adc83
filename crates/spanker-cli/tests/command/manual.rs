// SPDX-License-Identifier: Apache-2.0
//! Completions and manual pages.

use crate::scene::{run, Scene};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn completions_name_every_command_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).text();
        for word in ["matmul", "doctor", "completions", "--tensor", "--json"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert_eq!(run(&["completions", "csh"]).code, Some(2));
}

#[test]
fn bash_accepts_its_completions_and_completes_with_them() {
    let script = run(&["completions", "bash"]).text();
    let ask =
        "COMP_WORDS=(spanker ma); COMP_CWORD=1; _spanker spanker ma spanker; echo ${COMPREPLY[@]}";
    let mut bash = Command::new("bash")
        .args(["--norc", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    write!(bash.stdin.take().unwrap(), "{script}\n{ask}\n").unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "matmul man\n");
}

#[test]
fn the_manual_has_a_page_for_each_command_with_its_examples() {
    let scene = Scene::new();
    let folder = scene.path("share/man1");
    assert_eq!(run(&["man", "--output", &folder]).text(), "");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let commands = [
        "completions",
        "demo",
        "doctor",
        "extract",
        "info",
        "list",
        "man",
        "matmul",
        "ping",
        "replay",
        "tensors",
        "version",
    ];
    let pages = commands.iter().map(|name| format!("spanker-{name}.1"));
    assert_eq!(names, pages.chain(["spanker.1".to_owned()]).collect::<Vec<_>>());

    let page = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap();
    assert_eq!(run(&["man"]).text(), page("spanker.1"));
    for name in names {
        let text = page(&name);
        assert!(text.contains(".SH EXAMPLES\n.nf\n"), "{name}: {text}");
        assert!(text.contains(".SH \"EXIT CODES\"\n.nf\n"), "{name}: {text}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_of_the_output() {
    let scene = Scene::new();
    let file = scene.file("file", b"");
    run(&["man", "--output", &file]).refused(6, &["cannot make", "file"]);
}
