// SPDX-License-Identifier: Apache-2.0
//! What the tests need of the machine, and how it is installed.

use crate::run::{command, output, run};
use std::fs;
use std::process::{Command, Stdio};

/// Something that may be missing, and the Debian package it comes in.
struct Need {
    what: &'static str,
    package: &'static str,
    is_here: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need { what: "gcc", package: "gcc", is_here: || starts("gcc") },
    Need { what: "g++", package: "g++", is_here: || starts("g++") },
    Need { what: "clang", package: "clang", is_here: || starts("clang") },
    Need { what: "libclang", package: "libclang-dev", is_here: || clang_sys::load().is_ok() },
    Need { what: "linux/types.h", package: "linux-libc-dev", is_here: has_kernel_headers },
    Need { what: "python3", package: "python3", is_here: || starts("python3") },
    Need { what: "python3's venv", package: "python3-venv", is_here: has_venv },
    Need { what: "valgrind", package: "valgrind", is_here: || starts("valgrind") },
    Need { what: "npm", package: "npm", is_here: || starts("npm") },
    Need { what: "git", package: "git", is_here: || starts("git") },
    Need {
        what: "qemu-user",
        package: "qemu-user-static",
        is_here: || starts("qemu-s390x-static"),
    },
    Need {
        what: "gcc and g++ for i686",
        package: "g++-i686-linux-gnu",
        is_here: || starts("i686-linux-gnu-g++"),
    },
    Need { what: "libc for i686", package: "libc6-dev-i386-cross", is_here: || has_libc("i686") },
    Need {
        what: "gcc and g++ for aarch64",
        package: "g++-aarch64-linux-gnu",
        is_here: || starts("aarch64-linux-gnu-g++"),
    },
    Need {
        what: "libc for aarch64",
        package: "libc6-dev-arm64-cross",
        is_here: || has_libc("aarch64"),
    },
    Need {
        what: "gcc and g++ for s390x",
        package: "g++-s390x-linux-gnu",
        is_here: || starts("s390x-linux-gnu-g++"),
    },
    Need {
        what: "libc for s390x",
        package: "libc6-dev-s390x-cross",
        is_here: || has_libc("s390x"),
    },
    Need {
        what: "gcc and g++ for powerpc64le",
        package: "g++-powerpc64le-linux-gnu",
        is_here: || starts("powerpc64le-linux-gnu-g++"),
    },
    Need {
        what: "libc for powerpc64le",
        package: "libc6-dev-ppc64el-cross",
        is_here: || has_libc("powerpc64le"),
    },
    Need { what: "abidiff", package: "abigail-tools", is_here: || starts("abidiff") },
    Need { what: "make", package: "make", is_here: || starts("make") },
    Need { what: "depmod", package: "kmod", is_here: || starts("/sbin/depmod") },
    Need { what: "perl", package: "perl", is_here: || starts("perl") },
    Need { what: "sparse", package: "sparse", is_here: || starts("sparse") },
    Need { what: "xz", package: "xz-utils", is_here: || starts("xz") },
    Need { what: "cpio", package: "cpio", is_here: || starts("cpio") },
    Need {
        what: "qemu-system",
        package: "qemu-system-x86",
        is_here: || starts("qemu-system-x86_64"),
    },
    Need { what: "unshare", package: "util-linux", is_here: || starts("unshare") },
];

fn starts(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

fn has_kernel_headers() -> bool {
    fs::metadata("/usr/include/linux/types.h").is_ok()
}

/// Another architecture's libc and kernel headers, where its gcc looks for them.
fn has_libc(architecture: &str) -> bool {
    let usr = format!("/usr/{architecture}-linux-gnu");
    ["lib/libc.a", "include/linux/ioctl.h"]
        .iter()
        .all(|part| fs::metadata(format!("{usr}/{part}")).is_ok())
}

fn has_venv() -> bool {
    succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// What to do if the disk is full, which compilers and linkers tell in many ways.
pub(crate) fn full_disk() -> Option<String> {
    let free = output(&mut command("df", &["--output=avail", "--block-size=1M", "."])).ok()?;
    let free: u64 = free.lines().nth(1)?.trim().parse().ok()?;
    (free < 1024).then(|| {
        format!("the disk has {free} MiB left: make room (all steps take 20 GB), then run it again")
    })
}

/// Installs what is missing, or says what to install.
pub(crate) fn prepare() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_here)()).collect();
    if missing.is_empty() {
        println!("everything the tests need is here");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
    println!("missing: {}", what.join(", "));
    if !is_root() {
        return Err(format!(
            "install what is missing: sudo apt-get install {}",
            packages.join(" ")
        ));
    }
    run(&mut command("apt-get", &["update", "--quiet"]))?;
    run(command("apt-get", &["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing.iter().find(|need| !(need.is_here)()) {
        None => Ok(()),
        Some(need) => Err(format!("{} is missing even with {} installed", need.what, need.package)),
    }
}
