// SPDX-License-Identifier: Apache-2.0
//! An empty crate with one dependency, in a folder of its own.

use crate::Error;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;
use tempfile::TempDir;

/// Runs its arguments in a namespace in which the files of libclang are not there, and all else is.
/// libclang-cpp is another library, which bindgen does not use.
const WITHOUT_LIBCLANG: &str = r#"
set -eu
layers=$(mktemp -d)
mount -t tmpfs none "$layers"
find /usr /opt -xdev \( -name 'libclang.so*' -o -name 'libclang-[0-9]*.so*' \) 2>/dev/null |
while read -r file; do dirname "$file"; done | sort -u > "$layers/folders"
count=0
while read -r folder; do
    count=$((count + 1))
    mkdir -p "$layers/$count/upper" "$layers/$count/work"
    options="lowerdir=$folder,upperdir=$layers/$count/upper,workdir=$layers/$count/work"
    mount -t overlay overlay -o "$options" "$folder"
    rm -f "$folder"/libclang.so* "$folder"/libclang-[0-9]*.so*
done < "$layers/folders"
exec "$@"
"#;
const VARIABLES: [&str; 3] = ["LIBCLANG_PATH", "LLVM_CONFIG_PATH", "CLANG_PATH"];

#[derive(Debug)]
pub(super) struct Project {
    /// Of the crate that it depends on.
    pub(super) name: String,
    /// How that is built, if there are several ways.
    pub(super) mode: String,
    /// The crate's version, once it is built.
    pub(super) version: String,
    /// Crates that are compiled, itself not counted, once it is built.
    pub(super) crates: usize,
    folder: TempDir,
    libclang: Libclang,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Libclang {
    AsItIs,
    Required,
    Hidden,
}

impl Project {
    /// An empty crate with this line of dependencies.
    pub(super) fn new(name: &str, mode: &str, dependency: &str) -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let manifest = format!(
            "[package]\nname = \"newcomer\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{dependency}\n[workspace]\n"
        );
        fs::write(folder.path().join("Cargo.toml"), manifest)?;
        fs::create_dir(folder.path().join("src"))?;
        fs::write(folder.path().join("src/lib.rs"), "")?;
        Ok(Self {
            name: name.to_owned(),
            mode: mode.to_owned(),
            version: String::new(),
            crates: 0,
            folder,
            libclang: Libclang::AsItIs,
        })
    }

    /// Fails where there is no libclang, instead of doing without.
    pub(super) fn with_libclang(self) -> Self {
        Self { libclang: Libclang::Required, ..self }
    }

    /// Does without libclang, wherever it is.
    pub(super) fn without_libclang(self) -> Self {
        Self { libclang: Libclang::Hidden, ..self }
    }

    pub(super) fn title(&self) -> String {
        match self.mode.as_str() {
            "" => self.name.clone(),
            mode => format!("{}, {mode}", self.name),
        }
    }

    /// Downloads what a build needs, so that building needs no network.
    pub(super) fn fetch(&self) -> Result<(), Error> {
        self.cargo(&["fetch", "--quiet"], Libclang::AsItIs).map(drop)
    }

    /// Builds all of it anew: the seconds that took.
    pub(super) fn build(&mut self) -> Result<f64, Error> {
        let target = self.target();
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        if self.libclang == Libclang::Hidden {
            // Such a namespace may not be allowed here: better known before the time is taken.
            self.cargo(&["--version"], Libclang::Hidden)?;
        }
        let arguments = ["build", "--release", "--offline", "--locked", "--message-format", "json"];
        let begin = Instant::now();
        let output = self.cargo(&arguments, self.libclang)?;
        let seconds = begin.elapsed().as_secs_f64();
        let compiled = compiled(&String::from_utf8(output.stdout)?)?;
        self.version = compiled
            .iter()
            .find(|package| package.name == self.name)
            .ok_or_else(|| format!("{} was not compiled", self.name))?
            .version
            .clone();
        // The crate itself is one.
        self.crates = compiled.len() - 1;
        Ok(seconds)
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    fn cargo(&self, arguments: &[&str], libclang: Libclang) -> Result<Output, Error> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = if libclang == Libclang::Hidden {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--propagation", "private", "--user", "--map-root-user"]);
            command.args(["sh", "-c", WITHOUT_LIBCLANG, "sh"]).arg(cargo);
            for variable in VARIABLES {
                command.env_remove(variable);
            }
            command
        } else {
            Command::new(cargo)
        };
        command.args(arguments).current_dir(self.folder.path());
        command.env("CARGO_TARGET_DIR", self.target());
        if libclang == Libclang::Required {
            command.env("SPANKER_SYS_BINDGEN", "require");
        }
        let output = command
            .output()
            .map_err(|error| format!("{:?} cannot be run: {error}", command.get_program()))?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().find(|line| line.contains("libclang"));
        let why = why.or_else(|| said.lines().find(|line| line.starts_with("error")));
        let why = why.or_else(|| said.lines().last()).unwrap_or("it says nothing");
        let command = arguments.first().map_or(OsStr::new(""), OsStr::new).to_string_lossy();
        Err(format!("cargo {command} fails: {}", why.trim()).into())
    }
}

#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Package {
    name: String,
    version: String,
}

/// One line of cargo's messages.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
}

/// The packages that cargo says it has compiled.
fn compiled(messages: &str) -> Result<BTreeSet<Package>, Error> {
    let mut packages = BTreeSet::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line)?;
        if message.reason == "compiler-artifact" {
            let id = message.package_id.ok_or("an artifact of no package")?;
            packages.insert(package(&id).ok_or_else(|| format!("{id}: no package's name"))?);
        }
    }
    Ok(packages)
}

/// Of an id that ends as in `…/crates/spanker#0.2.0` or `…#libc@0.2.1`.
fn package(id: &str) -> Option<Package> {
    let (source, fragment) = id.rsplit_once('#')?;
    let (name, version) =
        fragment.split_once('@').or_else(|| Some((source.rsplit_once('/')?.1, fragment)))?;
    Some(Package { name: name.to_owned(), version: version.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::compiled;

    #[test]
    fn a_package_counts_once_for_its_script_and_its_library() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","package_id":"registry+https://index#libc@0.2.1"}"#,
            "\n",
            r#"{"reason":"build-script-executed","package_id":"registry+https://index#libc@0.2.1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"registry+https://index#libc@0.2.1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"path+file:///a/spanker#0.2.0"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let packages = compiled(messages).unwrap();
        let packages: Vec<_> = packages.iter().map(|p| (&*p.name, &*p.version)).collect();
        assert_eq!(packages, [("libc", "0.2.1"), ("spanker", "0.2.0")]);
        assert!(compiled("not JSON").is_err());
    }
}
