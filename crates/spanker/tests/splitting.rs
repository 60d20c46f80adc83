// SPDX-License-Identifier: Apache-2.0
//! Products larger than a card takes, cut by the crate: the same bits as whole.

#[path = "engines/gate.rs"]
mod gate;
#[path = "operands/random.rs"]
mod random;

use gate::Gate;
use random::{q4_k, q8_k, Random};
use spanker::{
    Activation, Batch, Copy, Error, Matmul, Progress, Sail, SpankerControl, F32, Q4K, Q8K,
};
use spanker_soft::{CardConfig, Config, Machine};

const M: usize = 11;
const N: usize = 21;
const K: usize = 1280;

/// Cards that take M×N×K in parts, each limit by itself and all together.
fn tight_cards() -> Vec<CardConfig> {
    let card = |max_m, max_n, max_k, max_ops, max_inflight| CardConfig {
        max_m,
        max_n,
        max_k,
        max_ops,
        max_inflight,
        ..CardConfig::default()
    };
    let large = 1 << 20;
    vec![
        card(4, large, large, 4096, 64),
        card(large, 8, large, 4096, 64),
        card(large, large, 512, 4096, 64),
        // No multiple of a superblock: columns are cut at whole ones.
        card(large, large, 700, 4096, 64),
        card(4, 8, 256, 4096, 64),
        // 45 parts in batches of 4, one in flight.
        card(4, 8, 256, 4, 1),
        card(1, 1, 256, 1, 1),
    ]
}

fn open(card: CardConfig) -> Sail {
    let machine = Machine::new(Config { cards: vec![card], ..Config::default() }).unwrap();
    Sail::on_machine(&machine, 0).unwrap()
}

/// out (begun with `start`) of the same product on a card.
fn product<A: Activation>(sail: &Sail, a: &[u8], b: &[u8], start: Option<&[f32]>) -> Vec<f32> {
    let a = sail.upload_bytes::<A>(M, K, a).unwrap();
    let b = sail.upload_bytes::<Q4K>(N, K, b).unwrap();
    let mut out = sail.matrix::<F32>(M, N).unwrap();
    let matmul = match start {
        Some(start) => {
            out.write(start).unwrap();
            Matmul::new(&a, &b, out).accumulate()
        }
        None => Matmul::new(&a, &b, out),
    };
    sail.submit(matmul).unwrap().wait().unwrap().to_vec().unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn compare<A: Activation>(a: &[u8]) {
    let mut random = Random::new(7);
    let b = q4_k(&mut random, N * K);
    let start: Vec<f32> = (0..M * N).map(|_| random.float()).collect();
    let whole = open(CardConfig::default());
    for start in [None, Some(&start[..])] {
        let expected = product::<A>(&whole, a, &b, start);
        assert!(expected.iter().all(|value| value.is_finite() && *value != 0.0));
        for card in tight_cards() {
            let limits = format!("{card:?}");
            let found = product::<A>(&open(card), a, &b, start);
            assert_eq!(bits(&found), bits(&expected), "{limits}");
        }
    }
}

#[test]
fn a_split_product_has_the_bits_of_the_whole_for_floats() {
    let mut random = Random::new(1);
    let a: Vec<u8> = (0..M * K).flat_map(|_| random.float().to_le_bytes()).collect();
    compare::<F32>(&a);
}

#[test]
fn a_split_product_has_the_bits_of_the_whole_for_quantised_activations() {
    compare::<Q8K>(&q8_k(&mut Random::new(2), M * K));
}

#[test]
fn a_split_product_has_the_bits_of_the_whole_for_weights_by_weights() {
    compare::<Q4K>(&q4_k(&mut Random::new(3), M * K));
}

/// Products that are split and products that are not, one reading another's
/// result, in one batch.
#[test]
fn a_batch_splits_what_needs_it_and_keeps_its_results_in_order() {
    let mut random = Random::new(4);
    let (x, w) = (vec![1.5_f32; 256], q4_k(&mut random, 512 * 256));
    let v = q4_k(&mut random, 3 * 512);
    let outs = |sail: &Sail| {
        let x = sail.upload::<F32>(1, 256, &x).unwrap();
        let w = sail.upload_bytes::<Q4K>(512, 256, &w).unwrap();
        let v = sail.upload_bytes::<Q4K>(3, 512, &v).unwrap();
        let mut batch = Batch::new(sail);
        let small = sail.upload_bytes::<Q4K>(3, 256, &v_rows(&v)).unwrap();
        batch.push(Matmul::new(&x, &small, sail.matrix(1, 3).unwrap())).unwrap();
        let hidden = batch.push(Matmul::new(&x, &w, sail.matrix(1, 512).unwrap())).unwrap();
        batch.push_chained(hidden, &v, sail.matrix(1, 3).unwrap()).unwrap();
        assert_eq!(batch.len(), 3);
        let mut batch = sail.submit(batch).unwrap().wait().unwrap();
        let mut outs = results(&batch);
        // Again into the same matrices, without moving them.
        batch.recycle();
        batch.push_recycled(&x, &small).unwrap();
        batch.push_recycled(&x, &w).unwrap();
        let batch = sail.submit(batch).unwrap().wait().unwrap();
        let again = results(&batch);
        assert_eq!(again, outs[..2]);
        outs.extend(again);
        outs
    };
    let card = CardConfig { max_n: 100, max_k: 256, ..CardConfig::default() };
    assert_eq!(outs(&open(card)), outs(&open(CardConfig::default())));
}

/// The first 256 columns of each row.
fn v_rows(v: &spanker::Matrix<Q4K>) -> Vec<u8> {
    v.view().unwrap().bytes().chunks(144).step_by(2).flatten().copied().collect()
}

fn results(batch: &Batch<'_>) -> Vec<Vec<u32>> {
    batch.results().iter().map(|out| bits(&out.to_vec().unwrap())).collect()
}

#[test]
fn a_copy_of_more_rows_than_a_card_takes_is_split() {
    let sail = open(CardConfig { max_m: 3, max_ops: 2, ..CardConfig::default() });
    let values: Vec<f32> = (0..8 * 5).map(|i| i as f32).collect();
    let a = sail.upload::<F32>(8, 5, &values).unwrap();
    let out = sail.submit(Copy::new(&a, sail.matrix(8, 5).unwrap())).unwrap().wait().unwrap();
    assert_eq!(out.to_vec().unwrap(), values);
}

#[test]
fn what_a_split_product_reads_is_guarded_until_its_last_part_is_done() {
    let card = CardConfig { max_n: 2, max_ops: 1, max_inflight: 64, ..CardConfig::default() };
    let (machine, gate) = Gate::machine_with(card);
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut a = sail.matrix::<F32>(1, 256).unwrap();
    let b = sail.matrix::<Q4K>(6, 256).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 6).unwrap())).unwrap();
    assert_eq!(pending.seqno(), 3, "three parts, each a batch");
    let refused = a.write(&[1.0; 256]).unwrap_err();
    assert!(matches!(refused, Error::InFlight { seqno: 3, .. }), "{refused}");
    let Progress::NotYet(pending) = pending.try_wait().unwrap() else { panic!("not done yet") };
    gate.open();
    let _ = pending.wait().unwrap();
    a.write(&[1.0; 256]).unwrap();
}

#[test]
fn a_card_that_goes_in_the_middle_of_a_split_product_is_told_by_its_pending() {
    let card = CardConfig { max_n: 1, max_ops: 1, max_inflight: 1, ..CardConfig::default() };
    let (machine, gate) = Gate::machine_with(card);
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(6, 256).unwrap());
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The first part is in flight, and the second waits for room.
            gate.wait_until_reached();
            assert!(machine.unplug(0));
        });
        let out = sail.matrix(1, 6).unwrap();
        sail.submit(Matmul::new(&a, &b, out)).unwrap().wait().unwrap_err()
    });
    assert_eq!(error.errno(), Some(nix::errno::Errno::ENODEV as i32), "{error}");
    assert!(SpankerControl::on_machine(&machine).unwrap().sails().unwrap().is_empty());
}

/// What has begun cannot be handed back as refused: its pending tells.
#[test]
fn a_split_product_that_is_not_accepted_to_its_end_is_no_result() {
    for (rule, max_inflight, request) in [
        ("WORK_SUBMIT#2=ENOMEM", 64, spanker::Request::WorkSubmit),
        // The queue is full, and waiting for room fails.
        ("WAIT#1=EFAULT", 1, spanker::Request::Wait),
    ] {
        let card = CardConfig { max_n: 2, max_ops: 1, max_inflight, ..CardConfig::default() };
        let faults = format!("{rule}; slow=5ms").parse().unwrap();
        let config = Config { cards: vec![card], faults, ..Config::default() };
        let sail = Sail::on_machine(&Machine::new(config).unwrap(), 0).unwrap();
        let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(6, 256).unwrap());
        let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 6).unwrap())).unwrap();
        assert_eq!(pending.seqno(), 1, "{rule}");
        let error = pending.wait().unwrap_err();
        assert!(
            matches!(&error, Error::Request { request: found, .. } if *found == request),
            "{rule}: {error:?}"
        );
        // And again, in full.
        let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 6).unwrap())).unwrap();
        assert_eq!(pending.wait().unwrap().to_vec().unwrap(), [0.0; 6], "{rule}");
    }
}

/// Its own fault, in whichever of its parts, and not one of other work.
#[test]
fn a_fault_in_a_split_product_is_its_own() {
    let card = CardConfig { max_n: 2, max_ops: 1, ..CardConfig::default() };
    let faults = "batch#2; slow=5ms".parse().unwrap();
    let config = Config { cards: vec![card], faults, ..Config::default() };
    let sail = Sail::on_machine(&Machine::new(config).unwrap(), 0).unwrap();
    let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(6, 256).unwrap());
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 6).unwrap())).unwrap();
    assert_eq!(pending.seqno(), 3);
    let other = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 6).unwrap())).unwrap();
    let error = pending.wait().unwrap_err();
    assert!(matches!(error, Error::Fault { seqno: 2, .. }), "{error}");
    let error = other.wait().unwrap_err();
    assert!(matches!(error, Error::Cancelled { fault_seqno: 2, .. }), "{error}");
}
