// SPDX-License-Identifier: Apache-2.0
//! How long spanker-abi takes for all its default targets, beside what the
//! kernel's own check does for one: compile both versions, compare the objects.

use super::{releases, scratch, spanker_abi, HEADER, VERSION};
use crate::repository;
use crate::run::{command, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The field that the newer version has more.
const ADDED: &str = "added_for_the_check";

/// Each is timed so often, and the shortest time counts.
const RUNS: usize = 5;

pub(super) fn measure() -> Result<(), String> {
    let header = fs::read_to_string(repository().join(HEADER)).map_err(|e| e.to_string())?;
    let end = "\n};";
    let begin = header.find("\nstruct spanker_telemetry {").ok_or("no struct spanker_telemetry")?;
    let at = begin + header[begin..].find(end).ok_or("struct spanker_telemetry has no end")?;
    let grown = format!("{}\n\t__u64 {ADDED};{}", &header[..at], &header[at..]);
    let folder = scratch("times")?;
    let records = records()?;
    for (version, text) in [("old", &header), ("new", &grown)] {
        let folder = folder.join(version);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut object = String::from("#include \"header.h\"\n");
        for (number, record) in records.iter().enumerate() {
            object += &format!("{record} object_{number};\n");
        }
        for (name, text) in [("header.h", text), ("object.c", &object)] {
            fs::write(folder.join(name), text).map_err(|e| format!("{name}: {e}"))?;
        }
    }
    let new = folder.join("new/header.h").to_string_lossy().into_owned();
    let snapshot = releases::current()?.to_string_lossy().into_owned();

    let table = shortest(|| expect(&mut spanker_abi(&["table", &new]), &[0], ADDED))?;
    let check = shortest(|| {
        let gate =
            ["check", "--header", &new, "--snapshot", &snapshot, "--version-macros", VERSION];
        expect(&mut spanker_abi(&gate), &[2], ADDED)
    })?;
    let objects = shortest(|| compare_objects(&folder))?;
    println!("spanker-abi table, 8 targets: {} ms", table.as_millis());
    println!("spanker-abi check, 8 targets: {} ms", check.as_millis());
    println!("gcc and abidiff, 1 target: {} ms", objects.as_millis());
    let ratio = objects.as_secs_f64() / check.as_secs_f64();
    println!("gcc and abidiff for 1 target / check for 8: {ratio:.2}");
    Ok(())
}

fn records() -> Result<Vec<String>, String> {
    let table = json(&mut spanker_abi(&["table", HEADER, "-t", "x86_64", "--format", "json"]))?;
    let records = table["targets"]["x86_64"]["records"].as_object();
    let names: Vec<String> = records.map(|it| it.keys().cloned().collect()).unwrap_or_default();
    if names.is_empty() {
        return Err("the table has no records".to_owned());
    }
    Ok(names)
}

fn compare_objects(folder: &Path) -> Result<(), String> {
    for version in ["old", "new"] {
        let mut gcc = command("gcc", &["-g", "-c", "object.c", "-o", "object.o"]);
        expect(gcc.current_dir(folder.join(version)), &[0], "")?;
    }
    // 4 is a change of the ABI, 8 one that is surely incompatible.
    let mut abidiff = command("abidiff", &["old/object.o", "new/object.o"]);
    expect(abidiff.current_dir(folder), &[4, 12], ADDED)
}

/// Runs a command that has to exit so and to say that.
fn expect(command: &mut Command, codes: &[i32], word: &str) -> Result<(), String> {
    let ran = command.stderr(Stdio::piped()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    if ran.status.code().is_some_and(|code| codes.contains(&code)) && said.contains(word) {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&ran.stderr);
    Err(format!("{command:?}: {}, and {word:?} is to be in:\n{said}{log}", ran.status))
}

fn shortest(mut run: impl FnMut() -> Result<(), String>) -> Result<Duration, String> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begin = Instant::now();
        run()?;
        times.push(begin.elapsed());
    }
    times.into_iter().min().ok_or("nothing was timed".to_owned())
}
