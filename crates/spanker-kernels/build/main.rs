// SPDX-License-Identifier: Apache-2.0
//! Finds out whether this compiler knows the AVX-512 intrinsics: the kernel for them is left out of
//! builds with older ones, and the AVX2 kernel does its work.

use std::env;
use std::process::Command;

/// The first Rust whose AVX-512 intrinsics are stable: 1.89.
const AVX512_SINCE: u32 = 89;

fn main() {
    println!("cargo:rerun-if-changed=build/main.rs");
    println!("cargo:rustc-check-cfg=cfg(spanker_avx512)");
    let x86_64 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if x86_64 && minor_version().is_some_and(|minor| minor >= AVX512_SINCE) {
        println!("cargo:rustc-cfg=spanker_avx512");
    }
}

/// The second number of what `rustc --version` prints: `rustc 1.95.0 (...)`.
fn minor_version() -> Option<u32> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.split('.').nth(1)?.parse().ok()
}
