// SPDX-License-Identifier: Apache-2.0
//! Compiles the driver's engine as it stands. The kernel's headers that it
//! includes are empty files here; what it takes from them is in
//! `src/kernel.h`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: [&str; 3] = ["virtual_engine.c", "virtual_floats.c", "virtual_integers.c"];
const HEADERS: [&str; 4] = ["spanker.h", "virtual.h", "virtual_arithmetic.h", "virtual_fpu.h"];
/// What the header of the ABI includes comes from here.
const SHIMS: &str = "build-support/shims";

fn main() {
    let package = variable("CARGO_MANIFEST_DIR");
    let project = package.ancestors().nth(2).expect("the package is in build-support");
    let kernel = variable("OUT_DIR").join("kernel");
    let driver = project.join("driver");
    for name in SOURCES.iter().chain(&HEADERS) {
        make_headers(&driver.join(name), &project.join(SHIMS), &kernel);
    }

    let mut build = cc::Build::new();
    build
        .include(project.join(SHIMS))
        .include(project.join("include"))
        .include(&kernel)
        .include(&driver)
        .flag("-include")
        .flag(package.join("src/kernel.h").to_str().expect("paths are UTF-8"))
        .flag("-fno-strict-aliasing")
        .flag("-fno-strict-overflow")
        .flag("-ffp-contract=off")
        .opt_level(2)
        // The kernel's build has the better ones.
        .warnings(false);
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86") {
        build.flag("-msse2").flag("-mfpmath=sse");
    }
    build.files(SOURCES.map(|name| driver.join(name)));
    build.file("src/run.c");
    build.compile("spanker_driver_arithmetic");

    for path in [driver, project.join("include/uapi"), project.join(SHIMS), package.join("src")] {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// An empty file for each of the kernel's headers that a file includes.
fn make_headers(file: &Path, shims: &Path, kernel: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
    let included = text
        .lines()
        .filter_map(|line| line.strip_prefix("#include <").and_then(|rest| rest.strip_suffix('>')));
    for name in included.filter(|name| !name.starts_with("uapi/") && !shims.join(name).exists()) {
        let path = kernel.join(name);
        fs::create_dir_all(path.parent().expect("it has a directory"))
            .and_then(|()| fs::write(&path, ""))
            .unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    }
}

fn variable(name: &str) -> PathBuf {
    env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}")).into()
}
