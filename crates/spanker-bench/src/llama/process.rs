// SPDX-License-Identifier: Apache-2.0
//! llama.cpp in a process of its own. ggml takes its backends when it starts, so each way to
//! compute needs one. While others have their turns it is stopped: its threads would look for work
//! for a long time yet.

use super::files::Files;
use super::work::Work;
use super::{Contestant, Turn, Way};
use crate::Error;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

#[derive(Debug)]
pub(super) struct Process {
    way: Way,
    child: Child,
    /// None once there are no more requests.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one and waits until the model is loaded.
    pub(super) fn start(files: &Files, way: Way, threads: NonZeroUsize) -> Result<Self, Error> {
        let mut command = Command::new(&files.program);
        command.arg(&files.model).arg(threads.to_string()).arg(match way {
            Way::Sail => "sail",
            Way::Repacked => "repacked",
            Way::Plain => "plain",
        });
        command.env_remove("GGML_BACKEND_PATH").env_remove("SPANKER_SAILS");
        if way == Way::Sail {
            command.env("GGML_BACKEND_PATH", &files.library);
            command.env("SPANKER_SAIL", "soft").env_remove("SPANKER_SOFT_THREADS");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut process = Self { way, child, requests, answers };
        match process.answer()?.as_str() {
            "ready" => process.signal(Signal::SIGSTOP)?,
            other => return Err(process.failed(&format!("it said `{other}`"))),
        }
        Ok(process)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it let go of everything.
    ///
    /// # Errors
    /// If it fails at that.
    pub(super) fn end(mut self) -> Result<(), Error> {
        self.requests = None;
        self.signal(Signal::SIGCONT)?;
        let status = self.child.wait()?;
        status.success().then_some(()).ok_or_else(|| self.failed(&status.to_string()))
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        Ok(kill(Pid::from_raw(i32::try_from(self.id())?), signal)?)
    }

    fn answer(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err(self.failed("it has ended")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    fn failed(&self, said: &str) -> Error {
        format!("llama.cpp for {} has failed: {said}", self.way.kernel()).into()
    }
}

impl Contestant for Process {
    fn turn(&mut self, work: Work) -> Result<Turn, Error> {
        self.signal(Signal::SIGCONT)?;
        let requests = self.requests.as_mut().ok_or("it has ended")?;
        let asked = writeln!(requests, "{}", work.request());
        asked.map_err(|error| self.failed(&error.to_string()))?;
        let answer = self.answer()?;
        let turn = parse(&answer).ok_or_else(|| self.failed(&format!("it said `{answer}`")))?;
        self.signal(Signal::SIGSTOP)?;
        Ok(turn)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A magnitude, and the seconds of one run or more.
fn parse(answer: &str) -> Option<Turn> {
    let numbers: Result<Vec<f64>, _> = answer.split_whitespace().map(str::parse).collect();
    let numbers = numbers.ok()?;
    let (magnitude, seconds) = numbers.split_first()?;
    let timed = !seconds.is_empty() && seconds.iter().all(|seconds| *seconds > 0.0);
    timed.then(|| Turn { magnitude: *magnitude, seconds: seconds.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_is_a_magnitude_and_times() {
        let turn = parse("15.25 0.5 0.25").unwrap();
        assert_eq!((turn.magnitude, turn.seconds), (15.25, vec![0.5, 0.25]));
        for wrong in ["", "15.25", "15.25 0", "15.25 -1", "15.25 fast", "15.25 NaN", "ready"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
