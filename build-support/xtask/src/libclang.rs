// SPDX-License-Identifier: Apache-2.0
//! This machine without libclang: a mount namespace in which its files are not
//! there, and everything else is.

use crate::run::command;
use std::process::{Command, Stdio};

/// Lays a throw-away layer over every directory that holds a libclang, removes
/// it there, and runs its arguments.
const WITHOUT: &str = r#"
set -eu
layers=$(mktemp -d)
mount -t tmpfs none "$layers"
find /usr /opt -xdev \( -name 'libclang.so*' -o -name 'libclang-*.so*' \) 2>/dev/null |
xargs -r -n 1 dirname | sort -u > "$layers/directories"
count=0
while read -r directory; do
    count=$((count + 1))
    mkdir -p "$layers/$count/upper" "$layers/$count/work"
    mount -t overlay overlay \
        -o "lowerdir=$directory,upperdir=$layers/$count/upper,workdir=$layers/$count/work" \
        "$directory"
    rm -f "$directory"/libclang.so* "$directory"/libclang-*.so*
done < "$layers/directories"
unset LIBCLANG_PATH LLVM_CONFIG_PATH CLANG_PATH
exec "$@"
"#;

/// The command, in such a namespace.
pub(crate) fn without(inner: &Command) -> Command {
    let mut arguments = vec!["--mount", "--propagation", "private"];
    if !crate::machine::is_root() {
        arguments.extend(["--user", "--map-root-user"]);
    }
    arguments.extend(["sh", "-c", WITHOUT, "sh"]);
    let mut outer = command("unshare", &arguments);
    outer.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(directory) = inner.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

/// Fails unless this build of spanker-sys, in the namespace, finds no libclang,
/// so that what is tried there is tried without it.
pub(crate) fn check_absence(mut build: Command) -> Result<(), String> {
    build.env("SPANKER_SYS_BINDGEN", "require");
    let output = without(&build)
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("unshare does not start: {e}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && log.contains("libclang was not found") {
        println!("a build that requires libclang is refused: there is none");
        return Ok(());
    }
    Err(format!(
        "libclang could not be hidden, so nothing can be tried without it (is `unshare --mount` \
         allowed here? In a container it takes CAP_SYS_ADMIN):\n{log}"
    ))
}
