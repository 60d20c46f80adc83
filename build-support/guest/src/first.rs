// SPDX-License-Identifier: Apache-2.0
//! The first process.

use crate::driver;
use crate::kernel_log::KernelLog;
use crate::scenarios::{self, Scenario, REASON};
use nix::mount::{mount, MsFlags};
use nix::sys::reboot::{reboot, RebootMode};
use nix::sys::signal::{killpg, Signal};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may take to end that has been killed.
const KILLED: Duration = Duration::from_secs(20);

/// Runs all scenarios, or those whose names have one of these words.
pub(crate) fn run(only: &[&str]) -> ExitCode {
    if let Err(message) = all(only) {
        println!("{message}");
    }
    // There is no other end: without a first process the kernel panics.
    match reboot(RebootMode::RB_AUTOBOOT) {
        Err(errno) => println!("cannot power off: {errno}"),
        Ok(never) => match never {},
    }
    ExitCode::FAILURE
}

fn all(only: &[&str]) -> Result<(), String> {
    for (kind, place) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),
        ("cgroup2", "/sys/fs/cgroup"),
    ] {
        mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>)
            .map_err(|errno| format!("cannot mount {place}: {errno}"))?;
    }
    // From here on the console shows what the kernel warns of, where it happens.
    write("/proc/sys/kernel/printk", "5")?;
    write("/sys/fs/cgroup/cgroup.subtree_control", "+memory")?;
    let mut log = KernelLog::from_now().map_err(|e| format!("/dev/kmsg: {e}"))?;
    let is_chosen = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word));
    let chosen: Vec<_> = scenarios::ALL.iter().filter(|one| is_chosen(one.name)).collect();
    println!("scenarios: {}", chosen.len());
    let (mut passed, mut failed) = (0, 0);
    for scenario in chosen {
        println!("--- {}", scenario.name);
        let begin = Instant::now();
        let mut result = one(scenario);
        if let (Ok(()), Err(message)) = (&result, log.expect_no_warning()) {
            result = Err(message);
        }
        match result {
            Ok(()) => {
                passed += 1;
                println!("ok {} ({:.1} s)", scenario.name, begin.elapsed().as_secs_f32());
            }
            Err(message) => {
                failed += 1;
                println!("FAILED {}: {}", scenario.name, message.replace('\n', "; "));
                // The next one finds no module, as it expects.
                if let Err(message) = driver::clear_away() {
                    println!("no scenario can follow: {message}");
                    break;
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(())
}

/// Runs a scenario to its end, or to its deadline.
fn one(scenario: &Scenario) -> Result<(), String> {
    let _ = fs::remove_file(REASON);
    let mut command = Command::new("/init");
    command.args(["scenario", scenario.name]).process_group(0);
    let mut child = command.spawn().map_err(|e| format!("/init: {e}"))?;
    let group = Pid::from_raw(child.id() as i32);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let result = match ended.recv_timeout(scenario.limit()) {
        Ok(status) => result(status),
        Err(_) => {
            // Where every thread is that sleeps in the kernel.
            let _ = write("/proc/sysrq-trigger", "w");
            let _ = killpg(group, Signal::SIGKILL);
            let ends = ended.recv_timeout(KILLED).is_ok();
            let after = if ends { "" } else { ", and SIGKILL does not end it" };
            Err(format!("not done after {} s{after}", scenario.seconds))
        }
    };
    let left = reap(group);
    result.and(left)
}

fn result(status: std::io::Result<ExitStatus>) -> Result<(), String> {
    let status = status.map_err(|e| format!("/init: {e}"))?;
    if status.success() {
        return Ok(());
    }
    let reason = fs::read_to_string(REASON).unwrap_or_default();
    Err(format!("{reason} ({status})"))
}

/// Ends what a scenario has left behind. Its orphans are this process's.
fn reap(group: Pid) -> Result<(), String> {
    let deadline = Instant::now() + KILLED;
    loop {
        // Fails when the group is empty.
        let _ = killpg(group, Signal::SIGKILL);
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(_) => return Ok(()),
            Ok(WaitStatus::StillAlive) if Instant::now() > deadline => {
                return Err("a process that it started does not end when killed".to_owned());
            }
            Ok(WaitStatus::StillAlive) => thread::sleep(Duration::from_millis(5)),
            Ok(_) => {}
        }
    }
}

fn write(path: &str, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{path}: {e}"))
}
