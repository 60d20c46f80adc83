// SPDX-License-Identifier: Apache-2.0
//! A software Sail whose environment makes no sense. It has a process of its
//! own, since the environment is that of a process.

use spanker::{Error, Sail};

#[test]
fn a_plan_of_faults_that_makes_no_sense_is_told_and_not_ignored() {
    std::env::set_var("SPANKER_SOFT_FAULTS", "WAIT#0=EIO");
    let error = Sail::software().unwrap_err();
    assert!(matches!(error, Error::Software { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("SPANKER_SOFT_FAULTS") && text.contains("WAIT#0=EIO"), "{text}");

    std::env::set_var("SPANKER_SOFT_FAULTS", "PING#1=EIO");
    let sail = Sail::software().unwrap();
    assert!(sail.ping().is_err());
    sail.ping().unwrap();
}
