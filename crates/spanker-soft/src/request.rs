// SPDX-License-Identifier: Apache-2.0
//! Requests: recognised by type, number and direction, answered in the order of
//! checks that the header's section 2 gives.

mod argument;
mod buffers;
mod query;
mod submit;
mod wait;

use crate::fault::{Call, Injector};
use crate::machine::Slots;
use crate::memory::UserMemory;
use crate::open::Open;
use argument::Argument;
use nix::errno::Errno;
use spanker_sys::*;
use std::sync::Arc;
pub(crate) use submit::Staging;

/// What a request was made to.
pub(crate) enum Node<'a> {
    Control(&'a Slots),
    Card(&'a Arc<Open>),
}

impl Node<'_> {
    fn faults(&self) -> Option<&Injector> {
        match self {
            Self::Control(slots) => slots.faults.as_deref(),
            Self::Card(open) => open.card.faults.as_deref(),
        }
    }
}

const PING: u32 = ioc_nr(SPANKER_IOC_PING);
const GET_VERSION: u32 = ioc_nr(SPANKER_IOC_GET_VERSION);
const QUERY: u32 = ioc_nr(SPANKER_IOC_QUERY);
const BUF_CREATE: u32 = ioc_nr(SPANKER_IOC_BUF_CREATE);
const BUF_DESTROY: u32 = ioc_nr(SPANKER_IOC_BUF_DESTROY);
const WORK_SUBMIT: u32 = ioc_nr(SPANKER_IOC_WORK_SUBMIT);
const WAIT: u32 = ioc_nr(SPANKER_IOC_WAIT);

/// Answers one request.
pub(crate) fn dispatch(
    node: &Node<'_>,
    memory: &mut dyn UserMemory,
    code: u32,
    address: u64,
) -> Result<(), Errno> {
    if let Node::Card(open) = node {
        open.check_alive()?;
    }
    let (nr, size) = (ioc_nr(code), ioc_size(code));
    let (call, expected) = match (node, nr) {
        (_, PING) => (Call::Ping, SPANKER_IOC_PING),
        (_, GET_VERSION) => (Call::GetVersion, SPANKER_IOC_GET_VERSION),
        (_, QUERY) => (Call::Query, SPANKER_IOC_QUERY),
        (Node::Card(_), BUF_CREATE) => (Call::BufCreate, SPANKER_IOC_BUF_CREATE),
        (Node::Card(_), BUF_DESTROY) => (Call::BufDestroy, SPANKER_IOC_BUF_DESTROY),
        (Node::Card(_), WORK_SUBMIT) => (Call::WorkSubmit, SPANKER_IOC_WORK_SUBMIT),
        (Node::Card(_), WAIT) => (Call::Wait, SPANKER_IOC_WAIT),
        _ => return Err(Errno::ENOTTY),
    };
    if ioc_type(code) != ioc_type(expected) || ioc_dir(code) != ioc_dir(expected) {
        return Err(Errno::ENOTTY);
    }
    if size < ioc_size(expected) {
        return Err(Errno::EINVAL);
    }
    if let Some(faults) = node.faults() {
        faults.answer(call)?;
    }
    let mut argument = Argument { memory, address, size };
    match (node, nr) {
        (_, GET_VERSION) => version(node, &mut argument),
        (_, QUERY) => query::run(node, &mut argument),
        (Node::Card(open), BUF_CREATE) => buffers::create(open, &mut argument),
        (Node::Card(open), BUF_DESTROY) => buffers::destroy(open, &mut argument),
        (Node::Card(open), WORK_SUBMIT) => submit::run(open, &mut argument),
        (Node::Card(open), WAIT) => wait::run(open, &mut argument),
        // PING: being recognised is the answer.
        _ => Ok(()),
    }
}

fn version(node: &Node<'_>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let version = spanker_version {
        major: SPANKER_ABI_VERSION_MAJOR as u16,
        minor: SPANKER_ABI_VERSION_MINOR as u16,
        patch: SPANKER_ABI_VERSION_PATCH as u16,
        reserved: 0,
    };
    let version = node.faults().map_or(version, |faults| faults.version(version));
    argument.write_zeroing_tail(&version)
}
