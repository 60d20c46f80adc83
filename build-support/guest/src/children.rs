// SPDX-License-Identifier: Apache-2.0
//! Processes that a scenario starts.

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A part of a scenario, running by itself.
pub(crate) struct Part {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Part {
    /// Starts a part of `parts.rs`, and waits until it says that it is ready.
    pub(crate) fn start(words: &[&str]) -> Self {
        Self::of(Command::new("/init").arg("part").args(words))
    }

    /// The same of another program, which says it likewise.
    pub(crate) fn of(program: &mut Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut part = Self { child, said };
        let mut line = String::new();
        part.said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{program:?}");
        part
    }

    /// Waits for its end, which has to be a success. What it said last is
    /// returned.
    pub(crate) fn expect_success(mut self) -> String {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }

    /// Kills it; how long it takes to be gone.
    pub(crate) fn kill(mut self) -> Duration {
        let begin = Instant::now();
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL).unwrap();
        self.child.wait().unwrap();
        begin.elapsed()
    }
}

/// Says to whoever has started this part that all is prepared.
pub(crate) fn ready() {
    println!("ready");
}

/// Waits until something is so that nobody can be waited for about.
pub(crate) fn eventually(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
