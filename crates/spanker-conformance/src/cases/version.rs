// SPDX-License-Identifier: Apache-2.0
//! PING and GET_VERSION.

use spanker_sys::{
    ioc, spanker_version, IOC_NONE, SPANKER_ABI_VERSION_MAJOR, SPANKER_ABI_VERSION_MINOR,
    SPANKER_IOC_GET_VERSION, SPANKER_IOC_MAGIC, SPANKER_IOC_PING,
};

use crate::case::{cases, Context};
use crate::open::Open;

cases! {
    "version":
    ping_succeeds_on_both_nodes,
    ping_looks_at_no_argument,
    ping_ignores_the_size_in_its_code,
    names_the_version_of_the_header,
    names_the_same_version_on_both_nodes,
}

/// "PING does nothing, successfully, wherever the node is a Sail's."
fn ping_succeeds_on_both_nodes(context: &Context) {
    for open in [context.card(), context.control()] {
        assert_eq!(open.file().request(SPANKER_IOC_PING, 0), Ok(()));
    }
}

/// "PING does nothing": its argument is no pointer.
fn ping_looks_at_no_argument(context: &Context) {
    for open in [context.card(), context.control()] {
        for argument in [1, 0xffff_8000_0000_0000, u64::MAX] {
            assert_eq!(open.file().request(SPANKER_IOC_PING, argument), Ok(()));
        }
    }
}

/// "The size in a request that carries no data (_IO) is ignored."
fn ping_ignores_the_size_in_its_code(context: &Context) {
    for open in [context.card(), context.control()] {
        for size in [1, 8, 4096, 0x1fff] {
            let code = ioc(IOC_NONE, SPANKER_IOC_MAGIC, 0x01, size);
            assert_eq!(open.file().request(code, 0), Ok(()), "size {size}");
        }
    }
}

/// "GET_VERSION tells the version of the ABI that the device implements."
/// "reserved is 0."
fn names_the_version_of_the_header(context: &Context) {
    let version = version(&context.card());
    assert_eq!(u32::from(version.major), SPANKER_ABI_VERSION_MAJOR);
    assert_eq!(u32::from(version.minor), SPANKER_ABI_VERSION_MINOR);
    assert_eq!(version.reserved, 0);
}

/// Both nodes are of one device.
fn names_the_same_version_on_both_nodes(context: &Context) {
    assert_eq!(version(&context.card()), version(&context.control()));
}

#[track_caller]
fn version(open: &Open) -> spanker_version {
    let ones = spanker_version { major: !0, minor: !0, patch: !0, reserved: !0 };
    let answer = open.request(SPANKER_IOC_GET_VERSION, &ones);
    assert_eq!(answer.result, Ok(()));
    answer.after
}
