// SPDX-License-Identifier: Apache-2.0
//! Callers older and newer than the device, and structs that cannot be reached:
//! the checks that all requests share, on each of those that carry data in.

use nix::errno::Errno;

use super::requests::{Ready, Request};
use crate::case::{Case, Context};
use crate::user_bytes::UserBytes;

/// A size that every host's request codes can say.
const LARGE: usize = 0x1fff;

/// Gives every check to every request.
macro_rules! for_every_request {
    ($($check:ident),* $(,)?) => {
        pub(super) const CASES: &[Case] = &[$(
            Case::new("struct_of_query", stringify!($check), |context| {
                $check(context, Request::Query)
            }),
            Case::new("struct_of_buf_create", stringify!($check), |context| {
                $check(context, Request::BufCreate)
            }),
            Case::new("struct_of_buf_destroy", stringify!($check), |context| {
                $check(context, Request::BufDestroy)
            }),
            Case::new("struct_of_work_submit", stringify!($check), |context| {
                $check(context, Request::WorkSubmit)
            }),
            Case::new("struct_of_wait", stringify!($check), |context| {
                $check(context, Request::Wait)
            }),
        )*];
    };
}

for_every_request! {
    refused_below_the_first_version,
    taken_with_exactly_the_first_version,
    taken_with_a_zero_tail,
    taken_at_an_odd_address,
    refused_with_a_tail_that_is_not_zero,
    refused_where_it_cannot_be_read,
    refused_where_its_tail_cannot_be_read,
    too_short_goes_before_unreadable,
    unreadable_goes_before_a_tail_that_is_not_zero,
    unreadable_in_its_tail_goes_before_a_tail_that_is_not_zero,
    with_a_tail_that_is_not_zero_goes_before_its_own_mistakes,
    not_written_beyond_the_first_version,
    refused_where_it_cannot_be_written,
    refused_unwritable_with_a_tail_that_is_not_zero,
    too_short_is_not_written,
}

/// "Less than the first version of the struct [...] is EINVAL."
fn refused_below_the_first_version(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    for size in 0..request.first_version() {
        ready.refuses_unread(&UserBytes::new(&ready.bytes), size, Errno::EINVAL);
    }
}

/// "the size that this file gives beside it"
fn taken_with_exactly_the_first_version(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    ready.accepts(&UserBytes::new(&ready.bytes), request.first_version());
}

/// "A caller newer than the device sends more: the tail the device does not
/// know must be zero".
fn taken_with_a_zero_tail(context: &Context, request: Request) {
    for tail in [1, 4, 8, 200, LARGE - request.first_version()] {
        let ready = Ready::new(context, request);
        let argument = UserBytes::new(&ready.with_tail(&vec![0; tail]));
        ready.accepts(&argument, request.first_version() + tail);
    }
}

/// No alignment is asked of a struct.
fn taken_at_an_odd_address(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    ready.accepts(&UserBytes::odd(&ready.bytes), request.first_version());
}

/// "E2BIG   the unknown tail is not zero (_IOW, _IOWR)"
fn refused_with_a_tail_that_is_not_zero(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    for len in [1, 8, 200, LARGE - request.first_version()] {
        for at in [0, len / 2, len - 1] {
            let mut tail = vec![0; len];
            tail[at] = 1;
            let argument = UserBytes::new(&ready.with_tail(&tail));
            ready.refuses_read(&argument, request.first_version() + len, Errno::E2BIG);
        }
    }
}

/// "EFAULT  the struct cannot be read (_IOW, _IOWR)"; "Pointers are __u64; one
/// that does not fit the caller's address space is EFAULT."
fn refused_where_it_cannot_be_read(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let size = request.first_version();
    for address in [0, 8, 0xffff_8000_0000_0000, u64::MAX - 7, u64::MAX] {
        ready.refuses(address, size, Errno::EFAULT);
    }
    for readable in 0..size {
        let argument = UserBytes::unreadable_from(&ready.bytes, readable);
        ready.refuses_unread(&argument, size, Errno::EFAULT);
    }
}

/// "EFAULT  the struct cannot be read": the caller's, which is longer.
fn refused_where_its_tail_cannot_be_read(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    for readable in 0..16 {
        let first = request.first_version();
        let argument = UserBytes::unreadable_from(&ready.with_tail(&[0; 16]), first + readable);
        ready.refuses_unread(&argument, first + 16, Errno::EFAULT);
    }
}

/// EINVAL, of the size, comes before EFAULT.
fn too_short_goes_before_unreadable(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    ready.refuses(8, request.first_version() - 1, Errno::EINVAL);
}

/// EFAULT comes before E2BIG.
fn unreadable_goes_before_a_tail_that_is_not_zero(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let first = request.first_version();
    let argument = UserBytes::readable_from(&ready.with_tail(&[1; 16]), first);
    ready.refuses(argument.address(), first + 16, Errno::EFAULT);
}

/// EFAULT comes before E2BIG, and the struct is the caller's, whole.
fn unreadable_in_its_tail_goes_before_a_tail_that_is_not_zero(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let first = request.first_version();
    for len in [16, 1000, LARGE - first] {
        for readable in [8, len / 2, len - 1] {
            let argument =
                UserBytes::unreadable_from(&ready.with_tail(&vec![1; len]), first + readable);
            ready.refuses_unread(&argument, first + len, Errno::EFAULT);
        }
    }
}

/// E2BIG comes before "what the request itself says".
fn with_a_tail_that_is_not_zero_goes_before_its_own_mistakes(context: &Context, request: Request) {
    let mut ready = Ready::new(context, request);
    let first = request.first_version();
    ready.spoil();
    ready.refuses_read(&UserBytes::new(&ready.with_tail(&[1])), first + 1, Errno::E2BIG);
    ready.refuses_read(&UserBytes::new(&ready.with_tail(&[0])), first + 1, Errno::EINVAL);
}

/// "A device never writes beyond the first version of the struct".
fn not_written_beyond_the_first_version(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let first = request.first_version();
    let argument = UserBytes::read_only_from(&ready.with_tail(&[0; 16]), first);
    ready.accepts(&argument, first + 16);
}

/// "Results are written before anything is queued or created, so that EFAULT
/// means: nothing was." BUF_DESTROY writes nothing.
fn refused_where_it_cannot_be_written(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let argument = UserBytes::read_only(&ready.bytes);
    if request == Request::BufDestroy {
        ready.accepts(&argument, request.first_version());
    } else {
        ready.refuses_unread(&argument, request.first_version(), Errno::EFAULT);
    }
}

/// "WORK_SUBMIT writes its bad_op and WAIT writes its completed, whatever the
/// outcome, E2BIG included. A write that faults turns the answer into EFAULT."
fn refused_unwritable_with_a_tail_that_is_not_zero(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let argument = UserBytes::read_only(&ready.with_tail(&[1]));
    let errno = match request {
        Request::WorkSubmit | Request::Wait => Errno::EFAULT,
        _ => Errno::E2BIG,
    };
    ready.refuses_unread(&argument, request.first_version() + 1, errno);
}

/// "once the struct has been read": not before.
fn too_short_is_not_written(context: &Context, request: Request) {
    let ready = Ready::new(context, request);
    let argument = UserBytes::read_only(&ready.bytes);
    ready.refuses_unread(&argument, request.first_version() - 1, Errno::EINVAL);
}
