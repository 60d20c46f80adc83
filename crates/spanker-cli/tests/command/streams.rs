// SPDX-License-Identifier: Apache-2.0
//! Standard output and error that are closed or full.

use crate::scene::command;
use std::fs::File;
use std::io::Read;
use std::process::Stdio;

const PRINTING: [&[&str]; 6] = [
    &["list"],
    &["list", "--json"],
    &["info"],
    &["--help"],
    &["matmul", "--help"],
    &["demo", "--rows", "64", "--k", "256", "--tokens", "1", "--runs", "1"],
];

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in PRINTING {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        let mut pipe = child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn an_output_that_is_full_is_an_error_that_is_told() {
    for arguments in [&["list"][..], &["list", "--json"], &["ping"]] {
        let output = command(arguments).stdout(full()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(6), "{stderr}");
        assert!(stderr.starts_with("error: cannot write to standard output"), "{stderr}");
    }
}

#[test]
fn the_code_stays_where_the_error_cannot_be_told() {
    let mut command = command(&["ping", "--sail", "4095"]);
    assert_eq!(command.stderr(full()).status().unwrap().code(), Some(4));
}
