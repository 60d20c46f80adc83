// SPDX-License-Identifier: Apache-2.0
//! Bytes that C writes are read in Rust, and the other way round.

use spanker_layout_tests::bytes::Exchanged;
use spanker_layout_tests::compiled::{self, MIRRORS};
use std::collections::HashSet;

/// Numbers of one byte agree by chance once in 256 times: with this many seeds,
/// never.
const SEEDS: u64 = 16;

fn each_exchange(mut hold: impl FnMut(&str, u64, Exchanged)) {
    let header = compiled::header().expect("the header is understood");
    for mirror in MIRRORS {
        assert_eq!(mirror.exchanges.len(), header.structs.len());
        let c = compiled::exchanges();
        for ((of, c), in_rust) in header.structs.iter().zip(c).zip(mirror.exchanges) {
            let what = format!("struct {} of {}", of.name, mirror.who);
            for seed in 0..SEEDS {
                match in_rust(c, seed) {
                    Ok(exchanged) => hold(&what, seed, exchanged),
                    Err(message) => panic!("{what}: {message}"),
                }
            }
        }
    }
}

#[test]
fn rust_reads_what_c_wrote() {
    each_exchange(|what, seed, exchanged| {
        assert_eq!(exchanged.read_in_rust, exchanged.written_in_c, "{what}, seed {seed}");
    });
}

#[test]
fn c_reads_what_rust_wrote() {
    each_exchange(|what, seed, exchanged| {
        assert_eq!(exchanged.read_in_c, exchanged.written_in_rust, "{what}, seed {seed}");
    });
}

/// Or the two above would show nothing.
#[test]
fn what_is_exchanged_differs_from_field_to_field() {
    let mut ways: HashSet<(String, Vec<i64>)> = HashSet::new();
    each_exchange(|what, _, exchanged| {
        assert!(!exchanged.written_in_c.is_empty(), "{what}");
        assert_ne!(exchanged.written_in_c, exchanged.written_in_rust, "{what}");
        let numbers: HashSet<i64> = exchanged.written_in_c.iter().copied().collect();
        let most = exchanged.written_in_c.len().min(64);
        assert!(numbers.len() * 2 >= most, "{what}: {numbers:?}");
        assert!(ways.insert((what.to_owned(), exchanged.written_in_c)), "{what}: as before");
    });
}
