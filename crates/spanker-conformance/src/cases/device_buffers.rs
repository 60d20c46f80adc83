// SPDX-License-Identifier: Apache-2.0
//! SPANKER_BUF_DEVICE: "only ops reach it [...]. Any op may name it as any
//! operand."

use nix::errno::Errno;
use spanker_sys::{spanker_op, spanker_operand, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_Q4_K};

use crate::case::{cases, Context};
use crate::device::{Protection, Sharing};
use crate::open::{Buffer, Open};
use crate::ops::{bytes, copy, copy_start, matmul, row_bytes, valid_matmul_of, Valid};
use crate::pages::page_size;
use crate::random::Random;

cases! {
    "device_buffers":
    have_no_offset_to_map,
    are_mapped_at_no_offset,
    are_zero_at_first,
    keep_what_copy_stages_through_them,
    keep_rows_at_any_alignment,
    are_any_operand_of_matmul,
    are_checked_by_the_size_asked_for,
}

/// "With SPANKER_BUF_DEVICE the buffer can never be mapped (mmap_offset is 0)".
fn have_no_offset_to_map(context: &Context) {
    let open = context.card();
    let buffer = open.create_on_device(5000);
    assert_eq!(buffer.mmap_offset, 0);
    assert_ne!(buffer.handle, 0);
}

/// "the buffer can never be mapped"
fn are_mapped_at_no_offset(context: &Context) {
    let open = context.card();
    let before = open.create(page_size());
    open.create_on_device(page_size());
    let after = open.create(page_size());
    // Where the offset would be if it had one, as far as can be guessed.
    let between = before.mmap_offset.wrapping_add(after.mmap_offset) / 2;
    for offset in [
        0,
        between / page_size() as u64 * page_size() as u64,
        before.mmap_offset + page_size() as u64,
        after.mmap_offset.wrapping_sub(page_size() as u64),
    ] {
        let mapped = open.file().mmap(offset, page_size(), Protection::READ_WRITE, Sharing::Shared);
        assert_eq!(mapped.err(), Some(Errno::EINVAL), "offset {offset:#x}");
    }
}

/// "BUF_CREATE makes a buffer of `size` bytes, all zero."
fn are_zero_at_first(context: &Context) {
    let open = context.card();
    let buffer = open.create_on_device(10_000);
    let seen = open.create_holding(&[0xee; 10_000]);
    open.run(&[copy_start(&buffer, &seen, 10_000)]);
    assert_eq!(open.contents(&seen), [0; 10_000]);
}

/// COPY stages bytes in and out, unchanged.
fn keep_what_copy_stages_through_them(context: &Context) {
    let open = context.card();
    let content = Random::new(11).bytes(12_345);
    let from = open.create_holding(&content);
    let (first, second) = (open.create_on_device(12_345), open.create_on_device(12_345));
    let seen = open.create(12_345);
    open.run(&[
        copy_start(&from, &first, 12_345),
        copy_start(&first, &second, 12_345),
        copy_start(&second, &seen, 12_345),
    ]);
    assert!(open.contents(&seen) == content);
}

/// "m rows of k *bytes*, from a to out, at any alignment."
fn keep_rows_at_any_alignment(context: &Context) {
    let open = context.card();
    let content = Random::new(12).bytes(1000);
    let from = open.create_holding(&content);
    let device = open.create_on_device(3001);
    let seen = open.create_holding(&[0xee; 1000]);
    open.run(&[
        copy((7, 13), bytes(&from, 3, 17), bytes(&device, 1001, 211)),
        copy((7, 13), bytes(&device, 1001, 211), bytes(&seen, 3, 17)),
    ]);
    let mut expected = vec![0xee; 1000];
    for row in 0..7 {
        let at = 3 + 17 * row;
        expected[at..at + 13].copy_from_slice(&content[at..at + 13]);
    }
    assert!(open.contents(&seen) == expected);
}

/// "Any op may name it as any operand."
fn are_any_operand_of_matmul(context: &Context) {
    let (m, n, k) = (3, 5, 512);
    let mut random = Random::new(13);
    let open = context.card();
    for a_type in open.a_types() {
        let host = valid_matmul_of(&open, a_type, (m, n, k));
        open.fill(&host.a, &random.bytes(m * row_bytes(a_type, k)));
        open.fill(&host.b, &random.bytes(n * row_bytes(SPANKER_TYPE_Q4_K, k)));
        open.run(&[host.op, accumulate(host.op)]);
        let expected = open.contents(&host.out);
        for place in 1..8 {
            assert!(
                on_device(&open, &host, (m, n, k), place) == expected,
                "type {a_type}, operands {place:03b} on the device",
            );
        }
    }
}

/// What MATMUL, twice, gives when the operands of `place` are device buffers:
/// bit 0 a, bit 1 b, bit 2 out.
fn on_device(open: &Open, host: &Valid, shape: (usize, usize, usize), place: u32) -> Vec<u8> {
    let moved: Vec<Buffer> = [host.a, host.b, host.out]
        .iter()
        .enumerate()
        .map(|(bit, buffer)| {
            if place >> bit & 1 == 0 {
                return *buffer;
            }
            let device = open.create_on_device(buffer.size as usize);
            open.run(&[copy_start(buffer, &device, buffer.size as usize)]);
            device
        })
        .collect();
    let on = |operand: spanker_operand, buffer: &Buffer| spanker_operand {
        handle: buffer.handle,
        ..operand
    };
    let op = matmul(
        shape,
        on(host.op.a, &moved[0]),
        on(host.op.b, &moved[1]),
        on(host.op.out, &moved[2]),
    );
    let seen = open.create(host.out.size as usize);
    open.run(&[op, accumulate(op), copy_start(&moved[2], &seen, host.out.size as usize)]);
    let bytes = open.contents(&seen);
    open.destroy(&seen);
    for device in moved.iter().filter(|buffer| buffer.mmap_offset == 0) {
        open.destroy(device);
    }
    bytes
}

fn accumulate(op: spanker_op) -> spanker_op {
    spanker_op { flags: SPANKER_OP_ACCUMULATE, ..op }
}

/// "The size asked for is what operands are checked against".
fn are_checked_by_the_size_asked_for(context: &Context) {
    let open = context.card();
    let (device, host) = (open.create_on_device(100), open.create(200));
    open.run(&[copy_start(&host, &device, 100), copy_start(&device, &host, 100)]);
    for op in [copy_start(&host, &device, 101), copy_start(&device, &host, 101)] {
        assert_eq!(open.try_submit(&[op]).result, Err(Errno::ERANGE));
    }
}
