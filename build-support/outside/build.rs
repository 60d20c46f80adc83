// SPDX-License-Identifier: Apache-2.0
//! Compiles C against the header that spanker-sys hands on.

use std::env;

fn main() {
    let include = env::var("DEP_SPANKER_INCLUDE").expect("spanker-sys tells where its header is");
    cc::Build::new().file("src/op_size.c").include(include).compile("op_size");
    println!("cargo:rerun-if-changed=src/op_size.c");
}
