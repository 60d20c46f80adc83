// SPDX-License-Identifier: Apache-2.0
//! The way of the driver's README: sources copied to where dkms looks, built and
//! installed by it, and removed. It happens in a mount namespace, in layers over
//! the machine's own folders that are thrown away.

use crate::kernel::{self, Kernel};
use crate::machine;
use crate::repository;
use crate::run::{command, output};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `$1` has the kernel's packages, `$2` that of dkms, both unpacked; `$3` is the
/// kernel, `$4` the driver, `$5` its version.
const INSTALL: &str = r#"
set -eu
PATH="$PATH:/usr/sbin:/sbin"
layers=$(mktemp -d)
mount -t tmpfs none "$layers"
for folder in usr var etc; do
    mkdir -p "$layers/$folder/upper" "$layers/$folder/work"
    mount -t overlay overlay -o \
        "lowerdir=/$folder,upperdir=$layers/$folder/upper,workdir=$layers/$folder/work" "/$folder"
done
cp -r "$2"/* /
ln -sfn "$1"/usr/src/linux-headers-* /usr/src/
mkdir -p "/lib/modules/$3"
ln -sfn "/usr/src/linux-headers-$3" "/lib/modules/$3/build"

make -C "$4" source DEST="/usr/src/spanker-$5"
dkms add "spanker/$5"
dkms build "spanker/$5" -k "$3" || { cat "/var/lib/dkms/spanker/$5/build/make.log"; exit 1; }
dkms install "spanker/$5" -k "$3"
dkms status
modinfo "$(find /lib/modules/ -name 'spanker.ko*')"
dkms remove "spanker/$5" --all
test -z "$(find /lib/modules/ -name 'spanker.ko*')"
"#;

/// Has dkms add, build, install and remove the module.
pub(super) fn install(kernel: &Kernel) -> Result<(), String> {
    let dkms = kernel::unpack("dkms")?;
    let mut words = vec!["--mount", "--propagation", "private"];
    if !machine::is_root() {
        words.extend(["--user", "--map-root-user"]);
    }
    words.extend(["sh", "-c", INSTALL, "sh"]);
    let said = output(
        command("unshare", &words)
            .arg(kernel::root())
            .arg(dkms)
            .arg(&kernel.release)
            .arg(repository().join("driver"))
            .arg(VERSION),
    )?;
    print!("{said}");
    let installed = format!("spanker/{VERSION}, {}, x86_64: installed", kernel.release);
    let described = said.lines().any(|line| {
        line.split_whitespace().collect::<Vec<_>>()
            == ["vermagic:", &kernel.release, "SMP", "preempt", "mod_unload", "modversions"]
    });
    if said.lines().any(|line| line == installed) && described {
        Ok(())
    } else {
        Err(format!("dkms did not say `{installed}`, or what it installed is not for that kernel"))
    }
}
