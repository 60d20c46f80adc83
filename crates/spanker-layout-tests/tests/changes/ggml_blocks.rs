// SPDX-License-Identifier: Apache-2.0
//! Headers that stand in for ggml's, made from the header itself: as they should
//! be, and with each kind of difference.

use crate::scene::Scene;
use spanker_layout_tests::native;
use spanker_layouts::compilers::{Language, NoAnswer};
use spanker_layouts::ggml;
use std::fs;
use std::path::Path;

/// The names that ggml has for what the header declares.
fn stand_in(header: &str) -> String {
    let mut text = "#include <linux/types.h>\n".to_owned();
    let mut in_block = false;
    for line in header.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(name) = line.strip_prefix("struct spanker_block_") {
            in_block = true;
            text += &format!("typedef struct {}\n", &name[name.len() - 1..]);
        } else if in_block && line == "};" {
            in_block = false;
            text += "} BLOCK;\n";
        } else if in_block {
            text += &format!("{line}\n");
        } else if let ["#define", name, value, ..] = words.as_slice() {
            if let Some(name) = name.strip_prefix("SPANKER_TYPE_") {
                text += &format!("#define GGML_TYPE_{name} {value}\n");
            }
            if let Some(name) = name.strip_prefix("SPANKER_QK") {
                text += &format!("#define QK{name} {value}\n");
            }
        }
    }
    text.replacen("BLOCK", "block_q4_K", 1).replacen("BLOCK", "block_q8_K", 1)
}

/// What the compiler says of the header against such a stand-in.
fn hold(name: &str, change: impl FnOnce(String) -> String) -> Result<(), String> {
    let scene = Scene::new(name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let text = stand_in(&scene.header);
    let changed = change(text.clone());
    assert!(name == "ggml_same" || changed != text, "nothing was changed:\n{text}");
    fs::write(folder.join("ggml-common.h"), changed).expect("a file");
    fs::write(folder.join("ggml.h"), "").expect("a file");
    let questions = ggml::questions(&scene.c());
    let c = native::c(Language::C).expect("the compiler that built this");
    let includes = [native::include(), folder.clone()];
    let includes: Vec<&Path> = includes.iter().map(|folder| folder.as_path()).collect();
    match c.compile_with(&ggml::source(&questions), &includes, &folder, "ggml") {
        Ok(_) => Ok(()),
        Err(NoAnswer::Refused(log)) => Err(log),
        Err(other) => panic!("{}", String::from(other)),
    }
}

#[test]
fn blocks_that_are_the_same_pass() {
    assert_eq!(hold("ggml_same", |text| text), Ok(()));
}

#[test]
fn blocks_that_differ_are_refused_by_name() {
    for (name, from, to, words) in [
        (
            "ggml_moved",
            "dmin;",
            "moved;\n\t__le16 dmin;",
            "struct spanker_block_q4_k, field dmin, Offset",
        ),
        ("ggml_size", "bsums[16]", "bsums[17]", "struct spanker_block_q8_k, Size"),
        ("ggml_sign", "__s8 qs", "__u8 qs", "struct spanker_block_q8_k, field qs, Signed"),
        ("ggml_qk", "QK_K 256", "QK_K 64", "constant SPANKER_QK_K, Value"),
        ("ggml_type", "TYPE_Q8_K 15", "TYPE_Q8_K 16", "constant SPANKER_TYPE_Q8_K, Value"),
        ("ggml_lost", "scales[12]", "lost[12]", "scales"),
    ] {
        let log = hold(name, |text| text.replacen(from, to, 1)).expect_err(name);
        assert!(log.contains(words), "{name}: {log}");
    }
}
