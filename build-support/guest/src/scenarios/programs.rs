// SPDX-License-Identifier: Apache-2.0
//! The project's own programs, on a card of the kernel.

use crate::driver;
use crate::model::random_model;
use serde_json::Value;
use spanker::AbiVersion;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

/// A card whose limits the suite can reach.
const SMALL: &str = "mem_size=100M max_buf_size=40000001 max_ops=250 max_inflight=5 max_bufs=23 \
                     max_m=2050 max_n=2050 max_k=20000";

pub(super) fn conformance() {
    suite("/spanker-conformance", "kernel, 64 bits");
}

pub(super) fn conformance_32() {
    suite("/spanker-conformance-32", "kernel, 32 bits");
}

/// Runs the suite. Shown is what is not well, and the counts at the end.
fn suite(program: &str, name: &str) {
    driver::insert("cards=").unwrap();
    driver::new_device(SMALL).unwrap();
    let mut child = Command::new(program)
        .args(["--device", "/dev/spanker0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = String::new();
    let mut skipped = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        skipped += usize::from(last.starts_with("SKIPPED"));
        if !last.starts_with("ok ") {
            println!("{last}");
        }
    }
    println!("counts {name}: {last}");
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}: {last}");
    assert_eq!(skipped, 0, "nothing is to be skipped by root on a virtual card");
    driver::remove().unwrap();
}

pub(super) fn device_tests() {
    driver::insert("cards=128M,128M").unwrap();
    run_device_tests("0");
}

/// Where most products are split, rows and columns.
pub(super) fn tight_device_tests() {
    driver::insert("cards=").unwrap();
    driver::new_device("mem_size=128M max_ops=32 max_inflight=3 max_m=5 max_n=9 max_k=600")
        .unwrap();
    run_device_tests("/dev/spanker0");
}

fn run_device_tests(sail: &str) {
    let output = Command::new("/device-tests").env("SPANKER_SAIL", sail).output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    let result = text.lines().find(|line| line.starts_with("test result: ok.")).unwrap();
    println!("{result}");
    driver::remove().unwrap();
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part)).concat()
}

pub(super) fn command() {
    driver::insert("cards=256M").unwrap();
    let version = AbiVersion::LIBRARY.to_string();
    let info = json("info --sail 0");
    assert_eq!(info["node"], "/dev/spanker0");
    assert_eq!(info["virtual"], true);
    assert_eq!(info["abi"], *version);
    assert_eq!(info["memory_bytes"], 256 << 20);
    assert_eq!(info["products"].as_array().map(Vec::len), Some(3));

    assert_eq!(json("ping --sail 0")["pings"], 100);
    let found = json("version --sail 0");
    assert_eq!((&found["device_abi"], &found["compatible"]), (&version.into(), &true.into()));

    let list = json("list");
    assert_eq!(list["driver"]["problem"], Value::Null);
    let sails: Vec<_> = list["sails"].as_array().unwrap().iter().map(|s| &s["sail"]).collect();
    assert_eq!(sails, ["0", "soft"]);

    let doctor = json("doctor");
    assert_eq!(doctor["works"], true, "{doctor}");
    let problem = doctor["findings"].as_array().unwrap().iter().find(|f| f["mark"] == "problem");
    assert_eq!(problem, None);

    fs::write("/tmp/model.gguf", random_model(96, 512)).unwrap();
    let matmul = "matmul --weights /tmp/model.gguf --tensor w --random 3 --verify --output";
    let found = json(&format!("{matmul} /tmp/kernel.npy --sail 0"));
    assert_eq!((&found["node"], &found["verified"]), (&"/dev/spanker0".into(), &true.into()));
    json(&format!("{matmul} /tmp/soft.npy --sail soft"));
    assert!(fs::read("/tmp/kernel.npy").unwrap() == fs::read("/tmp/soft.npy").unwrap());

    let demo = json("demo --sail 0 --rows 256 --k 1024 --tokens 4 --runs 2");
    assert_eq!((&demo["right"], &demo["sail"]), (&true.into(), &"0".into()), "{demo}");
    json("demo --sail 0 --rows 64 --k 512 --tokens 2 --runs 1 --record /tmp/work.jsonl");
    json("replay /tmp/work.jsonl --sail 0");
    // As somebody reads it.
    let said = spanker("demo --sail 0 --rows 64 --k 256 --tokens 1 --runs 1");
    print!("{said}");
    driver::remove().unwrap();
}

fn json(words: &str) -> Value {
    serde_json::from_str(&spanker(&format!("{words} --json"))).unwrap()
}

fn spanker(words: &str) -> String {
    let output = Command::new("/spanker").args(words.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "spanker {words}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}
