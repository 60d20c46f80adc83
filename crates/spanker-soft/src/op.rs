// SPDX-License-Identifier: Apache-2.0
//! Ops: from what a caller sent to what an engine can run without a further
//! check.

use crate::buffer::{Buffer, Handles};
use crate::card::MATMUL_CAPS;
use crate::config::CardConfig;
use nix::errno::Errno;
use spanker_sys::*;
use std::mem::size_of;
use std::sync::Arc;

const QK_K: u64 = SPANKER_QK_K as u64;

/// What the elements of an operand of MATMUL are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    F32,
    Q4K,
    Q8K,
}

impl Type {
    fn from_abi(number: u32) -> Option<Self> {
        match number {
            SPANKER_TYPE_F32 => Some(Self::F32),
            SPANKER_TYPE_Q4_K => Some(Self::Q4K),
            SPANKER_TYPE_Q8_K => Some(Self::Q8K),
            _ => None,
        }
    }

    /// Bytes in a row of `elements`, a multiple of 256 for the block types.
    pub(crate) fn row_bytes(self, elements: u32) -> u64 {
        let elements = u64::from(elements);
        match self {
            Self::F32 => elements * 4,
            Self::Q4K => elements / QK_K * size_of::<spanker_block_q4_k>() as u64,
            Self::Q8K => elements / QK_K * size_of::<spanker_block_q8_k>() as u64,
        }
    }
}

/// Rows of bytes in a buffer, known to be inside it.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) offset: u64,
    pub(crate) stride: u64,
}

impl Rows {
    /// Where `row` begins in the buffer's memory.
    pub(crate) fn start(&self, row: u32) -> u64 {
        self.offset + u64::from(row) * self.stride
    }
}

/// `out[i][j] (+)= sum of a[i][l] * b[j][l]`, validated.
#[derive(Clone, Debug)]
pub(crate) struct Matmul {
    pub(crate) a_type: Type,
    pub(crate) accumulate: bool,
    pub(crate) m: u32,
    pub(crate) n: u32,
    pub(crate) k: u32,
    pub(crate) a: Rows,
    pub(crate) b: Rows,
    pub(crate) out: Rows,
}

/// `rows` rows of `bytes` bytes from `a` to `out`, validated.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) rows: u32,
    pub(crate) bytes: u32,
    pub(crate) a: Rows,
    pub(crate) out: Rows,
}

#[derive(Clone, Debug)]
pub(crate) enum Work {
    Matmul(Matmul),
    Copy(Copy),
}

/// An op that an engine is asked to run. It cannot be cloned: an engine must not
/// go on with it after it has said that it is done.
#[derive(Debug)]
pub struct Op {
    pub(crate) seqno: u64,
    pub(crate) index: u32,
    pub(crate) work: Work,
}

impl Op {
    /// The batch it belongs to.
    pub fn seqno(&self) -> u64 {
        self.seqno
    }

    /// Its place in the batch.
    pub fn index(&self) -> u32 {
        self.index
    }
}

/// Row bytes that ops read and write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, work: &Work) {
        match work {
            Work::Matmul(op) => {
                let out = u64::from(op.m) * Type::F32.row_bytes(op.n);
                self.bytes_in += u64::from(op.m) * op.a_type.row_bytes(op.k)
                    + u64::from(op.n) * Type::Q4K.row_bytes(op.k)
                    + if op.accumulate { out } else { 0 };
                self.bytes_out += out;
            }
            Work::Copy(op) => {
                let bytes = u64::from(op.rows) * u64::from(op.bytes);
                self.bytes_in += bytes;
                self.bytes_out += bytes;
            }
        }
    }
}

/// Bytes that COPY moves in a ns, about.
const COPIED_PER_NS: u64 = 8;

impl Work {
    /// How long it takes one thread that forms so many products of two elements
    /// in a ns, about, in ns.
    pub(crate) fn ns(&self, macs_per_ns: u64) -> u64 {
        match self {
            Self::Matmul(op) => {
                let of_a = u64::from(op.m) * u64::from(op.k);
                // Rows of a share the unpacking of b.
                let rate = if op.m < 4 { macs_per_ns } else { 2 * macs_per_ns };
                let quantising = if op.a_type == Type::F32 { 8 } else { 0 };
                of_a.saturating_mul(u64::from(op.n)) / rate
                    + of_a.saturating_mul(quantising) / macs_per_ns
            }
            Self::Copy(op) => u64::from(op.rows) * u64::from(op.bytes) / COPIED_PER_NS,
        }
    }

    /// Checks an op in the order of the header's section 7, from EINVAL for the
    /// opcode to EINVAL for overlap.
    pub(crate) fn validate(
        op: &spanker_op,
        limits: &CardConfig,
        handles: &Handles,
    ) -> Result<Self, Errno> {
        match op.opcode {
            SPANKER_OPCODE_MATMUL => matmul(op, limits, handles).map(Self::Matmul),
            SPANKER_OPCODE_COPY => copy(op, limits, handles).map(Self::Copy),
            _ => Err(Errno::EINVAL),
        }
    }
}

fn matmul(op: &spanker_op, limits: &CardConfig, handles: &Handles) -> Result<Matmul, Errno> {
    if op.flags & !SPANKER_OP_ACCUMULATE != 0 || op.reserved != 0 {
        return Err(Errno::EINVAL);
    }
    let offered = MATMUL_CAPS.iter().any(|cap| {
        (cap.a_type, cap.b_type, cap.out_type) == (op.a.type_, op.b.type_, op.out.type_)
    });
    let a_type = Type::from_abi(op.a.type_).filter(|_| offered).ok_or(Errno::EOPNOTSUPP)?;

    let in_range = |value, max| (1..=max).contains(&value);
    if !in_range(op.m, limits.max_m)
        || !in_range(op.n, limits.max_n)
        || !in_range(op.k, limits.max_k)
        || op.k % SPANKER_QK_K != 0
    {
        return Err(Errno::EINVAL);
    }
    let a_bytes = a_type.row_bytes(op.k);
    let b_bytes = Type::Q4K.row_bytes(op.k);
    let out_bytes = Type::F32.row_bytes(op.n);
    for (operand, row_bytes) in [(&op.a, a_bytes), (&op.b, b_bytes), (&op.out, out_bytes)] {
        let aligned = operand.offset % 4 == 0 && operand.row_stride % 4 == 0;
        if operand.row_stride < row_bytes || !aligned {
            return Err(Errno::EINVAL);
        }
    }

    // All are found before the first is measured.
    let (a, b, out) = (rows(&op.a, handles)?, rows(&op.b, handles)?, rows(&op.out, handles)?);
    let a_end = footprint_end(&a, op.m, a_bytes)?;
    let b_end = footprint_end(&b, op.n, b_bytes)?;
    let out_end = footprint_end(&out, op.m, out_bytes)?;
    if overlap(&op.out, out_end, &op.a, a_end) || overlap(&op.out, out_end, &op.b, b_end) {
        return Err(Errno::EINVAL);
    }
    let accumulate = op.flags & SPANKER_OP_ACCUMULATE != 0;
    Ok(Matmul { a_type, accumulate, m: op.m, n: op.n, k: op.k, a, b, out })
}

fn copy(op: &spanker_op, limits: &CardConfig, handles: &Handles) -> Result<Copy, Errno> {
    if op.flags != 0
        || op.reserved != 0
        || op.a.type_ != 0
        || op.out.type_ != 0
        || op.b != spanker_operand::default()
    {
        return Err(Errno::EINVAL);
    }
    let bytes = u64::from(op.k);
    if op.m == 0 || op.m > limits.max_m || op.k == 0 || op.n != 0 {
        return Err(Errno::EINVAL);
    }
    if op.a.row_stride < bytes || op.out.row_stride < bytes {
        return Err(Errno::EINVAL);
    }
    let (a, out) = (rows(&op.a, handles)?, rows(&op.out, handles)?);
    let a_end = footprint_end(&a, op.m, bytes)?;
    let out_end = footprint_end(&out, op.m, bytes)?;
    if overlap(&op.out, out_end, &op.a, a_end) {
        return Err(Errno::EINVAL);
    }
    Ok(Copy { rows: op.m, bytes: op.k, a, out })
}

/// Finds the buffer of an operand.
fn rows(operand: &spanker_operand, handles: &Handles) -> Result<Rows, Errno> {
    let buffer = Arc::clone(handles.get(operand.handle).ok_or(Errno::ENOENT)?);
    Ok(Rows { buffer, offset: operand.offset, stride: operand.row_stride })
}

/// The end of the footprint, if it is inside the buffer.
fn footprint_end(rows: &Rows, count: u32, row_bytes: u64) -> Result<u64, Errno> {
    u64::from(count - 1)
        .checked_mul(rows.stride)
        .and_then(|span| span.checked_add(row_bytes))
        .and_then(|span| span.checked_add(rows.offset))
        .filter(|end| *end <= rows.buffer.size)
        .ok_or(Errno::ERANGE)
}

fn overlap(one: &spanker_operand, one_end: u64, two: &spanker_operand, two_end: u64) -> bool {
    one.handle == two.handle && one.offset < two_end && two.offset < one_end
}
