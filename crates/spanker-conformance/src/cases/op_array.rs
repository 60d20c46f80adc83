// SPDX-License-Identifier: Apache-2.0
//! The array of ops: its stride, and the tails of ops of newer callers.

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use spanker_sys::{
    spanker_op, spanker_work_submit, SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP, SPANKER_OP_STRIDE_MAX,
};

use crate::case::{cases, Context};
use crate::open::{batch, Buffer, Open};
use crate::ops::{bytes, copy, valid_copy};
use crate::pages::page_size;
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "op_array":
    takes_every_stride_of_the_header,
    refuses_a_tail_that_is_not_zero,
    refuses_a_tail_before_the_op_itself,
    refuses_the_op_before_a_later_tail,
    reads_the_tail_of_the_last_op,
    ends_with_the_tail_of_the_last_op,
    may_cross_pages,
    may_begin_at_an_odd_address,
    is_read_before_the_request_returns,
    an_unreadable_tail_goes_before_one_that_is_not_zero,
    altered_meanwhile_is_one_or_the_other,
    of_a_count_altered_meanwhile_is_one_or_the_other,
}

/// "op_stride not a multiple of 8, below 96 or above 4096" is refused, all else
/// is taken: "bytes from one op to the next".
fn takes_every_stride_of_the_header(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[1, 2, 3]), open.create(3));
    for stride in (96..=SPANKER_OP_STRIDE_MAX).step_by(8) {
        open.fill(&to, &[0; 3]);
        let array = UserBytes::new(&spread(&byte_by_byte(&from, &to), stride));
        let seqno = accepts(&open, &array, 3, stride);
        open.wait(seqno);
        assert_eq!(open.contents(&to), [1, 2, 3], "stride {stride}");
    }
}

/// "E2BIG       the tail of the op that the device does not know is not zero"
fn refuses_a_tail_that_is_not_zero(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for stride in [104, 200, SPANKER_OP_STRIDE_MAX] {
        for index in 0..3 {
            for at in [96, stride - 1] {
                let mut array = spread(&[op; 3], stride);
                array[(index * stride + at) as usize] = 1;
                refuses(&open, &UserBytes::new(&array), 3, stride, (Errno::E2BIG, index));
            }
        }
    }
}

/// E2BIG is the first check of an op.
fn refuses_a_tail_before_the_op_itself(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    for bad in [
        spanker_op { opcode: 99, ..op },
        spanker_op { flags: 99, ..op },
        spanker_op { reserved: 1, ..op },
    ] {
        let mut array = spread(&[bad], 104);
        array[103] = 1;
        refuses(&open, &UserBytes::new(&array), 1, 104, (Errno::E2BIG, 0));
    }
}

/// "op 0 completely, then op 1": op 1's tail comes after op 0's last check.
fn refuses_the_op_before_a_later_tail(context: &Context) {
    let open = context.card();
    let buffer = open.create(64);
    let overlapping = copy((1, 8), bytes(&buffer, 0, 8), bytes(&buffer, 4, 8));
    let mut array = spread(&[overlapping; 2], 104);
    array[207] = 1;
    refuses(&open, &UserBytes::new(&array), 2, 104, (Errno::EINVAL, 0));
}

/// The last op has a tail as well.
fn reads_the_tail_of_the_last_op(context: &Context) {
    let open = context.card();
    let array = spread(&[valid_copy(&open).op; 2], 104);
    for readable in [192 + 8, 207] {
        let cut = UserBytes::unreadable_from(&array, readable);
        refuses(&open, &cut, 2, 104, (Errno::EFAULT, SPANKER_NO_OP));
    }
}

/// "bytes from one op to the next": there is nothing behind the last one.
fn ends_with_the_tail_of_the_last_op(context: &Context) {
    let open = context.card();
    for (count, stride) in [(1, 96), (2, 96), (1, 104), (3, 4096)] {
        let array = UserBytes::new(&spread(&vec![valid_copy(&open).op; count], stride));
        accepts(&open, &array, count as u32, stride);
    }
}

/// Ops may lie across pages; pages are none of their business.
fn may_cross_pages(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[1, 2, 3]), open.create(3));
    let array = spread(&byte_by_byte(&from, &to), 96);
    for cut in (0..=array.len()).step_by(8) {
        open.fill(&to, &[0; 3]);
        let placed = UserBytes::read_only_from(&array, cut);
        let seqno = accepts(&open, &placed, 3, 96);
        open.wait(seqno);
        assert_eq!(open.contents(&to), [1, 2, 3], "a page begins at byte {cut}");
    }
}

/// No alignment is asked of the array.
fn may_begin_at_an_odd_address(context: &Context) {
    let open = context.card();
    let array = UserBytes::odd(&spread(&[valid_copy(&open).op; 2], 104));
    accepts(&open, &array, 2, 104);
}

/// "User memory is read once": what happens to the array afterwards is nobody's
/// concern.
fn is_read_before_the_request_returns(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[1, 2, 3]), open.create(3));
    // These pages are unmapped when they are dropped.
    let array = UserBytes::read_only(&spread(&byte_by_byte(&from, &to), 96));
    let seqno = accepts(&open, &array, 3, 96);
    drop(array);
    open.wait(seqno);
    assert_eq!(open.contents(&to), [1, 2, 3]);
}

/// "EFAULT  op_count * op_stride bytes at ops cannot be read" goes before each
/// op by itself, its tail too.
fn an_unreadable_tail_goes_before_one_that_is_not_zero(context: &Context) {
    let open = context.card();
    let mut array = spread(&[valid_copy(&open).op; 2], 112);
    array[96..104].fill(1);
    array[208..216].fill(1);
    for readable in [104, 208, 216, 223] {
        let cut = UserBytes::unreadable_from(&array, readable);
        refuses(&open, &cut, 2, 112, (Errno::EFAULT, SPANKER_NO_OP));
    }
    let mut array = spread(&[valid_copy(&open).op], SPANKER_OP_STRIDE_MAX);
    array[96] = 1;
    for readable in [1000, array.len() - 1] {
        let cut = UserBytes::unreadable_from(&array, readable);
        refuses(&open, &cut, 1, SPANKER_OP_STRIDE_MAX, (Errno::EFAULT, SPANKER_NO_OP));
    }
}

/// "User memory is read once": an op that fits when it is checked fits when it
/// is run, whatever happens to the array in between.
fn altered_meanwhile_is_one_or_the_other(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[7; 16]), open.create(8));
    let seen = open.map(&to);
    let op = copy((1, 8), bytes(&from, 0, 16), bytes(&to, 0, 16));
    // The others take the device so long that much can happen before it looks
    // at the first again.
    let count = open.device_info().max_ops.min(100);
    let array = UserBytes::new(&spread(&vec![op; count as usize], SPANKER_OP_STRIDE_MAX));
    let all = batch(array.address(), count);
    let submit = spanker_work_submit { op_stride: SPANKER_OP_STRIDE_MAX, ..all };
    let submit = UserBytes::new(&encode(&submit));
    let k_at = 16;
    let accepted =
        array.while_altered(k_at, [8, 16], || one_or_the_other(&open, &submit, Errno::ERANGE));
    let mut content = vec![0; page_size()];
    seen.read(0, &mut content);
    assert_eq!(content[..8], [if accepted > 0 { 7 } else { 0 }; 8]);
    assert!(content[8..].iter().all(|&byte| byte == 0), "an op wrote beyond its buffer");
}

/// "User memory is read once": the struct too.
fn of_a_count_altered_meanwhile_is_one_or_the_other(context: &Context) {
    let open = context.card();
    let array = UserBytes::new(&encode(&valid_copy(&open).op));
    let submit = UserBytes::new(&encode(&batch(array.address(), 1)));
    let over = open.device_info().max_ops + 1;
    let op_count_at = 8;
    submit
        .while_altered(op_count_at, [1, over], || one_or_the_other(&open, &submit, Errno::EINVAL));
}

/// Submits until both answers were often seen, or for long enough. How many
/// batches were accepted.
#[track_caller]
fn one_or_the_other(open: &Open, submit: &UserBytes, refused: Errno) -> u64 {
    let limit = Instant::now() + Duration::from_secs(1);
    let (mut accepted, mut others) = (0, 0);
    while accepted.min(others) < 300 && Instant::now() < limit {
        match open.file().request(SPANKER_IOC_WORK_SUBMIT, submit.address()) {
            Ok(()) => {
                accepted += 1;
                open.wait(accepted);
            }
            Err(errno) => {
                assert_eq!(errno, refused);
                others += 1;
                // Where there is one processor, the other thread has its turn.
                thread::yield_now();
            }
        }
    }
    assert_eq!(open.context_info().submitted, accepted);
    accepted
}

/// Three ops that copy a byte each.
fn byte_by_byte(from: &Buffer, to: &Buffer) -> [spanker_op; 3] {
    [0, 1, 2].map(|at| copy((1, 1), bytes(from, at, 1), bytes(to, at, 1)))
}

fn spread(ops: &[spanker_op], stride: u32) -> Vec<u8> {
    let mut array = Vec::new();
    for op in ops {
        let end = array.len() + stride as usize;
        array.extend(encode(op));
        array.resize(end, 0);
    }
    array
}

#[track_caller]
fn accepts(open: &Open, array: &UserBytes, op_count: u32, op_stride: u32) -> u64 {
    let submit = spanker_work_submit { op_stride, ..batch(array.address(), op_count) };
    loop {
        let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &submit);
        if answer.result != Err(Errno::EAGAIN) {
            assert_eq!(answer.result, Ok(()), "{op_count} ops with stride {op_stride}");
            return answer.after.seqno;
        }
    }
}

#[track_caller]
fn refuses(open: &Open, array: &UserBytes, op_count: u32, op_stride: u32, expected: (Errno, u32)) {
    let submit = spanker_work_submit { op_stride, ..batch(array.address(), op_count) };
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &submit);
    assert_eq!(
        (answer.result, answer.after.bad_op),
        (Err(expected.0), expected.1),
        "{op_count} ops with stride {op_stride}",
    );
    assert_eq!(open.context_info().submitted, 0);
}
