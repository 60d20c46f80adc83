// SPDX-License-Identifier: Apache-2.0
//! "EINVAL      out overlaps a or b: their footprints, within one handle".

use nix::errno::Errno;
use spanker_sys::{spanker_operand, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K};

use super::refusal::refuses_op;
use crate::case::{cases, Context};
use crate::open::Open;
use crate::ops::{any_a_type, bytes, copy, matmul, row_bytes, valid_copy};
use crate::random::Random;

cases! {
    "overlaps":
    of_out_and_a_are_refused,
    of_out_and_b_are_refused,
    of_copy_are_refused,
    of_a_single_byte_are_refused,
    of_rows_in_gaps_are_refused,
    of_identical_operands_are_refused,
    are_not_between_neighbours,
    are_not_between_handles,
    of_a_and_b_are_taken,
    are_refused_when_accumulating,
}

/// "out overlaps a"
fn of_out_and_a_are_refused(context: &Context) {
    check_matmul(context, 0);
}

/// "out overlaps [...] b"
fn of_out_and_b_are_refused(context: &Context) {
    check_matmul(context, 1);
}

/// COPY's out may not overlap its a.
fn of_copy_are_refused(context: &Context) {
    let open = context.card();
    let buffer = open.create(200);
    let valid = valid_copy(&open).op;
    // Rows of 20 at 70..130.
    for out in [70 - 59, 60, 70, 80, 129] {
        let op = copy((3, 20), bytes(&buffer, 70, 20), bytes(&buffer, out, 20));
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
}

/// Footprints are half open: one common byte is an overlap.
fn of_a_single_byte_are_refused(context: &Context) {
    let open = context.card();
    let buffer = open.create(64);
    let valid = valid_copy(&open).op;
    for (a, out) in [(0, 7), (7, 0)] {
        let op = copy((1, 8), bytes(&buffer, a, 8), bytes(&buffer, out, 8));
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
}

/// "their footprints": rows that lie in one another's gaps overlap.
fn of_rows_in_gaps_are_refused(context: &Context) {
    let open = context.card();
    let buffer = open.create(200);
    let valid = valid_copy(&open).op;
    let op = copy((4, 8), bytes(&buffer, 0, 20), bytes(&buffer, 8, 20));
    refuses_op(&open, &valid, &op, Errno::EINVAL);
    // The last row ends a footprint, not its stride.
    open.run(&[copy((4, 8), bytes(&buffer, 0, 20), bytes(&buffer, 68, 20))]);
}

/// Copying something onto itself is an overlap too.
fn of_identical_operands_are_refused(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open);
    let op = copy((3, 20), valid.op.a, valid.op.a);
    refuses_op(&open, &valid.op, &op, Errno::EINVAL);
}

/// "[offset, ...)": what begins where another ends does not overlap it.
fn are_not_between_neighbours(context: &Context) {
    let open = context.card();
    let content = Random::new(21).bytes(60);
    let buffer = open.create_holding(&content);
    open.run(&[copy((1, 30), bytes(&buffer, 0, 30), bytes(&buffer, 30, 30))]);
    assert_eq!(open.contents(&buffer)[30..], content[..30]);
    open.fill(&buffer, &content);
    open.run(&[copy((1, 30), bytes(&buffer, 30, 30), bytes(&buffer, 0, 30))]);
    assert_eq!(open.contents(&buffer)[..30], content[30..]);
    let (open, [a, b, out]) = in_one_buffer(context);
    open.run(&[matmul(SHAPE, a, b, out)]);
}

/// "within one handle"
fn are_not_between_handles(context: &Context) {
    let open = context.card();
    let (a, out) = (open.create(60), open.create(60));
    open.run(&[copy((1, 60), bytes(&a, 0, 60), bytes(&out, 0, 60))]);
}

/// Only out may not overlap.
fn of_a_and_b_are_taken(context: &Context) {
    let open = context.card();
    if any_a_type(&open) != SPANKER_TYPE_Q4_K {
        return;
    }
    let row = row_bytes(SPANKER_TYPE_Q4_K, 256);
    let (both, out) = (open.create(5 * row), open.create(4 * 4 * 4));
    let operand = |first_row: usize| spanker_operand {
        type_: SPANKER_TYPE_Q4_K,
        ..bytes(&both, first_row * row, row)
    };
    let out = spanker_operand { type_: SPANKER_TYPE_F32, ..bytes(&out, 0, 16) };
    open.run(&[
        matmul((4, 4, 256), operand(0), operand(0), out),
        matmul((4, 4, 256), operand(0), operand(1), out),
    ]);
}

/// ACCUMULATE reads out by itself, which is no overlap; a and b are not
/// excepted.
fn are_refused_when_accumulating(context: &Context) {
    let (open, [a, b, mut out]) = in_one_buffer(context);
    let mut valid = matmul(SHAPE, a, b, out);
    valid.flags = SPANKER_OP_ACCUMULATE;
    open.run(&[valid]);
    out.offset -= 4;
    let mut op = matmul(SHAPE, a, b, out);
    op.flags = SPANKER_OP_ACCUMULATE;
    refuses_op(&open, &valid, &op, Errno::EINVAL);
}

const SHAPE: (usize, usize, usize) = (2, 3, 256);

/// a, b and out of a MATMUL one behind the other.
#[track_caller]
fn in_one_buffer(context: &Context) -> (Open, [spanker_operand; 3]) {
    let open = context.card();
    let a_row = row_bytes(any_a_type(&open), 256);
    let buffer = open.create(2 * a_row + 3 * 144 + 24);
    let operands = [
        spanker_operand { type_: any_a_type(&open), ..bytes(&buffer, 0, a_row) },
        spanker_operand { type_: SPANKER_TYPE_Q4_K, ..bytes(&buffer, 2 * a_row, 144) },
        spanker_operand { type_: SPANKER_TYPE_F32, ..bytes(&buffer, 2 * a_row + 3 * 144, 12) },
    ];
    (open, operands)
}

/// out at every place around the operand `of`: 0 for a, 1 for b.
#[track_caller]
fn check_matmul(context: &Context, of: usize) {
    let open = context.card();
    let a_type = any_a_type(&open);
    let (m, n, k) = SHAPE;
    let rows = [m, n][of];
    let type_ = [a_type, SPANKER_TYPE_Q4_K][of];
    let len = rows * row_bytes(type_, k);
    let out_len = m * n * 4;
    let shared = open.create(2 * out_len + len);
    let others = [open.create(m * row_bytes(a_type, k)), open.create(n * 144)];
    for at in (0..=out_len + len).step_by(4) {
        let mut inputs = [0, 1].map(|which| {
            let type_ = [a_type, SPANKER_TYPE_Q4_K][which];
            spanker_operand { type_, ..bytes(&others[which], 0, row_bytes(type_, k)) }
        });
        inputs[of].handle = shared.handle;
        inputs[of].offset = out_len as u64;
        let out = spanker_operand { type_: SPANKER_TYPE_F32, ..bytes(&shared, at, 4 * n) };
        let op = matmul(SHAPE, inputs[0], inputs[1], out);
        if at == 0 || at == out_len + len {
            open.run(&[op]);
        } else {
            assert_eq!(open.try_submit(&[op]).result, Err(Errno::EINVAL), "out at {at}");
        }
    }
}
