// SPDX-License-Identifier: Apache-2.0

use super::{Error, Scheme, Version};
use crate::model::{Abi, Constant, Facts, Type, Value};

fn facts(macros: &[(&str, Value)]) -> Facts {
    let constant =
        |value: &Value| Constant { value: value.clone(), ty: Type("s32".to_owned()), of: None };
    let constants = macros.iter().map(|(name, value)| ((*name).to_owned(), constant(value)));
    Facts { constants: constants.collect(), ..Facts::default() }
}

fn abi(targets: &[(&str, Facts)]) -> Abi {
    let targets = targets.iter().map(|(name, facts)| ((*name).to_owned(), facts.clone()));
    Abi { header: "x.h".to_owned(), targets: targets.collect() }
}

fn version(scheme: &str, macros: &[(&str, Value)]) -> Result<Version, Error> {
    let scheme: Scheme = scheme.parse()?;
    scheme.version(&abi(&[("arm", facts(macros)), ("x86_64", facts(macros))]))
}

fn numbered(major: u64, minor: u64, patch: u64) -> Result<Version, Error> {
    Ok(Version::Numbered { major, minor, patch })
}

#[test]
fn a_version_is_found_in_the_ways_that_headers_say_it() {
    let is = |value| Value::Integer(value);
    let text = |text: &str| Value::Text(text.to_owned());
    let parts = [("X_VERSION_MAJOR", is(1)), ("X_VERSION_MINOR", is(2))];
    assert_eq!(version("X_VERSION", &parts), numbered(1, 2, 0));
    assert_eq!(version("X_VERSION_", &parts), numbered(1, 2, 0));
    assert_eq!(version("X", &parts), numbered(1, 2, 0));
    for patch in ["X_VERSION_PATCH", "X_VERSION_PATCHLEVEL", "X_VERSION_SUBLEVEL"] {
        let parts = [parts[0].clone(), parts[1].clone(), (patch, is(3))];
        assert_eq!(version("X_VERSION", &parts), numbered(1, 2, 3));
    }
    let kernel = [("X_KERNEL_VERSION", is(7)), ("X_KERNEL_MINOR_VERSION", is(38))];
    assert_eq!(version("X_KERNEL", &kernel), numbered(7, 38, 0));
    assert_eq!(version("X_KERNEL_VERSION", &kernel), numbered(7, 38, 0));
    assert_eq!(version("X", &[("X", is(12))]), Ok(Version::Counter(12)));
    assert_eq!(version("X:kernel", &[("X", is(0x01_0203))]), numbered(1, 2, 3));
    assert_eq!(version("X:halves", &[("X", is(0x0001_0203))]), numbered(1, 0x203, 0));
    assert_eq!(version("X", &[("X", text("1.2"))]), numbered(1, 2, 0));
    assert_eq!(version("X", &[("X", text("1.2.3"))]), numbered(1, 2, 3));
}

#[test]
fn what_is_no_version_is_an_error() {
    let is = |value| Value::Integer(value);
    let text = |text: &str| Value::Text(text.to_owned());
    for word in ["", "1", "1.", "1.2.3.4", "1.x", "+1.2", "v1.2"] {
        let error = version("X", &[("X", text(word))]).unwrap_err();
        assert!(matches!(error, Error::NoVersion { .. }), "{word}: {error}");
    }
    let negative = [("X_MAJOR", is(1)), ("X_MINOR", is(-1))];
    assert!(matches!(version("X", &negative), Err(Error::NoVersion { .. })));
    let float = [("X", Value::Float("1.5".to_owned()))];
    assert!(matches!(version("X", &float), Err(Error::NoVersion { .. })));
    assert!(matches!(version("X", &[("X_MAJOR", is(1))]), Err(Error::Missing { .. })));
    assert!(matches!(version("X:semver", &[("X", is(1))]), Err(Error::Encoding(_))));
    for prefix in ["a b", "", "_", ":kernel"] {
        assert!(matches!(version(prefix, &[]), Err(Error::Prefix(_))), "{prefix}");
    }
    let scheme: Scheme = "X".parse().unwrap();
    assert!(matches!(scheme.version(&abi(&[])), Err(Error::NoTarget { .. })));
}

#[test]
fn a_version_is_the_same_on_all_targets() {
    let of = |value| facts(&[("X", Value::Integer(value))]);
    let scheme: Scheme = "X".parse().unwrap();
    let error = scheme.version(&abi(&[("arm", of(1)), ("x86_64", of(2))])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.h has version 1 on arm and 2 on x86_64; it has to be the same on all"
    );
}

#[test]
fn one_large_number_is_read_only_as_it_is_said_to_be() {
    let of = |value| [("X", Value::Integer(value))];
    assert_eq!(version("X", &of(0xffff)), Ok(Version::Counter(0xffff)));
    let error = version("X", &of(0x1_0203)).unwrap_err();
    for word in ["X:kernel", "X:halves", "X:counter", "0x10203"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(version("X:counter", &of(0x1_0203)), Ok(Version::Counter(0x1_0203)));
}

#[test]
fn both_sides_say_the_version_by_the_same_macros() {
    let is = |name, value| (name, Value::Integer(value));
    let of = |macros: &[(&str, Value)]| abi(&[("arm", facts(macros))]);
    let scheme: Scheme = "V".parse().unwrap();
    let one = of(&[("V", Value::Text("1.2.0".to_owned()))]);
    let parts = of(&[("V", Value::Text("1.2.0".to_owned())), is("V_MAJOR", 9), is("V_MINOR", 1)]);
    let patch = of(&[is("V_MAJOR", 9), is("V_MINOR", 1), is("V_PATCH", 3)]);
    for (old, new) in [(&one, &parts), (&parts, &one)] {
        let error = crate::check::versions(old, new, &scheme).unwrap_err().to_string();
        assert!(error.contains("by V, ") && error.contains("by V_MAJOR and V_MINOR,"), "{error}");
    }
    assert!(crate::check::versions(&parts, &patch, &scheme).is_ok());
    assert!(crate::check::versions(&patch, &parts, &scheme).is_ok());
}
