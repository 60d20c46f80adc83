// SPDX-License-Identifier: Apache-2.0
//! The fields of an op, each wrong by itself with all others valid.

use nix::errno::Errno;
use spanker_sys::{
    spanker_op, spanker_operand, SPANKER_OP_ACCUMULATE, SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K,
    SPANKER_TYPE_Q8_K,
};

use super::refusal::{refuses, refuses_op};
use crate::case::{cases, Context};
use crate::open::{Buffer, Open};
use crate::ops::{
    any_a_type, bytes, copy, dense, matmul, row_bytes, valid_copy, valid_matmul, valid_matmul_of,
    OPERANDS, OPERANDS_OF_COPY,
};

cases! {
    "fields":
    unknown_opcodes_are_refused,
    unknown_flags_of_matmul_are_refused,
    every_flag_of_copy_is_refused,
    reserved_is_refused,
    types_of_copy_are_refused,
    every_field_of_b_of_copy_is_refused,
    m_of_zero_is_refused,
    n_of_zero_is_refused,
    k_of_zero_is_refused,
    m_over_the_limit_is_refused,
    n_over_the_limit_is_refused,
    k_over_the_limit_is_refused,
    m_at_the_limit_is_taken,
    n_at_the_limit_is_taken,
    k_at_the_limit_is_taken,
    k_of_matmul_that_is_no_multiple_of_256_is_refused,
    k_of_copy_is_not_limited_by_max_k,
    n_of_copy_is_refused,
    row_strides_below_a_row_are_refused,
    row_strides_below_a_row_are_refused_where_there_is_one_row,
    offsets_that_are_no_multiple_of_4_are_refused,
    row_strides_that_are_no_multiple_of_4_are_refused,
    handles_of_no_buffer_are_refused,
}

/// "EINVAL      unknown opcode"
fn unknown_opcodes_are_refused(context: &Context) {
    let open = context.card();
    for valid in [valid_matmul(&open).op, valid_copy(&open).op] {
        for opcode in [0, 3, 4, 255, 256 + 1, 1 << 31, u32::MAX] {
            refuses_op(&open, &valid, &spanker_op { opcode, ..valid }, Errno::EINVAL);
        }
    }
}

/// "EINVAL      unknown [...] flag"
fn unknown_flags_of_matmul_are_refused(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    for bit in 1..32 {
        for flags in [1 << bit, 1 << bit | SPANKER_OP_ACCUMULATE] {
            refuses_op(&open, &valid, &spanker_op { flags, ..valid }, Errno::EINVAL);
        }
    }
}

/// "EINVAL [...] COPY: any flag"
fn every_flag_of_copy_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open).op;
    for bit in 0..32 {
        refuses_op(&open, &valid, &spanker_op { flags: 1 << bit, ..valid }, Errno::EINVAL);
    }
}

/// "EINVAL      [...] reserved not 0"
fn reserved_is_refused(context: &Context) {
    let open = context.card();
    for valid in [valid_matmul(&open).op, valid_copy(&open).op] {
        for reserved in [1, 1 << 31, u32::MAX] {
            refuses_op(&open, &valid, &spanker_op { reserved, ..valid }, Errno::EINVAL);
        }
    }
}

/// "COPY: [...] a non-zero type"
fn types_of_copy_are_refused(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open).op;
    for type_ in [1, SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K, u32::MAX] {
        for spoil in OPERANDS {
            let mut op = valid;
            spoil(&mut op).type_ = type_;
            refuses_op(&open, &valid, &op, Errno::EINVAL);
        }
    }
}

/// "COPY: [...] a non-zero field of b"
fn every_field_of_b_of_copy_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open);
    for b in [
        spanker_operand { handle: valid.a.handle, ..Default::default() },
        spanker_operand { handle: 999, ..Default::default() },
        spanker_operand { offset: 4, ..Default::default() },
        spanker_operand { row_stride: 20, ..Default::default() },
        spanker_operand { row_stride: 1 << 63, ..Default::default() },
    ] {
        refuses_op(&open, &valid.op, &spanker_op { b, ..valid.op }, Errno::EINVAL);
    }
}

/// "EINVAL      m [...] is 0"
fn m_of_zero_is_refused(context: &Context) {
    let open = context.card();
    for valid in [valid_matmul(&open).op, valid_copy(&open).op] {
        refuses_op(&open, &valid, &spanker_op { m: 0, ..valid }, Errno::EINVAL);
    }
}

/// "EINVAL      [...] n [...] is 0"
fn n_of_zero_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    refuses_op(&open, &valid, &spanker_op { n: 0, ..valid }, Errno::EINVAL);
}

/// "EINVAL      [...] k is 0"
fn k_of_zero_is_refused(context: &Context) {
    let open = context.card();
    for valid in [valid_matmul(&open).op, valid_copy(&open).op] {
        refuses_op(&open, &valid, &spanker_op { k: 0, ..valid }, Errno::EINVAL);
    }
}

/// "EINVAL      m [...] over its maximum"
fn m_over_the_limit_is_refused(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_m;
    for valid in [valid_matmul(&open).op, valid_copy(&open).op] {
        for m in [limit.saturating_add(1), u32::MAX] {
            assert_ne!(m, limit, "there is no number over the limit");
            refuses_op(&open, &valid, &spanker_op { m, ..valid }, Errno::EINVAL);
        }
    }
}

/// "EINVAL      [...] n [...] over its maximum"
fn n_over_the_limit_is_refused(context: &Context) {
    let open = context.card();
    let limit = open.device_info().max_n;
    let valid = valid_matmul(&open).op;
    for n in [limit.saturating_add(1), u32::MAX] {
        assert_ne!(n, limit, "there is no number over the limit");
        let mut op = spanker_op { n, ..valid };
        op.out.row_stride = u64::from(n) * 4;
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
}

/// "EINVAL      [...] k is [...] over its maximum"
fn k_over_the_limit_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    for k in [open.device_info().max_k / 256 * 256 + 256, 0xffff_ff00] {
        let mut op = spanker_op { k, ..valid };
        op.a.row_stride = row_bytes(valid.a.type_, k as usize) as u64;
        op.b.row_stride = row_bytes(valid.b.type_, k as usize) as u64;
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
}

/// max_m may be reached. Rows of COPY are shorter than those of MATMUL.
fn m_at_the_limit_is_taken(context: &Context) {
    let open = context.card();
    let m = open.device_info().max_m as usize;
    let (a, out) = (open.create(m), open.create(m));
    open.run(&[copy((m, 1), bytes(&a, 0, 1), bytes(&out, 0, 1))]);
    takes_shape(&open, any_a_type(&open), (m, 1, 256));
}

/// max_n may be reached.
fn n_at_the_limit_is_taken(context: &Context) {
    let open = context.card();
    let n = open.device_info().max_n as usize;
    takes_shape(&open, any_a_type(&open), (1, n, 256));
}

/// max_k may be reached, by its largest multiple of 256.
fn k_at_the_limit_is_taken(context: &Context) {
    let open = context.card();
    let k = open.device_info().max_k as usize / 256 * 256;
    for a_type in open.a_types() {
        takes_shape(&open, a_type, (1, 1, k));
    }
}

/// The shape itself is nothing that MATMUL refuses. Where operands of it are
/// larger than a buffer, or than a case should ask for, the op comes as far as
/// their footprints.
#[track_caller]
fn takes_shape(open: &Open, a_type: u32, (m, n, k): (usize, usize, usize)) {
    let rows = [(m, row_bytes(a_type, k)), (n, row_bytes(SPANKER_TYPE_Q4_K, k)), (m, 4 * n)];
    let sizes = rows.map(|(rows, len)| rows as u64 * len as u64);
    let info = open.device_info();
    let free = info.mem_size - open.telemetry().mem_used;
    // Each takes whole pages, whatever their size.
    let fits = sizes.iter().sum::<u64>() < free / 2;
    if fits && sizes.iter().all(|&size| size <= info.max_buf_size.min(64 << 20)) {
        open.run(&[valid_matmul_of(open, a_type, (m, n, k)).op]);
        return;
    }
    let [a, b, out] = [open.create(4), open.create(4), open.create(4)];
    let op = matmul(
        (m, n, k),
        dense(&a, a_type, k),
        dense(&b, SPANKER_TYPE_Q4_K, k),
        dense(&out, SPANKER_TYPE_F32, n),
    );
    refuses(open, &[op], Errno::ERANGE, 0);
}

/// "MATMUL's k is not a multiple of 256"
fn k_of_matmul_that_is_no_multiple_of_256_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open).op;
    for k in [1, 32, 128, 255, 257, 384, 511] {
        refuses_op(&open, &valid, &spanker_op { k, ..valid }, Errno::EINVAL);
    }
}

/// "COPY's k is not limited by it [max_k]".
fn k_of_copy_is_not_limited_by_max_k(context: &Context) {
    let open = context.card();
    let info = open.device_info();
    let k = info.max_k as usize + 1;
    if k as u64 > info.max_buf_size {
        let (a, out) = (open.create(1), open.create(1));
        let op = copy((1, k), bytes(&a, 0, k), bytes(&out, 0, k));
        assert_eq!(open.try_submit(&[op]).result, Err(Errno::ERANGE));
    } else {
        let (a, out) = (open.create(k), open.create(k));
        open.run(&[copy((1, k), bytes(&a, 0, k), bytes(&out, 0, k))]);
    }
}

/// "COPY's n is not 0"
fn n_of_copy_is_refused(context: &Context) {
    let open = context.card();
    let valid = valid_copy(&open).op;
    for n in [1, 3, u32::MAX] {
        refuses_op(&open, &valid, &spanker_op { n, ..valid }, Errno::EINVAL);
    }
}

/// "a row_stride below row_bytes"
fn row_strides_below_a_row_are_refused(context: &Context) {
    let open = context.card();
    for a_type in open.a_types() {
        let valid = valid_matmul_of(&open, a_type, (2, 3, 512)).op;
        for spoil in OPERANDS {
            for below in [4, 8] {
                let mut op = valid;
                spoil(&mut op).row_stride -= below;
                refuses_op(&open, &valid, &op, Errno::EINVAL);
                spoil(&mut op).row_stride = 0;
                refuses_op(&open, &valid, &op, Errno::EINVAL);
            }
        }
    }
    let valid = valid_copy(&open).op;
    for spoil in OPERANDS_OF_COPY {
        for row_stride in [0, 1, 19] {
            let mut op = valid;
            spoil(&mut op).row_stride = row_stride;
            refuses_op(&open, &valid, &op, Errno::EINVAL);
        }
    }
}

/// "row_stride is at least row_bytes, also where there is one row."
fn row_strides_below_a_row_are_refused_where_there_is_one_row(context: &Context) {
    let open = context.card();
    let valid = valid_matmul_of(&open, any_a_type(&open), (1, 1, 256)).op;
    for spoil in OPERANDS {
        let mut op = valid;
        spoil(&mut op).row_stride = 0;
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
    let (a, out) = (open.create(8), open.create(8));
    let valid = copy((1, 8), bytes(&a, 0, 8), bytes(&out, 0, 8));
    for (a_stride, out_stride) in [(7, 8), (8, 7), (0, 8), (8, 0)] {
        let op = copy((1, 8), bytes(&a, 0, a_stride), bytes(&out, 0, out_stride));
        refuses_op(&open, &valid, &op, Errno::EINVAL);
    }
}

/// "MATMUL: an offset [...] not a multiple of 4"
fn offsets_that_are_no_multiple_of_4_are_refused(context: &Context) {
    let (open, valid) = roomy(context);
    for spoil in OPERANDS {
        for shift in [1, 2, 3, 6] {
            let mut op = valid;
            spoil(&mut op).offset += shift;
            refuses_op(&open, &valid, &op, Errno::EINVAL);
        }
        let mut op = valid;
        spoil(&mut op).offset += 4;
        open.run(&[op]);
    }
}

/// "MATMUL: [...] row_stride not a multiple of 4"
fn row_strides_that_are_no_multiple_of_4_are_refused(context: &Context) {
    let (open, valid) = roomy(context);
    for spoil in OPERANDS {
        for more in [1, 2, 3, 6] {
            let mut op = valid;
            spoil(&mut op).row_stride += more;
            refuses_op(&open, &valid, &op, Errno::EINVAL);
        }
        let mut op = valid;
        spoil(&mut op).row_stride += 4;
        open.run(&[op]);
    }
}

/// "ENOENT      a, b or out names no buffer of this open"
fn handles_of_no_buffer_are_refused(context: &Context) {
    let open = context.card();
    let gone = open.create(4096);
    open.destroy(&gone);
    let (product, copied) = (valid_matmul(&open).op, valid_copy(&open).op);
    for handle in [0, gone.handle, u32::MAX] {
        for spoil in OPERANDS {
            let mut op = product;
            spoil(&mut op).handle = handle;
            refuses_op(&open, &product, &op, Errno::ENOENT);
        }
        for spoil in OPERANDS_OF_COPY {
            let mut op = copied;
            spoil(&mut op).handle = handle;
            refuses_op(&open, &copied, &op, Errno::ENOENT);
        }
    }
}

/// A MATMUL with room behind every operand.
#[track_caller]
fn roomy(context: &Context) -> (Open, spanker_op) {
    let open = context.card();
    let (m, n, k) = (2, 3, 512);
    let [a, b, out]: [Buffer; 3] = [(); 3].map(|()| open.create(8192));
    let op = matmul(
        (m, n, k),
        dense(&a, any_a_type(&open), k),
        dense(&b, SPANKER_TYPE_Q4_K, k),
        dense(&out, SPANKER_TYPE_F32, n),
    );
    (open, op)
}
