// SPDX-License-Identifier: Apache-2.0
//! "ERANGE      a footprint does not fit its buffer (a, b, out)", where a
//! footprint is "[offset, offset + (rows - 1) * row_stride + row_bytes)".

use nix::errno::Errno;
use spanker_sys::{spanker_op, spanker_operand, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K};

use super::refusal::refuses_op;
use crate::case::{cases, Context};
use crate::ops::{
    any_a_type, bytes, copy, matmul, row_bytes, valid_copy, valid_matmul, valid_matmul_of,
    OPERANDS, OPERANDS_OF_COPY,
};

cases! {
    "footprints":
    that_end_with_the_buffer_fit,
    that_end_4_bytes_further_do_not,
    of_copy_that_end_a_byte_further_do_not,
    of_another_row_do_not_fit,
    count_a_stride_between_rows_only,
    of_one_row_fit_with_any_stride,
    may_begin_anywhere,
    that_begin_behind_the_buffer_do_not_fit,
    that_overflow_by_their_offset_do_not_fit,
    that_overflow_by_their_stride_do_not_fit,
    that_overflow_in_their_sum_do_not_fit,
    are_checked_against_the_size_asked_for,
    of_every_type_count_their_row_bytes,
}

/// The buffers of a valid op have just enough room.
fn that_end_with_the_buffer_fit(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        open.run(&[valid_matmul_of(&open, a_type, (2, 3, 512)).op]);
    }
    open.run(&[valid_copy(&open).op]);
}

/// "offset + (rows - 1) * row_stride + row_bytes"
fn that_end_4_bytes_further_do_not(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    for operand in OPERANDS {
        let mut op = valid;
        operand(&mut op).offset += 4;
        refuses_op(&open, &valid, &op, Errno::ERANGE);
        let mut op = valid;
        operand(&mut op).row_stride += 4;
        refuses_op(&open, &valid, &op, Errno::ERANGE);
    }
}

/// Footprints of COPY are of bytes.
fn of_copy_that_end_a_byte_further_do_not(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open).op;
    for operand in OPERANDS_OF_COPY {
        let mut op = valid;
        operand(&mut op).offset += 1;
        refuses_op(&open, &valid, &op, Errno::ERANGE);
        let mut op = valid;
        operand(&mut op).row_stride += 1;
        refuses_op(&open, &valid, &op, Errno::ERANGE);
    }
}

/// "a has m rows of k elements, b has n rows of k, out has m rows of n"
fn of_another_row_do_not_fit(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open);
    refuses_op(&open, &valid.op, &spanker_op { m: 3, ..valid.op }, Errno::ERANGE);
    // One column more: a row of b more, and out is wider.
    let wide = open.create(2 * 4 * 4);
    let mut op = spanker_op { n: 4, ..valid.op };
    op.out.handle = wide.handle;
    op.out.row_stride = 16;
    refuses_op(&open, &valid.op, &op, Errno::ERANGE);
    let copied = valid_copy(&open).op;
    refuses_op(&open, &copied, &spanker_op { m: 4, ..copied }, Errno::ERANGE);
}

/// "(rows - 1) * row_stride": the last row needs its bytes, not its stride.
fn count_a_stride_between_rows_only(context: &Context) {
    let open = context.card();
    let (a, out) = (open.create(2 * 30 + 20), open.create(2 * 100 + 20));
    let valid = copy((3, 20), bytes(&a, 0, 30), bytes(&out, 0, 100));
    open.run(&[valid]);
    for op in [
        copy((3, 20), bytes(&a, 0, 31), bytes(&out, 0, 100)),
        copy((3, 20), bytes(&a, 0, 30), bytes(&out, 1, 100)),
    ] {
        refuses_op(&open, &valid, &op, Errno::ERANGE);
    }
}

/// "(rows - 1) * row_stride" is 0 for one row.
fn of_one_row_fit_with_any_stride(context: &Context) {
    let open = context.card();
    let huge = u64::MAX - 3;
    let mut op = valid_matmul_of(&open, any_a_type(&open), (1, 1, 256)).op;
    for operand in OPERANDS {
        operand(&mut op).row_stride = huge;
    }
    open.run(&[op]);
    let (a, out) = (open.create_holding(&[5; 8]), open.create(8));
    let mut op = copy((1, 8), bytes(&a, 0, 8), bytes(&out, 0, 8));
    for operand in OPERANDS_OF_COPY {
        operand(&mut op).row_stride = u64::MAX;
    }
    open.run(&[op]);
    assert_eq!(open.contents(&out), [5; 8]);
}

/// Any multiple of 4 is an offset of MATMUL.
fn may_begin_anywhere(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open);
    let [a, b, out] =
        [valid.a, valid.b, valid.out].map(|buffer| open.create(buffer.size as usize + 400));
    let mut op = valid.op;
    (op.a.handle, op.b.handle, op.out.handle) = (a.handle, b.handle, out.handle);
    for offset in (0..=400).step_by(4) {
        (op.a.offset, op.b.offset, op.out.offset) = (offset, 400 - offset, offset / 8 * 4);
        open.run(&[op]);
    }
}

/// An offset behind the buffer leaves no room at all.
fn that_begin_behind_the_buffer_do_not_fit(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    for operand in OPERANDS {
        for offset in [1 << 20, 1 << 32, (1 << 32) + 4, 1 << 63] {
            let mut op = valid;
            operand(&mut op).offset = offset;
            refuses_op(&open, &valid, &op, Errno::ERANGE);
        }
    }
}

/// A footprint that ends beyond 2^64 fits no buffer.
fn that_overflow_by_their_offset_do_not_fit(context: &Context) {
    let open = context.card();
    let product = valid_matmul(&open).op;
    for operand in OPERANDS {
        let mut op = product;
        operand(&mut op).offset = u64::MAX - 3;
        refuses_op(&open, &product, &op, Errno::ERANGE);
    }
    let copied = valid_copy(&open).op;
    for operand in OPERANDS_OF_COPY {
        for offset in [u64::MAX, u64::MAX - 59, u64::MAX - 60] {
            let mut op = copied;
            operand(&mut op).offset = offset;
            refuses_op(&open, &copied, &op, Errno::ERANGE);
        }
    }
}

/// (rows - 1) * row_stride may not fit 64 bits, or come round to something small.
fn that_overflow_by_their_stride_do_not_fit(context: &Context) {
    let open = context.card();
    let product = valid_matmul_of(&open, any_a_type(&open), (5, 5, 256)).op;
    for operand in OPERANDS {
        // Four of the last are 2^64.
        for row_stride in [u64::MAX - 3, 1 << 63, 1 << 62] {
            let mut op = product;
            operand(&mut op).row_stride = row_stride;
            refuses_op(&open, &product, &op, Errno::ERANGE);
        }
    }
    let copied = valid_copy(&open).op;
    for operand in OPERANDS_OF_COPY {
        for row_stride in [u64::MAX, 1 << 63, (1 << 63) + 1] {
            let mut op = copied;
            operand(&mut op).row_stride = row_stride;
            refuses_op(&open, &copied, &op, Errno::ERANGE);
        }
    }
}

/// offset + (rows - 1) * row_stride may not fit 64 bits where each part does.
fn that_overflow_in_their_sum_do_not_fit(context: &Context) {
    let open = context.card();
    let copied = valid_copy(&open).op;
    for operand in OPERANDS_OF_COPY {
        for (offset, row_stride) in [
            (1 << 63, 1 << 62),
            (u64::MAX - 39, 20),
            (u64::MAX - 59, 20),
            // The sum of all three is 2^64 exactly.
            (0, (1 << 63) - 10),
        ] {
            let mut op = copied;
            operand(&mut op).offset = offset;
            operand(&mut op).row_stride = row_stride;
            refuses_op(&open, &copied, &op, Errno::ERANGE);
        }
    }
}

/// "The size asked for is what operands are checked against; mapping works in
/// whole pages."
fn are_checked_against_the_size_asked_for(context: &Context) {
    let open = context.card();
    let (small, large) = (open.create(100), open.create(5000));
    let valid = copy((1, 100), bytes(&small, 0, 100), bytes(&large, 0, 100));
    for op in [
        copy((1, 101), bytes(&small, 0, 101), bytes(&large, 0, 101)),
        copy((1, 101), bytes(&large, 0, 101), bytes(&small, 0, 101)),
        copy((1, 1), bytes(&small, 100, 1), bytes(&large, 0, 1)),
        copy((1, 4096), bytes(&small, 0, 4096), bytes(&large, 0, 4096)),
    ] {
        refuses_op(&open, &valid, &op, Errno::ERANGE);
    }
}

/// "row_bytes is 4 per F32, 144 per 256 of Q4_K, 292 per 256 of Q8_K"
fn of_every_type_count_their_row_bytes(context: &Context) {
    let open = context.card();
    let (m, n, k) = (2, 3, 768);
    for a_type in open.a_types() {
        let sizes = [
            row_bytes(a_type, k) + 4 + row_bytes(a_type, k),
            2 * (row_bytes(SPANKER_TYPE_Q4_K, k) + 8) + row_bytes(SPANKER_TYPE_Q4_K, k),
            (4 * n + 12) + 4 * n,
        ];
        let strides = [row_bytes(a_type, k) + 4, row_bytes(SPANKER_TYPE_Q4_K, k) + 8, 4 * n + 12];
        let types = [a_type, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32];
        let fitting = sizes.map(|size| open.create(size));
        let operand = |at: usize, short: bool| {
            let buffer = if short { open.create(sizes[at] - 1) } else { fitting[at] };
            spanker_operand { type_: types[at], ..bytes(&buffer, 0, strides[at]) }
        };
        let valid = matmul((m, n, k), operand(0, false), operand(1, false), operand(2, false));
        open.run(&[valid]);
        for short in 0..3 {
            let [a, b, out] = [0, 1, 2].map(|at| operand(at, at == short));
            refuses_op(&open, &valid, &matmul((m, n, k), a, b, out), Errno::ERANGE);
        }
    }
}
