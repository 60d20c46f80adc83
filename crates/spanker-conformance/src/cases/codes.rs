// SPDX-License-Identifier: Apache-2.0
//! "A request is recognised by its type (SPANKER_IOC_MAGIC), number and
//! direction."

use nix::errno::Errno;
use spanker_sys::{
    ioc, ioc_dir, ioc_nr, ioc_size, IOC_NONE, IOC_READ, IOC_WRITE, SPANKER_IOC_BUF_CREATE,
    SPANKER_IOC_BUF_DESTROY, SPANKER_IOC_GET_VERSION, SPANKER_IOC_MAGIC, SPANKER_IOC_PING,
    SPANKER_IOC_QUERY, SPANKER_IOC_WAIT, SPANKER_IOC_WORK_SUBMIT,
};

use crate::case::{cases, Context};
use crate::open::Open;
use crate::user_bytes::UserBytes;

cases! {
    "codes":
    refuses_every_other_type,
    refuses_every_unknown_number,
    refuses_every_other_direction,
    the_control_node_refuses_the_requests_of_a_card,
    a_wrong_type_goes_before_a_short_struct,
    a_wrong_number_goes_before_a_short_struct,
    a_wrong_direction_goes_before_a_short_struct,
    a_request_of_the_other_node_goes_before_a_short_struct,
    a_wrong_code_goes_before_an_unreadable_struct,
}

const OF_EVERY_NODE: [u32; 3] = [SPANKER_IOC_PING, SPANKER_IOC_GET_VERSION, SPANKER_IOC_QUERY];

const OF_CARDS: [u32; 4] =
    [SPANKER_IOC_BUF_CREATE, SPANKER_IOC_BUF_DESTROY, SPANKER_IOC_WORK_SUBMIT, SPANKER_IOC_WAIT];

const DIRECTIONS: [u32; 4] = [IOC_NONE, IOC_READ, IOC_WRITE, IOC_READ | IOC_WRITE];

/// "ENOTTY  type [...] is not one of this node's"
fn refuses_every_other_type(context: &Context) {
    for open in [context.card(), context.control()] {
        for kind in (0..256).filter(|&kind| kind != SPANKER_IOC_MAGIC) {
            for code in OF_EVERY_NODE.into_iter().chain(OF_CARDS) {
                refuses(&open, ioc(ioc_dir(code), kind, ioc_nr(code), ioc_size(code)));
            }
        }
    }
}

/// "ENOTTY  [...] number [...] is not one of this node's"
fn refuses_every_unknown_number(context: &Context) {
    let known: Vec<u32> = OF_EVERY_NODE.into_iter().chain(OF_CARDS).map(ioc_nr).collect();
    for open in [context.card(), context.control()] {
        for number in (0..256).filter(|number| !known.contains(number)) {
            for direction in DIRECTIONS {
                refuses(&open, ioc(direction, SPANKER_IOC_MAGIC, number, 32));
            }
        }
    }
}

/// "ENOTTY  [...] direction is not one of this node's"
fn refuses_every_other_direction(context: &Context) {
    for open in [context.card(), context.control()] {
        for code in OF_EVERY_NODE.into_iter().chain(OF_CARDS) {
            for direction in DIRECTIONS.into_iter().filter(|&other| other != ioc_dir(code)) {
                refuses(&open, ioc(direction, SPANKER_IOC_MAGIC, ioc_nr(code), ioc_size(code)));
            }
        }
    }
}

/// The control node "takes PING, GET_VERSION and QUERY".
fn the_control_node_refuses_the_requests_of_a_card(context: &Context) {
    for code in OF_CARDS {
        refuses(&context.control(), code);
    }
}

/// ENOTTY comes before "EINVAL  the size is below the first version".
fn a_wrong_type_goes_before_a_short_struct(context: &Context) {
    for open in [context.card(), context.control()] {
        refuses(&open, ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC ^ 1, 0x10, 4));
    }
}

/// ENOTTY comes before "EINVAL  the size is below the first version".
fn a_wrong_number_goes_before_a_short_struct(context: &Context) {
    for open in [context.card(), context.control()] {
        refuses(&open, ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC, 0x22, 0));
    }
}

/// ENOTTY comes before "EINVAL  the size is below the first version".
fn a_wrong_direction_goes_before_a_short_struct(context: &Context) {
    for open in [context.card(), context.control()] {
        for number in [0x02, 0x10, 0x20, 0x21, 0x30, 0x31] {
            refuses(&open, ioc(IOC_NONE, SPANKER_IOC_MAGIC, number, 0));
        }
    }
}

/// ENOTTY comes before "EINVAL  the size is below the first version".
fn a_request_of_the_other_node_goes_before_a_short_struct(context: &Context) {
    for code in OF_CARDS {
        refuses(&context.control(), ioc(ioc_dir(code), SPANKER_IOC_MAGIC, ioc_nr(code), 4));
    }
}

/// ENOTTY comes before "EFAULT  the struct cannot be read".
fn a_wrong_code_goes_before_an_unreadable_struct(context: &Context) {
    let open = context.card();
    for code in [
        ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC ^ 1, 0x10, 16),
        ioc(IOC_READ | IOC_WRITE, SPANKER_IOC_MAGIC, 0x11, 16),
        ioc(IOC_WRITE, SPANKER_IOC_MAGIC, 0x10, 16),
    ] {
        assert_eq!(open.file().request(code, 8), Err(Errno::ENOTTY), "code {code:#010x}");
    }
    for code in OF_CARDS {
        assert_eq!(context.control().file().request(code, 8), Err(Errno::ENOTTY));
    }
}

#[track_caller]
fn refuses(open: &Open, code: u32) {
    let argument = UserBytes::new(&[0; 64]);
    let result = open.file().request(code, argument.address());
    assert_eq!(result, Err(Errno::ENOTTY), "code {code:#010x}");
    assert_eq!(argument.bytes(), [0; 64], "code {code:#010x} wrote to its argument");
}
