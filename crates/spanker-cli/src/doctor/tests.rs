// SPDX-License-Identifier: Apache-2.0
//! On machines laid out in a folder.

use super::finding::Mark;
use super::*;
use crate::exit::Code;
use spanker::AbiVersion;
use std::fs;
use std::io;
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that stands for the root of a machine.
struct Machine {
    root: PathBuf,
}

impl Machine {
    /// A machine without a driver or libclang.
    fn bare() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("spanker-doctor-{}-{number}", process::id());
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("dev")).unwrap();
        Self { root }
    }

    /// A machine with a driver of this version, and one card. The nodes belong
    /// to root and the group `spanker`; who asks is alice, who is in `groups`.
    fn with_driver(version: &str, groups: &str) -> Self {
        let machine = Self::bare();
        machine.file("/proc/modules", "nix 1 0 - Live 0x0\nspanker 65536 0 - Live 0x0\n");
        machine.file("/sys/module/spanker/version", &format!("{version}\n"));
        for path in ["/dev/spankerctl", "/dev/spanker0"] {
            machine.file(path, "");
            machine.permit(path, 0o660);
        }
        let owner = fs::metadata(machine.root.join("dev/spankerctl")).unwrap();
        let (uid, gid) = (owner.uid(), owner.gid());
        machine.file("/etc/passwd", &format!("root:x:{uid}:0::/:/bin/sh\nalice:x:4242:4242::/:\n"));
        machine.file("/etc/group", &format!("spanker:x:{gid}:\nalice:x:4242:\n"));
        let groups = groups.replace("spanker", &gid.to_string());
        let status = format!("Name:\tx\nUid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\t4242\t4242\nGroups:\t{groups} \n");
        machine.file("/proc/self/status", &status);
        machine
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root.join(&path[1..]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn permit(&self, path: &str, mode: u32) {
        let path = self.root.join(&path[1..]);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.root.join(&path[1..]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn host(&self, variables: &[(&str, &str)], open: fn(&Path) -> io::Result<()>) -> Host {
        Host::laid_out(&self.root, variables, open)
    }

    /// What is found on it, by a program that gets the software Sail.
    fn examined(&self, variables: &[(&str, &str)]) -> DoctorReport {
        let host = self.host(variables, denied);
        let (report, outcome) = examine(&host, "committed", || Ok(SailName::Software));
        assert!(outcome.is_ok(), "{outcome:?}");
        report
    }

    /// The report as people see it, with what differs from machine to machine
    /// made the same.
    fn shown(&self, report: &DoctorReport) -> String {
        let text = anstream::adapter::strip_str(&report.to_string()).to_string();
        text.replace(self.root.to_str().unwrap(), "").replace(&ours(0), "#.#.#")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The version of the library's ABI, this many patches later.
fn ours(later: u16) -> String {
    let AbiVersion { major, minor, patch } = AbiVersion::LIBRARY;
    format!("{major}.{minor}.{}", patch + later)
}

fn permitted(_: &Path) -> io::Result<()> {
    Ok(())
}

fn denied(_: &Path) -> io::Result<()> {
    // EACCES
    Err(io::Error::from_raw_os_error(13))
}

fn gone(_: &Path) -> io::Result<()> {
    // ENXIO
    Err(io::Error::from_raw_os_error(6))
}

fn denied_to_open(path: &str) -> Error {
    Error::Open { path: path.into(), source: denied(Path::new(path)).unwrap_err() }
}

/// The only finding about this.
fn about<'a>(report: &'a DoctorReport, what: &str) -> &'a Finding {
    let mut found = report.findings.iter().filter(|finding| finding.about == what);
    let finding = found.next().unwrap_or_else(|| panic!("no {what} in {report:?}"));
    assert!(found.next().is_none(), "{report:?}");
    finding
}

/// All but what this CPU and its number of processors say.
fn without_cpu(report: &mut DoctorReport) {
    report.findings.retain(|finding| !["cpu", "threads"].contains(&finding.about));
}

#[test]
fn without_a_driver_and_libclang_nothing_is_broken() {
    let machine = Machine::bare();
    let mut report = machine.examined(&[]);
    assert!(report.works);
    assert!(report.findings.iter().all(|finding| finding.mark != Mark::Problem));
    without_cpu(&mut report);
    insta::assert_snapshot!("bare", machine.shown(&report));
}

#[test]
fn a_user_without_permission_is_told_the_group_and_how_to_join_it() {
    let machine = Machine::with_driver(&ours(0), "");
    let host = machine.host(&[], denied);
    let choose = || Err(denied_to_open("/dev/spankerctl"));
    let (mut report, outcome) = examine(&host, "bindgen", choose);
    assert_eq!(outcome.unwrap_err().code(), Code::NoSail);
    assert!(!report.works && report.sail.is_none());
    without_cpu(&mut report);
    insta::assert_snapshot!("denied", machine.shown(&report));
}

#[test]
fn the_remedy_fits_what_denies_the_user() {
    let remedy = |machine: &Machine| {
        let report = machine.examined(&[]);
        about(&report, "control").remedy.clone().unwrap()
    };
    let machine = Machine::with_driver(&ours(0), "");
    assert!(remedy(&machine).starts_with("sudo usermod -aG spanker alice, then log out"));
    machine.edit("/etc/group", ":\nalice", ":bob,alice\nalice");
    assert!(remedy(&machine).starts_with("alice was added to the group spanker: log out"));
    machine.permit("/dev/spankerctl", 0o600);
    assert!(remedy(&machine).contains("sudo chmod 0660 /dev/spankerctl"));
    assert!(!remedy(&machine).contains("groupadd"));
    machine.file("/etc/group", "");
    assert!(remedy(&machine).contains("sudo groupadd --system spanker; then sudo chgrp"));
    let machine = Machine::with_driver(&ours(0), "7 spanker");
    assert!(remedy(&machine).contains("a security module such as AppArmor"));
}

#[test]
fn a_driver_of_another_abi_is_a_problem_and_of_a_later_patch_is_not() {
    let driver = |version: &str| {
        let report = Machine::with_driver(version, "").examined(&[]);
        let finding = about(&report, "driver");
        (finding.mark, format!("{} {}", finding.found, finding.remedy.as_deref().unwrap_or("")))
    };
    for version in [ours(0), ours(9), ours(0) + "-dkms"] {
        assert_eq!(driver(&version).0, Mark::Ok, "{version}");
    }
    let (mark, text) = driver("0.1.0");
    assert_eq!(mark, Mark::Problem);
    assert!(text.contains("has the ABI 0.1.0"), "{text}");
    let AbiVersion { major, minor, .. } = AbiVersion::LIBRARY;
    assert!(text.contains(&format!("Install the driver of ABI {major}.{minor},")), "{text}");
    let (mark, text) = driver("999.0.0");
    assert_eq!(mark, Mark::Problem);
    assert!(text.contains("a command and library as new as the driver"), "{text}");
    for version in ["", "fresh", "0.2", "0.2.0.1", "0.2.x"] {
        assert_eq!(driver(version).0, Mark::Note, "{version}");
    }
}

#[test]
fn a_driver_without_its_node_is_a_problem() {
    let machine = Machine::with_driver(&ours(0), "");
    fs::remove_file(machine.root.join("dev/spankerctl")).unwrap();
    let report = machine.examined(&[]);
    assert_eq!(about(&report, "driver").mark, Mark::Ok);
    let control = about(&report, "control");
    assert_eq!(control.mark, Mark::Problem);
    assert!(control.found.contains("there is no /dev/spankerctl"), "{control:?}");
}

#[test]
fn a_node_that_does_not_answer_as_a_driver_is_a_problem() {
    let machine = Machine::with_driver(&ours(0), "spanker");
    let host = machine.host(&[], permitted);
    let (report, _) = examine(&host, "committed", || Ok(SailName::Software));
    assert_eq!(about(&report, "control").mark, Mark::Problem);
    // The card's own node may be opened all the same.
    assert_eq!(about(&report, "card").mark, Mark::Ok);
}

#[test]
fn libclang_is_found_where_a_build_finds_it() {
    let libclang = |machine: &Machine, variables: &[(&str, &str)]| {
        let report = machine.examined(variables);
        about(&report, "libclang").found.clone()
    };
    let machine = Machine::bare();
    machine.file("/usr/lib/llvm-14/lib/libclang-cpp.so.14", "");
    machine.file("/usr/lib/llvm-14/lib/libclang.a", "");
    assert!(libclang(&machine, &[]).starts_with("There is no libclang"));
    machine.file("/usr/lib/llvm-14/lib/libclang-14.so.1", "");
    let usual = "find libclang: /usr/lib/llvm-14/lib/libclang-14.so.1";
    assert!(libclang(&machine, &[]).ends_with(usual));

    // What the variables name comes first, and LIBCLANG_PATH rules out the rest.
    machine.file("/opt/clang/libclang.so", "");
    let opt = "find libclang: /opt/clang/libclang.so";
    for value in ["/opt/clang", "/opt/clang/libclang.so"] {
        assert!(libclang(&machine, &[("LIBCLANG_PATH", value)]).ends_with(opt));
    }
    assert!(libclang(&machine, &[("LD_LIBRARY_PATH", "/none:/opt/clang")]).ends_with(opt));
    let nowhere = libclang(&machine, &[("LIBCLANG_PATH", "/none")]);
    assert!(nowhere.starts_with("LIBCLANG_PATH is /none, and there is no libclang"), "{nowhere}");
}

#[test]
fn llvm_config_says_where_libclang_is() {
    let machine = Machine::bare();
    fs::create_dir_all(machine.root.join("bin")).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/llvm-config");
    symlink(program, machine.root.join("bin/llvm-config")).unwrap();
    machine.file("/opt/llvm/lib/libclang.so.1", "");
    for variables in [[("PATH", "/none:/bin")], [("LLVM_CONFIG_PATH", "/bin/llvm-config")]] {
        let report = machine.examined(&variables);
        let found = &about(&report, "libclang").found;
        assert!(found.ends_with("find libclang: /opt/llvm/lib/libclang.so.1"), "{found}");
    }
}

#[test]
fn the_environment_is_told_with_what_follows_from_it() {
    let machine = Machine::bare();
    for (variable, value, what, mark, part) in [
        ("SPANKER_SAIL", "soft", "environment", Mark::Ok, "programs get a software Sail"),
        ("SPANKER_SAIL", "3", "environment", Mark::Ok, "SPANKER_SAIL is 3"),
        ("SPANKER_SAIL", "sfot", "environment", Mark::Problem, "use `soft`"),
        ("SPANKER_SAIL", "", "environment", Mark::Ok, "is not set"),
        ("SPANKER_SOFT_THREADS", "1", "threads", Mark::Ok, "SPANKER_SOFT_THREADS is 1"),
        ("SPANKER_SOFT_THREADS", "99999", "threads", Mark::Note, "slower"),
        ("SPANKER_SOFT_THREADS", "many", "threads", Mark::Problem, "no software Sail opens"),
        ("SPANKER_SOFT_FAULTS", "batch#9", "faults", Mark::Note, "fail on purpose"),
        ("SPANKER_SOFT_FAULTS", "anything", "faults", Mark::Problem, "No software Sail opens"),
    ] {
        let report = machine.examined(&[(variable, value)]);
        let finding = about(&report, what);
        assert_eq!(finding.mark, mark, "{finding:?}");
        assert!(finding.found.contains(part), "{finding:?}");
    }
}

#[test]
fn every_problem_has_a_remedy() {
    let bad = [("SPANKER_SAIL", "sfot"), ("SPANKER_SOFT_THREADS", "many")];
    let machine = Machine::with_driver("0.1.0", "");
    for open in [permitted, denied, gone] {
        let host = machine.host(&bad, open);
        let (report, _) = examine(&host, "committed", || Err(denied_to_open("/dev/spanker0")));
        let problems = report.findings.iter().filter(|finding| finding.mark == Mark::Problem);
        // The driver, its control node, two variables, and the trial.
        assert!(problems.clone().count() >= 5, "{report:?}");
        for problem in problems {
            assert!(problem.remedy.is_some(), "{problem:?}");
        }
    }
}
