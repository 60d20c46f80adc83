// SPDX-License-Identifier: Apache-2.0
//! QUERY

use super::{Argument, Node};
use crate::card::MATMUL_CAPS;
use nix::errno::Errno;
use spanker_sys::*;

pub(super) fn run(node: &Node<'_>, argument: &mut Argument<'_>) -> Result<(), Errno> {
    let (mut query, tail) = argument.read::<spanker_query>()?;
    tail.check()?;
    match (node, query.type_) {
        (Node::Control(slots), SPANKER_QUERY_CARDS) => {
            answer(argument, &mut query, u32::slice_bytes(&slots.indices()))
        }
        (Node::Card(open), SPANKER_QUERY_DEVICE) => {
            answer(argument, &mut query, open.card.info().bytes())
        }
        (Node::Card(_), SPANKER_QUERY_MATMUL_CAPS) => {
            answer(argument, &mut query, spanker_matmul_cap::slice_bytes(&MATMUL_CAPS))
        }
        (Node::Card(open), SPANKER_QUERY_CONTEXT) => {
            answer(argument, &mut query, open.context().bytes())
        }
        (Node::Card(open), SPANKER_QUERY_TELEMETRY) => {
            answer(argument, &mut query, open.card.telemetry().bytes())
        }
        _ => Err(Errno::EINVAL),
    }
}

fn answer(
    argument: &mut Argument<'_>,
    query: &mut spanker_query,
    bytes: &[u8],
) -> Result<(), Errno> {
    let room = bytes.len().min(query.size as usize);
    if room > 0 {
        argument.copy_out(query.ptr, &bytes[..room])?;
    }
    // No answer is anywhere near 4 GiB.
    query.size = bytes.len() as u32;
    argument.write(query)
}
