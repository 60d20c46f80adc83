// SPDX-License-Identifier: Apache-2.0
//! The tests' executables, compiled for another architecture.

use super::{Architecture, Way};
use crate::old_rust::Compiler;
use crate::run::{cargo, output};
use serde_json::Value;
use std::path::PathBuf;

pub(super) struct Executable {
    /// `package kind name`, such as `spanker-soft test faults`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The folder of its package, in which cargo runs tests.
    pub(super) folder: PathBuf,
}

/// Compiles the tests, without those in documentation, and fails if the mirror
/// in them is not from where it should be.
pub(super) fn build(
    compiler: &Compiler,
    architecture: &Architecture,
    way: &Way,
) -> Result<Vec<Executable>, String> {
    let Architecture { target, gnu, .. } = architecture;
    let Way { choice, origin, features, .. } = way;
    let packages = way.packages.join(" --package ");
    let mut test = cargo(&format!(
        "test --locked --no-run --lib --tests --message-format json-render-diagnostics \
         --target-dir target/architectures/{origin} --target {target} {features} \
         --package {packages}"
    ));
    // It computes what results are compared with, and every access to memory
    // that a device must not touch is looked for byte by byte.
    test.args(["--config", "profile.dev.package.spanker-conformance.opt-level=2"]);
    let variable = target.replace('-', "_");
    let settings = format!("CARGO_TARGET_{}", variable.to_uppercase());
    test.env("RUSTC", &compiler.rustc)
        .env("SPANKER_SYS_BINDGEN", choice)
        .env(format!("{settings}_LINKER"), format!("{gnu}-gcc"))
        // The emulator then needs none of the architecture's own libraries.
        .env(format!("{settings}_RUSTFLAGS"), "-C target-feature=+crt-static")
        .env(format!("CC_{variable}"), format!("{gnu}-gcc"))
        .env(format!("CXX_{variable}"), format!("{gnu}-g++"))
        .env(format!("AR_{variable}"), format!("{gnu}-ar"))
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        // It would take the place of the settings above.
        .env_remove("RUSTFLAGS");
    let printed = output(&mut test).map_err(|_| "its tests do not compile".to_owned())?;
    let messages: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|e| format!("cargo printed {line}: {e}")))
        .collect::<Result<_, _>>()?;
    expect_origin(&messages, origin)?;
    let executables: Vec<_> = messages.iter().filter_map(executable).collect();
    match way.packages.iter().find(|package| !executables.iter().any(|e| e.is_of(package))) {
        None => Ok(executables),
        Some(package) => Err(format!("cargo made no test executable of {package}")),
    }
}

impl Executable {
    fn is_of(&self, package: &str) -> bool {
        self.name.split(' ').next() == Some(package)
    }
}

/// The executable that cargo tells of, if it is of tests.
fn executable(message: &Value) -> Option<Executable> {
    let path = message["executable"].as_str()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_owned();
    let target = &message["target"];
    // The name of the package stands in its identifier where it is not the folder's.
    let (_, package) = message["package_id"].as_str()?.rsplit_once('#')?;
    let package = match package.split_once('@') {
        Some((name, _)) => name,
        None => folder.file_name()?.to_str()?,
    };
    let (kind, name) = (target["kind"][0].as_str()?, target["name"].as_str()?);
    Some(Executable { name: format!("{package} {kind} {name}"), path: path.into(), folder })
}

/// What the build script of spanker-sys has told cargo.
fn expect_origin(messages: &[Value], origin: &str) -> Result<(), String> {
    let told = messages
        .iter()
        .filter(|message| message["reason"] == "build-script-executed")
        .filter_map(|message| message["env"].as_array())
        .flatten()
        .find(|variable| variable[0] == "SPANKER_SYS_ORIGIN")
        .ok_or("the build script of spanker-sys has not told where its mirror is from")?;
    if told[1] == origin {
        Ok(())
    } else {
        Err(format!("the mirror should be from {origin}, and is from {}", told[1]))
    }
}
