// SPDX-License-Identifier: Apache-2.0
//! BUF_CREATE and BUF_DESTROY

use super::Argument;
use crate::buffer::{mmap_offset, Buffer};
use crate::open::Open;
use crate::sync::lock;
use nix::errno::Errno;
use spanker_sys::*;
use std::sync::Arc;

pub(super) fn create(open: &Arc<Open>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let (mut create, tail) = argument.read::<spanker_buf_create>()?;
    tail.check()?;
    let limits = &open.card.limits;
    let size_fits = (1..=limits.max_buf_size).contains(&create.size);
    if create.flags & !SPANKER_BUF_DEVICE != 0 || !size_fits {
        return Err(Errno::EINVAL);
    }
    let mut handles = lock(&open.handles);
    if handles.len() >= limits.max_bufs as usize {
        return Err(Errno::EMFILE);
    }
    let memory = open.card.allocate(create.size)?;
    let buffer = Buffer { size: create.size, flags: create.flags, memory };
    create.handle = handles.next();
    create.mmap_offset = if buffer.is_mappable() { mmap_offset(create.handle) } else { 0 };
    argument.write(&create)?;
    handles.insert(create.handle, Arc::new(buffer));
    Ok(())
}

pub(super) fn destroy(open: &Arc<Open>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let (destroy, tail) = argument.read::<spanker_buf_destroy>()?;
    tail.check()?;
    if destroy.flags != 0 {
        return Err(Errno::EINVAL);
    }
    let buffer = lock(&open.handles).remove(destroy.handle)?;
    // Outside the lock: the last one to let go unmaps the memory.
    drop(buffer);
    Ok(())
}
