// SPDX-License-Identifier: Apache-2.0
//! What `--json` prints, held against what is written about it.

use crate::scene::run;
use serde_json::Value;
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../../docs/command-json.md");

/// The fields of `object` are those that the help of `subcommand` names and, down
/// to the last one and with their types, those of the page.
#[track_caller]
pub(crate) fn has_documented_fields(object: &Value, subcommand: &str) {
    let mut found: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    found.sort();
    assert_eq!(found, fields_in_help(subcommand));

    let documented = fields_on_page(subcommand);
    let mut seen: Vec<&str> = Vec::new();
    for (path, kind) in leaves(object) {
        let Some((path, kinds)) = documented.get_key_value(path.as_str()) else {
            panic!("{subcommand}: {path} is not on the page");
        };
        let fits = kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number");
        assert!(fits, "{subcommand}: {path} is {kind}, documented is {kinds:?}");
        seen.push(path);
    }
    for path in documented.keys() {
        assert!(seen.contains(path), "{subcommand}: {path} is on the page only");
    }
}

/// The names after `Fields of --json: `, sorted, without what is in brackets.
fn fields_in_help(subcommand: &str) -> Vec<String> {
    let help = run(&[subcommand, "--help"]).text();
    let (_, fields) = help.split_once("Fields of --json: ").unwrap();
    let mut names = vec![String::new()];
    let mut depth = 0;
    for char in fields.chars() {
        match char {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            '.' if depth == 0 => break,
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 && !char.is_whitespace() => names.last_mut().unwrap().push(char),
            _ => {}
        }
    }
    names.sort();
    names
}

/// Paths and types in the table below the heading of `subcommand`.
fn fields_on_page(subcommand: &str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {subcommand}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let path = cells.next().unwrap().trim_matches('`');
        (path, cells.next().unwrap().split(" or ").collect())
    })
    .collect()
}

/// What is neither an object nor an array: its path, and its type.
fn leaves(value: &Value) -> Vec<(String, &'static str)> {
    let kind = match value {
        Value::Object(fields) => {
            let below = fields.iter().flat_map(|(name, value)| {
                leaves(value).into_iter().map(move |(path, kind)| match path.as_str() {
                    "" => (name.clone(), kind),
                    path if path.starts_with('[') => (format!("{name}{path}"), kind),
                    path => (format!("{name}.{path}"), kind),
                })
            });
            return below.collect();
        }
        Value::Array(values) => {
            let below = values.iter().flat_map(leaves).map(|(path, kind)| match path.as_str() {
                "" => ("[]".to_owned(), kind),
                path => (format!("[].{path}"), kind),
            });
            return below.collect();
        }
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
    };
    vec![(String::new(), kind)]
}

#[test]
fn every_command_with_json_is_on_the_page() {
    let help = run(&["--help"]).text();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let mut count = 0;
    for name in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        let help = run(&[name, "--help"]);
        if help.stdout.contains("Fields of --json: ") {
            assert!(!fields_on_page(name).is_empty(), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, PAGE.matches("\n## ").count());
}
