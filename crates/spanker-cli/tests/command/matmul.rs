// SPDX-License-Identifier: Apache-2.0
//! `spanker matmul` where nothing is wrong with what it is given.

use crate::documented::has_documented_fields;
use crate::model::{gguf, npy, plain_block, random_model, read_npy, Tensor, ONE};
use crate::scene::{json_object, run, Scene};
use serde_json::Value;
use std::fs;

/// Row j of the weights is 256 times j.
fn counting_model() -> Vec<u8> {
    gguf(&[Tensor::q4k("w", 5, 256, |row, _| plain_block(ONE, row as u8))])
}

#[test]
fn output_has_a_row_for_each_of_input_and_a_column_for_each_of_weights() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &counting_model());
    let x: Vec<f32> = [[1.0; 256], [2.0; 256], [-4.0; 256]].concat();
    let x = scene.file("x.npy", &npy(3, 256, &x));
    let y = scene.path("y.npy");
    run(&["matmul", "--weights", &model, "--tensor", "w", "--input", &x, "--output", &y]).text();

    let found = read_npy(&fs::read(&y).unwrap(), 3, 5);
    for (i, x) in [1.0, 2.0, -4.0].into_iter().enumerate() {
        for j in 0..5 {
            let (found, expected) = (found[i * 5 + j], x * 256.0 * j as f32);
            let tolerance = 1e-5 * expected.abs();
            assert!((found - expected).abs() <= tolerance, "{i} {j}: {found}, not {expected}");
        }
    }
}

#[test]
fn verify_holds_random_weights_against_f64() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(33, 1024));
    let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--random", "7", "--verify"];
    let report = run(&[&arguments[..], &["--json"]].concat()).json();
    assert_eq!(report["verified"], true);
    let nmse = report["nmse"].as_f64().unwrap();
    // Activations have 8 bits: an error of 0 would be a comparison with itself.
    assert!((1e-6..1e-4).contains(&nmse), "{nmse}");
    assert_eq!(report["weight_rows"], 33);
    assert_eq!(report["k"], 1024);
    assert_eq!(report["input_rows"], 7);

    let text = run(&arguments).text();
    assert!(text.contains("at most 1e-4: verified"), "{text}");
    assert!(text.starts_with("Sail soft: software Sail"), "{text}");
}

/// The outlier costs all other activations their bits, but has the weight 0.
#[test]
fn a_result_far_from_f64_is_printed_and_fails_with_code_1() {
    let scene = Scene::new();
    let mut block = plain_block(ONE, 1);
    block[16] = 0x10;
    let model = scene.file("m.gguf", &gguf(&[Tensor::q4k("w", 1, 256, |_, _| block.clone())]));
    let mut x = [1.0; 256];
    x[0] = 1e6;
    let x = scene.file("x.npy", &npy(1, 256, &x));
    let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--input", &x];
    run(&arguments).text();

    let ran = run(&[&arguments[..], &["--verify", "--json"]].concat());
    ran.failed(1, &["Sail soft", "NMSE 1.0e0", "at most 1e-4", "more rows of input"]);
    assert_eq!(json_object(&ran.stdout)["verified"], false);
    let ran = run(&[&arguments[..], &["--verify"]].concat());
    assert!(ran.stdout.contains("NOT verified"), "{ran:?}");
}

#[test]
fn json_has_the_documented_fields_whatever_was_asked_for() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &counting_model());
    let x = scene.file("x.npy", &npy(1, 256, &[1.0; 256]));
    let y = scene.path("y.npy");
    let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--json"];

    let bare = run(&arguments).json();
    has_documented_fields(&bare, "matmul");
    for absent in ["threads", "input", "output", "verify_ms", "nmse", "verified", "record"] {
        assert_eq!(bare[absent], Value::Null, "{absent}");
    }
    assert_eq!((&bare["random"], &bare["seed"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(bare["first"].as_array().map(Vec::len), Some(5));

    let more = ["--input", &x, "--output", &y, "--verify", "--sail", "soft", "--threads", "1"];
    let full = run(&[&arguments[..], &more].concat()).json();
    has_documented_fields(&full, "matmul");
    assert_eq!(full["input"], x.as_str());
    assert_eq!(full["output"], y.as_str());
    assert_eq!(full["threads"], 1);
    assert_eq!((&full["random"], &full["seed"]), (&Value::Null, &Value::Null));
}

#[test]
fn results_are_the_same_bits_with_one_thread_and_with_two() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(517, 768));
    let outputs = ["1", "2"].map(|threads| {
        let y = scene.path(threads);
        let random = ["--random", "21", "--threads", threads, "--output", &y];
        let arguments = ["matmul", "--weights", &model, "--tensor", "w"];
        run(&[&arguments[..], &random].concat()).text();
        fs::read(&y).unwrap()
    });
    assert_eq!(outputs[0].len(), 128 + 21 * 517 * 4);
    assert!(outputs[0] == outputs[1]);
}

#[test]
fn random_activations_follow_from_the_seed() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(4, 256));
    let first = |seed: &[&str]| {
        let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--json"];
        run(&[&arguments[..], seed].concat()).json()["first"].clone()
    };
    assert_eq!(first(&["--seed", "7"]), first(&["--seed", "7"]));
    assert_ne!(first(&["--seed", "7"]), first(&["--seed", "8"]));
    assert_eq!(first(&[]), first(&["--seed", "0", "--random", "1"]));
}

#[test]
fn values_that_are_not_finite_are_results_but_not_verified_ones() {
    // Infinity and NaN as binary16.
    for (d, shown) in [(0x7c00, "inf"), (0x7e00, "NaN")] {
        let scene = Scene::new();
        let tensor =
            Tensor::q4k("w", 2, 256, |row, _| plain_block(if row == 0 { ONE } else { d }, 1));
        let model = scene.file("m.gguf", &gguf(&[tensor]));
        let x = scene.file("x.npy", &npy(1, 256, &[1.0; 256]));
        let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--input", &x];

        let text = run(&arguments).text();
        assert!(text.contains(&format!(", {shown}\n")), "{text}");
        assert!(text.contains("1 values are NaN or infinite"), "{text}");
        let report = run(&[&arguments[..], &["--json"]].concat()).json();
        assert_eq!(report["first"][1], Value::Null);
        assert_eq!(report["not_finite"], 1);

        let ran = run(&[&arguments[..], &["--json", "--verify"]].concat());
        ran.failed(1, &["not finite"]);
        assert_eq!(json_object(&ran.stdout)["nmse"], Value::Null);
    }
}
