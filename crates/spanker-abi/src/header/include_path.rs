// SPDX-License-Identifier: Apache-2.0
//! Where headers are found. The machine that asks and the target differ, so
//! nothing of the machine's own architecture may be on a foreign target's path.

use crate::error::Error;
use crate::target::Target;
use std::env::consts::ARCH;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Headers that are built in, and come first.
const BUILT_IN: [(&str, &str); 8] = [
    ("asm/bitsperlong.h", include_str!("../../shims/asm/bitsperlong.h")),
    ("asm/ioctl.h", include_str!("../../shims/asm/ioctl.h")),
    ("asm/types.h", include_str!("../../shims/asm/types.h")),
    ("linux/compiler.h", include_str!("../../shims/linux/compiler.h")),
    ("linux/compiler_types.h", include_str!("../../shims/linux/compiler_types.h")),
    ("linux/ioctl.h", include_str!("../../shims/linux/ioctl.h")),
    ("linux/stddef.h", include_str!("../../shims/linux/stddef.h")),
    ("linux/types.h", include_str!("../../shims/linux/types.h")),
];

/// Headers for where the target's own are missing, and say nothing that differs
/// between architectures. They come last.
const FALLBACK: [(&str, &str); 2] = [
    ("asm/byteorder.h", include_str!("../../fallback/asm/byteorder.h")),
    ("asm/swab.h", include_str!("../../fallback/asm/swab.h")),
];

/// The folders of the kernel's user API that are the same on every architecture.
const KERNEL: [&str; 11] = [
    "asm-generic",
    "drm",
    "linux",
    "misc",
    "mtd",
    "rdma",
    "regulator",
    "scsi",
    "sound",
    "video",
    "xen",
];

/// Where the machine keeps its headers.
const SYSTEM: &str = "/usr/include";

/// The search path for every target, in a directory of its own that is gone
/// with this value.
pub(super) struct IncludePath {
    root: TempDir,
    given: Vec<PathBuf>,
}

impl IncludePath {
    /// With these directories before the machine's.
    pub(super) fn new(given: &[PathBuf]) -> Result<Self, Error> {
        for directory in given {
            // clang says nothing of a directory that is not there.
            fs::read_dir(directory)
                .map_err(|source| Error::File { path: directory.clone(), source })?;
        }
        let failed = |source| Error::File { path: std::env::temp_dir(), source };
        let root = tempfile::Builder::new().prefix("spanker-abi").tempdir().map_err(failed)?;
        lay_out(root.path()).map_err(failed)?;
        Ok(Self { root, given: given.to_vec() })
    }

    /// A name for the second look's file. There is no such file.
    pub(super) fn probe_file(&self) -> PathBuf {
        self.root.path().join("probe.c")
    }

    /// clang's arguments for this target.
    pub(super) fn arguments(&self, target: &Target) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "-xc",
            "-std=gnu11",
            // clang's own headers stay: <stdint.h>, <stddef.h>, <limits.h>.
            "-nostdlibinc",
            "-ffreestanding",
            "-ferror-limit=0",
            // Only the warnings that `header/warnings.rs` looks at.
            "-Wno-everything",
            "-Wpragma-pack",
            "-Wundef",
            "-Wunknown-attributes",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--target={}", target.triple()));
        let own = |name: &str| self.root.path().join(name);
        let mut path = vec![own("built-in")];
        path.extend(self.given.iter().cloned());
        if asm_of(target).is_some() {
            path.push(own("asm-of").join(target.name()));
        }
        path.extend([own("kernel"), own("fallback")]);
        for directory in path {
            arguments.push("-I".to_owned());
            arguments.push(directory.to_string_lossy().into_owned());
        }
        arguments
    }
}

fn lay_out(root: &Path) -> io::Result<()> {
    for (folder, headers) in [("built-in", &BUILT_IN[..]), ("fallback", &FALLBACK[..])] {
        for (name, text) in headers {
            let file = root.join(folder).join(name);
            fs::create_dir_all(file.parent().unwrap_or(root))?;
            fs::write(file, text)?;
        }
    }
    let kernel = root.join("kernel");
    fs::create_dir_all(&kernel)?;
    for folder in KERNEL {
        let headers = Path::new(SYSTEM).join(folder);
        if headers.is_dir() {
            symlink(headers, kernel.join(folder))?;
        }
    }
    for target in Target::known() {
        if let Some(asm) = asm_of(&target) {
            let folder = root.join("asm-of").join(target.name());
            fs::create_dir_all(&folder)?;
            symlink(asm, folder.join("asm"))?;
        }
    }
    Ok(())
}

/// The target's `asm/` headers, if this machine has them: a cross compiler's,
/// or its own where the target shares them.
fn asm_of(target: &Target) -> Option<PathBuf> {
    let multiarch = target.multiarch()?;
    let cross = Path::new("/usr").join(multiarch).join("include/asm");
    if cross.is_dir() {
        return Some(cross);
    }
    let little = cfg!(target_endian = "little");
    let same = match target.name() {
        // One set of headers for both.
        "x86_64" | "i686" => ["x86_64", "x86"].contains(&ARCH),
        "powerpc64le" => ARCH == "powerpc64" && little,
        "mipsel" => ARCH == "mips" && little,
        "mips64el" => ARCH == "mips64" && little,
        "arm" | "aarch64" => target.name() == ARCH && little,
        "powerpc" | "powerpc64" | "mips" => target.name() == ARCH && !little,
        name => name == ARCH,
    };
    let own = [format!("{SYSTEM}/{ARCH}-linux-gnu/asm"), format!("{SYSTEM}/asm")];
    own.into_iter().map(PathBuf::from).find(|asm| same && asm.is_dir())
}
