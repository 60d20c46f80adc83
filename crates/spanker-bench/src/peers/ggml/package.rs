// SPDX-License-Identifier: Apache-2.0
//! ggml as others built it: fetched by name with npm, verified, unpacked once.

use crate::Error;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tar::Archive;

/// The package, its version, and what its archive must hash to. It holds ggml
/// [`VERSION`](super::library::VERSION).
const NAME: &str = "@node-llama-cpp/linux-x64";
const VERSION: &str = "3.22.1";
const SHA256: &str = "0d953e1503d5ab4608d8ed5b739132308c81ac05ffeb760d2a7f30e08a9f90e0";
/// What npm calls the archive.
const ARCHIVE: &str = "node-llama-cpp-linux-x64-3.22.1.tgz";
/// Where the libraries are in it.
const LIBRARIES: &str = "package/bins/linux-x64";

/// The folder of the libraries, fetched if it is not there yet.
///
/// # Errors
/// If there is no such package for this machine, npm is missing, the registry cannot be reached,
/// or the archive is not the one that it must be.
pub(super) fn libraries() -> Result<PathBuf, Error> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        return Err(format!("{NAME} is for x86-64 Linux").into());
    }
    let cache = cache()?;
    let unpacked = cache.join(format!("ggml-{}", &SHA256[..16]));
    if !unpacked.is_dir() {
        fs::create_dir_all(&cache)?;
        let archive = fetch(&cache)?;
        // Renamed when it is whole: an interrupted run leaves nothing that looks so.
        let partial = cache.join(format!("unfinished-{}", std::process::id()));
        Archive::new(GzDecoder::new(archive.as_slice())).unpack(&partial)?;
        if fs::rename(&partial, &unpacked).is_err() {
            fs::remove_dir_all(&partial)?;
        }
    }
    Ok(unpacked.join(LIBRARIES))
}

/// A folder beside what cargo has built this program into.
fn cache() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("this program is in no target folder")?;
    Ok(target.join("peers"))
}

fn fetch(cache: &Path) -> Result<Vec<u8>, Error> {
    let path = cache.join(ARCHIVE);
    if let Ok(archive) = fs::read(&path) {
        if verify(&archive).is_ok() {
            return Ok(archive);
        }
    }
    eprintln!("fetching {NAME} {VERSION} with npm");
    let package = format!("{NAME}@{VERSION}");
    let arguments = ["pack", "--loglevel=error", &package, "--pack-destination"];
    let output = Command::new("npm")
        .args(arguments)
        .arg(cache)
        .output()
        .map_err(|error| format!("npm, which fetches {NAME}, cannot be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it says nothing");
        return Err(format!("npm cannot fetch {package}: {said}").into());
    }
    let archive = fs::read(path)?;
    verify(&archive)?;
    Ok(archive)
}

fn verify(archive: &[u8]) -> Result<(), Error> {
    let found: String = Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == SHA256 {
        return Ok(());
    }
    Err(format!("{NAME} {VERSION} has SHA-256 {found}, required is {SHA256}").into())
}
