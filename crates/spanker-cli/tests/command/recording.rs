// SPDX-License-Identifier: Apache-2.0
//! `--record`: where a record goes, and what is left where it cannot.

use crate::model::{npy, random_model};
use crate::scene::{command, json_object, run, Ran, Scene};
use std::fs;
use std::os::unix::fs::symlink;

const DEMO: [&str; 9] = ["demo", "--rows", "64", "--k", "256", "--tokens", "2", "--runs", "3"];

fn matmul<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["matmul", "--weights", model, "--tensor", "w", "--random", "5"][..], more].concat()
}

/// The requests and other lines of a record, by name.
fn count(record: &str, what: &str) -> usize {
    let text = fs::read_to_string(record).unwrap();
    text.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn a_record_is_told_and_has_all_operands_and_a_result_for_each_run() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let record = scene.path("r.jsonl");
    let report = run(&matmul(&model, &["--record", &record, "--json"])).json();
    assert_eq!(report["record"], record.as_str());
    assert_eq!((count(&record, "\"write\""), count(&record, "\"result\"")), (2, 1));

    let text = run(&[&DEMO[..], &["--record", &record]].concat()).text();
    assert!(text.contains(&format!("  record  {record}\n")), "{text}");
    assert_eq!((count(&record, "\"write\""), count(&record, "\"result\"")), (2, 4));
    assert_eq!(scene.names(), ["m.gguf", "r.jsonl"]);
}

#[test]
fn results_and_their_record_go_to_the_same_folder() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let (y, record) = (scene.path("y.npy"), scene.path("r.jsonl"));
    run(&matmul(&model, &["--output", &y, "--record", &record, "--verify"])).text();
    assert_eq!(scene.names(), ["m.gguf", "r.jsonl", "y.npy"]);
    run(&["replay", &record]).text();
}

#[test]
fn nothing_that_is_read_or_written_is_overwritten_with_the_record() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let link = scene.path("link");
    symlink(&model, &link).unwrap();
    let (x, y) = (scene.file("x.npy", b"anything"), scene.path("y.npy"));
    let words = ["matmul", "--weights", &model, "--tensor", "w", "--input", &x, "--output", &y];
    for (record, what) in
        [(&model, "the model"), (&link, "the model"), (&x, "the input"), (&y, "the output")]
    {
        let ran = run(&[&words[..], &["--record", record]].concat());
        let told = format!("--record {record} would replace {what}: choose another file");
        ran.refused(2, &[&told]);
    }
    assert_eq!(fs::read(&model).unwrap(), random_model(3, 256));
    assert_eq!(scene.names(), ["link", "m.gguf", "x.npy"]);
}

#[test]
fn a_record_that_cannot_be_written_is_an_error_of_the_output() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let y = scene.path("y.npy");
    let full = ["--record", "/dev/full"];
    for arguments in
        [matmul(&model, &[&full[..], &["--output", &y]].concat()), [&DEMO[..], &full].concat()]
    {
        let told = ["cannot write /dev/full", "No space left", "--record"];
        run(&arguments).refused(6, &told);
    }
    let none = scene.path("none/r.jsonl");
    run(&[&DEMO[..], &["--record", &none]].concat()).refused(6, &["cannot write", "--record"]);
    assert_eq!(scene.names(), ["m.gguf"]);
}

#[test]
fn a_pipe_gets_the_record_as_it_is_written() {
    let text = run(&[&DEMO[..], &["--record", "/dev/stdout", "--json"]].concat()).text();
    let (record, report) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(json_object(report)["record"], "/dev/stdout");
    let scene = Scene::new();
    let record = scene.file("r.jsonl", record.as_bytes());
    assert_eq!(run(&["replay", &record, "--json"]).json()["results"], 4);
}

#[test]
fn where_the_sail_fails_the_record_shows_how() {
    let scene = Scene::new();
    let record = scene.path("r.jsonl");
    let arguments = [&DEMO[..], &["--record", &record]].concat();
    let ran = Ran::of(command(&arguments).env("SPANKER_SOFT_FAULTS", "batch#2"));
    ran.refused(5, &["op 0 of batch 2"]);
    assert_eq!(scene.names(), ["r.jsonl"]);
    assert_eq!((count(&record, "WORK_SUBMIT"), count(&record, "\"result\"")), (2, 1));
    // Without the fault, what it was about to do is done.
    let report = run(&["replay", &record, "--json"]).json();
    assert_eq!((&report["batches"], &report["results"]), (&2.into(), &1.into()));
}

#[test]
fn where_the_sail_fails_and_the_record_too_both_are_told() {
    let arguments = [&DEMO[..], &["--record", "/dev/full"]].concat();
    let ran = Ran::of(command(&arguments).env("SPANKER_SOFT_FAULTS", "batch#2"));
    ran.refused(5, &["op 0 of batch 2", "; and cannot write /dev/full: No space left"]);
}

#[test]
fn where_an_input_cannot_be_used_an_older_record_stays() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let mut x = [1.0; 256];
    x[7] = f32::NAN;
    let x = scene.file("x.npy", &npy(1, 256, &x));
    let record = scene.file("r.jsonl", b"older");
    let words = ["matmul", "--weights", &model, "--tensor", "w", "--input", &x];
    run(&[&words[..], &["--record", &record]].concat()).refused(3, &["NaN"]);
    assert_eq!(fs::read(&record).unwrap(), b"older");
    assert_eq!(scene.names(), ["m.gguf", "r.jsonl", "x.npy"]);
}
