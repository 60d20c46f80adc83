// SPDX-License-Identifier: Apache-2.0
//! What is read from the kernel's headers, against gcc and the headers that it
//! finds by itself: every number becomes an assertion of C. What is built into
//! spanker-abi has no part in that.
//!
//! `SPANKER_ABI_KERNEL_HEADERS` names a tree of kernel headers, the folder with
//! `include/uapi` and `arch/x86/include/uapi`, for headers that a machine need
//! not have.

mod assertions;
mod compiler;

use compiler::Compiler;
use spanker_abi::header::Header;
use spanker_abi::model::Facts;
use spanker_abi::Target;
use std::env;
use std::path::{Path, PathBuf};

/// A header, and how many assertions it gives at least, so that nothing is
/// never compared to nothing.
type Given = (&'static str, usize);

/// What Linux has had for long enough to be everywhere.
const MACHINES: [Given; 4] = [
    ("linux/gpio.h", 400),
    ("linux/kvm.h", 3000),
    ("linux/fpga-dfl.h", 150),
    ("linux/vfio.h", 900),
];

/// Of a tree of kernel headers.
const KERNELS: [Given; 5] = [
    ("drm/drm.h", 2500),
    ("drm/habanalabs_accel.h", 3000),
    ("drm/ivpu_accel.h", 3000),
    ("drm/qaic_accel.h", 3000),
    ("linux/kvm.h", 3000),
];

/// For other architectures.
const CROSS: [Given; 2] = [("linux/gpio.h", 400), ("linux/vfio.h", 900)];

fn facts(header: &Path, include: &[PathBuf], target: &str) -> Facts {
    let header = include.iter().fold(Header::new(header), |header, folder| header.include(folder));
    let reading = header.read(&[Target::named(target).unwrap()]).unwrap();
    reading.abi.targets.into_values().next().unwrap()
}

/// Fails unless gcc accepts every assertion, and refuses one that is wrong.
fn compare(compiler: &Compiler, name: &str, facts: &Facts, least: usize) {
    let made = assertions::of(facts);
    println!("{name} for {compiler}: {} assertions", made.len());
    assert!(made.len() >= least, "{name}: only {} assertions, not {least}", made.len());
    compiler.compile(name, &made).unwrap_or_else(|errors| panic!("{name}, {compiler}: {errors}"));
    for at in [0, made.len() / 2, made.len() - 1] {
        let mut wrong = made.clone();
        wrong[at] = format!("!({})", wrong[at]);
        let errors = compiler.compile(name, &wrong).unwrap_err();
        assert!(errors.contains("static assertion failed"), "{errors}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_machines_headers_are_what_gcc_makes_of_them() {
    let gcc = Compiler::of_machine(&[]).expect("gcc: apt-get install gcc linux-libc-dev");
    for (name, least) in MACHINES {
        let header = Path::new("/usr/include").join(name);
        assert!(header.exists(), "{name}: apt-get install linux-libc-dev");
        compare(&gcc, name, &facts(&header, &[], "x86_64"), least);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernels_headers_are_what_gcc_makes_of_them() {
    let Some(tree) = env::var_os("SPANKER_ABI_KERNEL_HEADERS").filter(|tree| !tree.is_empty())
    else {
        println!(
            "SKIPPED: SPANKER_ABI_KERNEL_HEADERS names no tree of kernel headers; \
             `cargo xtask test abi` fetches one"
        );
        return;
    };
    let tree = PathBuf::from(tree);
    let include = [tree.join("arch/x86/include/uapi"), tree.join("include/uapi")];
    let gcc = Compiler::of_machine(&include).expect("gcc: apt-get install gcc");
    for (name, least) in KERNELS {
        let header = tree.join("include/uapi").join(name);
        compare(&gcc, name, &facts(&header, &include, "x86_64"), least);
    }
}

#[test]
fn the_headers_of_other_architectures_are_what_their_gcc_makes_of_them() {
    for (target, triple) in [
        ("i686", "i686-linux-gnu"),
        ("aarch64", "aarch64-linux-gnu"),
        ("s390x", "s390x-linux-gnu"),
        ("powerpc64le", "powerpc64le-linux-gnu"),
    ] {
        let headers = Path::new("/usr").join(triple).join("include");
        let gcc = Compiler::cross(triple).filter(|_| headers.join("linux/gpio.h").exists());
        let Some(gcc) = gcc else {
            println!(
                "SKIPPED: no gcc with headers for {target}: apt-get install gcc-{}",
                triple.replace('_', "-")
            );
            continue;
        };
        for (name, least) in CROSS {
            compare(&gcc, name, &facts(&headers.join(name), &[], target), least);
        }
    }
}
