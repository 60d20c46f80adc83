// SPDX-License-Identifier: Apache-2.0
//! What an open keeps from op to op holds none of the buffers.

#[path = "seam/card.rs"]
mod card;
#[path = "seam/ops.rs"]
mod ops;

use card::Card;
use ops::every_kind;
use spanker_soft::{Config, FaultPlan, Machine, When};
use spanker_sys::spanker_op;

/// Runs one op or more, with every handle destroyed, and gives the memory that
/// is in use then.
fn used_after(card: &Card, ops: &[spanker_op], all: &[(&str, spanker_op)]) -> u64 {
    let seqno = card.submit(ops).unwrap();
    for (_, op) in all {
        for operand in [op.a, op.b, op.out] {
            // An op may have none, or one twice.
            let _ = card.destroy(operand.handle);
        }
    }
    let _ = card.wait(seqno);
    card.telemetry().unwrap().mem_used
}

#[test]
fn who_sees_an_op_retired_sees_its_buffers_free() {
    let machine = Machine::new(Config::default()).unwrap();
    let card = Card::open(&machine).unwrap();
    for index in 0..every_kind(&card).len() {
        let card = Card::open(&machine).unwrap();
        let before = card.telemetry().unwrap().mem_used;
        let all = every_kind(&card);
        let (kind, op) = all[index];
        assert_eq!(used_after(&card, &[op], &all), before, "{kind}");
    }
}

#[test]
fn an_op_that_failed_holds_none_either() {
    let faults = FaultPlan::new().fail_batch(When::nth(1), 1);
    let machine = Machine::new(Config { faults, ..Config::default() }).unwrap();
    let card = Card::open(&machine).unwrap();
    let all = every_kind(&card);
    assert_eq!(used_after(&card, &[all[0].1, all[1].1], &all), 0);
    assert_eq!(card.context().unwrap().fault_op, 1);
}
