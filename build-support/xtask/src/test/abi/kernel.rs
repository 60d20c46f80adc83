// SPDX-License-Identifier: Apache-2.0
//! The kernel's headers as its sources have them, from a package that is
//! unpacked and not installed.

use crate::debian::Archive;
use crate::repository;
use std::path::PathBuf;

/// Names of the package: Debian's, Ubuntu's. apt takes names with `+` and `.` for
/// patterns anyway.
const PACKAGES: [&str; 3] = [
    r"^linux-headers-6\.12\.[0-9]+\+deb[0-9]+-common$",
    r"^linux-headers-6\.(8|11|14)\.0-[0-9]+$",
    r"^linux-headers-6\.[0-9]+\.[0-9]+(\+deb[0-9]+)?-[0-9]*-?common$",
];

/// The folder that has `include/uapi` and `arch`.
pub(super) fn headers() -> Result<PathBuf, String> {
    let folder = repository().join("target/kernel-headers");
    let root = folder.join("root");
    let archive = Archive::new(&folder.join("apt"), &[])?;
    let names = archive.matching(&PACKAGES)?;
    let name = names.last().ok_or("apt knows no package linux-headers-6.12.*-common")?;
    archive.unpack(name, "", &root)?;
    let headers = root.join("usr/src").join(name);
    if headers.join("include/uapi/drm/drm.h").exists() {
        println!("kernel headers: {name}");
        return Ok(headers);
    }
    Err(format!("package {name} has no {}/include/uapi", headers.display()))
}
