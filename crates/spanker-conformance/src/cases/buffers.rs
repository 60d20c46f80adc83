// SPDX-License-Identifier: Apache-2.0
//! BUF_CREATE and BUF_DESTROY: what they refuse, and what a buffer is.

use nix::errno::Errno;
use spanker_sys::{
    spanker_buf_create, spanker_buf_destroy, SPANKER_BUF_DEVICE, SPANKER_IOC_BUF_CREATE,
    SPANKER_IOC_BUF_DESTROY,
};

use super::refusal::State;
use crate::busy::{assert_unretired, submit_endless, while_running};
use crate::case::{cases, Context};
use crate::open::{Answer, Open};
use crate::ops::copy_start;
use crate::pages::page_size;

cases! {
    "buffers":
    create_answers_with_the_size_asked_for,
    create_ignores_what_is_in_its_outputs,
    create_refuses_unknown_flags,
    create_refuses_a_size_of_zero,
    create_refuses_a_size_over_the_limit,
    create_takes_a_size_at_the_limit,
    create_refuses_with_the_struct_as_it_was,
    create_that_fails_takes_no_handle,
    offsets_to_map_are_aligned_and_not_zero,
    are_zero_at_first,
    are_zero_after_another_had_the_memory,
    destroy_refuses_flags,
    destroy_refuses_flags_before_the_handle,
    destroy_refuses_handles_of_no_buffer,
    destroy_refuses_a_destroyed_handle,
    destroy_while_in_flight_lets_the_batch_finish,
    destroy_while_in_flight_frees_the_handle_at_once,
}

/// "The size asked for is what operands are checked against": it is not altered.
fn create_answers_with_the_size_asked_for(context: &Context) {
    let open = context.card();
    for size in [1, 100, 4096, 4097] {
        let Answer { result, after } = open.try_create(size, 0);
        assert_eq!(result, Ok(()));
        assert_eq!((after.size, after.flags), (size, 0));
    }
}

/// "Fields marked "out" are ignored on input."
fn create_ignores_what_is_in_its_outputs(context: &Context) {
    let open = context.card();
    let argument =
        spanker_buf_create { size: 10, flags: 0, handle: u32::MAX, mmap_offset: u64::MAX };
    let Answer { result, after } = open.request(SPANKER_IOC_BUF_CREATE, &argument);
    assert_eq!(result, Ok(()));
    assert_ne!(after.handle, u32::MAX);
    assert_ne!(after.mmap_offset, u64::MAX);
}

/// "EINVAL  unknown flag"
fn create_refuses_unknown_flags(context: &Context) {
    let open = context.card();
    for bit in 1..32 {
        refuses_create(&open, 100, 1 << bit, Errno::EINVAL);
        refuses_create(&open, 100, 1 << bit | SPANKER_BUF_DEVICE, Errno::EINVAL);
    }
}

/// "EINVAL  [...] size 0"
fn create_refuses_a_size_of_zero(context: &Context) {
    let open = context.card();
    refuses_create(&open, 0, 0, Errno::EINVAL);
    refuses_create(&open, 0, SPANKER_BUF_DEVICE, Errno::EINVAL);
}

/// "EINVAL  [...] size [...] over max_buf_size"
fn create_refuses_a_size_over_the_limit(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_buf_size;
    for size in [limit + 1, u64::MAX - 4095, u64::MAX] {
        refuses_create(&open, size, 0, Errno::EINVAL);
        refuses_create(&open, size, SPANKER_BUF_DEVICE, Errno::EINVAL);
    }
}

/// max_buf_size is "bytes in one buffer": as many are allowed, if there is
/// memory.
fn create_takes_a_size_at_the_limit(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_buf_size;
    for flags in [0, SPANKER_BUF_DEVICE] {
        let Answer { result, after } = open.try_create(limit, flags);
        match result {
            Ok(()) => assert_eq!(open.try_destroy(after.handle), Ok(())),
            Err(errno) => assert!(
                matches!(errno, Errno::ENOSPC | Errno::ENOMEM),
                "{limit} bytes are within the limit: {errno}",
            ),
        }
    }
}

/// "A request that fails changes nothing".
fn create_refuses_with_the_struct_as_it_was(context: &Context) {
    let open = context.card();
    let argument = spanker_buf_create { size: 0, flags: 0, handle: 5, mmap_offset: 6 };
    let Answer { result, after } = open.request(SPANKER_IOC_BUF_CREATE, &argument);
    assert_eq!(result, Err(Errno::EINVAL));
    assert_eq!(after, argument);
}

/// "A request that fails changes nothing": not the next handle either.
fn create_that_fails_takes_no_handle(context: &Context) {
    let (with, without) = (context.card(), context.card());
    let handles = |open: &Open, fail: bool| {
        let first = open.create(1).handle;
        if fail {
            refuses_create(open, 0, 0, Errno::EINVAL);
            refuses_create(open, 1, 2, Errno::EINVAL);
        }
        [first, open.create(1).handle]
    };
    assert_eq!(handles(&with, true), handles(&without, false));
}

/// "mmap_offset is opaque, page-aligned and non-zero".
fn offsets_to_map_are_aligned_and_not_zero(context: &Context) {
    let open = context.card();
    let mut ranges = Vec::new();
    for size in [1, page_size(), 5 * page_size() + 1, 2] {
        let buffer = open.create(size);
        assert_ne!(buffer.mmap_offset, 0);
        assert_eq!(buffer.mmap_offset % page_size() as u64, 0);
        ranges.push((buffer.mmap_offset, buffer.mmap_offset + size as u64));
    }
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{ranges:?} overlap");
}

/// "BUF_CREATE makes a buffer of `size` bytes, all zero."
fn are_zero_at_first(context: &Context) {
    let open = context.card();
    for size in [1, 4096, 100_001] {
        let buffer = open.create(size);
        let mapping = open.map(&buffer);
        let mut bytes = vec![0xee; mapping.len()];
        mapping.read(0, &mut bytes);
        assert!(bytes.iter().all(|&byte| byte == 0), "{size} bytes and the rest of their page");
    }
}

/// "all zero", whatever the memory was used for before.
fn are_zero_after_another_had_the_memory(context: &Context) {
    let size = 200_000;
    for _ in 0..8 {
        let open = context.card();
        let buffer = open.create(size);
        assert!(open.contents(&buffer).iter().all(|&byte| byte == 0));
        open.fill(&buffer, &vec![0xee; size]);
        let device = open.create_on_device(size);
        let seen = open.create(size);
        open.run(&[copy_start(&device, &seen, size)]);
        assert!(open.contents(&seen).iter().all(|&byte| byte == 0), "a device buffer");
        open.run(&[copy_start(&buffer, &device, size)]);
        open.destroy(&buffer);
        open.destroy(&device);
    }
}

/// "EINVAL  flags not 0"
fn destroy_refuses_flags(context: &Context) {
    let open = context.card();
    let handle = open.create(1).handle;
    for bit in 0..32 {
        let argument = spanker_buf_destroy { handle, flags: 1 << bit };
        let answer = open.request(SPANKER_IOC_BUF_DESTROY, &argument);
        assert_eq!(answer.result, Err(Errno::EINVAL), "flag {bit}");
    }
    assert_eq!(open.try_destroy(handle), Ok(()), "it is still there");
}

/// EINVAL comes before ENOENT.
fn destroy_refuses_flags_before_the_handle(context: &Context) {
    let open = context.card();
    let argument = spanker_buf_destroy { handle: 1234, flags: 1 };
    let answer = open.request(SPANKER_IOC_BUF_DESTROY, &argument);
    assert_eq!(answer.result, Err(Errno::EINVAL));
}

/// "ENOENT  no such handle on this open"
fn destroy_refuses_handles_of_no_buffer(context: &Context) {
    let open = context.card();
    let handle = open.create(1).handle;
    let before = State::of(&open);
    for stranger in [0, handle + 1, u32::MAX] {
        assert_eq!(open.try_destroy(stranger), Err(Errno::ENOENT), "handle {stranger}");
    }
    assert_eq!(State::of(&open), before);
}

/// "ENOENT  no such handle on this open"
fn destroy_refuses_a_destroyed_handle(context: &Context) {
    let open = context.card();
    let buffer = open.create(1);
    open.destroy(&buffer);
    assert_eq!(open.try_destroy(buffer.handle), Err(Errno::ENOENT));
}

/// "BUF_DESTROY is legal while the buffer is mapped or work names it."
fn destroy_while_in_flight_lets_the_batch_finish(context: &Context) {
    let (open, (mapping, copied)) = while_running(context, |open, _| {
        let from = open.create_holding(&[7; 5000]);
        let to = open.create(5000);
        let mapping = open.map(&to);
        let copied = open.submit(&[copy_start(&from, &to, 5000)]);
        open.destroy(&from);
        open.destroy(&to);
        (mapping, copied)
    });
    open.wait(copied);
    let mut bytes = [0; 5000];
    mapping.read(0, &mut bytes);
    assert_eq!(bytes, [7; 5000]);
}

/// "The handle and its place under max_bufs are free at once".
fn destroy_while_in_flight_frees_the_handle_at_once(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    let (from, to) = (open.create(64), open.create(64));
    open.submit(&[copy_start(&from, &to, 64)]);
    open.destroy(&from);
    assert_eq!(open.try_destroy(from.handle), Err(Errno::ENOENT));
    let answer = open.try_submit(&[copy_start(&from, &to, 64)]);
    assert_eq!(answer.result, Err(Errno::ENOENT));
    assert_unretired(&open, seqno);
}

#[track_caller]
fn refuses_create(open: &Open, size: u64, flags: u32, errno: Errno) {
    let before = State::of(open);
    let answer = open.try_create(size, flags);
    assert_eq!(answer.result, Err(errno), "{size} bytes, flags {flags:#x}");
    assert_eq!(State::of(open), before, "after a refused BUF_CREATE");
}
