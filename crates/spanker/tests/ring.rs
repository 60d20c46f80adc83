// SPDX-License-Identifier: Apache-2.0
//! Many activations by the same weights, through slots that are used again.

#[path = "engines/gate.rs"]
mod gate;
#[path = "operands/random.rs"]
mod random;

use gate::Gate;
use random::{q4_k, Random};
use spanker::{Error, Matmul, Ring, Sail, F32, Q4K};
use spanker_soft::{CardConfig, Config, Machine};
use std::sync::Arc;

#[test]
fn results_come_in_order_and_have_the_bits_of_single_products() {
    let sail = Sail::software().unwrap();
    let mut random = Random::new(5);
    let weights = sail.upload_bytes::<Q4K>(7, 512, &q4_k(&mut random, 7 * 512)).unwrap();
    let inputs: Vec<Vec<f32>> =
        (0..20).map(|_| (0..2 * 512).map(|_| random.float()).collect()).collect();

    let mut ring = Ring::new(&sail, &weights, 2, 3).unwrap();
    let mut found = Vec::new();
    for input in &inputs {
        if ring.is_full() {
            found.push(ring.wait().unwrap().unwrap().bytes().to_vec());
        }
        ring.submit(input).unwrap();
    }
    while let Some(out) = ring.wait().unwrap() {
        found.push(out.bytes().to_vec());
    }
    assert_eq!((ring.in_flight(), ring.slots()), (0, 3));

    for (input, found) in inputs.iter().zip(&found) {
        let a = sail.upload::<F32>(2, 512, input).unwrap();
        let out = sail.matrix(2, 7).unwrap();
        let out = sail.submit(Matmul::new(&a, &weights, out)).unwrap().wait().unwrap();
        assert_eq!(out.view().unwrap().bytes(), found);
    }
    assert_eq!(found.len(), inputs.len());
}

#[test]
fn a_full_ring_refuses_and_says_what_to_do() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let weights = Arc::new(sail.matrix::<Q4K>(4, 256).unwrap());
    let mut ring = Ring::new(&sail, Arc::clone(&weights), 1, 2).unwrap();
    assert_eq!(ring.submit(&[1.0; 256]).unwrap(), 1);
    assert_eq!(ring.submit(&[1.0; 256]).unwrap(), 2);
    let refused = ring.submit(&[1.0; 256]).unwrap_err();
    assert!(matches!(refused, Error::RingFull { slots: 2 }), "{refused}");
    assert!(refused.to_string().contains("all 2 slots of the ring"), "{refused}");
    gate.open();
    assert!(ring.wait().unwrap().is_some());
    assert_eq!(ring.submit(&[1.0; 256]).unwrap(), 3);
    assert!(std::ptr::eq(ring.weights(), &*weights));
}

#[test]
fn what_is_refused_costs_no_slot() {
    let machine = Machine::new(Config {
        cards: vec![CardConfig { max_inflight: 1, ..CardConfig::default() }],
        faults: "WORK_SUBMIT#1=ENOMEM".parse().unwrap(),
        ..Config::default()
    });
    let sail = Sail::on_machine(&machine.unwrap(), 0).unwrap();
    let mut ring = Ring::new(&sail, sail.matrix::<Q4K>(4, 256).unwrap(), 1, 1).unwrap();
    assert!(matches!(ring.submit(&[1.0; 255]), Err(Error::Length { given: 255, .. })));
    let refused = ring.submit(&[1.0; 256]).unwrap_err();
    assert_eq!(refused.errno(), Some(nix::errno::Errno::ENOMEM as i32));
    assert_eq!(ring.submit(&[1.0; 256]).unwrap(), 1);
    assert!(ring.wait().unwrap().is_some());
    assert!(ring.wait().unwrap().is_none());
}

#[test]
fn a_slot_that_was_lost_with_its_product_is_replaced() {
    let faults = "WAIT#1=ENOMEM".parse().unwrap();
    let machine = Machine::new(Config { faults, ..Config::default() }).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut ring = Ring::new(&sail, sail.matrix::<Q4K>(4, 256).unwrap(), 1, 1).unwrap();
    ring.submit(&[1.0; 256]).unwrap();
    assert!(ring.wait().is_err());
    assert!(!ring.is_full());
    ring.submit(&[1.0; 256]).unwrap();
    assert!(ring.wait().unwrap().is_some());
}

#[test]
fn a_ring_without_slots_is_refused() {
    let sail = Sail::software().unwrap();
    let weights = sail.matrix::<Q4K>(4, 256).unwrap();
    let refused = Ring::new(&sail, &weights, 1, 0).unwrap_err();
    assert_eq!(refused.to_string(), "a ring needs at least one slot");
}

#[test]
fn a_row_of_a_view_is_walked() {
    let sail = Sail::software().unwrap();
    let matrix = sail.upload::<F32>(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let view = matrix.view().unwrap();
    assert_eq!((view.shape().rows, view.shape().cols), (2, 3));
    assert_eq!(view.row(1).collect::<Vec<_>>(), [4.0, 5.0, 6.0]);
    assert_eq!(view.row(2).count(), 0);
}
