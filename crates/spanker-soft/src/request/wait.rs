// SPDX-License-Identifier: Apache-2.0
//! WAIT

use super::Argument;
use crate::open::Open;
use nix::errno::Errno;
use spanker_sys::spanker_wait;
use std::mem::size_of;
use std::sync::Arc;

pub(super) fn run(open: &Arc<Open>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let (wait, tail) = argument.read::<spanker_wait>()?;
    let (completed, answer) = match tail.check() {
        Err(errno) => (open.context().completed, Err(errno)),
        Ok(()) if wait.flags != 0 || wait.reserved != 0 => {
            (open.context().completed, Err(Errno::EINVAL))
        }
        Ok(()) => open.wait(wait.seqno, wait.deadline_ns),
    };
    let offset = size_of::<spanker_wait>() - size_of::<u64>();
    let address = argument.address.wrapping_add(offset as u64);
    argument.copy_out(address, &completed.to_ne_bytes())?;
    answer
}
