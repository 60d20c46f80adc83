// SPDX-License-Identifier: Apache-2.0
//! Kernels to build modules for, from packages that are unpacked and not
//! installed.

use crate::debian::Archive;
use crate::repository;
use std::fs;
use std::path::{Path, PathBuf};

/// A kernel whose modules can be built.
pub(crate) struct Kernel {
    /// As `uname -r` says it.
    pub(crate) release: String,
    /// What a module's Makefile calls KDIR.
    pub(crate) build: PathBuf,
}

/// Releases, as the names of Debian's packages have them.
const OLDEST: &str = r"6\.1\.0-[0-9]+-amd64";
const NEWEST: &str = r"6\.[0-9]+\.[0-9]+\+deb[0-9]+-amd64";

/// The oldest kernel that the driver is for.
pub(crate) fn oldest() -> Result<Kernel, String> {
    of(OLDEST)
}

/// The newest one that there are packages of.
pub(crate) fn newest() -> Result<Kernel, String> {
    of(NEWEST)
}

fn of(pattern: &str) -> Result<Kernel, String> {
    let archive = archive()?;
    let names = archive.matching(&[&format!("^linux-headers-{pattern}$")])?;
    // Images are signed, and may come some days after their headers.
    let images = archive.matching(&[&format!("^linux-image-{pattern}$")])?;
    let has_image = |headers: &&String| images.contains(&headers.replace("-headers-", "-image-"));
    let headers = names
        .iter()
        .rfind(has_image)
        .ok_or(format!("apt knows no kernel {pattern} with headers and image"))?;
    let root = root();
    archive.unpack(headers, "", &root)?;
    for part in archive.dependencies(headers)? {
        if part.starts_with("linux-headers-") || part.starts_with("linux-kbuild-") {
            archive.unpack(&part, "", &root)?;
        }
    }
    let build = root.join("usr/src").join(headers);
    move_here(&build, &root)?;
    let release = headers.trim_start_matches("linux-headers-").to_owned();
    println!("kernel {release}: {}", build.display());
    Ok(Kernel { release, build })
}

/// Debian's Makefile names the place where the package would be installed.
fn move_here(build: &Path, root: &Path) -> Result<(), String> {
    let makefile = build.join("Makefile");
    let told = |e| format!("{}: {e}", makefile.display());
    let text = fs::read_to_string(&makefile).map_err(told)?;
    if text.starts_with("include /usr/src/") {
        let here = format!("include {}/usr/src/", root.display());
        let text = text.replacen("include /usr/src/", &here, 1);
        fs::write(&makefile, text).map_err(told)?;
    }
    // With it there, the types of every module are described for BPF, which
    // takes another program and is of no interest.
    match fs::remove_file(build.join("vmlinux")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(told(e)),
        _ => Ok(()),
    }
}

impl Kernel {
    /// The kernel itself, ready to be booted.
    pub(crate) fn image(&self) -> Result<PathBuf, String> {
        let root = root().join("image");
        archive()?.unpack(&format!("linux-image-{}", self.release), "", &root)?;
        // The modules are many, and none is needed.
        match fs::remove_dir_all(root.join("lib")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {e}", root.display()))
            }
            _ => {}
        }
        Ok(root.join("boot").join(format!("vmlinuz-{}", self.release)))
    }
}

fn folder() -> PathBuf {
    repository().join("target/kernels")
}

/// Where the packages of kernels are unpacked.
pub(crate) fn root() -> PathBuf {
    folder().join("root")
}

/// Unpacks another package, and says where.
pub(crate) fn unpack(package: &str) -> Result<PathBuf, String> {
    let place = folder().join(package);
    archive()?.unpack(package, "", &place)?;
    Ok(place)
}

fn archive() -> Result<Archive, String> {
    Archive::new(&folder().join("apt"), &[])
}
