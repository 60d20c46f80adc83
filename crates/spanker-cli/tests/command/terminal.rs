// SPDX-License-Identifier: Apache-2.0
//! What a terminal gets that a pipe does not: colours, and a bar.

use crate::model::{npy, random_model};
use crate::replay::spoilt;
use crate::scene::{command, run, Scene};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Takes longer than it takes until there is a bar.
const LONG: [&str; 9] =
    ["demo", "--rows", "1024", "--k", "1024", "--tokens", "4", "--runs", "10000"];

/// What a terminal gets of a run, from both streams.
fn on_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = terminal(arguments).envs(variables.iter().copied()).output();
    let output = output.expect("`script` of util-linux runs");
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// The command on a terminal of its own, whose text is the standard output.
fn terminal(arguments: &[&str]) -> Command {
    let quoted = |word: &str| format!("'{word}'");
    let plain = command(arguments);
    let mut line = format!("exec {}", quoted(plain.get_program().to_str().unwrap()));
    for argument in arguments {
        line += &format!(" {}", quoted(argument));
    }
    let mut script = Command::new("script");
    script.args(["--quiet", "--command", &line, "/dev/null"]).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env("TERM", "xterm-256color");
    script
}

/// A command at work on a terminal.
struct Shown {
    script: Child,
    text: ChildStdout,
}

impl Shown {
    fn of(arguments: &[&str]) -> Self {
        Self::with(arguments, &[])
    }

    fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = terminal(arguments);
        command.envs(variables.iter().copied());
        let mut script = command.stdout(Stdio::piped()).spawn().unwrap();
        let text = script.stdout.take().unwrap();
        Self { script, text }
    }

    /// Reads until what has been shown is `enough`.
    fn until(&mut self, enough: impl Fn(&str) -> bool) {
        let mut seen = Vec::new();
        let mut some = [0; 4096];
        while !enough(&String::from_utf8_lossy(&seen)) {
            let count = self.text.read(&mut some).unwrap();
            assert!(count > 0, "never shown");
            seen.extend(&some[..count]);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // The terminal is closed with it, which ends the command.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

const COLOURED: [&[&str]; 6] = [
    &["list"],
    &["doctor"],
    &["--help"],
    &["demo", "--help"],
    &["ping", "--sail", "4095"],
    &["ping", "--sial", "soft"],
];

#[test]
fn colours_are_all_that_a_terminal_gets_more_of_what_is_over_soon() {
    for arguments in COLOURED {
        let piped = run(arguments);
        let piped = piped.stdout + &piped.stderr;
        assert!(!piped.contains('\x1b'), "{piped:?}");
        let shown = on_a_terminal(arguments, &[]);
        assert!(shown.contains("\x1b["), "{shown:?}");
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), piped);
    }
}

#[test]
fn no_color_and_a_dumb_terminal_are_respected() {
    for arguments in COLOURED {
        for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_a_terminal(arguments, &[variable]);
            assert!(!shown.contains('\x1b'), "{variable:?}: {shown:?}");
        }
    }
}

/// The input is a pipe that keeps the command waiting until the bar is there.
#[test]
fn a_bar_appears_on_a_terminal_and_is_gone_before_the_report() {
    let scene = Scene::new();
    let model = scene.file("m.gguf", &random_model(3, 256));
    let pipe = scene.path("x.npy");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["matmul", "--weights", &model, "--tensor", "w", "--input", &pipe];
    let mut shown = Shown::of(&arguments);
    // Opened for both, so as not to wait for a reader that may never come.
    let mut writer = File::options().read(true).write(true).open(&pipe).unwrap();
    let x = npy(1, 256, &[1.0; 256]);
    let (header, values) = x.split_at(128);
    writer.write_all(header).unwrap();
    shown.until(|text| text.contains("reading x"));
    writer.write_all(values).unwrap();
    drop(writer);

    let mut rest = String::new();
    shown.text.read_to_string(&mut rest).unwrap();
    let (bar, report) = rest.split_once("Sail soft").unwrap();
    assert!(bar.ends_with("\x1b[2K"), "{bar:?}");
    assert!(!report.contains("reading x") && report.contains("out[0]"), "{report:?}");
}

#[test]
fn the_bar_tells_how_many_of_the_steps_are_done() {
    let mut runs = LONG;
    runs[8] = "100000";
    Shown::of(&runs).until(|text| {
        let bars = text.split('\r').filter(|bar| bar.contains("timed runs"));
        let shares = bars.filter_map(|bar| bar.strip_suffix('%')?.rsplit(' ').next());
        shares.collect::<BTreeSet<_>>().len() >= 3
    });
}

/// So slow that there is a bar, and the record so long that it is not read at once.
#[test]
fn the_bar_of_a_replay_tells_how_much_of_the_record_is_read() {
    let scene = Scene::new();
    let record = scene.path("r.jsonl");
    let layer = ["demo", "--rows", "1024", "--k", "256", "--tokens", "8", "--runs", "200"];
    run(&[&layer[..], &["--record", &record]].concat()).text();
    let slow = ("SPANKER_SOFT_FAULTS", "slow=25ms");
    Shown::with(&["replay", &record], &[slow]).until(|text| {
        let bars = text.split('\r').filter(|bar| bar.contains("replaying"));
        let shares = bars.filter_map(|bar| bar.strip_suffix('%')?.rsplit(' ').next());
        shares.collect::<BTreeSet<_>>().len() >= 3
    });
}

#[test]
fn the_verdict_of_a_replay_is_green_or_red() {
    let scene = Scene::new();
    let record = scene.path("r.jsonl");
    let layer = ["demo", "--rows", "64", "--k", "256", "--tokens", "1", "--runs", "1"];
    run(&[&layer[..], &["--record", &record]].concat()).text();
    let shown = on_a_terminal(&["replay", &record], &[]);
    assert!(shown.contains("verdict  \x1b[32mthe same\x1b[0m in every bit"), "{shown:?}");
    let spoilt = scene.file("spoilt.jsonl", spoilt(&record).0.as_bytes());
    let shown = on_a_terminal(&["replay", &spoilt], &[]);
    assert!(shown.contains("\x1b[31mDIFFERENT\x1b[0m"), "{shown:?}");
}

#[test]
fn a_pipe_a_program_and_a_dumb_terminal_get_no_bar() {
    assert!(run(&LONG).text().starts_with("One layer of a language model"));
    let json = on_a_terminal(&[&LONG[..], &["--json"]].concat(), &[]);
    assert!(json.starts_with('{'), "{json}");
    let dumb = on_a_terminal(&LONG, &[("TERM", "dumb")]);
    assert!(dumb.starts_with("One layer of a language model"), "{dumb}");
}
