// SPDX-License-Identifier: Apache-2.0
//! WORK_SUBMIT as a whole: what is checked before any op is looked at, and what
//! the struct holds afterwards.

use nix::errno::Errno;
use spanker_sys::{
    spanker_op, spanker_work_submit, SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP, SPANKER_OP_STRIDE_MAX,
};

use super::refusal::{refuses, refuses_whole};
use crate::case::{cases, Context};
use crate::open::{batch, Open};
use crate::ops::{bytes, copy, copy_start, valid_copy, valid_matmul};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

cases! {
    "batches":
    answer_with_the_seqno_and_no_bad_op,
    refuse_every_flag,
    refuse_no_ops,
    refuse_more_ops_than_the_limit,
    take_as_many_ops_as_the_limit,
    refuse_strides_that_are_no_multiple_of_8,
    refuse_strides_below_an_op,
    refuse_strides_above_the_largest,
    refuse_an_array_that_cannot_be_read,
    refuse_a_bad_count_before_the_array,
    refuse_a_bad_stride_before_the_array,
    refuse_flags_before_the_array,
    refuse_an_unreadable_array_before_any_op,
    refuse_the_first_bad_op,
    check_an_op_completely_before_the_next,
    run_nothing_when_an_op_is_refused,
    run_nothing_when_the_struct_cannot_be_written,
    write_bad_op_into_a_refused_struct_or_fault,
    leave_the_array_alone,
}

/// "bad_op: out: index, or SPANKER_NO_OP"; "seqno: out: of this batch"; nothing
/// else is out.
fn answer_with_the_seqno_and_no_bad_op(context: &Context) {
    let open = context.card();
    let array = UserBytes::new(&encode(&valid_copy(&open).op));
    for seqno in 1..4 {
        let submit = batch(array.address(), 1);
        let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &submit);
        assert_eq!(answer.result, Ok(()));
        assert_eq!(answer.after, spanker_work_submit { bad_op: SPANKER_NO_OP, seqno, ..submit });
    }
}

/// "EINVAL  flags not 0"
fn refuse_every_flag(context: &Context) {
    let (open, array) = one_op(context);
    for bit in 0..32 {
        let submit = spanker_work_submit { flags: 1 << bit, ..batch(array.address(), 1) };
        refuses_whole(&open, &submit, Errno::EINVAL);
    }
}

/// "EINVAL  [...] op_count 0"
fn refuse_no_ops(context: &Context) {
    let (open, array) = one_op(context);
    refuses_whole(&open, &batch(array.address(), 0), Errno::EINVAL);
    refuses_whole(&open, &batch(0, 0), Errno::EINVAL);
}

/// "EINVAL  [...] op_count [...] over max_ops"
fn refuse_more_ops_than_the_limit(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_ops;
    let array = array(&vec![valid_copy(&open).op; limit as usize + 1]);
    refuses_whole(&open, &batch(array.address(), limit + 1), Errno::EINVAL);
    for count in [limit.saturating_mul(2), 1 << 31, u32::MAX] {
        refuses_whole(&open, &batch(array.address(), count), Errno::EINVAL);
    }
}

/// max_ops is "ops in one batch": as many are allowed, at any stride.
fn take_as_many_ops_as_the_limit(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_ops;
    let buffer = open.create_holding(&[1, 0]);
    let op = copy((1, 1), bytes(&buffer, 0, 1), bytes(&buffer, 1, 1));
    open.run(&vec![op; limit as usize]);
    assert_eq!(open.contents(&buffer), [1, 1]);
    let stride = SPANKER_OP_STRIDE_MAX as usize;
    let mut spread = encode(&op);
    spread.resize(stride, 0);
    let placed = UserBytes::new(&spread.repeat(limit as usize));
    let submit =
        spanker_work_submit { op_stride: SPANKER_OP_STRIDE_MAX, ..batch(placed.address(), limit) };
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &submit);
    assert_eq!(answer.result, Ok(()));
    open.wait(answer.after.seqno);
}

/// "EINVAL  [...] op_stride not a multiple of 8"
fn refuse_strides_that_are_no_multiple_of_8(context: &Context) {
    refuses_strides(context, &[97, 98, 100, 103, 4092, 4095]);
}

/// "EINVAL  [...] op_stride [...] below 96"
fn refuse_strides_below_an_op(context: &Context) {
    refuses_strides(context, &[0, 8, 88, 95]);
}

/// "EINVAL  [...] op_stride [...] above 4096"
fn refuse_strides_above_the_largest(context: &Context) {
    refuses_strides(context, &[4097, 4104, 1 << 16, 1 << 31, u32::MAX - 7, u32::MAX]);
}

/// "EFAULT  the array of ops cannot be read"
fn refuse_an_array_that_cannot_be_read(context: &Context) {
    let open = context.card();
    let ops = [valid_copy(&open).op; 2];
    for address in [0, 8, 0xffff_8000_0000_0000, u64::MAX - 95, u64::MAX] {
        refuses_whole(&open, &batch(address, 1), Errno::EFAULT);
        refuses_whole(&open, &batch(address, 2), Errno::EFAULT);
    }
    let encoded: Vec<u8> = ops.iter().flat_map(encode).collect();
    for readable in [0, 1, 8, 95, 96, 97, 191] {
        let array = UserBytes::unreadable_from(&encoded, readable);
        refuses_whole(&open, &batch(array.address(), 2), Errno::EFAULT);
    }
}

/// EINVAL, of op_count, comes before EFAULT.
fn refuse_a_bad_count_before_the_array(context: &Context) {
    let open = context.card();
    refuses_whole(&open, &batch(8, 0), Errno::EINVAL);
    refuses_whole(&open, &batch(8, open.device_info().max_ops + 1), Errno::EINVAL);
}

/// EINVAL, of op_stride, comes before EFAULT.
fn refuse_a_bad_stride_before_the_array(context: &Context) {
    let open = context.card();
    refuses_whole(&open, &spanker_work_submit { op_stride: 88, ..batch(8, 1) }, Errno::EINVAL);
}

/// EINVAL, of flags, comes before EFAULT.
fn refuse_flags_before_the_array(context: &Context) {
    let open = context.card();
    refuses_whole(&open, &spanker_work_submit { flags: 1, ..batch(8, 1) }, Errno::EINVAL);
}

/// EFAULT of the array stands before "then each op by itself".
fn refuse_an_unreadable_array_before_any_op(context: &Context) {
    let open = context.card();
    let bad = spanker_op { opcode: 99, ..Default::default() };
    let encoded: Vec<u8> = [bad; 2].iter().flat_map(encode).collect();
    let array = UserBytes::unreadable_from(&encoded, 96);
    refuses_whole(&open, &batch(array.address(), 2), Errno::EFAULT);
}

/// "bad_op is the index of the op that was refused"
fn refuse_the_first_bad_op(context: &Context) {
    let open = context.card();
    let op = valid_copy(&open).op;
    let bad = spanker_op { m: 0, ..op };
    for first in 0..5 {
        let mut ops = vec![bad; 6];
        ops[..first].fill(op);
        refuses(&open, &ops, Errno::EINVAL, first as u32);
    }
}

/// "op 0 completely, then op 1": its last check comes before op 1's first.
fn check_an_op_completely_before_the_next(context: &Context) {
    let open = context.card();
    let overlapping = {
        let buffer = open.create(64);
        copy((2, 8), bytes(&buffer, 0, 8), bytes(&buffer, 8, 8))
    };
    let too_far = {
        let (a, out) = (open.create(64), open.create(64));
        copy((2, 8), bytes(&a, 60, 8), bytes(&out, 0, 8))
    };
    let unsupported = {
        let mut op = valid_matmul(&open).op;
        op.b.type_ = 99;
        op
    };
    let unknown = spanker_op { opcode: 99, ..Default::default() };
    refuses(&open, &[overlapping, unknown], Errno::EINVAL, 0);
    refuses(&open, &[too_far, unknown], Errno::ERANGE, 0);
    refuses(&open, &[unsupported, too_far], Errno::EOPNOTSUPP, 0);
    refuses(&open, &[too_far, unsupported], Errno::ERANGE, 0);
}

/// "A batch is validated whole before anything of it is queued; when it is
/// rejected, nothing ran."
fn run_nothing_when_an_op_is_refused(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[1; 100]), open.create_holding(&[2; 100]));
    let good = copy_start(&from, &to, 100);
    let bad = spanker_op { opcode: 0, ..good };
    refuses(&open, &[good, good, bad], Errno::EINVAL, 2);
    // In order: had it run, it would have run before this.
    let other = open.create(100);
    assert_eq!(open.run(&[copy_start(&from, &other, 100)]), 1, "seqno of the first accepted batch");
    assert_eq!(open.contents(&to), [2; 100]);
}

/// "EFAULT  the struct cannot be written": nothing was queued.
fn run_nothing_when_the_struct_cannot_be_written(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create_holding(&[1; 100]), open.create_holding(&[2; 100]));
    let array = UserBytes::new(&encode(&copy_start(&from, &to, 100)));
    let submit = UserBytes::read_only(&encode(&batch(array.address(), 1)));
    let result = open.file().request(SPANKER_IOC_WORK_SUBMIT, submit.address());
    assert_eq!(result, Err(Errno::EFAULT));
    let other = open.create(100);
    assert_eq!(open.run(&[copy_start(&from, &other, 100)]), 1, "seqno of the first accepted batch");
    assert_eq!(open.contents(&to), [2; 100]);
}

/// "A write that faults turns the answer into EFAULT", whatever it was.
fn write_bad_op_into_a_refused_struct_or_fault(context: &Context) {
    let open = context.card();
    let bad = UserBytes::new(&encode(&spanker_op { opcode: 99, ..valid_copy(&open).op }));
    for submit in [
        batch(bad.address(), 1),
        batch(bad.address(), 0),
        batch(8, 1),
        spanker_work_submit { flags: 1, ..batch(bad.address(), 1) },
    ] {
        let placed = UserBytes::read_only(&encode(&submit));
        let result = open.file().request(SPANKER_IOC_WORK_SUBMIT, placed.address());
        assert_eq!(result, Err(Errno::EFAULT));
    }
    assert_eq!(open.context_info().submitted, 0);
}

/// Ops are input alone: they may be in memory that cannot be written.
fn leave_the_array_alone(context: &Context) {
    let open = context.card();
    let array = UserBytes::read_only(&encode(&valid_copy(&open).op));
    let answer = open.request(SPANKER_IOC_WORK_SUBMIT, &batch(array.address(), 1));
    assert_eq!(answer.result, Ok(()));
    open.wait(answer.after.seqno);
}

#[track_caller]
fn refuses_strides(context: &Context, strides: &[u32]) {
    let open = context.card();
    let array = UserBytes::new(&encode(&valid_copy(&open).op).repeat(100));
    for &op_stride in strides {
        let submit = spanker_work_submit { op_stride, ..batch(array.address(), 1) };
        refuses_whole(&open, &submit, Errno::EINVAL);
    }
}

#[track_caller]
fn one_op(context: &Context) -> (Open, UserBytes) {
    let open = context.card();
    let op = valid_copy(&open).op;
    (open, UserBytes::new(&encode(&op)))
}

fn array(ops: &[spanker_op]) -> UserBytes {
    UserBytes::new(&ops.iter().flat_map(encode).collect::<Vec<u8>>())
}
