// SPDX-License-Identifier: Apache-2.0
//! "Pointers are __u64, at any alignment; one that does not fit the caller's
//! address space is EFAULT."

use nix::errno::Errno;
use spanker_sys::{
    ioc, spanker_query, IOC_READ, SPANKER_IOC_MAGIC, SPANKER_IOC_QUERY, SPANKER_IOC_WORK_SUBMIT,
    SPANKER_NO_OP, SPANKER_QUERY_DEVICE,
};

use crate::case::{cases, Context};
use crate::open::batch;
use crate::ops::valid_copy;
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "addresses":
    of_an_answer_may_be_odd,
    of_a_version_may_be_odd,
    of_an_answer_beyond_the_callers_space_are_refused,
    of_ops_beyond_the_callers_space_are_refused,
    of_ops_that_come_round_are_refused,
}

/// What makes a good address one that no caller has: the highest bit, and in a
/// program of 32 bits each that does not fit it.
const BEYOND: &[u64] =
    if cfg!(target_pointer_width = "32") { &[1 << 32, 1 << 40, 1 << 63] } else { &[1 << 63] };

/// "at any alignment"
fn of_an_answer_may_be_odd(context: &Context) {
    let open = context.card();
    let expected = encode(&open.device_info());
    let room = UserBytes::odd(&[0; 128]);
    let query = spanker_query { type_: SPANKER_QUERY_DEVICE, size: 128, ptr: room.address() };
    assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Ok(()));
    assert_eq!(room.bytes(), expected);
}

/// "at any alignment"
fn of_a_version_may_be_odd(context: &Context) {
    for open in [context.card(), context.control()] {
        let versions = [UserBytes::new(&[0; 8]), UserBytes::odd(&[0; 8])].map(|room| {
            let code = ioc(IOC_READ, SPANKER_IOC_MAGIC, 0x02, 8);
            assert_eq!(open.file().request(code, room.address()), Ok(()));
            room.bytes()
        });
        assert_eq!(versions[0], versions[1]);
    }
}

/// An address of which only the lower half is good is not taken for that.
fn of_an_answer_beyond_the_callers_space_are_refused(context: &Context) {
    let open = context.card();
    let room = UserBytes::new(&[0xee; 128]);
    for bit in BEYOND {
        let ptr = room.address() | bit;
        let query = spanker_query { type_: SPANKER_QUERY_DEVICE, size: 128, ptr };
        assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Err(Errno::EFAULT), "{ptr:#x}");
        assert_eq!(room.bytes(), [0xee; 128]);
    }
}

/// An address of which only the lower half is good is not taken for that.
fn of_ops_beyond_the_callers_space_are_refused(context: &Context) {
    let open = context.card();
    let array = UserBytes::new(&encode(&valid_copy(&open).op));
    for bit in BEYOND {
        let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(array.address() | bit, 1));
        assert_eq!((answer.result, answer.after.bad_op), (Err(Errno::EFAULT), SPANKER_NO_OP));
    }
    assert_eq!(open.context_info().submitted, 0);
}

/// An array that goes on at address 0 is not one.
fn of_ops_that_come_round_are_refused(context: &Context) {
    let open = context.card();
    let last = if cfg!(target_pointer_width = "32") { u64::from(u32::MAX) } else { u64::MAX };
    for ops in [u64::MAX, u64::MAX - 95, u64::MAX - 96, last, last - 95, last - 96] {
        for count in [1, 2] {
            let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(ops, count));
            assert_eq!(answer.result, Err(Errno::EFAULT), "{count} ops at {ops:#x}");
        }
    }
    assert_eq!(open.context_info().submitted, 0);
}
