// SPDX-License-Identifier: Apache-2.0
//! What a terminal gets that a pipe does not: colours, and a bar.

use crate::scene::{command, run};
use std::process::{Command, Stdio};

/// Long enough for a bar on any machine.
const LONG: [&str; 9] =
    ["demo", "--rows", "1024", "--k", "1024", "--tokens", "4", "--runs", "20000"];

/// What a terminal gets of a run, from both streams.
fn on_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let quoted = |word: &str| format!("'{word}'");
    let plain = command(arguments);
    let mut line = quoted(plain.get_program().to_str().unwrap());
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
    script.env("TERM", "xterm-256color").envs(variables.iter().copied());
    let output = script.output().expect("`script` of util-linux runs");
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
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

#[test]
fn a_bar_appears_on_a_terminal_and_is_gone_before_the_report() {
    let shown = on_a_terminal(&LONG, &[]);
    let (bar, report) = shown.split_once("One layer of a language model").unwrap();
    assert!(bar.contains("timed runs") && bar.contains('%'), "{bar:?}");
    assert!(bar.ends_with("\x1b[2K"), "{bar:?}");
    assert!(!report.contains("timed runs"), "{report:?}");
}

#[test]
fn a_pipe_a_program_and_a_dumb_terminal_get_no_bar() {
    assert!(run(&LONG).text().starts_with("One layer of a language model"));
    let json = on_a_terminal(&[&LONG[..], &["--json"]].concat(), &[]);
    assert!(json.starts_with('{'), "{json}");
    let dumb = on_a_terminal(&LONG, &[("TERM", "dumb")]);
    assert!(dumb.starts_with("One layer of a language model"), "{dumb}");
}
