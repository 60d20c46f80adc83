// SPDX-License-Identifier: Apache-2.0
//! The Rust that the libraries' dependencies declare, as Cargo.lock has them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Fails if a dependency of these packages, at any depth and of any kind,
/// declares a newer Rust than they do.
pub(super) fn check(metadata: &Value, libraries: &[&str]) -> Result<(), String> {
    let tree = Tree::new(metadata);
    let mut floors = BTreeSet::new();
    for library in libraries {
        let (_, package) = tree.package(library)?;
        floors.insert(declared(package).ok_or(format!("{library} declares no rust-version"))?);
    }
    let [floor] = floors.iter().copied().collect::<Vec<_>>()[..] else {
        return Err(format!("the library crates declare more than one rust-version: {floors:?}"));
    };
    let mut offenders = Vec::new();
    let mut silent = Vec::new();
    let ways = tree.ways(libraries)?;
    for (id, way) in &ways {
        let package = tree.packages[id];
        match declared(package) {
            None => silent.push(package["name"].as_str().unwrap_or("").to_owned()),
            Some(version) if version > floor => offenders.push(format!(
                "{way} {} declares Rust {}",
                package["version"].as_str().unwrap_or(""),
                package["rust_version"].as_str().unwrap_or(""),
            )),
            Some(_) => {}
        }
    }
    println!(
        "{} packages in the libraries' dependencies; without a declared Rust: {}",
        ways.len(),
        if silent.is_empty() { "none".to_owned() } else { silent.join(", ") }
    );
    if offenders.is_empty() {
        return Ok(());
    }
    let (major, minor, _) = floor;
    Err(format!(
        "these declare a newer Rust than the library crates' {major}.{minor}:\n  {}\nlimit the \
         dependency in Cargo.toml to the last version that declares no more, and `cargo update` it \
         (which falls back to such versions by itself where Cargo.toml allows them), or do without",
        offenders.join("\n  ")
    ))
}

/// What `cargo metadata` tells, by the packages' ids.
struct Tree<'a> {
    packages: BTreeMap<&'a str, &'a Value>,
    dependencies: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Tree<'a> {
    fn new(metadata: &'a Value) -> Self {
        let by_id = |value: &'a Value| Some((value["id"].as_str()?, value));
        let packages = items(&metadata["packages"]).iter().filter_map(by_id).collect();
        let nodes = items(&metadata["resolve"]["nodes"]).iter().filter_map(by_id);
        let dependencies = nodes.map(|(id, node)| {
            let ids = items(&node["deps"]).iter().filter_map(|on| on["pkg"].as_str());
            (id, ids.collect())
        });
        Self { packages, dependencies: dependencies.collect() }
    }

    fn package(&self, name: &str) -> Result<(&'a str, &'a Value), String> {
        let mut packages = self.packages.iter();
        let found = packages.find(|(_, package)| package["name"] == name);
        found.map(|(id, package)| (*id, *package)).ok_or(format!("cargo knows no package {name}"))
    }

    /// Everything these packages depend on, themselves among it, and by which
    /// way: `spanker → nix → libc`.
    fn ways(&self, from: &[&str]) -> Result<BTreeMap<&'a str, String>, String> {
        let mut ways = BTreeMap::new();
        let mut next = Vec::new();
        for name in from {
            let (id, _) = self.package(name)?;
            ways.insert(id, (*name).to_owned());
            next.push(id);
        }
        while let Some(id) = next.pop() {
            for on in self.dependencies.get(id).into_iter().flatten() {
                if !ways.contains_key(on) {
                    let name = self.packages.get(on).and_then(|package| package["name"].as_str());
                    let way = format!("{} → {}", ways[id], name.ok_or("a package without name")?);
                    ways.insert(on, way);
                    next.push(on);
                }
            }
        }
        Ok(ways)
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The Rust a package declares.
fn declared(package: &Value) -> Option<(u32, u32, u32)> {
    let mut parts = package["rust_version"].as_str()?.split('.').map(str::parse);
    let mut part = || parts.next().map_or(Some(0), Result::ok);
    Some((part()?, part()?, part()?))
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::{json, Value};

    /// `app → library → deep`, with what each declares.
    fn metadata(app: Value, library: Value, deep: Value) -> Value {
        let package = |name: &str, rust: Value| json!({ "id": name, "name": name, "version": "1.2.3", "rust_version": rust });
        let node = |name: &str, on: &[&str]| {
            let deps: Vec<Value> = on.iter().map(|on| json!({ "pkg": on })).collect();
            json!({ "id": name, "deps": deps })
        };
        json!({
            "packages": [package("app", app), package("library", library), package("deep", deep)],
            "resolve": { "nodes": [
                node("app", &["library"]),
                node("library", &["deep"]),
                node("deep", &[]),
            ] },
        })
    }

    #[test]
    fn a_dependency_that_declares_a_newer_rust_is_named_with_the_way_to_it() {
        let metadata = metadata(json!("1.90"), json!("1.75"), json!("1.75.1"));
        let message = check(&metadata, &["library"]).unwrap_err();
        assert!(message.contains("library → deep 1.2.3 declares Rust 1.75.1"), "{message}");
        assert!(!message.contains("app"), "{message}");
    }

    #[test]
    fn the_same_an_older_and_no_rust_at_all_are_accepted() {
        for deep in [json!("1.75"), json!("1.75.0"), json!("1.9"), Value::Null] {
            check(&metadata(json!("1.90"), json!("1.75"), deep), &["library"]).unwrap();
        }
    }

    #[test]
    fn libraries_that_declare_different_rusts_or_none_are_refused() {
        let two = metadata(json!("1.80"), json!("1.75"), json!("1.60"));
        assert!(check(&two, &["app", "library"]).unwrap_err().contains("more than one"));
        let none = metadata(json!("1.75"), Value::Null, json!("1.60"));
        assert!(check(&none, &["library"]).unwrap_err().contains("declares no rust-version"));
    }
}
