// SPDX-License-Identifier: Apache-2.0
//! What bindgen makes of the header, asserting every layout that libclang tells
//! it: the numbers of one more C compiler, for the same target.

#[path = "../../spanker-sys/build/bindings.rs"]
mod bindings;

use std::env;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

/// The text, or why there is none.
pub(crate) fn text(
    root: &Path,
    include: &Path,
    target: &str,
    out: &Path,
) -> Result<Result<String, String>, String> {
    for name in ["SPANKER_SYS_BINDGEN", "LIBCLANG_PATH", "CLANG_PATH", "LLVM_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    if env::var("SPANKER_SYS_BINDGEN").is_ok_and(|choice| choice == "never") {
        return Ok(Err("SPANKER_SYS_BINDGEN=never rules bindgen out".to_owned()));
    }
    if let Err(what) = clang_sys::load() {
        return Ok(Err(format!(
            "libclang was not found ({what}): install it (Debian: apt-get install libclang-dev)"
        )));
    }
    let input = bindings::Input {
        header: &include.join("linux/spanker_ioctl.h"),
        shims: &root.join("../spanker-sys/shims"),
        target,
        scratch: out,
    };
    // From 1.77 on, layouts are asserted in constants and not in tests.
    let newer = bindgen::RustTarget::stable(77, 0).map_err(|e| e.to_string())?;
    let builder = bindings::builder(&input)?.rust_target(newer).layout_tests(true);
    // It panics for a target that this libclang does not know.
    let made = catch_unwind(AssertUnwindSafe(|| builder.generate()));
    Ok(match made {
        Ok(made) => made.map(|made| made.to_string()).map_err(|e| e.to_string()),
        Err(_) => Err(format!("bindgen panicked: it may not know the target {target}")),
    })
}
