// SPDX-License-Identifier: Apache-2.0
//! `spanker demo`.

use crate::documented::has_documented_fields;
use crate::scene::{run, Ran};

const SMALL: [&str; 9] = ["demo", "--rows", "65", "--k", "512", "--tokens", "3", "--runs", "4"];

#[test]
fn a_small_layer_is_right_and_reported_in_the_documented_fields() {
    let report = run(&[&SMALL[..], &["--json"]].concat()).json();
    has_documented_fields(&report, "demo");
    assert_eq!(report["right"], true);
    assert!(report["record"].is_null());
    let nmse = report["nmse"].as_f64().unwrap();
    assert!((1e-6..1e-4).contains(&nmse), "{nmse}");
    for (field, value) in [("weight_rows", 65), ("k", 512), ("tokens", 3), ("runs", 4)] {
        assert_eq!(report[field], value, "{field}");
    }
    assert_eq!(report["weights_bytes"], 65 * 2 * 144);
    assert_eq!(report["card_ops"], 4);
    assert!(report["best_ms"].as_f64() <= report["median_ms"].as_f64());
    let gflop = 2.0 * 65.0 * 512.0 * 3.0 / 1e9;
    let rate = gflop / (report["best_ms"].as_f64().unwrap() / 1e3);
    assert!((report["gflops_best"].as_f64().unwrap() / rate - 1.0).abs() < 1e-3);
}

#[test]
fn the_text_shows_shapes_a_bar_for_each_run_and_the_verdict() {
    let text = run(&SMALL).text();
    for part in ["65×512  Q4_K", "3×512   F32", "3×65    F32", "best of 4 more", ": right\n"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let bars = text.chars().filter(|char| ('▁'..='█').contains(char)).count();
    assert_eq!(bars, 4);
}

#[test]
fn the_software_sail_is_used_unless_an_option_names_another() {
    let mut command = crate::scene::command(&SMALL);
    let text = Ran::of(command.env("SPANKER_SAIL", "/none/sail")).text();
    assert!(text.contains("Sail soft: software Sail"), "{text}");
    run(&["demo", "--sail", "4095"]).refused(4, &["/dev/spanker4095", "--sail soft"]);
    run(&["demo", "--sail", "4095", "--threads", "1"]).refused(2, &["--threads"]);
}
