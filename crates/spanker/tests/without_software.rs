// SPDX-License-Identifier: Apache-2.0
//! A build that leaves the software Sail out.

#![cfg(not(feature = "soft"))]

use spanker::{Error, Sail, SailName};

#[test]
fn the_software_sail_is_told_to_be_missing() {
    let error = Sail::open_named(&SailName::Software).unwrap_err();
    assert!(matches!(error, Error::NoSoftware), "{error:?}");
    assert!(error.to_string().contains("enable the feature `soft`"), "{error}");
}
