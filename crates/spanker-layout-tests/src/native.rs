// SPDX-License-Identifier: Apache-2.0
//! The compilers that compiled this, for tests that ask them more. They are on
//! the machine that built this, so those tests run only there: where the build
//! script has set `cfg(native)`.

use spanker_layouts::compilers::{CCompiler, Language, NoAnswer, Rustc};
use std::path::PathBuf;

/// The target this was built for.
pub const TARGET: &str = env!("SPANKER_LAYOUT_TARGET");

/// The C or C++ compiler.
///
/// # Errors
/// It does not start any more.
pub fn c(language: Language) -> Result<CCompiler, NoAnswer> {
    CCompiler::find(language, TARGET, TARGET)
}

/// rustc, with the flags that cargo gave it.
pub fn rustc() -> Rustc {
    let flags = env!("SPANKER_LAYOUT_RUSTFLAGS").split('\x1f').filter(|flag| !flag.is_empty());
    Rustc {
        program: env!("SPANKER_LAYOUT_RUSTC").into(),
        target: TARGET.to_owned(),
        flags: flags.map(str::to_owned).collect(),
    }
}

/// The folder in which `linux/spanker_ioctl.h` is.
pub fn include() -> PathBuf {
    env!("SPANKER_LAYOUT_INCLUDE").into()
}
