// SPDX-License-Identifier: Apache-2.0
//! `spanker doctor` on this machine.

use crate::documented::has_documented_fields;
use crate::scene::{command, json_object, run, Ran};

#[test]
fn where_a_program_works_the_code_is_0_and_the_product_was_run() {
    let report = run(&["doctor", "--json"]).json();
    has_documented_fields(&report, "doctor");
    assert_eq!(report["works"], true);
    assert_eq!(report["sail"], "soft");
    let text = run(&["doctor"]).text();
    let trial = text.split("\nok       A program gets Sail soft: software Sail").nth(1);
    assert!(trial.is_some_and(|trial| trial.contains("was right")), "{text}");
}

#[test]
fn where_a_program_fails_the_code_is_the_one_it_would_get() {
    for (variable, value, code, part) in [
        ("SPANKER_SAIL", "sfot", 2, "`sfot` names no Sail"),
        ("SPANKER_SAIL", "4095", 4, "cannot open /dev/spanker4095"),
        ("SPANKER_SOFT_THREADS", "many", 2, "many is not a positive number"),
        ("SPANKER_SOFT_FAULTS", "anything", 2, "SPANKER_SOFT_FAULTS"),
        ("SPANKER_SOFT_FAULTS", "batch#1", 5, "op 0"),
    ] {
        let ran = Ran::of(command(&["doctor", "--json"]).env(variable, value));
        ran.failed(code, &[part]);
        let report = json_object(&ran.stdout);
        assert_eq!(report["works"], false);
        let findings = report["findings"].as_array().unwrap();
        let trial = findings.iter().find(|finding| finding["about"] == "trial").unwrap();
        assert_eq!(trial["mark"], "problem");
        assert!(trial["found"].as_str().unwrap().contains(part), "{trial}");
        assert!(trial["remedy"].is_string(), "{trial}");
    }
}

#[test]
fn each_finding_begins_a_line_with_its_mark_and_no_line_is_long() {
    let ran = Ran::of(command(&["doctor"]).env("SPANKER_SAIL", "/none/sail"));
    let marks = ["ok       ", "note     ", "problem  ", "         "];
    for line in ran.stdout.lines() {
        assert!(marks.iter().any(|mark| line.starts_with(mark)), "{line:?}");
        // A path may be longer than a line.
        assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line:?}");
    }
    assert!(ran.stdout.contains("\nproblem  A program that uses Sail /none/sail"), "{ran:?}");
}
