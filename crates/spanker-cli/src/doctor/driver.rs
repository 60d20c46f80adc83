// SPDX-License-Identifier: Apache-2.0
//! The driver, its nodes, and who may open them.

use super::finding::Finding;
use super::host::Host;
use spanker::{AbiVersion, SpankerControl, CONTROL_DEVICE_PATH};
use std::io::ErrorKind;
use std::path::Path;

/// The group that the nodes belong to.
const GROUP: &str = "spanker";

pub(super) fn examine(host: &Host, findings: &mut Vec<Finding>) {
    let has_control = host.has(CONTROL_DEVICE_PATH);
    let is_loaded = is_loaded(host);
    if !is_loaded && !has_control {
        findings.push(
            Finding::note(
                "driver",
                format!(
                    "The driver is not loaded: there is no {CONTROL_DEVICE_PATH}, so there are no \
                     cards. Software Sails work without it."
                ),
            )
            .remedy(
                "To have cards, virtual ones too: install the driver, as driver/README.md says, \
                 then: sudo modprobe spanker",
            ),
        );
        return;
    }
    findings.push(module(host, is_loaded));
    if !has_control {
        findings.push(
            Finding::problem(
                "control",
                format!("The driver is loaded, and there is no {CONTROL_DEVICE_PATH}."),
            )
            .remedy(
                "See why with: sudo dmesg | grep spanker. Then: sudo modprobe -r spanker && sudo \
                 modprobe spanker",
            ),
        );
        return;
    }
    let cards = control(host, findings);
    nodes(host, &cards, findings);
}

fn is_loaded(host: &Host) -> bool {
    let modules = host.text("/proc/modules").unwrap_or_default();
    let listed = modules.lines().any(|line| line.split(' ').next() == Some("spanker"));
    // Built into the kernel, it is not in the list.
    listed || host.has("/sys/module/spanker")
}

fn module(host: &Host, is_loaded: bool) -> Finding {
    if !is_loaded {
        return Finding::note(
            "driver",
            "There are nodes of a driver, and no module of the name spanker: it is another driver, \
             or /proc and /sys are not those of this machine, as in a container.",
        );
    }
    let ours = AbiVersion::LIBRARY;
    let version = host.text("/sys/module/spanker/version");
    match version.as_deref().map(|text| (text, parse(text))) {
        Some((_, Some(version))) if ours.is_compatible_with(version) => {
            Finding::ok("driver", format!("The driver is loaded; its ABI is {version}."))
        }
        Some((_, Some(version))) => Finding::problem(
            "driver",
            format!(
                "The driver that is loaded has the ABI {version}, and this command speaks {ours}."
            ),
        )
        .remedy(if version < ours {
            format!("Install the driver of ABI {}.{}, then: sudo modprobe -r spanker && sudo modprobe spanker", ours.major, ours.minor)
        } else {
            "Install a command and library as new as the driver.".to_owned()
        }),
        Some((text, None)) => Finding::note(
            "driver",
            format!("The driver is loaded; its version {text:?} does not tell its ABI."),
        ),
        None => Finding::note("driver", "The driver is loaded, and does not tell its version."),
    }
}

/// `0.2.0`, and what may follow after a hyphen or space.
fn parse(text: &str) -> Option<AbiVersion> {
    let numbers = text.split(['-', '+', ' ']).next()?;
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    let [major, minor, patch] = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(AbiVersion { major, minor, patch })
}

/// Looks at the control node; the indices of the cards that it names.
fn control(host: &Host, findings: &mut Vec<Finding>) -> Vec<u32> {
    if !may_open(host, "control", CONTROL_DEVICE_PATH, findings) {
        return Vec::new();
    }
    let opened = SpankerControl::open_path(host.place(Path::new(CONTROL_DEVICE_PATH)));
    match opened.and_then(|control| Ok((control.version(), control.sails()?))) {
        Ok((version, cards)) => {
            let count = match cards.len() {
                0 => "no card".to_owned(),
                1 => "1 card".to_owned(),
                more => format!("{more} cards"),
            };
            findings.push(Finding::ok(
                "control",
                format!("{CONTROL_DEVICE_PATH} answers: ABI {version}, {count}."),
            ));
            cards
        }
        Err(error) => {
            findings.push(Finding::problem("control", format!("{error}.")).remedy(
                "Load the driver that fits: sudo modprobe -r spanker && sudo modprobe spanker",
            ));
            Vec::new()
        }
    }
}

fn nodes(host: &Host, cards: &[u32], findings: &mut Vec<Finding>) {
    let names = host.names(Path::new("/dev"));
    let index = |name: &String| name.strip_prefix("spanker")?.parse::<u32>().ok();
    let mut present: Vec<u32> = names.iter().filter_map(index).collect();
    present.sort_unstable();
    for index in &present {
        let path = format!("/dev/spanker{index}");
        if may_open(host, "card", &path, findings) {
            findings.push(Finding::ok("card", format!("{path} is there, and may be opened.")));
        }
    }
    for missing in cards.iter().filter(|card| !present.contains(card)) {
        findings.push(
            Finding::problem("card", format!("Card {missing} has no node /dev/spanker{missing}."))
                .remedy("Let udev make it: sudo udevadm trigger --subsystem-match=spanker"),
        );
    }
}

/// Whether the user may open a node; if not, there is a finding that says why.
fn may_open(host: &Host, about: &'static str, path: &str, findings: &mut Vec<Finding>) -> bool {
    let Err(error) = host.try_open(path) else { return true };
    let Some(node) = host.node(path).filter(|_| error.kind() == ErrorKind::PermissionDenied) else {
        let problem = Finding::problem(about, format!("{path} cannot be opened: {error}."));
        findings.push(problem.remedy("See why with: sudo dmesg | grep spanker"));
        return false;
    };
    let user = host.user();
    let found = format!(
        "The user {} may not open {path}, which is of {}, group {}, mode {:04o}.",
        user.name, node.owner, node.group, node.mode
    );
    let remedy = if node.group != GROUP || node.mode & 0o060 != 0o060 {
        let group = match host.number_of_group(GROUP) {
            Some(_) => String::new(),
            None => format!("sudo groupadd --system {GROUP}; then "),
        };
        format!(
            "Install the driver's udev rule (driver/60-spanker.rules, as driver/README.md says), \
             which gives nodes to the group {GROUP} with mode 0660; or, until the next boot: {group}sudo chgrp {GROUP} {path} && sudo chmod 0660 \
             {path}"
        )
    } else if host.is_in(&user, GROUP) {
        format!(
            "{} is in the group {GROUP}, so something else forbids it: a container, or a security \
             module such as AppArmor or SELinux. Look there.",
            user.name
        )
    } else if host.is_listed_in(&user, GROUP) {
        format!("{} was added to the group {GROUP}: log out and in again.", user.name)
    } else {
        format!("sudo usermod -aG {GROUP} {}, then log out and in again.", user.name)
    };
    findings.push(Finding::problem(about, found).remedy(remedy));
    false
}
