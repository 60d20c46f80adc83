// SPDX-License-Identifier: Apache-2.0
//! Request codes against the numbers of the specification, put together here
//! and not by a macro of the header.

use spanker_sys::*;

/// Every request: code, direction (read, write), number, size in bytes.
const REQUESTS: [(u32, bool, bool, u32, usize); 7] = [
    (SPANKER_IOC_PING, false, false, 0x01, 0),
    (SPANKER_IOC_GET_VERSION, true, false, 0x02, 8),
    (SPANKER_IOC_QUERY, true, true, 0x10, 16),
    (SPANKER_IOC_BUF_CREATE, true, true, 0x20, 24),
    (SPANKER_IOC_BUF_DESTROY, false, true, 0x21, 8),
    (SPANKER_IOC_WORK_SUBMIT, true, true, 0x30, 32),
    (SPANKER_IOC_WAIT, true, true, 0x31, 32),
];

#[test]
fn codes_are_those_of_the_specification() {
    for (code, read, write, nr, size) in REQUESTS {
        let mut dir = if read { IOC_READ } else { 0 } | if write { IOC_WRITE } else { 0 };
        if dir == 0 {
            dir = IOC_NONE;
        }
        assert_eq!(code, ioc(dir, 0xE3, nr, size), "request {nr:#x}");
        assert_eq!((ioc_dir(code), ioc_type(code)), (dir, 0xE3), "request {nr:#x}");
        assert_eq!((ioc_nr(code), ioc_size(code)), (nr, size), "request {nr:#x}");
    }
}

/// The two that are in the field today, as numbers.
#[test]
#[cfg(not(any(
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "sparc",
    target_arch = "sparc64"
)))]
fn codes_of_the_first_abi_have_not_moved() {
    assert_eq!(SPANKER_IOC_PING, 0x0000_e301);
    assert_eq!(SPANKER_IOC_GET_VERSION, 0x8008_e302);
}
