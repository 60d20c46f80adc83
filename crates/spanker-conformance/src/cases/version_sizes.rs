// SPDX-License-Identifier: Apache-2.0
//! The struct of GET_VERSION, the one request that only carries data out.

use nix::errno::Errno;
use spanker_sys::{ioc, IOC_READ, SPANKER_IOC_MAGIC};

use crate::case::{cases, Context};
use crate::open::Open;
use crate::user_bytes::UserBytes;

cases! {
    "struct_of_get_version":
    refused_below_the_first_version,
    its_unknown_tail_is_zeroed,
    is_not_read,
    refused_where_it_cannot_be_written,
    refused_where_its_tail_cannot_be_written,
    too_short_goes_before_unwritable,
}

/// "Less than the first version of the struct [...] is EINVAL."
fn refused_below_the_first_version(context: &Context) {
    for open in [context.card(), context.control()] {
        for size in 0..8 {
            let argument = UserBytes::new(&[0xee; 8]);
            assert_eq!(get_version(&open, argument.address(), size), Err(Errno::EINVAL));
            assert_eq!(argument.bytes(), [0xee; 8]);
        }
    }
}

/// "In a request that only carries data out (_IOR) the device zeroes the unknown
/// tail instead."
fn its_unknown_tail_is_zeroed(context: &Context) {
    for open in [context.card(), context.control()] {
        for size in [9, 16, 200, 0x1fff] {
            let argument = UserBytes::new(&vec![0xee; size]);
            assert_eq!(get_version(&open, argument.address(), size), Ok(()));
            let bytes = argument.bytes();
            assert_ne!(bytes[..8], [0xee; 8], "the version was not written");
            assert!(bytes[8..].iter().all(|&byte| byte == 0), "the tail of {size} bytes");
        }
    }
}

/// A request that only carries data out ignores what was there.
fn is_not_read(context: &Context) {
    let open = context.card();
    let (zeros, ones) = (UserBytes::new(&[0; 24]), UserBytes::new(&[0xff; 24]));
    assert_eq!(get_version(&open, zeros.address(), 24), Ok(()));
    assert_eq!(get_version(&open, ones.address(), 24), Ok(()));
    assert_eq!(zeros.bytes(), ones.bytes());
}

/// "A write that faults turns the answer into EFAULT."
fn refused_where_it_cannot_be_written(context: &Context) {
    for open in [context.card(), context.control()] {
        for address in [0, 8, 0xffff_8000_0000_0000, u64::MAX - 7] {
            assert_eq!(get_version(&open, address, 8), Err(Errno::EFAULT));
        }
        for reachable in 0..8 {
            let cut = UserBytes::unreadable_from(&[0; 8], reachable);
            assert_eq!(get_version(&open, cut.address(), 8), Err(Errno::EFAULT));
        }
        let read_only = UserBytes::read_only(&[0; 8]);
        assert_eq!(get_version(&open, read_only.address(), 8), Err(Errno::EFAULT));
    }
}

/// The tail is written as well: "A write that faults turns the answer into
/// EFAULT."
fn refused_where_its_tail_cannot_be_written(context: &Context) {
    let open = context.card();
    for writable in 8..16 {
        let argument = UserBytes::read_only_from(&[0xee; 16], writable);
        assert_eq!(get_version(&open, argument.address(), 16), Err(Errno::EFAULT));
    }
}

/// EINVAL, of the size, comes before EFAULT.
fn too_short_goes_before_unwritable(context: &Context) {
    for open in [context.card(), context.control()] {
        assert_eq!(get_version(&open, 8, 7), Err(Errno::EINVAL));
    }
}

fn get_version(open: &Open, address: u64, size: usize) -> Result<(), Errno> {
    open.file().request(ioc(IOC_READ, SPANKER_IOC_MAGIC, 0x02, size), address)
}
