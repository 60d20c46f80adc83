// SPDX-License-Identifier: Apache-2.0
//! The driver's engine of virtual Sails, compiled for user space: a check of its
//! arithmetic that needs neither a kernel nor a machine to run it in.

use std::os::raw::c_int;
use std::sync::{Mutex, PoisonError};

/// Rows of bytes, as in `struct spanker_rows`.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What they are in.
    pub bytes: Vec<u8>,
    /// Byte of row 0.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

impl Rows {
    /// The bytes of a row.
    pub fn row(&self, row: usize, bytes: usize) -> &[u8] {
        &self.bytes[self.offset + row * self.stride..][..bytes]
    }

    fn raw(&mut self) -> RawRows {
        RawRows {
            memory: self.bytes.as_mut_ptr(),
            offset: self.offset as u64,
            stride: self.stride as u64,
        }
    }

    fn check(&self, rows: u32, bytes: usize) {
        assert!(rows > 0 && bytes > 0, "{rows} rows of {bytes} bytes");
        let end = self.offset + (rows as usize - 1) * self.stride + bytes;
        assert!(end <= self.bytes.len(), "{end} bytes of {}", self.bytes.len());
    }
}

/// An op that is known to be valid, as in `struct spanker_work`, with the bytes
/// of its rows.
#[derive(Clone, Debug)]
pub struct Op {
    /// `SPANKER_OPCODE_*`
    pub opcode: u32,
    /// `SPANKER_TYPE_*`
    pub a_type: u32,
    /// Whether sums start from what `out` holds.
    pub accumulate: bool,
    /// Rows of `a`.
    pub m: u32,
    /// Rows of `b`.
    pub n: u32,
    /// Elements, or bytes of COPY.
    pub k: u32,
    /// Left operand.
    pub a: Rows,
    /// Right operand.
    pub b: Rows,
    /// Result.
    pub out: Rows,
    /// Bytes in a row of `a`, `b` and `out`.
    pub row_bytes: [usize; 3],
}

/// How an op ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// 0, or a negative error number.
    pub result: i32,
    /// How often the engine has looked whether to stop.
    pub steps: u32,
}

/// Runs an op; with `stop_after`, it is cancelled at that step.
pub fn run(op: &mut Op, stop_after: Option<u32>) -> Ended {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    op.a.check(op.m, op.row_bytes[0]);
    if op.n > 0 {
        op.b.check(op.n, op.row_bytes[1]);
    }
    op.out.check(op.m, op.row_bytes[2]);
    let raw = RawOp {
        opcode: op.opcode,
        a_type: op.a_type,
        accumulate: op.accumulate.into(),
        m: op.m,
        n: op.n,
        k: op.k,
        a: op.a.raw(),
        b: op.b.raw(),
        out: op.out.raw(),
    };
    let mut steps = 0;
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: `raw` has the layout of the C struct and names three vectors that
    // outlive the call and are not looked at during it; each reaches as far as
    // the rows that the op reads and writes, as checked above. The mutex keeps
    // other threads out.
    let result = unsafe { driver_arithmetic_run(&raw, stop_after.unwrap_or(0), &mut steps) };
    Ended { result, steps }
}

#[repr(C)]
struct RawRows {
    memory: *mut u8,
    offset: u64,
    stride: u64,
}

#[repr(C)]
struct RawOp {
    opcode: u32,
    a_type: u32,
    accumulate: u32,
    m: u32,
    n: u32,
    k: u32,
    a: RawRows,
    b: RawRows,
    out: RawRows,
}

extern "C" {
    fn driver_arithmetic_run(op: *const RawOp, steps_to_make: u32, made: *mut u32) -> c_int;
}
