// SPDX-License-Identifier: Apache-2.0
//! `spanker replay`.

use crate::documented::has_documented_fields;
use crate::model::random_model;
use crate::scene::{command, json_object, run, Ran, Scene};
use serde_json::Value;
use std::fs::{self, File};

/// A product of a random model, recorded.
fn recorded(scene: &Scene) -> String {
    let model = scene.file("m.gguf", &random_model(33, 512));
    let record = scene.path("r.jsonl");
    let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--random", "7"];
    run(&[&arguments[..], &["--record", &record]].concat()).text();
    record
}

/// The record with one bit of each result changed, in its sixth byte; and the
/// lines of these, from 1.
pub(crate) fn spoilt(record: &str) -> (String, Vec<usize>) {
    let mut lines = Vec::new();
    let mut text = String::new();
    for (number, line) in (1..).zip(fs::read_to_string(record).unwrap().lines()) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line["result"].is_u64() {
            lines.push(number);
            let mut data = line["data"].as_str().unwrap().to_owned();
            let digit = u8::from_str_radix(&data[11..12], 16).unwrap() ^ 1;
            data.replace_range(11..12, &format!("{digit:x}"));
            line["data"] = data.into();
        }
        text += &format!("{line}\n");
    }
    (text, lines)
}

#[test]
fn a_recorded_product_has_the_same_bits_on_any_sail() {
    let scene = Scene::new();
    let record = recorded(&scene);
    let more: [&[&str]; 3] = [&[], &["--threads", "1"], &["--sail", "soft", "--threads", "2"]];
    for more in more {
        let arguments = [&["replay", &record][..], more].concat();
        let text = run(&arguments).text();
        assert!(text.contains("\n  results compared  1, 924 bytes in all\n"), "{text}");
        assert!(text.ends_with("\n  verdict  the same in every bit\n"), "{text}");

        let report = run(&[&arguments[..], &["--json"]].concat()).json();
        assert_eq!(report["same"], true);
        assert_eq!((&report["batches"], &report["ops"]), (&1.into(), &1.into()));
        assert_eq!(report["compared_bytes"], 7 * 33 * 4);
        assert!(report["recorded_ms"].as_f64() > Some(0.0), "{report}");
        assert!(report["replayed_ms"].as_f64() > Some(0.0), "{report}");
    }
}

#[test]
fn standard_input_is_a_record_too() {
    let scene = Scene::new();
    let record = recorded(&scene);
    let mut command = command(&["replay", "-", "--json"]);
    let report = Ran::of(command.stdin(File::open(&record).unwrap())).json();
    assert_eq!((&report["record"], &report["same"]), (&"standard input".into(), &true.into()));
}

#[test]
fn a_bit_that_differs_is_told_with_its_line_and_fails_with_code_1() {
    let scene = Scene::new();
    let (text, lines) = spoilt(&recorded(&scene));
    let [line] = lines[..] else { panic!("{lines:?}") };
    let record = scene.file("spoilt.jsonl", text.as_bytes());
    let ran = run(&["replay", &record]);
    ran.failed(1, &["1 of 1 results of Sail soft", &format!("the first at its line {line};")]);
    let told = format!(
        "  line {line}: what batch 1 wrote to buffer 3 differs in 1 byte, the first at 5\n"
    );
    assert!(ran.stdout.contains(&told), "{ran:?}");
    assert!(ran.stdout.ends_with("  verdict  DIFFERENT: 1 of 1 results\n"), "{ran:?}");

    let ran = run(&["replay", &record, "--threads", "1", "--json"]);
    ran.failed(1, &["spoilt.jsonl"]);
    let report = json_object(&ran.stdout);
    has_documented_fields(&report, "replay");
    assert_eq!(report["same"], false);
    let difference = &report["differences"][0];
    assert_eq!(difference["line"], line);
    assert_eq!((&difference["seqno"], &difference["handle"]), (&1.into(), &3.into()));
    let bytes = (&difference["offset_bytes"], &difference["differing_bytes"]);
    assert_eq!(bytes, (&5.into(), &1.into()));
}

#[test]
fn of_many_differences_ten_are_shown_and_the_others_counted() {
    let scene = Scene::new();
    let record = scene.path("r.jsonl");
    let layer = ["demo", "--rows", "64", "--k", "256", "--tokens", "1", "--runs", "12"];
    run(&[&layer[..], &["--record", &record]].concat()).text();
    let (text, lines) = spoilt(&record);
    assert_eq!(lines.len(), 13);
    let record = scene.file("spoilt.jsonl", text.as_bytes());
    let ran = run(&["replay", &record]);
    assert_eq!(ran.stdout.matches("differs in").count(), 10);
    assert!(ran.stdout.contains("\n  and 3 more\n"), "{ran:?}");
    let ran = run(&["replay", &record, "--json"]);
    assert_eq!(json_object(&ran.stdout)["differences"].as_array().map(Vec::len), Some(13));
}

#[test]
fn what_is_no_record_is_refused_with_its_line() {
    let scene = Scene::new();
    let whole = fs::read(recorded(&scene)).unwrap();
    let lines = whole.iter().filter(|&&byte| byte == b'\n').count();
    let cut = scene.file("cut.jsonl", &whole[..whole.len() - 10]);
    let empty = scene.file("empty.jsonl", b"");
    let latin = scene.file("latin.jsonl", b"{\"spanker_record\":1}\n\xfc\n");
    let none = scene.path("none.jsonl");
    for (record, parts) in [
        (&cut, &["cut.jsonl: ", &format!("line {lines} is not one of a record")][..]),
        (&empty, &["empty.jsonl: line 1 ", "it is empty", "with `--record`"]),
        (&latin, &["latin.jsonl: line 2 ", "it is not UTF-8"]),
        (&scene.path("m.gguf"), &["m.gguf: line 1 "]),
        (&none, &["cannot read ", "none.jsonl", "No such file"]),
        (&scene.path(""), &["cannot read ", "Is a directory"]),
    ] {
        run(&["replay", record]).refused(3, parts);
    }
    let mut command = command(&["replay", "-"]);
    Ran::of(command.stdin(File::open(&cut).unwrap())).refused(3, &["standard input: line "]);
}

#[test]
fn a_record_without_results_is_not_called_the_same() {
    let scene = Scene::new();
    let record = scene.file("r.jsonl", b"{\"spanker_record\":1}\n");
    let text = run(&["replay", &record]).text();
    assert!(text.ends_with("verdict  there was no result to compare\n"), "{text}");
}

#[test]
fn a_sail_that_does_not_take_the_work_is_told_with_the_line() {
    let scene = Scene::new();
    let record = recorded(&scene);
    let text = fs::read_to_string(&record).unwrap();
    let at = |what: &str, nth: usize| {
        let mut found = (1..).zip(text.lines()).filter(|(_, line)| line.contains(what));
        let (number, _) = found.nth(nth - 1).unwrap();
        format!("at line {number} of {record}: ")
    };
    for (faults, place, said) in [
        ("BUF_CREATE#2=ENOMEM", at("BUF_CREATE", 2), "ENOMEM"),
        ("batch#1", at("\"WAIT\"", 1), "op 0 of batch 1"),
    ] {
        let ran = Ran::of(command(&["replay", &record]).env("SPANKER_SOFT_FAULTS", faults));
        ran.refused(5, &[&place, said]);
    }
    run(&["replay", &record, "--sail", "4095"]).refused(4, &["/dev/spanker4095"]);
    run(&["replay", &record, "--sail", "4095", "--threads", "2"]).refused(2, &["--threads"]);
    assert_eq!(run(&["replay"]).code, Some(2));
}

#[test]
fn a_record_that_was_cut_off_at_a_line_is_told_from_a_whole_one() {
    let scene = Scene::new();
    let record = recorded(&scene);
    let text = fs::read_to_string(&record).unwrap();
    let cut = text.trim_end().rsplit_once('\n').unwrap().0;
    let cut = scene.file("cut.jsonl", cut.as_bytes());
    assert_eq!(run(&["replay", &record, "--json"]).json()["complete"], true);
    assert_eq!(run(&["replay", &cut, "--json"]).json()["complete"], false);
    let shown = run(&["replay", &cut]).text();
    assert!(shown.contains("the record has no last line: it was cut off"), "{shown}");
}
