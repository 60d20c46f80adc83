// SPDX-License-Identifier: Apache-2.0
//! `spanker tensors` and `spanker extract`.

use crate::documented::has_documented_fields;
use crate::model::{gguf, plain_block, random_model, Tensor, F32, ONE};
use crate::scene::{run, Scene};
use serde_json::json;
use std::fs;

/// A tensor of each kind that can be told apart.
pub(crate) fn model_of_all_kinds() -> Vec<u8> {
    let floats = |name, dims: &[u64], bytes| Tensor { name, kind: F32, dims: dims.to_vec(), bytes };
    let mut cube = Tensor::q4k("cube", 4, 256, |_, _| plain_block(ONE, 1));
    cube.dims = vec![256, 2, 2];
    gguf(&[
        floats("blk.0.attn_norm.weight", &[256], vec![0; 1024]),
        Tensor::q4k("blk.0.ffn_down.weight", 2, 512, |row, _| plain_block(ONE, row as u8)),
        cube,
        Tensor { name: "future", kind: 9999, dims: vec![8, 4], bytes: vec![0; 16] },
        Tensor::q4k("bell\x07", 1, 256, |_, _| plain_block(ONE, 1)),
    ])
}

#[test]
fn every_tensor_is_listed_with_why_it_cannot_be_used() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &model_of_all_kinds());
    let report = run(&["tensors", &model, "--json"]).json();
    has_documented_fields(&report, "tensors");
    assert_eq!((&report["weights"], &report["usable"]), (&json!(model), &json!(2)));
    assert_eq!(
        report["tensors"][1],
        json!({ "name": "blk.0.ffn_down.weight", "type": "Q4_K", "shape": [2, 512],
            "bytes": 576, "usable": true, "problem": null })
    );
    for (at, problem) in [(0, "its type is not Q4_K"), (2, "it is not a matrix")] {
        let tensor = &report["tensors"][at];
        assert_eq!((&tensor["usable"], &tensor["problem"]), (&json!(false), &json!(problem)));
    }
    assert_eq!(report["tensors"][2]["shape"], json!([2, 2, 256]));
    assert_eq!(report["tensors"][3]["type"], "type 9999");
    assert_eq!(report["tensors"][3]["bytes"], json!(null));

    let text = run(&["tensors", &model]).text();
    let line = text.lines().find(|line| line.ends_with("ffn_down.weight")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[..3], ["yes", "Q4_K", "2×512"]);
    assert!(text.contains("bell\\u{7}") && !text.contains('\x07'), "{text}");
    assert!(text.ends_with("\n2 of 5 tensors are usable: Q4_K matrices\n"), "{text}");
}

#[test]
fn what_is_no_model_is_refused() {
    let scene = Scene::new();
    let text = scene.file("text", b"text");
    run(&["tensors", &text]).refused(3, &["is not a GGUF file"]);
    run(&["tensors", &scene.path("none")]).refused(3, &["cannot read", "No such file"]);
}

#[test]
fn extract_writes_the_blocks_of_the_tensor_and_nothing_else() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &model_of_all_kinds());
    let output = scene.path("w.q4_k");
    let name = "blk.0.ffn_down.weight";
    let arguments = ["extract", "--weights", &model, "--tensor", name, "--output", &output];
    let report = run(&[&arguments[..], &["--json"]].concat()).json();
    has_documented_fields(&report, "extract");
    assert_eq!((&report["weight_rows"], &report["k"]), (&json!(2), &json!(512)));
    let rows = [0, 0, 1, 1].map(|row| plain_block(ONE, row)).concat();
    assert_eq!(report["bytes"], rows.len());
    assert!(fs::read(&output).unwrap() == rows);

    fs::remove_file(&output).unwrap();
    let text = run(&arguments).text();
    for part in ["rows        2\n", "k           512\n", "576 bytes: rows · k/256 · 144"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(fs::read(&output).unwrap() == rows);
}

#[test]
fn extract_leaves_nothing_where_it_fails_and_spares_the_model() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let to = |tensor: &str, output: &str| {
        run(&["extract", "--weights", &model, "--tensor", tensor, "--output", output])
    };
    to("x", &scene.path("w")).refused(3, &["no tensor \"x\"", "`spanker tensors` lists"]);
    to("w", &scene.path("none/w")).refused(6, &["cannot write", "a folder that exists"]);
    to("w", &model).refused(2, &["would replace the model"]);
    assert_eq!(scene.names(), ["m.gguf"]);
    assert!(fs::read(&model).unwrap() == random_model(3, 256));
}

#[test]
fn matmul_and_extract_point_to_the_list() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &model_of_all_kinds());
    for tensor in ["nothing", "blk.0.attn_norm.weight", "cube"] {
        let ran = run(&["matmul", "--weights", &model, "--tensor", tensor]);
        ran.refused(3, &[tensor, "; `spanker tensors` lists those that can be used"]);
    }
}
