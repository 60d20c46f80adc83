// SPDX-License-Identifier: Apache-2.0
//! How bindgen is asked for the mirror. Shared by this crate's build script and
//! by the command that makes the committed mirror, so that the two cannot ask
//! differently.

use std::path::Path;

/// What a mirror is made from.
pub(crate) struct Input<'a> {
    /// `spanker_ioctl.h`.
    pub(crate) header: &'a Path,
    /// Stand-ins for the two kernel headers it includes.
    pub(crate) shims: &'a Path,
    /// Rust's name of the target; it decides the encoding of request codes.
    pub(crate) target: &'a str,
    /// A directory for files that clang wants to write.
    pub(crate) scratch: &'a Path,
}

/// The mirror of `input.header` as Rust source, unformatted.
#[allow(dead_code)] // The layout tests, which share this file, ask for more than that.
pub(crate) fn generate(input: &Input<'_>) -> Result<String, String> {
    Ok(builder(input)?.generate().map_err(|e| e.to_string())?.to_string())
}

/// What bindgen is asked for.
pub(crate) fn builder(input: &Input<'_>) -> Result<bindgen::Builder, String> {
    let builder = bindgen::Builder::default()
        // By path and with the macro fallback: request codes are macros that
        // only clang can evaluate, and bindgen leaves them out otherwise.
        .header(path(input.header)?)
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(input.scratch)
        .clang_arg(format!("-I{}", path(input.shims)?))
        // No header of this machine can then slip in.
        .clang_arg("-nostdinc")
        .clang_arg(format!("--target={}", clang_target(input.target)))
        .rust_target(bindgen::RustTarget::stable(75, 0).map_err(|e| e.to_string())?)
        .rust_edition(bindgen::RustEdition::Edition2021)
        .use_core()
        .allowlist_file(".*spanker_ioctl\\.h")
        // The header's guard, which says nothing.
        .blocklist_item("_UAPI_.*")
        .derive_default(true)
        .derive_debug(true)
        .derive_eq(true)
        .derive_partialeq(true)
        .derive_hash(true)
        // For this rust_target they would be tests, which dependents never run:
        // src/layout.rs asserts layouts at compile time.
        .layout_tests(false)
        .generate_comments(false)
        .disable_header_comment()
        .formatter(bindgen::Formatter::None);
    Ok(builder)
}

/// clang's name of a Rust target, where the two differ in a way that matters.
fn clang_target(rust: &str) -> String {
    match rust.split_once('-') {
        Some((arch, rest)) if arch.starts_with("riscv") => {
            let bits = if arch.starts_with("riscv64") { "riscv64" } else { "riscv32" };
            format!("{bits}-{rest}")
        }
        _ => rust.to_owned(),
    }
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not valid UTF-8", path.display()))
}
