// SPDX-License-Identifier: Apache-2.0
//! A program that has much work in flight and waits.

use crate::children::ready;
use crate::work::LongWork;
use spanker::Sail;

/// Fills the card's queue with long work; ends only by being killed, or when the
/// card goes.
pub(super) fn fill(index: u32) {
    let sail = Sail::open(index).unwrap();
    let work = LongWork::new(&sail).unwrap();
    let mut pending = Vec::new();
    for _ in 0..sail.info().max_in_flight.min(4) {
        pending.push(work.submit(&sail).unwrap());
    }
    ready();
    let first = pending.swap_remove(0);
    let error = first.wait().map(drop).unwrap_err();
    panic!("waiting ended: {error}");
}
