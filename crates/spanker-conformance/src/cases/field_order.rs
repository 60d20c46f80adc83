// SPDX-License-Identifier: Apache-2.0
//! Two mistakes in one op: "each op by itself [...] the first that fails is the
//! answer", for every pair of neighbours in the list.

use nix::errno::Errno;
use spanker_sys::spanker_op;

use super::refusal::refuses_op;
use crate::case::{cases, Context};
use crate::open::Open;
use crate::ops::{bytes, copy, valid_copy, valid_matmul};

cases! {
    "field_order":
    opcode_goes_before_types,
    flags_go_before_types,
    reserved_goes_before_types,
    flags_of_copy_go_before_handles,
    types_of_copy_go_before_handles,
    b_of_copy_goes_before_handles,
    types_go_before_m_n_and_k,
    types_go_before_strides_and_alignment,
    types_go_before_handles,
    m_n_and_k_go_before_handles,
    strides_go_before_handles,
    alignment_goes_before_handles,
    handles_go_before_footprints,
    every_handle_goes_before_any_footprint,
    footprints_go_before_overlap,
    opcode_goes_before_everything_after_it,
}

type Spoil = fn(&mut spanker_op);

const BAD_SHAPES: [Spoil; 3] = [|op| op.m = 0, |op| op.n = u32::MAX, |op| op.k = 100];

/// EINVAL of the opcode comes before EOPNOTSUPP.
fn opcode_goes_before_types(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        op.opcode = 99;
        op.b.type_ = 99;
    });
}

/// EINVAL of a flag comes before EOPNOTSUPP.
fn flags_go_before_types(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        op.flags = 2;
        op.b.type_ = 99;
    });
}

/// EINVAL of reserved comes before EOPNOTSUPP.
fn reserved_goes_before_types(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        op.reserved = 1;
        op.b.type_ = 99;
    });
}

/// "COPY: any flag" is EINVAL and comes before ENOENT.
fn flags_of_copy_go_before_handles(context: &Context) {
    check_copy(context, Errno::EINVAL, |op| {
        op.flags = 1;
        op.a.handle = 999;
    });
}

/// "COPY: [...] a non-zero type" is EINVAL, not EOPNOTSUPP, and comes before
/// ENOENT.
fn types_of_copy_go_before_handles(context: &Context) {
    check_copy(context, Errno::EINVAL, |op| {
        op.out.type_ = 99;
        op.a.handle = 999;
    });
}

/// "COPY: [...] a non-zero field of b" is EINVAL and comes before ENOENT.
fn b_of_copy_goes_before_handles(context: &Context) {
    check_copy(context, Errno::EINVAL, |op| {
        op.b.handle = 999;
        op.a.handle = 999;
    });
}

/// EOPNOTSUPP comes before EINVAL of m, n or k.
fn types_go_before_m_n_and_k(context: &Context) {
    for spoil in BAD_SHAPES {
        check(context, Errno::EOPNOTSUPP, |op| {
            spoil(op);
            op.out.type_ = 12;
        });
    }
}

/// EOPNOTSUPP comes before EINVAL of a row_stride or an offset.
fn types_go_before_strides_and_alignment(context: &Context) {
    let bad_places: [Spoil; 3] =
        [|op| op.a.row_stride = 0, |op| op.b.row_stride += 1, |op| op.out.offset = 1];
    for spoil in bad_places {
        check(context, Errno::EOPNOTSUPP, |op| {
            spoil(op);
            op.a.type_ = 99;
        });
    }
}

/// EOPNOTSUPP comes before ENOENT.
fn types_go_before_handles(context: &Context) {
    check(context, Errno::EOPNOTSUPP, |op| {
        op.b.type_ = 0;
        op.a.handle = 999;
    });
}

/// EINVAL of m, n or k comes before ENOENT.
fn m_n_and_k_go_before_handles(context: &Context) {
    for spoil in BAD_SHAPES {
        check(context, Errno::EINVAL, |op| {
            spoil(op);
            op.a.handle = 999;
        });
    }
    check_copy(context, Errno::EINVAL, |op| {
        op.n = 1;
        op.a.handle = 999;
    });
}

/// EINVAL of a row_stride comes before ENOENT, of whatever operand.
fn strides_go_before_handles(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        op.out.row_stride = 8;
        op.a.handle = 999;
    });
    check_copy(context, Errno::EINVAL, |op| {
        op.out.row_stride = 19;
        op.a.handle = 999;
    });
}

/// EINVAL of an alignment comes before ENOENT, of whatever operand.
fn alignment_goes_before_handles(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        op.out.offset = 2;
        op.a.handle = 999;
    });
    check(context, Errno::EINVAL, |op| {
        op.out.row_stride += 2;
        op.a.handle = 999;
    });
}

/// ENOENT comes before ERANGE.
fn handles_go_before_footprints(context: &Context) {
    check(context, Errno::ENOENT, |op| {
        op.b.handle = 999;
        op.b.offset = 1 << 40;
    });
    check_copy(context, Errno::ENOENT, |op| {
        op.a.handle = 999;
        op.a.offset = 1 << 40;
    });
}

/// ENOENT, of out too, comes before ERANGE, of a too.
fn every_handle_goes_before_any_footprint(context: &Context) {
    check(context, Errno::ENOENT, |op| {
        op.a.offset = 1 << 40;
        op.out.handle = 999;
    });
    check_copy(context, Errno::ENOENT, |op| {
        op.a.offset = 1 << 40;
        op.out.handle = 999;
    });
}

/// ERANGE comes before EINVAL of an overlap.
fn footprints_go_before_overlap(context: &Context) {
    let open = context.card();
    let buffer = open.create(64);
    let valid = copy((2, 8), bytes(&buffer, 0, 8), bytes(&buffer, 16, 8));
    let op = copy((2, 8), bytes(&buffer, 50, 8), bytes(&buffer, 52, 8));
    refuses_op(&open, &valid, &op, Errno::ERANGE);
}

/// With everything wrong, the first of the list is told.
fn opcode_goes_before_everything_after_it(context: &Context) {
    check(context, Errno::EINVAL, |op| {
        *op = spanker_op { opcode: 0, ..all_wrong(op) };
    });
    check(context, Errno::EOPNOTSUPP, |op| {
        *op = spanker_op { opcode: op.opcode, ..all_wrong(op) };
    });
}

fn all_wrong(op: &spanker_op) -> spanker_op {
    let mut wrong = spanker_op { m: 0, n: 0, k: 1, ..*op };
    for operand in [&mut wrong.a, &mut wrong.b, &mut wrong.out] {
        operand.handle = 999;
        operand.type_ = 99;
        operand.offset = u64::MAX;
        operand.row_stride = 1;
    }
    wrong
}

#[track_caller]
fn check(context: &Context, errno: Errno, spoil: impl Fn(&mut spanker_op)) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    spoilt(&open, valid, errno, spoil);
}

#[track_caller]
fn check_copy(context: &Context, errno: Errno, spoil: impl Fn(&mut spanker_op)) {
    let open = context.card();
    let valid = valid_copy(&open).op;
    spoilt(&open, valid, errno, spoil);
}

#[track_caller]
fn spoilt(open: &Open, valid: spanker_op, errno: Errno, spoil: impl Fn(&mut spanker_op)) {
    let mut op = valid;
    spoil(&mut op);
    refuses_op(open, &valid, &op, errno);
}
