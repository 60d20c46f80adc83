// SPDX-License-Identifier: Apache-2.0
//! What the kernel says of itself.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

pub(crate) struct KernelLog {
    file: File,
}

/// Warnings (4) and worse.
const WARNING: u32 = 4;

/// Of any level.
const BAD: [&str; 14] = [
    "WARNING:",
    "BUG:",
    "Oops",
    "general protection",
    "scheduling while atomic",
    "sleeping function called",
    "lockup",
    "rcu_sched",
    "rcu_preempt",
    "blocked for more than",
    "leaked",
    "use-after-free",
    "refcount_t",
    "Bad page",
];

/// That the module is not the distribution's is so, and that the machine is
/// emulated shows in its clocks.
const EXPECTED: [&str; 5] = [
    "loading out-of-tree module taints kernel",
    "module verification failed",
    "clocksource",
    "Marking TSC unstable",
    "hrtimer: interrupt took",
];

impl KernelLog {
    pub(crate) fn from_now() -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open("/dev/kmsg")?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// Reads on to the end, and fails if there is a warning.
    pub(crate) fn expect_no_warning(&mut self) -> Result<(), String> {
        let mut found = Vec::new();
        let mut record = [0; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(length) => {
                    let record = String::from_utf8_lossy(&record[..length]);
                    found.extend(warning(&record).map(str::to_owned));
                }
                Err(e) if e.raw_os_error() == Some(Errno::EAGAIN as i32) => break,
                Err(e) => found.push(format!("/dev/kmsg: {e}")),
            }
        }
        if found.is_empty() {
            Ok(())
        } else {
            // The console has shown all of it.
            found.truncate(3);
            Err(format!("the kernel warns: {}", found.join("; ")))
        }
    }
}

/// The text of a record, if it is a warning: `priority,number,time,flags;text`.
fn warning(record: &str) -> Option<&str> {
    let (head, text) = record.split_once(';')?;
    let text = text.lines().next()?;
    let level = head.split(',').next()?.parse::<u32>().ok()? & 7;
    let warns = level <= WARNING || BAD.iter().any(|bad| text.contains(bad));
    (warns && !EXPECTED.iter().any(|expected| text.contains(expected))).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn warnings_are_told_by_their_level_or_their_words() {
        assert_eq!(warning("4,12,345,-;something odd\n"), Some("something odd"));
        assert_eq!(warning("6,12,345,-;all well\n"), None);
        assert_eq!(warning("6,12,345,-;BUG: no\n SUBSYSTEM=x\n"), Some("BUG: no"));
        let taint = "4,1,2,-;spanker: loading out-of-tree module taints kernel.\n";
        assert_eq!(warning(taint), None);
    }
}
