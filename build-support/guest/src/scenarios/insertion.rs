// SPDX-License-Identifier: Apache-2.0
//! The module comes and goes.

use crate::children::Part;
use crate::driver;
use crate::work::expect_working;
use nix::errno::Errno;
use spanker::{AbiVersion, Error, Sail, SpankerControl};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

pub(super) fn nodes() {
    driver::insert("cards=16M").unwrap();
    for node in ["/dev/spankerctl", "/dev/spanker0"] {
        let metadata = fs::metadata(node).unwrap();
        assert!(metadata.file_type().is_char_device(), "{node}");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o660, "{node}");
    }
    let control = SpankerControl::open().unwrap();
    control.ping().unwrap();
    assert_eq!(control.version(), AbiVersion::LIBRARY);
    drop(control);
    driver::remove().unwrap();
    assert!(!driver::is_inserted());
    assert!(fs::metadata("/dev/spankerctl").is_err());
}

pub(super) fn cards() {
    driver::insert("cards=16M,32M").unwrap();
    let control = SpankerControl::open().unwrap();
    assert_eq!(control.sails().unwrap(), [0, 1]);
    assert_eq!(Sail::open(1).unwrap().info().memory_bytes, 32 << 20);

    driver::new_device("mem_size=24M index=7 max_ops=9").unwrap();
    driver::new_device("mem_size=24M").unwrap();
    assert_eq!(control.sails().unwrap(), [0, 1, 2, 7]);
    let info = Sail::open(7).unwrap().info().clone();
    assert_eq!((info.index, info.memory_bytes, info.max_ops), (7, 24 << 20, 9));
    expect_working(7);
    for (words, errno) in [
        ("mem_size=24M index=7", Errno::EEXIST),
        ("mem_size=24M colour=1", Errno::EINVAL),
        ("mem_size=0", Errno::EINVAL),
        ("\n", Errno::EINVAL),
    ] {
        let refused = driver::new_device(words).map_err(|e| e.raw_os_error());
        assert_eq!(refused, Err(Some(errno as i32)), "`{words}`");
    }
    driver::del_device(1).unwrap();
    let refused = driver::del_device(1).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(Errno::ENOENT as i32));
    assert_eq!(control.sails().unwrap(), [0, 2, 7]);
    assert!(matches!(Sail::open(1), Err(Error::Open { .. })));
    drop(control);
    driver::remove().unwrap();

    driver::insert("cards=").unwrap();
    assert!(SpankerControl::open().unwrap().sails().unwrap().is_empty());
    driver::remove().unwrap();
}

pub(super) fn another_version() {
    driver::insert_from("/another-version.ko", "cards=16M").unwrap();
    let refused = SpankerControl::open().unwrap_err();
    let Error::IncompatibleAbi { device, library, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(device.major, AbiVersion::LIBRARY.major + 1);
    assert_eq!(*library, AbiVersion::LIBRARY);
    for text in [refused.to_string(), Sail::open(0).unwrap_err().to_string()] {
        for version in [device, library] {
            assert!(text.contains(&version.to_string()), "no {version} in: {text}");
        }
    }
    driver::remove().unwrap();
}

pub(super) fn in_use() {
    let refuses = |why: &str| {
        let refused = driver::remove().unwrap_err();
        assert!(matches!(refused, Errno::EWOULDBLOCK | Errno::EBUSY), "{why}: {refused}");
    };
    driver::insert("cards=16M,16M").unwrap();
    let control = SpankerControl::open().unwrap();
    refuses("the control node is open");
    drop(control);
    let sail = Sail::open(1).unwrap();
    refuses("a card is open");
    let matrix = sail.matrix::<spanker::F32>(4, 256).unwrap();
    driver::del_device(1).unwrap();
    drop(sail);
    refuses("a mapping of a card that is gone is there");
    assert!(matrix.view().unwrap().bytes().iter().all(|byte| *byte == 0));
    drop(matrix);
    // Two cards of before, one of now, and nobody who has one open.
    driver::new_device("mem_size=16M").unwrap();
    expect_working(0);
    driver::remove().unwrap();

    driver::insert("cards=64M").unwrap();
    let part = Part::start(&["fill", "0"]);
    refuses("a process has work in flight");
    part.kill();
    driver::remove().unwrap();
}
