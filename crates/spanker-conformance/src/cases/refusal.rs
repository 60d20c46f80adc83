// SPDX-License-Identifier: Apache-2.0
//! What it means that a batch is refused.

use nix::errno::Errno;
use spanker_sys::{
    spanker_context_info, spanker_op, spanker_work_submit, SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP,
};

use crate::open::{batch, Answer, Open};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

/// What a request that fails must leave as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    context: spanker_context_info,
    mem_used: u64,
}

impl State {
    /// The state of an open on a card that nothing else uses.
    #[track_caller]
    pub(super) fn of(open: &Open) -> State {
        State { context: open.context_info(), mem_used: open.telemetry().mem_used }
    }
}

/// The batch is refused because of the op `bad_op` and changes nothing.
#[track_caller]
pub(super) fn refuses(open: &Open, ops: &[spanker_op], errno: Errno, bad_op: u32) {
    let array: Vec<u8> = ops.iter().flat_map(encode).collect();
    let placed = UserBytes::new(&array);
    refuses_batch(open, &batch(placed.address(), ops.len() as u32), errno, bad_op);
}

/// The op is refused, alone and as the last of three.
#[track_caller]
pub(super) fn refuses_op(open: &Open, valid: &spanker_op, op: &spanker_op, errno: Errno) {
    refuses(open, &[*op], errno, 0);
    refuses(open, &[*valid, *valid, *op], errno, 2);
}

/// The request is refused for no op's sake and changes nothing.
#[track_caller]
pub(super) fn refuses_whole(open: &Open, submit: &spanker_work_submit, errno: Errno) {
    refuses_batch(open, submit, errno, SPANKER_NO_OP);
}

#[track_caller]
fn refuses_batch(open: &Open, submit: &spanker_work_submit, errno: Errno, bad_op: u32) {
    let before = State::of(open);
    let Answer { result, after } = open.request(SPANKER_IOC_WORK_SUBMIT, submit);
    assert_eq!(result, Err(errno));
    assert_eq!(
        after,
        spanker_work_submit { bad_op, ..*submit },
        "what a refused WORK_SUBMIT leaves in the struct",
    );
    // `completed` may have moved on meanwhile, if there was work.
    let now = State::of(open);
    assert_eq!(now.context.submitted, before.context.submitted, "submitted after a refusal");
    assert_eq!(now.mem_used, before.mem_used, "mem_used after a refusal");
}
