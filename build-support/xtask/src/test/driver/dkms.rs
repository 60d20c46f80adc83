// SPDX-License-Identifier: Apache-2.0
//! What the driver's page tells a user of Debian to do, with folders of our own
//! in the place of the machine's.

use crate::debian::Archive;
use crate::kernel::Kernel;
use crate::repository;
use crate::run::{command, output, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// As driver/dkms.conf has it.
const MODULE: &str = "spanker";

pub(super) fn dkms(kernel: &Kernel) -> Result<(), String> {
    let folder = repository().join("target/driver/dkms");
    let version = version()?;
    let archive = Archive::new(&folder.join("apt"), &[])?;
    let root = folder.join("root");
    archive.unpack("dkms", "", &root)?;
    let [tree, sources, modules] = ["tree", "sources", "modules"].map(|part| folder.join(part));
    for part in [&tree, &sources, &modules] {
        let _ = fs::remove_dir_all(part);
    }
    // It installs for kernels that are installed.
    for part in [&tree, &sources, &modules.join(&kernel.release)] {
        fs::create_dir_all(part).map_err(|e| format!("{}: {e}", part.display()))?;
    }
    let destination = sources.join(format!("{MODULE}-{version}"));
    let make = &mut command("make", &["--silent", "-C", "driver", "source"]);
    run(make.arg(format!("DEST={}", destination.display())))?;
    let dkms = |verb: &str| {
        let mut dkms = command("bash", &[root.join("usr/sbin/dkms")]);
        dkms.arg(verb).arg(format!("{MODULE}/{version}"));
        dkms.arg("--dkmstree").arg(&tree).arg("--sourcetree").arg(&sources);
        dkms
    };
    let for_kernel = |mut dkms: Command| {
        dkms.args(["-k", &kernel.release, "--arch", "x86_64", "--kernelsourcedir"]);
        dkms.arg(&kernel.build);
        dkms
    };
    let installing = |mut dkms: Command| {
        dkms.arg("--no-depmod").arg("--installtree").arg(&modules);
        dkms
    };
    run(&mut dkms("add"))?;
    run(&mut for_kernel(dkms("build")))?;
    run(&mut installing(for_kernel(dkms("install"))))?;
    let installed = find(&modules, "spanker.ko").ok_or("dkms has installed no spanker.ko")?;
    println!("installed: {}", installed.display());
    let told = output(command("/sbin/modinfo", &["-F", "vermagic"]).arg(&installed))?;
    print!("{told}");
    if told.split(' ').next() != Some(&kernel.release) {
        return Err(format!("it is not of kernel {}", kernel.release));
    }
    run(installing(dkms("remove")).arg("--all"))?;
    match find(&modules, "spanker.ko") {
        None => Ok(()),
        Some(left) => Err(format!("dkms remove leaves {}", left.display())),
    }
}

/// What the configuration says, which users type.
fn version() -> Result<String, String> {
    let path = repository().join("driver/dkms.conf");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("PACKAGE_VERSION="))
        .map(|version| version.trim_matches('"').to_owned())
        .ok_or(format!("{}: no PACKAGE_VERSION", path.display()))
}

/// The file whose name begins so (it may be compressed), at any depth.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return find(&path, name);
        }
        path.file_name()?.to_str()?.starts_with(name).then_some(path)
    })
}
