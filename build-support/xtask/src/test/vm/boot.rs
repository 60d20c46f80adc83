// SPDX-License-Identifier: Apache-2.0
//! The virtual machine: one run of it, with a deadline.

use super::transcript::Transcript;
use crate::run::command;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Without KVM, which is not there everywhere. An oops ends the run, and so does
/// a panic.
const MACHINE: [&str; 18] = [
    "-accel",
    "tcg,thread=multi",
    "-cpu",
    "max",
    "-smp",
    "2",
    "-m",
    "1024",
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "stdio",
    "-nic",
    "none",
    "-no-reboot",
    "-append",
];
const KERNEL_WORDS: &str =
    "console=ttyS0 quiet panic=-1 oops=panic mitigations=off tsc=reliable rdinit=/init";

/// The environment variable with words that a scenario's name has to have one
/// of, to run only such.
const ONLY: &str = "SPANKER_VM_ONLY";

/// Boots, shows what the guest says and hands it on.
pub(super) fn boot(kernel: &Path, initramfs: &Path, limit: Duration) -> Result<Transcript, String> {
    let mut machine = command("qemu-system-x86_64", &MACHINE);
    // What is behind the dashes, the kernel gives to the first process.
    let only = env::var(ONLY).unwrap_or_default();
    machine
        .arg(format!("{KERNEL_WORDS} -- {only}"))
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs);
    let mut machine = machine.stdout(Stdio::piped()).spawn().map_err(|e| format!("qemu: {e}"))?;
    let console = machine.stdout.take().ok_or("qemu has no standard output")?;
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut transcript = Transcript::default();
    let deadline = Instant::now() + limit;
    let mut hangs = false;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("| {line}");
                transcript.line(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                hangs = true;
                break;
            }
        }
    }
    if hangs {
        let _ = machine.kill();
    }
    let status = machine.wait().map_err(|e| format!("qemu: {e}"))?;
    drop(lines);
    let _ = reader.join();
    if hangs {
        return Err(format!(
            "the guest was not done after {} s; running: {}",
            limit.as_secs(),
            transcript.running()
        ));
    }
    if status.success() {
        Ok(transcript)
    } else {
        Err(format!("qemu: {status}; running: {}", transcript.running()))
    }
}
