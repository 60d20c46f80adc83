// SPDX-License-Identifier: Apache-2.0
//! Decides where the mirror of `spanker_ioctl.h` comes from: made now by
//! bindgen, or the committed file, which is accepted only for the very header
//! it was made from. Every way out is either a mirror of this header or an
//! error that says what to do.

#[cfg(feature = "bindgen")]
mod bindings;
mod digest;

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

/// Forces one of the two sources; unset, bindgen is used where libclang is.
const CHOICE: &str = "SPANKER_SYS_BINDGEN";

const HEADER: &str = "include/uapi/linux/spanker_ioctl.h";

/// Architectures whose request codes have 13 bits of size and 3 of direction.
/// (They are also the ones that `build-support/shims/linux/ioctl.h` names.)
const WIDE_DIRECTION: [&str; 8] =
    ["powerpc", "powerpc64", "mips", "mips32r6", "mips64", "mips64r6", "sparc", "sparc64"];

fn main() {
    match mirror() {
        Ok(mirror) => {
            println!("cargo:rustc-env=SPANKER_SYS_MIRROR={}", mirror.path.display());
            // The layout tests' build script reads this as DEP_SPANKER_MIRROR.
            println!("cargo:mirror={}", mirror.path.display());
            println!("cargo:rustc-env=SPANKER_SYS_ORIGIN={}", mirror.origin);
        }
        Err(message) => {
            eprintln!("spanker-sys: {message}");
            exit(1);
        }
    }
}

struct Mirror {
    path: PathBuf,
    origin: &'static str,
}

enum Choice {
    Automatic,
    Require,
    Never,
}

fn mirror() -> Result<Mirror, String> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let header = root.join(HEADER);
    println!("cargo:rerun-if-changed={}", header.display());
    println!("cargo:rerun-if-changed={}", root.join("shims").display());
    println!("cargo:rerun-if-changed={}", root.join("build").display());
    for name in
        [CHOICE, "LIBCLANG_PATH", "CLANG_PATH", "LLVM_CONFIG_PATH", "BINDGEN_EXTRA_CLANG_ARGS"]
    {
        println!("cargo:rerun-if-env-changed={name}");
    }
    // Dependents' build scripts read this as DEP_SPANKER_INCLUDE.
    println!("cargo:include={}", root.join("include/uapi").display());

    let text = fs::read(&header).map_err(|e| format!("cannot read {}: {e}", header.display()))?;
    let arch = variable("CARGO_CFG_TARGET_ARCH")?;
    let committed = Committed {
        path: root.join("src/mirror").join(if WIDE_DIRECTION.contains(&arch.as_str()) {
            "powerpc_mips_sparc.rs"
        } else {
            "asm_generic.rs"
        }),
        header_digest: digest::of(&text),
    };
    match choice()? {
        Choice::Never => committed.accept(&"SPANKER_SYS_BINDGEN=never rules bindgen out"),
        Choice::Require => generated(&root, &header)
            .map_err(|reason| format!("SPANKER_SYS_BINDGEN=require, but {reason}")),
        Choice::Automatic => generated(&root, &header).or_else(|reason| {
            let mirror = committed.accept(&reason)?;
            if matches!(reason, Unavailable::Failed(_)) {
                // A warning is one line.
                let reason = reason.to_string().replace('\n', " ");
                println!("cargo:warning=using the committed mirror: {reason}");
            }
            Ok(mirror)
        }),
    }
}

fn choice() -> Result<Choice, String> {
    let choice = env::var_os(CHOICE).unwrap_or_default();
    match choice.to_str() {
        Some("") => Ok(Choice::Automatic),
        Some("require") => Ok(Choice::Require),
        Some("never") => Ok(Choice::Never),
        _ => {
            let other = choice.to_string_lossy();
            Err(format!("{CHOICE}={other} is not known: use require, never, or unset it"))
        }
    }
}

/// Why bindgen did not make the mirror.
enum Unavailable {
    #[cfg_attr(feature = "bindgen", allow(dead_code))]
    FeatureOff,
    #[cfg_attr(not(feature = "bindgen"), allow(dead_code))]
    NoLibclang(String),
    #[cfg_attr(not(feature = "bindgen"), allow(dead_code))]
    Failed(String),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FeatureOff => write!(
                f,
                "the feature `bindgen` of spanker-sys is off: enable it (it is on by default)"
            ),
            Self::NoLibclang(what) => write!(
                f,
                "libclang was not found ({what}): install it (Debian and Ubuntu: `apt-get install \
                 libclang-dev`, Fedora: `dnf install clang-devel`), or set LIBCLANG_PATH to its \
                 directory"
            ),
            Self::Failed(what) => write!(f, "bindgen could not read the header: {what}"),
        }
    }
}

#[cfg(not(feature = "bindgen"))]
fn generated(_root: &Path, _header: &Path) -> Result<Mirror, Unavailable> {
    Err(Unavailable::FeatureOff)
}

#[cfg(feature = "bindgen")]
fn generated(root: &Path, header: &Path) -> Result<Mirror, Unavailable> {
    // bindgen panics where libclang is missing; this tells beforehand.
    clang_sys::load().map_err(Unavailable::NoLibclang)?;
    let out = PathBuf::from(variable("OUT_DIR").map_err(Unavailable::Failed)?);
    let target = variable("TARGET").map_err(Unavailable::Failed)?;
    let shims = root.join("shims");
    let input = bindings::Input { header, shims: &shims, target: &target, scratch: &out };
    let text = without_panic(|| bindings::generate(&input)).map_err(Unavailable::Failed)?;
    let path = out.join("mirror.rs");
    fs::write(&path, text)
        .map_err(|e| Unavailable::Failed(format!("cannot write {}: {e}", path.display())))?;
    Ok(Mirror { path, origin: "bindgen" })
}

/// Runs what panics where it should fail: bindgen does for a target, or with
/// arguments, that this libclang does not know.
#[cfg(feature = "bindgen")]
fn without_panic<T>(generate: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(generate));
    std::panic::set_hook(hook);
    result.unwrap_or_else(|payload| {
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
        Err(message.unwrap_or("bindgen panicked").to_owned())
    })
}

/// The mirror that comes with the crate.
struct Committed {
    path: PathBuf,
    header_digest: String,
}

impl Committed {
    /// The committed mirror, if it is of this header; `reason` is why bindgen
    /// is not used.
    fn accept(&self, reason: &dyn fmt::Display) -> Result<Mirror, String> {
        println!("cargo:rerun-if-changed={}", self.path.display());
        let text = fs::read_to_string(&self.path)
            .map_err(|e| format!("cannot read {}: {e}", self.path.display()))?;
        if digest::recorded_in(&text) == Some(self.header_digest.as_str()) {
            return Ok(Mirror { path: self.path.clone(), origin: "committed" });
        }
        Err(format!(
            "{HEADER} has changed since the committed mirror was made, so the mirror must be made \
             anew, which is not possible: {reason}"
        ))
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|e| format!("cargo did not set {name}: {e}"))
}
