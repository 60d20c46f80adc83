// SPDX-License-Identifier: Apache-2.0
//! The architectures besides this machine's, and how to tell their code.

use crate::old_rust::Other;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) struct Architecture {
    pub(super) name: &'static str,
    /// As rustc calls it.
    pub(super) target: &'static str,
    /// As Debian does.
    debian: &'static str,
    /// What the names of its GNU tools begin with.
    pub(super) gnu: &'static str,
    pub(super) emulator: &'static str,
    /// As the emulator calls it.
    pub(super) cpu: &'static str,
    /// Bytes in a page, where the emulator can be told.
    pub(super) page: u32,
    /// What is in the first bytes of its executables.
    elf: Elf,
}

#[derive(Debug, PartialEq)]
struct Elf {
    bits: u32,
    big_endian: bool,
    /// `EM_*` of <elf.h>.
    machine: u16,
}

/// The one that differs most from this machine's comes first. Kernels for
/// powerpc64le commonly have pages of 64 KiB.
pub(super) const ARCHITECTURES: [Architecture; 4] = [
    Architecture {
        name: "s390x",
        target: "s390x-unknown-linux-gnu",
        debian: "s390x",
        gnu: "s390x-linux-gnu",
        emulator: "qemu-s390x-static",
        cpu: "max",
        page: 4096,
        elf: Elf { bits: 64, big_endian: true, machine: 22 },
    },
    Architecture {
        name: "i686",
        target: "i686-unknown-linux-gnu",
        debian: "i386",
        gnu: "i686-linux-gnu",
        emulator: "qemu-i386-static",
        cpu: "max",
        page: 4096,
        elf: Elf { bits: 32, big_endian: false, machine: 3 },
    },
    Architecture {
        name: "powerpc64le",
        target: "powerpc64le-unknown-linux-gnu",
        debian: "ppc64el",
        gnu: "powerpc64le-linux-gnu",
        emulator: "qemu-ppc64le-static",
        cpu: "power9",
        page: 65536,
        elf: Elf { bits: 64, big_endian: false, machine: 21 },
    },
    Architecture {
        name: "aarch64",
        target: "aarch64-unknown-linux-gnu",
        debian: "arm64",
        gnu: "aarch64-linux-gnu",
        emulator: "qemu-aarch64-static",
        cpu: "max",
        page: 4096,
        elf: Elf { bits: 64, big_endian: false, machine: 183 },
    },
];

impl Architecture {
    pub(super) fn rust(&self) -> Other {
        Other { target: self.target, debian: self.debian }
    }

    /// Fails unless this is an executable of the architecture.
    pub(super) fn check(&self, executable: &Path) -> Result<(), String> {
        let told = |message| format!("{}: {message}", executable.display());
        let mut head = [0; 20];
        let mut file = File::open(executable).map_err(|e| told(e.to_string()))?;
        file.read_exact(&mut head).map_err(|e| told(e.to_string()))?;
        match Elf::read(&head) {
            Some(elf) if elf == self.elf => Ok(()),
            Some(elf) => Err(told(format!("not of {}, but {elf:?}", self.name))),
            None => Err(told("no ELF file".to_owned())),
        }
    }
}

impl Elf {
    fn read(head: &[u8; 20]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class @ 1..=2, data @ 1..=2, ..] = *head else { return None };
        let machine = [head[18], head[19]];
        let big_endian = data == 2;
        Some(Self {
            bits: u32::from(class) * 32,
            big_endian,
            machine: if big_endian {
                u16::from_be_bytes(machine)
            } else {
                u16::from_le_bytes(machine)
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ARCHITECTURES;
    use std::env;

    #[test]
    fn an_executable_of_this_machine_is_of_no_other_architecture() {
        let own = env::current_exe().unwrap();
        for architecture in &ARCHITECTURES {
            if architecture.name != env::consts::ARCH {
                let message = architecture.check(&own).unwrap_err();
                assert!(message.contains(architecture.name), "{message}");
            }
        }
    }
}
