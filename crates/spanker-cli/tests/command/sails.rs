// SPDX-License-Identifier: Apache-2.0
//! Which Sail is used, and what is said about it.

use crate::documented::has_documented_fields;
use crate::scene::{command, command_of, json_object, run, Ran, Scene};
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Commands that open a Sail, and need nothing else.
const ASKING: [&str; 3] = ["info", "ping", "version"];

#[test]
fn a_sail_that_is_not_there_has_code_4_and_a_remedy() {
    for subcommand in ASKING {
        for (sail, named) in [("4095", "/dev/spanker4095"), ("/none/sail", "/none/sail")] {
            let ran = run(&[subcommand, "--sail", sail]);
            ran.failed(4, &["cannot open", named, "`spanker list`", "--sail soft"]);
        }
    }
}

#[test]
fn a_file_that_is_no_sail_is_told_apart() {
    let scene = Scene::new();
    let file = scene.file("file", b"");
    run(&["ping", "--sail", &file]).refused(4, &["file is not a Sail", "--sail soft"]);
}

#[test]
fn a_node_without_permission_is_answered_with_the_group() {
    let scene = Scene::new();
    let node = scene.file("node", b"");
    fs::set_permissions(&node, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may open anything: another user runs a copy that it can reach.
    let program = scene.path("spanker");
    // Not copied here: a program cannot be run while anyone, such as another test
    // that is about to run something, has it open for writing.
    let copied = Command::new("cp").args([env!("CARGO_BIN_EXE_spanker"), &program]).status();
    assert!(copied.unwrap().success());
    let mut command = command_of(Path::new(&program), &["ping", "--sail", &node]);
    if fs::metadata(&node).unwrap().uid() == 0 {
        command.uid(65534);
    }
    let ran = Ran::of(&mut command);
    ran.refused(4, &["Permission denied", "group, `spanker`, and log in again"]);
}

#[test]
fn the_environment_names_the_sail_unless_an_option_does() {
    for subcommand in ASKING {
        let arguments = [subcommand, "--json"];
        let ran = Ran::of(command(&arguments).env("SPANKER_SAIL", "/none/sail"));
        ran.failed(4, &["/none/sail"]);
        let ran = Ran::of(command(&arguments).env("SPANKER_SAIL", "soft"));
        assert_eq!(ran.json()["sail"], "soft");
        let option = [subcommand, "--json", "--sail", "soft"];
        let ran = Ran::of(command(&option).env("SPANKER_SAIL", "/none/sail"));
        assert_eq!(ran.json()["sail"], "soft");
        let ran = Ran::of(command(&arguments).env("SPANKER_SAIL", "sfot"));
        ran.failed(2, &["SPANKER_SAIL", "`sfot` names no Sail", "use `soft`"]);
    }
}

#[test]
fn without_a_driver_the_software_sail_is_listed_and_used() {
    if Path::new("/dev/spankerctl").exists() {
        println!("SKIPPED: there is a driver; to run this, `rmmod spanker`");
        return;
    }
    let text = run(&["list"]).text();
    assert!(text.contains("there is no /dev/spankerctl"), "{text}");
    assert!(text.contains("modprobe spanker"), "{text}");
    assert!(text.contains("soft  software Sail"), "{text}");

    let list = run(&["list", "--json"]).json();
    has_documented_fields(&list, "list");
    assert_eq!(list["driver"]["abi"], Value::Null);
    assert_eq!(list["sails"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["sails"][0]["sail"], "soft");
    assert_eq!(list["sails"][0]["virtual"], true);

    let ran = Ran::of(command(&["ping", "--json"]).env_remove("SPANKER_SAIL"));
    assert_eq!(ran.json()["sail"], "soft");
}

#[test]
fn info_tells_limits_products_and_counters() {
    let info = run(&["info", "--json"]).json();
    has_documented_fields(&info, "info");
    assert_eq!(info["limits"]["k"], 1 << 24);
    assert_eq!(info["pci"], Value::Null);
    let products = info["products"].as_array().unwrap();
    assert!(products.contains(&json!({ "types": "F32 × Q4_K → F32", "bit_exact": true })));
    assert_eq!(info["counters"]["ops"], 0);

    let text = run(&["info"]).text();
    for part in ["rows of weights (n)  16777216", "Q4_K × Q4_K → F32  ", "none: it is virtual"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn ping_tells_how_long_it_took() {
    let ping = run(&["ping", "--json"]).json();
    has_documented_fields(&ping, "ping");
    assert!(ping["median_ns"].as_u64() >= ping["best_ns"].as_u64());
    assert!(ping["median_ns"].as_u64() > Some(0));
    let text = run(&["ping"]).text();
    assert!(text.starts_with("Sail soft, software Sail, answered 100 of 100 pings"), "{text}");
}

#[test]
fn version_tells_all_it_knows_also_without_a_sail() {
    let version = run(&["version", "--json"]).json();
    has_documented_fields(&version, "version");
    assert_eq!(version["command"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["library_abi"], version["device_abi"]);
    assert_eq!(version["compatible"], true);
    let mirror = version["mirror"].as_str();
    assert!(matches!(mirror, Some("bindgen" | "committed")), "{mirror:?}");

    let ran = run(&["version", "--json", "--sail", "4095"]);
    ran.failed(4, &["cannot open"]);
    let without = json_object(&ran.stdout);
    assert_eq!(without["library_abi"], version["library_abi"]);
    assert_eq!(without["device_abi"], Value::Null);
    let ran = run(&["version", "--sail", "4095"]);
    assert!(ran.stdout.contains("ABI of Sail 4095    unknown"), "{ran:?}");
}
