// SPDX-License-Identifier: Apache-2.0
//! The same work as somebody writes it by hand on raw libc: ops filled in from
//! what the program knows of its matrices, two requests, and a note on each
//! matrix until when it is in use.

use crate::device::ioctl;
use crate::{COLUMNS, M, N, ROWS};
use spanker_sys::*;
use std::io;

/// The card that answers at once looks at no descriptor.
const FD: i32 = 0;

/// What a program keeps of a matrix.
#[derive(Clone)]
struct Tensor {
    handle: u32,
    rows: u32,
    cols: u32,
    row_stride: u64,
    /// The last batch that reads it.
    in_use_by: u64,
}

pub(crate) struct Raw {
    a: Vec<Tensor>,
    b: Vec<Tensor>,
    outs: Vec<Tensor>,
    ops: Vec<spanker_op>,
}

impl Raw {
    pub(crate) fn new() -> Self {
        let tensor = |handle, rows: usize, cols: usize, row_stride| Tensor {
            handle,
            rows: rows as u32,
            cols: cols as u32,
            row_stride,
            in_use_by: 0,
        };
        let a = (0..ROWS).map(|i| tensor(1 + i as u32, M, 256, 1024)).collect();
        let b = (0..COLUMNS).map(|i| tensor(100 + i as u32, N, 256, 144)).collect();
        let outs = (0..ROWS * COLUMNS).map(|i| tensor(200 + i as u32, M, N, 4 * N as u64));
        Self { a, b, outs: outs.collect(), ops: Vec::with_capacity(ROWS * COLUMNS) }
    }
}

fn check(answer: i32) -> io::Result<()> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn operand(tensor: &Tensor, kind: u32) -> spanker_operand {
    spanker_operand { handle: tensor.handle, type_: kind, offset: 0, row_stride: tensor.row_stride }
}

fn op(a: &Tensor, b: &Tensor, out: &Tensor) -> io::Result<spanker_op> {
    if a.cols != b.cols || out.rows != a.rows || out.cols != b.rows {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        flags: 0,
        m: a.rows,
        n: b.rows,
        k: a.cols,
        reserved: 0,
        a: operand(a, SPANKER_TYPE_F32),
        b: operand(b, SPANKER_TYPE_Q4_K),
        out: operand(out, SPANKER_TYPE_F32),
    })
}

fn submit(ops: &[spanker_op]) -> io::Result<u64> {
    let mut submit = spanker_work_submit {
        ops: ops.as_ptr() as usize as u64,
        op_count: ops.len() as u32,
        op_stride: std::mem::size_of::<spanker_op>() as u32,
        ..Default::default()
    };
    // SAFETY: the struct is readable and writable, and so is what it points to.
    check(unsafe {
        ioctl(FD, SPANKER_IOC_WORK_SUBMIT.into(), std::ptr::addr_of_mut!(submit).cast())
    })?;
    Ok(submit.seqno)
}

fn wait(seqno: u64) -> io::Result<()> {
    let mut wait =
        spanker_wait { seqno, deadline_ns: SPANKER_DEADLINE_NEVER as i64, ..Default::default() };
    // SAFETY: the struct is readable and writable.
    check(unsafe { ioctl(FD, SPANKER_IOC_WAIT.into(), std::ptr::addr_of_mut!(wait).cast()) })
}

#[inline(never)]
pub(crate) fn raw_batches(raw: &mut Raw, count: usize) -> io::Result<()> {
    for _ in 0..count {
        raw.ops.clear();
        let mut outs = raw.outs.iter();
        for a in &raw.a {
            for b in &raw.b {
                let Some(out) = outs.next() else { return Ok(()) };
                raw.ops.push(op(a, b, out)?);
            }
        }
        let seqno = submit(&raw.ops)?;
        raw.a.iter_mut().for_each(|a| a.in_use_by = seqno);
        raw.b.iter_mut().for_each(|b| b.in_use_by = seqno);
        raw.outs.iter_mut().for_each(|out| out.in_use_by = seqno);
        wait(seqno)?;
    }
    Ok(())
}

#[inline(never)]
pub(crate) fn raw_single(raw: &mut Raw, count: usize) -> io::Result<()> {
    for _ in 0..count {
        let op = op(&raw.a[0], &raw.b[0], &raw.outs[0])?;
        let seqno = submit(std::slice::from_ref(&op))?;
        raw.a[0].in_use_by = seqno;
        raw.b[0].in_use_by = seqno;
        wait(seqno)?;
    }
    Ok(())
}
