// SPDX-License-Identifier: Apache-2.0
//! WORK_SUBMIT

use super::Argument;
use crate::op::{Op, Work};
use crate::open::Open;
use crate::sync::lock;
use nix::errno::Errno;
use spanker_sys::*;
use std::mem::size_of;
use std::sync::Arc;

const OP_BYTES: usize = size_of::<spanker_op>();

/// Where a batch is put together before it is queued; kept, so that nothing has
/// to be allocated for the next.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    /// The ops as they were sent, and room for more.
    array: Vec<u8>,
    batch: Vec<Op>,
}

pub(super) fn run(open: &Arc<Open>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let (mut submit, tail) = argument.read::<spanker_work_submit>()?;
    submit.bad_op = SPANKER_NO_OP;
    let mut staging = lock(&open.staging);
    let valid = tail.check().map_err(Refusal::from);
    let queued = match valid.and_then(|()| stage(open, argument, &submit, &mut staging)) {
        Ok(()) => open.queue(&mut staging.batch, |seqno| {
            argument.write(&spanker_work_submit { seqno, ..submit })
        }),
        Err(refusal) => {
            submit.bad_op = refusal.op;
            Err(refusal.errno)
        }
    };
    queued.or_else(|errno| {
        // What was staged holds buffers.
        staging.batch.clear();
        // On success, bad_op was written together with the seqno.
        write_bad_op(argument, submit.bad_op)?;
        Err(errno)
    })
}

fn write_bad_op(argument: &mut Argument<'_>, bad_op: u32) -> Result<(), Errno> {
    let offset = BAD_OP_OFFSET as u64;
    argument.copy_out(argument.address.wrapping_add(offset), bad_op.bytes())
}

/// Of the field bad_op: the struct has no padding, and this is before it.
const BAD_OP_OFFSET: usize = size_of::<u64>() + 3 * size_of::<u32>();

/// Why a batch was refused, and at which op.
struct Refusal {
    op: u32,
    errno: Errno,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { op: SPANKER_NO_OP, errno }
    }
}

/// Copies the ops in and checks them.
fn stage(
    open: &Open,
    argument: &mut Argument<'_>,
    submit: &spanker_work_submit,
    staging: &mut Staging,
) -> Result<(), Refusal> {
    let limits = &open.card.limits;
    let strides = OP_BYTES as u32..=SPANKER_OP_STRIDE_MAX;
    if submit.flags != 0
        || !(1..=limits.max_ops).contains(&submit.op_count)
        || !strides.contains(&submit.op_stride)
        || submit.op_stride % 8 != 0
    {
        return Err(Errno::EINVAL.into());
    }
    let stride = submit.op_stride as usize;
    let bytes = stride * submit.op_count as usize;
    if staging.array.len() < bytes {
        staging.array.resize(bytes, 0);
    }
    let array = &mut staging.array[..bytes];
    argument.copy_in(submit.ops, array)?;

    let handles = lock(&open.handles);
    for (index, bytes) in (0..).zip(array.chunks_exact(stride)) {
        let (known, tail) = bytes.split_at(OP_BYTES);
        let refuse = |errno| Refusal { op: index, errno };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(refuse(Errno::E2BIG));
        }
        let mut op = spanker_op::default();
        op.bytes_mut().copy_from_slice(known);
        let work = Work::validate(&op, limits, &handles).map_err(refuse)?;
        staging.batch.push(Op { seqno: 0, index, work });
    }
    Ok(())
}
