// SPDX-License-Identifier: Apache-2.0
//! What ggml and its programs, unmodified, compute on a card of the kernel, and
//! what becomes of them when it goes.

use crate::children::{eventually, Part};
use crate::driver;
use crate::work::expect_working;
use ggml_spanker::{MatmulInt4, SailMatmul, OUTPUT_ELEM_BYTES, Q4_K_BLOCK_BYTES, QK_K};
use spanker::Sail;
use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

const FOLDER: &str = "/llama";

/// A program there that gets this Sail.
fn offloading(sail: &str, program: &str) -> Command {
    let mut command = Command::new(format!("{FOLDER}/{program}"));
    command
        .env("LD_LIBRARY_PATH", FOLDER)
        .env("GGML_BACKEND_PATH", format!("{FOLDER}/libggml_spanker.so"))
        .env("SPANKER_SAIL", sail)
        .env("SPANKER_STATISTICS", "1");
    command
}

pub(super) fn rust_trait() {
    driver::insert("cards=16M").unwrap();
    let sail = SailMatmul::new(Sail::open(0).unwrap());
    // All weights of a row are the same: the row's number, from 1.
    let rows = |count: u8| -> Vec<u8> {
        (1..=count)
            .flat_map(|weight| {
                let mut block = [weight | weight << 4; Q4_K_BLOCK_BYTES];
                // d is 1, the scales are 1 and the mins 0.
                block[..4].copy_from_slice(&[0x00, 0x3c, 0, 0]);
                block[4..16].copy_from_slice(&[1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
                block.repeat(2)
            })
            .collect()
    };
    let (m, k, n) = (3, 2 * QK_K, 5);
    let mut out = vec![0; m * n * OUTPUT_ELEM_BYTES];
    sail.matmul_q4_k(&rows(3), &rows(5), &mut out, m, k, n).unwrap();
    let right = (1..=m).flat_map(|i| (1..=n).map(move |j| (i * j * k) as f32));
    let right: Vec<u8> = right.flat_map(f32::to_le_bytes).collect();
    assert_eq!(out, right);
    assert_eq!(sail.sail().telemetry().unwrap().memory_used_bytes, 0);
    drop(sail);
    driver::remove().unwrap();
}

/// Small products: by themselves, several at once, broadcast and permuted.
pub(super) fn products() {
    driver::insert("cards=64M").unwrap();
    let cases = test_backend_ops("0", &[], "m=16,n=[0-9]+,k=256,bs=.[1-3],", 38);
    let alone = |n: u32| format!("n={n},k=256,bs=[1,1],nr=[1,1],per=[0,1,2,3]");
    let mut wanted: Vec<String> = (1..=9).map(alone).collect();
    wanted.push("bs=[3,2],nr=[2,2]".to_owned());
    wanted.push("per=[0,2,1,3]".to_owned());
    for wanted in wanted {
        assert!(cases.iter().any(|case| case.contains(&wanted)), "no case {wanted}: {cases:?}");
    }
    driver::remove().unwrap();
}

/// Where products are split, rows and columns, need several batches, and find the
/// queue full: two threads share it. That there is a card is found out.
pub(super) fn tight_products() {
    driver::insert("cards=").unwrap();
    driver::new_device("mem_size=16M max_ops=3 max_inflight=2 max_m=5 max_n=9 max_k=600").unwrap();
    test_backend_ops("", &["-j", "2"], "m=16,n=[0-9]+,k=(256|1024),bs=.3,2.", 12);
    driver::remove().unwrap();
}

/// Runs upstream's test of the products with Q4_K weights that match this, of
/// which there have to be so many. Each has to be computed by the card and pass.
fn test_backend_ops(sail: &str, how: &[&str], pattern: &str, fewest: usize) -> Vec<String> {
    let observer = Sail::open(0).unwrap();
    let pattern = format!("type_a=q4_K,type_b=f32,{pattern}");
    let words = ["test", "-b", "Sail0", "-o", "MUL_MAT", "-p", &pattern];
    let output = offloading(sail, "test-backend-ops").args(words).args(how).output().unwrap();
    let [said, logged] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{}: {said}{logged}", output.status);
    let cases: Vec<String> =
        said.lines().filter(|line| line.contains("MUL_MAT(")).map(str::to_owned).collect();
    let passed = cases.len();
    assert!(cases.iter().all(|case| case.contains("OK")), "{cases:?}");
    assert!(said.contains(&format!("{passed}/{passed} tests passed")), "{said}");
    assert!(passed >= fewest, "only {passed} cases ran, {fewest} should: {cases:?}");

    let statistics: Vec<&str> =
        logged.lines().filter(|line| line.contains("ggml-spanker: ")).collect();
    println!("{}", statistics.join("\n"));
    assert_eq!(sum(&statistics, " matmuls,"), passed as u64, "{logged}");
    let counters = observer.telemetry().unwrap();
    assert_eq!(sum(&statistics, " batches,"), counters.batches, "{logged}");
    assert!(counters.ops >= passed as u64, "the card counts {} ops", counters.ops);
    assert_eq!(counters.memory_used_bytes, 0);
    cases
}

/// The sum of the numbers that stand before this word, one in each line.
fn sum(lines: &[&str], word: &str) -> u64 {
    let number = |line: &&str| -> u64 {
        let (before, _) = line.split_once(word).unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    lines.iter().map(number).sum()
}

/// The program is told with ggml's status, and goes on.
pub(super) fn gone() {
    driver::insert("cards=64M").unwrap();
    let not_used = "ggml-spanker: Sail `0` is not used: cannot open ";
    let allocating = ["allocating: GGML status: error (failed to allocate memory)"];
    let told = under_a_program(|| driver::del_device(0).unwrap(), &allocating);
    // It was to be opened anew, as nothing was in its memory any more.
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[2].starts_with(not_used), "{told:?}");
    assert!(is_of_a_card_that_is_gone(&told[3]), "{told:?}");
    // A program that comes later gets no device, and is told why.
    let words = ["test", "-b", "Sail0", "-o", "MUL_MAT"];
    let output = offloading("0", "test-backend-ops").args(words).output().unwrap();
    let logged = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {logged}", output.status);
    assert!(logged.contains("Sail `0` is not used: "), "{logged}");

    driver::new_device("mem_size=64M index=0").unwrap();
    let allocating = ["product: 512", "allocating: GGML status: success"];
    let told = under_a_program(|| driver::reset(0).unwrap(), &allocating);
    assert_eq!(told.len(), 2, "{told:?}");
    expect_working(0);

    let observer = Sail::open(0).unwrap();
    let used = || observer.telemetry().unwrap().memory_used_bytes;
    let program = Part::of(offloading("0", "until_it_fails").arg("Sail0"));
    assert!(used() > 0);
    program.kill();
    assert!(eventually(Duration::from_secs(5), || used() == 0), "{} bytes stay in use", used());
    drop(observer);
    driver::remove().unwrap();
}

fn is_of_a_card_that_is_gone(line: &str) -> bool {
    line.contains(": the card is gone, or was reset")
}

/// What is told of failures while the card goes, two graphs fail, and memory of
/// the device is asked for, of which the program says what `allocating` is.
fn under_a_program(go: impl FnOnce(), allocating: &[&str]) -> Vec<String> {
    const LOG: &str = "/tmp/log";
    let mut program = offloading("0", "until_it_fails");
    let program = Part::of(program.arg("Sail0").stderr(File::create(LOG).unwrap()));
    go();
    let said = program.expect_success();
    let logged = fs::read_to_string(LOG).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let failing = [
        "computing: GGML status: error (operation failed)",
        "and again: GGML status: error (operation failed)",
    ];
    let right = [&failing, allocating, &["product: 512"]].concat();
    assert_eq!(lines, right, "{logged}");
    let ours = logged.lines().filter(|line| line.starts_with("ggml-spanker: "));
    let (statistics, failures): (Vec<_>, Vec<_>) = ours.partition(|line| line.contains("matmuls"));
    println!("{}", failures.join("\n"));
    assert_eq!(statistics.len(), 1, "{logged}");
    assert!(failures.iter().take(2).all(|line| is_of_a_card_that_is_gone(line)), "{logged}");
    failures.into_iter().map(str::to_owned).collect()
}
