// SPDX-License-Identifier: Apache-2.0
//! The device seam: what a kernel offers on a file descriptor.

use crate::buffer::at_mmap_offset;
use crate::fault::Call;
use crate::machine::Slots;
use crate::mapping::{Mapping, Protection, Sharing};
use crate::memory::{page_size, UserMemory};
use crate::open::{Open, PollBits};
use crate::request::{self, Node};
use crate::sync::lock;
use nix::errno::Errno;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// An open of a node. Clones share the open, as descriptors made by dup do;
/// dropping the last one closes it.
#[derive(Clone, Debug)]
pub struct File {
    node: FileNode,
}

#[derive(Clone, Debug)]
enum FileNode {
    Control(Arc<Slots>),
    Card(Arc<Pin>),
}

/// Keeps an open going; every descriptor and every mapping has one.
#[derive(Debug)]
pub(crate) struct Pin {
    open: Arc<Open>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.open.end();
    }
}

impl File {
    pub(crate) fn control(slots: Arc<Slots>) -> Self {
        Self { node: FileNode::Control(slots) }
    }

    pub(crate) fn card(open: Arc<Open>) -> Self {
        Self { node: FileNode::Card(Arc::new(Pin { open })) }
    }

    fn open(&self) -> Option<&Arc<Open>> {
        match &self.node {
            FileNode::Control(_) => None,
            FileNode::Card(pin) => Some(&pin.open),
        }
    }

    /// ioctl(2): the request with this code, whose struct is at `argument` of
    /// `memory`. Blocks where the ABI says so.
    ///
    /// # Errors
    /// The errno that the ABI gives to the first thing that is wrong, or that a
    /// [`FaultPlan`](crate::FaultPlan) does.
    pub fn request(
        &self,
        memory: &mut dyn UserMemory,
        code: u32,
        argument: u64,
    ) -> Result<(), Errno> {
        let node = match &self.node {
            FileNode::Control(slots) => Node::Control(slots),
            FileNode::Card(pin) => Node::Card(&pin.open),
        };
        request::dispatch(&node, memory, code, argument)
    }

    /// mmap(2): `len` bytes, rounded up to whole pages, at `offset`.
    ///
    /// # Errors
    /// ENODEV, EACCES or EINVAL, as the header's section 6 says.
    pub fn mmap(
        &self,
        offset: u64,
        len: u64,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<Mapping, Errno> {
        let FileNode::Card(pin) = &self.node else {
            return Err(Errno::ENODEV);
        };
        pin.open.check_alive()?;
        if let Some(faults) = &pin.open.card.faults {
            faults.answer(Call::Mmap)?;
        }
        if protection.execute {
            return Err(Errno::EACCES);
        }
        let page = page_size();
        if sharing == Sharing::Private || len == 0 || offset % page != 0 {
            return Err(Errno::EINVAL);
        }
        let (handle, start) = at_mmap_offset(offset);
        let buffer = lock(&pin.open.handles).get(handle).cloned().ok_or(Errno::EINVAL)?;
        let end = start
            .checked_add(len)
            .and_then(|end| end.checked_add(page - 1))
            .map(|end| end / page * page)
            .filter(|end| buffer.is_mappable() && *end <= buffer.memory.storage.len())
            .ok_or(Errno::EINVAL)?;
        Ok(Mapping::new(Arc::clone(pin), buffer, start, end - start, protection))
    }

    /// poll(2): the bits of a card as they are now. The control node has none.
    pub fn poll(&self) -> PollBits {
        self.open().map(|open| open.poll()).unwrap_or_default()
    }

    /// read(2) of `len` bytes at `address` of `memory`.
    ///
    /// # Errors
    /// As the header's section 8 says; EINVAL on the control node.
    pub fn read(
        &self,
        memory: &mut dyn UserMemory,
        address: u64,
        len: usize,
        nonblocking: bool,
    ) -> Result<usize, Errno> {
        let open = self.open().ok_or(Errno::EINVAL)?;
        if let Some(faults) = &open.card.faults {
            open.check_alive()?;
            faults.answer(Call::Read)?;
        }
        open.read(len, nonblocking, |completed| {
            memory.write(address, &completed.to_ne_bytes()).map_err(|_| Errno::EFAULT)
        })
    }

    /// Lets at most so many threads at a time compute a batch of this open, if it
    /// is submitted from now on; `None` lets all that the machine has, as at first.
    /// One that waits and computes is one of them. Results are the same bits.
    ///
    /// A kernel has no such call, nor has the control node a use for it.
    pub fn limit_threads(&self, threads: Option<NonZeroUsize>) {
        if let Some(open) = self.open() {
            open.limit_threads(threads.map_or(usize::MAX, NonZeroUsize::get));
        }
    }

    /// With `true`, promises that who submits to this open waits for it by WAIT:
    /// no thread is woken for a batch that is submitted from then on, and it is
    /// computed by a thread that waits for it or, where as many compute as may,
    /// as usual. Until somebody waits it may not begin, whoever polls or reads.
    ///
    /// A kernel has no such call, nor has the control node a use for it.
    pub fn compute_when_waited_for(&self, promised: bool) {
        if let Some(open) = self.open() {
            open.compute_when_waited_for(promised);
        }
    }

    /// A descriptor for event loops: readable whenever a bit of [`File::poll`]
    /// may have been set since it or [`File::read`] was last called, and when
    /// there is a fault behind the number that was read. Its other bits mean
    /// nothing. The control node has none.
    pub fn event_fd(&self) -> Option<BorrowedFd<'_>> {
        self.open().map(|open| open.event_fd())
    }
}
