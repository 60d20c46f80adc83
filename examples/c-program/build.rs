// SPDX-License-Identifier: Apache-2.0
//! Compiles the C program against the header that spanker-sys hands on.

use std::env;

fn main() {
    let include = env::var("DEP_SPANKER_INCLUDE").expect("spanker-sys tells where its header is");
    let mut build = cc::Build::new();
    build.file("src/multiply.c").include(include).flag("-std=gnu11").extra_warnings(true);
    build.compile("multiply");
    println!("cargo:rerun-if-changed=src/multiply.c");
    println!("cargo:rerun-if-changed=src/multiply.h");
}
