// SPDX-License-Identifier: Apache-2.0
//! The cdylib stays loaded once it is: ggml may close a library whose threads
//! wait for work, and would take the code away from under them.

fn main() {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
