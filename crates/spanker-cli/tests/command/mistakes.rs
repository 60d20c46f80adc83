// SPDX-License-Identifier: Apache-2.0
//! What people get wrong: one line that says what to do, and the right code.

use crate::model::{gguf, npy, npy_of, plain_block, random_model, Tensor, F32, ONE};
use crate::scene::{command, run, Ran, Scene};

fn matmul(model: &str, tensor: &str, more: &[&str]) -> Ran {
    run(&[&["matmul", "--weights", model, "--tensor", tensor][..], more].concat())
}

/// Tensors of both kinds, with names as in a model.
fn mixed_model() -> Vec<u8> {
    let norm =
        Tensor { name: "blk.0.attn_norm.weight", kind: F32, dims: vec![256], bytes: vec![0; 1024] };
    let block = |_, _| plain_block(ONE, 1);
    gguf(&[norm, Tensor::q4k("blk.0.ffn_down.weight", 2, 256, block)])
}

#[test]
fn an_unknown_tensor_is_answered_with_the_nearest_name() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &mixed_model());
    let ran = matmul(&model, "blk.0.fnn_down.weight", &[]);
    ran.refused(3, &["no tensor \"blk.0.fnn_down.weight\"", "nearest: \"blk.0.ffn_down.weight\""]);
}

#[test]
fn a_tensor_of_another_type_is_answered_with_those_that_fit() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &mixed_model());
    let ran = matmul(&model, "blk.0.attn_norm.weight", &[]);
    ran.refused(3, &["is F32, required is Q4_K", "\"blk.0.ffn_down.weight\""]);
}

#[test]
fn an_input_with_another_k_is_answered_with_the_one_that_fits() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(2, 512));
    let x = scene.file("x.npy", &npy(2, 256, &[1.0; 512]));
    let ran = matmul(&model, "w", &["--input", &x]);
    ran.refused(3, &["x.npy has 256 columns, required are 512", "the shape (N, 512)"]);
}

#[test]
fn a_file_that_is_missing_truncated_or_something_else_is_named() {
    let scene = Scene::new();
    let whole = random_model(2, 512);
    let model = scene.file("m.gguf", &whole);
    let cut = scene.file("cut.gguf", &whole[..whole.len() - 100]);
    let text = scene.file("text.gguf", b"not a model");
    let none = scene.path("none.gguf");
    matmul(&none, "w", &[]).refused(3, &["cannot read", "none.gguf", "No such file"]);
    matmul(&cut, "w", &[]).refused(3, &["cut.gguf is truncated: tensor \"w\""]);
    matmul(&text, "w", &[]).refused(3, &["text.gguf is not a GGUF file"]);

    let array = npy(1, 512, &[1.0; 512]);
    let cut = scene.file("cut.npy", &array[..array.len() - 4]);
    let none = scene.path("none.npy");
    matmul(&model, "w", &["--input", &none]).refused(3, &["cannot read", "none.npy"]);
    matmul(&model, "w", &["--input", &cut]).refused(3, &["2044 bytes of data", "needs 2048"]);
    matmul(&model, "w", &["--input", &model]).refused(3, &["not a usable .npy file"]);
}

#[test]
fn an_input_of_another_type_or_with_nan_in_it_is_refused() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(2, 256));
    let double = scene.file("d.npy", &npy_of("<f8", 1, 256, &[0; 2048]));
    let ran = matmul(&model, "w", &["--input", &double]);
    ran.refused(3, &["required is float32", "astype(numpy.float32)"]);

    let mut x = [1.0; 512];
    x[300] = f32::NAN;
    let x = scene.file("x.npy", &npy(2, 256, &x));
    let ran = matmul(&model, "w", &["--input", &x]);
    ran.refused(3, &["NaN at row 1, column 44", "required are finite numbers"]);
}

#[test]
fn a_product_beyond_the_limits_or_the_memory_is_refused_before_it_is_tried() {
    let scene = Scene::new();
    let k = 1 << 20;
    let model = scene.file("m.gguf", &random_model(1, k));
    let ran = matmul(&model, "w", &["--random", "16777217"]);
    ran.refused(5, &["16777217 rows of input", "takes 16777216 at most", "split the input"]);
    let ran = matmul(&model, "w", &["--random", "16777216"]);
    ran.refused(5, &["operand a (the input) has 64.0 TiB", "split the input"]);
}

#[test]
fn an_error_is_one_line_whatever_the_file_is_called() {
    let scene = Scene::new();
    matmul(&scene.path("a\nb.gguf"), "w", &[]).refused(3, &["a\\nb.gguf"]);
}

#[test]
fn command_lines_that_make_no_sense_have_code_2() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(2, 256));
    let x = scene.file("x.npy", &npy(1, 256, &[1.0; 256]));
    for (more, expected) in [
        (&["--random", "0"][..], "0 is not in 1.."),
        (&["--random", "1", "--input", &x], "cannot be used with"),
        (&["--seed", "1", "--input", &x], "cannot be used with"),
        (&["--threads", "0"], "use a number from 1 to 1024"),
        (&["--threads", "two"], "use a number from 1 to 1024"),
        (&["--wieghts", "x"], "--weights"),
        (&["--sail", "sfot"], "use `soft`, a card's index, or the path of its node"),
    ] {
        let ran = matmul(&model, "w", more);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
    let ran = run(&["matmul", "--tensor", "w"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--weights <M.gguf>"), "{ran:?}");
    assert_eq!(run(&["demo", "--k", "100"]).code, Some(2));
    assert_eq!(run(&[]).code, Some(2));
}

#[test]
fn threads_are_refused_for_a_card_before_it_is_opened() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(2, 256));
    let ran = matmul(&model, "w", &["--sail", "4095", "--threads", "2"]);
    ran.refused(2, &["--threads is for the software Sail", "4095", "--sail soft"]);
}

#[test]
fn a_number_of_threads_in_the_environment_that_is_none_is_named() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(2, 256));
    let arguments = ["matmul", "--weights", &model, "--tensor", "w"];
    let ran = Ran::of(command(&arguments).env("SPANKER_SOFT_THREADS", "many"));
    ran.refused(2, &["SPANKER_SOFT_THREADS=many is not a positive number"]);
}
