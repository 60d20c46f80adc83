// SPDX-License-Identifier: Apache-2.0
//! The module comes and goes.

use crate::driver;
use spanker::{AbiVersion, SpankerControl};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

pub(super) fn nodes() {
    driver::insert("").unwrap();
    let metadata = fs::metadata("/dev/spankerctl").unwrap();
    assert!(metadata.file_type().is_char_device());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
    let control = SpankerControl::open().unwrap();
    control.ping().unwrap();
    assert_eq!(control.version(), AbiVersion::LIBRARY);
    drop(control);
    driver::remove().unwrap();
    assert!(!driver::is_inserted());
}
