// SPDX-License-Identifier: Apache-2.0
//! The command, run on a mutated header.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::kinds::DECLARATIONS;
use crate::mutation::{Base, Mutation};

const HEADER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../include/uapi/linux/spanker_ioctl.h");
const END: &str = "#endif /* _UAPI_LINUX_SPANKER_IOCTL_H */";

/// Both headers that are mutated, and their snapshots.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: PathBuf,
}

impl Bench {
    /// Writes them.
    pub(crate) fn set_up() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let bench = Self { folder };
        let header = fs::read_to_string(HEADER).map_err(|error| format!("{HEADER}: {error}"))?;
        if header.matches(END).count() != 1 {
            return Err(format!("{HEADER} does not end in {END}"));
        }
        let kinds = header.replace(END, &format!("{DECLARATIONS}\n{END}"));
        for (base, text) in [(Base::Header, header), (Base::Kinds, kinds)] {
            bench.write(&bench.header(base), &text)?;
            let (header, snapshot) = (bench.header(base), bench.snapshot(base));
            let output = run(Command::new(env!("CARGO_BIN_EXE_spanker-abi"))
                .arg("snapshot")
                .arg(&header)
                .arg("--output")
                .arg(&snapshot))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok(bench)
    }

    fn header(&self, base: Base) -> PathBuf {
        self.folder.join(format!("{base:?}.h"))
    }

    fn snapshot(&self, base: Base) -> PathBuf {
        self.folder.join(format!("{base:?}.json"))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), String> {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Requires what the mutation says, from `diff` and from `check`.
    pub(crate) fn holds(&self, mutation: &Mutation) -> Result<(), String> {
        let header = self.header(mutation.base);
        let text = fs::read_to_string(&header).map_err(|error| error.to_string())?;
        let mutated = mutation.apply(&text)?;
        let name: String =
            mutation.name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let path = self.folder.join(format!("{name}.h"));
        self.write(&path, &mutated)?;

        let command = || Command::new(env!("CARGO_BIN_EXE_spanker-abi"));
        let output =
            run(command().arg("diff").arg(self.snapshot(mutation.base)).arg(&path).arg("--json"))?;
        let exit = match mutation.class {
            "neutral" => 0,
            "breaking" => 1,
            _ => 2,
        };
        expect("diff", exit, &output)?;
        let json: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        if json["class"] != mutation.class {
            return Err(format!("class {} is required:\n{json:#}", mutation.class));
        }
        let changes = json["changes"].as_array().ok_or("changes is no list")?;
        let (kind, item) = mutation.change;
        let required = |change: &Value| {
            change["kind"] == kind && change["item"] == item && change["class"] == mutation.class
        };
        let nothing = kind.is_empty() && changes.is_empty();
        if !nothing && !changes.iter().any(required) {
            return Err(format!("{kind} of {item} is required:\n{json:#}"));
        }

        let output = run(command()
            .args(["check", "--target", "x86_64,i686,powerpc64le"])
            .args(["--version-macros", "SPANKER_ABI_VERSION", "--header"])
            .arg(&path)
            .arg("--snapshot")
            .arg(self.snapshot(mutation.base)))?;
        expect("check", mutation.check, &output)
    }
}

fn run(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("{command:?}: {error}"))
}

fn expect(what: &str, exit: u8, output: &Output) -> Result<(), String> {
    if output.status.code() == Some(i32::from(exit)) {
        return Ok(());
    }
    Err(format!(
        "{what} has to exit with {exit}, and did with {:?}:\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    ))
}
