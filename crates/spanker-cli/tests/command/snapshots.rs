// SPDX-License-Identifier: Apache-2.0
//! What people see, to the letter. Looked at a difference and it is right?
//! `INSTA_UPDATE=always cargo test -p spanker-cli` takes it over.

use crate::model::{npy, random_model};
use crate::replay::spoilt;
use crate::scene::{run, Scene};
use crate::tensors::model_of_all_kinds;
use insta::assert_snapshot;
use regex::Regex;
use std::path::Path;

/// A run, as a terminal would show it, with what differs from run to run and
/// from machine to machine replaced by what is as wide.
fn transcript(arguments: &[&str], scene: &Scene) -> String {
    let ran = run(arguments);
    let code = match ran.code {
        Some(0) => String::new(),
        code => format!("[exit code {}]\n", code.unwrap()),
    };
    let line = arguments.join(" ");
    let text = format!("$ spanker {line}\n{}{}{code}", ran.stdout, ran.stderr);
    steady(&text.replace(&scene.path(""), ""))
}

fn steady(text: &str) -> String {
    const NUMBER: &str = r"\d+(\.\d+)?";
    let rules = [
        (format!(r"\b{NUMBER} (ns|µs|ms|s)\b"), "#.## ms"),
        (format!(r"\b{NUMBER} GFLOP/s"), "### GFLOP/s"),
        (format!(r"\b{NUMBER} median"), "### median"),
        // The memory of the machine, and the column that it widens.
        (format!(r"\b{NUMBER} (MiB|GiB|TiB)  +"), "##.# GiB  "),
        (r"(memory|largest buffer)( +)[\d.]+ [KMGT]iB".to_owned(), "$1$2##.# GiB"),
        (r"\b\d+\.\d+\.\d+\b".to_owned(), "#.#.#"),
        (r"[▁-█]+".to_owned(), "▅▅▅▅"),
        (r"(its source +).*".to_owned(), "$1(bindgen or committed)"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, steady)| {
        Regex::new(pattern).unwrap().replace_all(&text, *steady).into_owned()
    })
}

#[test]
fn help_of_everything() {
    let shown = |arguments: &[&str]| {
        let help = run(arguments).text();
        let mut lines = help.lines().filter(|line| !line.starts_with("Usage: "));
        assert!(lines.all(|line| line.chars().count() <= 80), "{help}");
        help
    };
    assert_snapshot!("help", shown(&["--help"]));
    for name in [
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
    ] {
        assert_snapshot!(format!("help_{name}"), shown(&[name, "--help"]));
    }
}

#[test]
fn sails() {
    let scene = Scene::new();
    if Path::new("/dev/spankerctl").exists() {
        println!("SKIPPED: there is a driver; to run this, `rmmod spanker`");
        return;
    }
    let runs = [&["list"][..], &["info"], &["ping"], &["version"], &["version", "--sail", "4095"]];
    let text = runs.map(|arguments| transcript(arguments, &scene)).join("\n");
    assert_snapshot!("sails", text);
}

#[test]
fn demo() {
    let scene = Scene::new();
    let arguments = ["demo", "--rows", "64", "--k", "512", "--tokens", "3", "--runs", "4"];
    assert_snapshot!("demo", transcript(&arguments, &scene));
}

#[test]
fn models() {
    let scene = Scene::new();
    let model = scene.file("all.gguf", &model_of_all_kinds());
    let random = scene.file("random.gguf", &random_model(40, 1024));
    let x = scene.file("x.npy", &npy(2, 1024, &[0.5; 2048]));
    let (y, w) = (scene.path("y.npy"), scene.path("w.q4_k"));
    let product = ["matmul", "--weights", &random, "--tensor", "w", "--threads", "1"];
    let runs = [
        &["tensors", &model][..],
        &["extract", "--weights", &random, "--tensor", "w", "--output", &w],
        &[&product[..], &["--input", &x, "--output", &y]].concat(),
        &[&product[..], &["--random", "3", "--verify"]].concat(),
    ];
    let text = runs.map(|arguments| transcript(arguments, &scene)).join("\n");
    assert_snapshot!("models", text);
}

#[test]
fn replays() {
    let scene = Scene::new();
    let record = scene.path("r.jsonl");
    let layer = ["demo", "--rows", "64", "--k", "256", "--tokens", "1", "--runs", "11"];
    run(&[&layer[..], &["--record", &record]].concat()).text();
    let spoilt = scene.file("spoilt.jsonl", spoilt(&record).0.as_bytes());
    let none = scene.file("none.jsonl", b"{}\n");
    let runs =
        [&["replay", &record, "--threads", "1"][..], &["replay", &spoilt], &["replay", &none]];
    let text = runs.map(|arguments| transcript(arguments, &scene)).join("\n");
    assert_snapshot!("replays", text);
}

#[test]
fn mistakes() {
    let scene = Scene::new();
    let model = scene.file("all.gguf", &model_of_all_kinds());
    let none = scene.path("none.gguf");
    let product = |tensor| ["matmul", "--weights", &model, "--tensor", tensor];
    let runs = [
        &["matmul", "--weights", &model][..],
        &["matmul", "--weights", &none, "--tensor", "w"],
        &product("blk.0.ffn_donw.weight"),
        &product("blk.0.attn_norm.weight"),
        &product("cube"),
        &[&product("cube")[..], &["--threads", "0"]].concat(),
        &[&product("cube")[..], &["--output", &model]].concat(),
        &["extract", "--weights", &model, "--tensor", "cube", "--output", "/none/w.q4_k"],
        &["ping", "--sail", "sfot"],
        &["ping", "--sail", "4095"],
        &["demo", "--k", "100"],
        &["dmeo"],
        &["completions", "csh"],
    ];
    let text = runs.map(|arguments| transcript(arguments, &scene)).join("\n");
    assert_snapshot!("mistakes", text);
}
