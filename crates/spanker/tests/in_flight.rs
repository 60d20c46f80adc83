// SPDX-License-Identifier: Apache-2.0
//! What may be touched while work is in flight, and what becomes of work that
//! nobody waits for.

#[path = "engines/gate.rs"]
mod gate;

use gate::Gate;
use spanker::{Batch, Copy, Error, Matmul, Matrix, Pending, Placement, Progress, Sail, F32, Q4K};
use std::time::{Duration, Instant};

struct Operands {
    a: Matrix<F32>,
    b: Matrix<Q4K>,
}

impl Operands {
    fn new(sail: &Sail) -> Self {
        Self {
            a: sail.upload(1, 256, &[1.0; 256]).unwrap(),
            b: sail.upload_bytes(4, 256, &[7; 4 * 144]).unwrap(),
        }
    }

    fn submit(&self, sail: &Sail) -> Pending<Matrix<F32>> {
        sail.submit(Matmul::new(&self.a, &self.b, sail.matrix(1, 4).unwrap())).unwrap()
    }
}

fn not_yet<T>(progress: Progress<T>) -> Pending<T> {
    match progress {
        Progress::NotYet(pending) => pending,
        Progress::Done(_) => panic!("done although the gate is shut"),
    }
}

#[test]
fn submit_comes_back_before_the_work_is_done() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let pending = Operands::new(&sail).submit(&sail);
    let pending = not_yet(pending.try_wait().unwrap());
    let begin = Instant::now();
    let pending = not_yet(pending.wait_timeout(Duration::from_millis(20)).unwrap());
    assert!(begin.elapsed() >= Duration::from_millis(20));
    gate.open();
    assert_eq!(pending.wait().unwrap().stored_len(), 4);
}

#[test]
fn what_an_op_reads_can_be_read_but_not_written_until_it_has_completed() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut operands = Operands::new(&sail);
    let pending = operands.submit(&sail);

    assert_eq!(operands.a.to_vec().unwrap(), [1.0; 256]);
    assert_eq!(operands.a.view().unwrap().get(0, 255), Some(1.0));
    let refused = operands.a.write(&[2.0; 256]).unwrap_err();
    assert!(matches!(refused, Error::InFlight { seqno: 1, completed: 0 }), "{refused}");
    assert!(matches!(operands.b.view_mut(), Err(Error::InFlight { .. })));
    assert_eq!(operands.a.to_vec().unwrap(), [1.0; 256]);

    gate.open();
    let _ = pending.wait().unwrap();
    operands.a.write(&[2.0; 256]).unwrap();
    operands.b.view_mut().unwrap().bytes_mut().fill(0);
}

#[test]
fn other_matrices_can_be_written_meanwhile() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let first = Operands::new(&sail);
    let mut second = Operands::new(&sail);
    let pending = first.submit(&sail);
    second.a.write(&[3.0; 256]).unwrap();
    gate.open();
    let _ = pending.wait().unwrap();
}

#[test]
fn work_whose_pending_was_dropped_goes_on_and_still_guards_what_it_reads() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut operands = Operands::new(&sail);
    drop(operands.submit(&sail));
    assert!(matches!(operands.a.write(&[2.0; 256]), Err(Error::InFlight { .. })));
    let second = operands.submit(&sail);
    gate.open();
    let _ = second.wait().unwrap();
    operands.a.write(&[2.0; 256]).unwrap();
    assert_eq!(sail.telemetry().unwrap().batches, 2);
}

#[test]
fn memory_of_dropped_work_is_given_back_when_the_device_is_done() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    let used = || sail.telemetry().unwrap().memory_used_bytes;
    let before = used();
    drop(operands.submit(&sail));
    assert!(used() > before, "the device still writes to it");
    let marker = operands.submit(&sail);
    gate.open();
    drop(marker.wait().unwrap());
    assert_eq!(used(), before);
}

#[test]
fn forgotten_work_keeps_its_sail_open_and_its_memory() {
    let (machine, gate) = Gate::machine();
    let observer = Sail::on_machine(&machine, 0).unwrap();
    let used = || observer.telemetry().unwrap().memory_used_bytes;
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    let before = used();
    std::mem::forget(operands.submit(&sail));
    gate.open();
    drop(operands.submit(&sail).wait().unwrap());
    let results = used() - before;
    assert!(results > 0, "the forgotten results are still there");
    drop((operands, sail));
    assert_eq!(used(), results);
}

#[test]
fn closing_does_not_wait_for_work() {
    let (machine, gate) = Gate::machine();
    let observer = Sail::on_machine(&machine, 0).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let operands = Operands::new(&sail);
    let pending = [operands.submit(&sail), operands.submit(&sail)];
    gate.wait_until_reached();
    // The gate stays shut: if closing waited, this would never come back.
    drop((pending, operands, sail));
    let deadline = Instant::now() + Duration::from_secs(20);
    while observer.telemetry().unwrap().memory_used_bytes > 0 {
        assert!(Instant::now() < deadline, "the engine has not let go");
        std::thread::yield_now();
    }
}

#[test]
fn a_matrix_keeps_the_sail_open() {
    let sail = Sail::software().unwrap();
    let matrix = sail.upload::<F32>(1, 4, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    drop(sail);
    assert_eq!(matrix.to_vec().unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn a_batch_guards_all_that_it_reads() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (mut x, mut other) =
        (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<F32>(2, 256).unwrap());
    let (up, mut down) =
        (sail.matrix::<Q4K>(256, 256).unwrap(), sail.matrix::<Q4K>(8, 256).unwrap());
    let mut batch = Batch::new(&sail);
    let first = batch.push(Matmul::new(&x, &up, sail.matrix(1, 256).unwrap())).unwrap();
    batch.push_chained(first, &down, sail.matrix(1, 8).unwrap()).unwrap();
    let pending = sail.submit(batch).unwrap();
    assert!(matches!(x.write(&[0.0; 256]), Err(Error::InFlight { .. })));
    assert!(matches!(down.view_mut(), Err(Error::InFlight { .. })));
    other.write(&[0.0; 512]).unwrap();
    gate.open();
    assert_eq!(pending.wait().unwrap().results().len(), 2);
    x.write(&[0.0; 256]).unwrap();
    let _ = down.view_mut().unwrap();
}

#[test]
fn device_memory_is_reached_by_copies_alone() {
    let sail = Sail::software().unwrap();
    let mut resident = sail.matrix_in::<F32>(2, 3, Placement::Device).unwrap();
    assert!(matches!(resident.write(&[0.0; 6]), Err(Error::NotMapped)));
    assert!(matches!(resident.to_vec(), Err(Error::NotMapped)));
    assert!(matches!(resident.view(), Err(Error::NotMapped)));
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let source = sail.upload::<F32>(2, 3, &values).unwrap();
    let resident = sail.submit(Copy::new(&source, resident)).unwrap().wait().unwrap();
    let back = sail.matrix(2, 3).unwrap();
    let back = sail.submit(Copy::new(&resident, back)).unwrap().wait().unwrap();
    assert_eq!(back.to_vec().unwrap(), values);
}

/// Its ops are gone: what they named is borrowed no more.
#[test]
fn a_batch_that_was_handed_back_cannot_be_submitted_again_as_it_is() {
    let sail = Sail::software().unwrap();
    let mut operands = Operands::new(&sail);
    let mut batch = Batch::new(&sail);
    batch.push(Matmul::new(&operands.a, &operands.b, sail.matrix(1, 4).unwrap())).unwrap();
    let batch = sail.submit(batch).unwrap().wait().unwrap();
    assert_eq!((batch.len(), batch.results().len()), (0, 1));
    let refused = sail.submit(batch).unwrap_err();
    assert!(matches!(refused.error, Error::EmptyBatch), "{refused}");

    let mut batch: Batch<'_> = refused.work;
    let out = sail.matrix(1, 4).unwrap();
    let refused = batch.push(Matmul::new(&operands.a, &operands.b, out)).unwrap_err();
    assert!(matches!(refused.error, Error::OldResults { count: 1 }), "{refused}");
    let refused = batch.push_chained(0, &operands.b, refused.work.into_out()).unwrap_err();
    assert!(matches!(refused.error, Error::OldResults { count: 1 }), "{refused}");
    batch.clear();
    batch.push(Matmul::new(&operands.a, &operands.b, refused.work)).unwrap();
    let _ = sail.submit(batch).unwrap().wait().unwrap();
    operands.a.write(&[0.0; 256]).unwrap();
}

/// A matrix is noted once for each round of filling, whatever other batches it
/// is in as well.
#[test]
fn a_batch_that_is_filled_again_guards_what_it_reads_again() {
    let (machine, gate) = Gate::machine();
    gate.open();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut operands = Operands::new(&sail);
    let mut batch = Batch::new(&sail);
    batch.push(Matmul::new(&operands.a, &operands.b, sail.matrix(1, 4).unwrap())).unwrap();
    let mut batch = sail.submit(batch).unwrap().wait().unwrap();
    batch.recycle();
    operands.a.write(&[2.0; 256]).unwrap();

    gate.shut();
    batch.push_recycled(&operands.a, &operands.b).unwrap();
    let pending = sail.submit(batch).unwrap();
    assert!(matches!(operands.a.write(&[0.0; 256]), Err(Error::InFlight { seqno: 2, .. })));
    assert!(matches!(operands.b.view_mut(), Err(Error::InFlight { seqno: 2, .. })));
    gate.open();
    let _ = pending.wait().unwrap();
    operands.a.write(&[0.0; 256]).unwrap();
}

#[test]
fn a_matrix_in_two_batches_that_are_filled_by_turns_is_guarded_by_both() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut operands = Operands::new(&sail);
    let out = || sail.matrix(1, 4).unwrap();
    let (mut first, mut second) = (Batch::new(&sail), Batch::new(&sail));
    for _ in 0..3 {
        first.push(Matmul::new(&operands.a, &operands.b, out())).unwrap();
        second.push(Matmul::new(&operands.a, &operands.b, out())).unwrap();
    }
    // The last one noted is not the last one submitted.
    let second = sail.submit(second).unwrap();
    let first = sail.submit(first).unwrap();
    assert!(matches!(operands.a.write(&[0.0; 256]), Err(Error::InFlight { seqno: 2, .. })));
    gate.open();
    let _ = (second.wait().unwrap(), first.wait().unwrap());
    operands.a.write(&[0.0; 256]).unwrap();
}

#[test]
fn recycled_outputs_are_those_of_the_last_round_and_run_out() {
    let sail = Sail::software().unwrap();
    let operands = Operands::new(&sail);
    let mut batch = Batch::new(&sail);
    for _ in 0..2 {
        batch.push(Matmul::new(&operands.a, &operands.b, sail.matrix(1, 4).unwrap())).unwrap();
    }
    let mut batch = sail.submit(batch).unwrap().wait().unwrap();
    let refused = batch.push_recycled(&operands.a, &operands.b).unwrap_err();
    assert!(matches!(refused, Error::OldResults { count: 2 }), "{refused}");
    batch.recycle();
    assert!(batch.is_empty() && batch.results().is_empty());
    assert_eq!(batch.push_recycled(&operands.a, &operands.b).unwrap(), 0);
    // One moved in goes between; the one that is left is used after it.
    let out = sail.matrix(1, 4).unwrap();
    assert_eq!(batch.push(Matmul::new(&operands.a, &operands.b, out)).unwrap(), 1);
    assert_eq!(batch.push_recycled(&operands.a, &operands.b).unwrap(), 2);
    let none = batch.push_recycled(&operands.a, &operands.b).unwrap_err();
    assert!(matches!(none, Error::NothingToRecycle { products: 3 }), "{none}");

    let narrow = sail.matrix::<Q4K>(3, 256).unwrap();
    let batch = sail.submit(batch).unwrap().wait().unwrap();
    let expected = batch.results()[0].to_vec().unwrap();
    assert!(expected[0] != 0.0);
    assert!(batch.results().iter().all(|out| out.to_vec().unwrap() == expected));
    let mut batch = batch;
    batch.recycle();
    let misfit = batch.push_recycled(&operands.a, &narrow).unwrap_err();
    assert!(matches!(misfit, Error::OperandShape { .. }), "{misfit}");
    assert!(batch.is_empty());
}

#[test]
fn refused_products_leave_a_batch_as_it_was() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let mut operands = Operands::new(&sail);
    let narrow = sail.matrix::<Q4K>(3, 512).unwrap();
    let mut refused_a = sail.matrix::<F32>(1, 256).unwrap();
    let mut batch = Batch::new(&sail);
    let out = || sail.matrix(1, 4).unwrap();
    batch.push(Matmul::new(&operands.a, &operands.b, out())).unwrap();
    for _ in 0..3 {
        assert!(batch.push(Matmul::new(&refused_a, &narrow, out())).is_err());
        batch.push(Matmul::new(&operands.a, &operands.b, out())).unwrap();
    }
    // What was refused once is guarded when it is taken after all.
    let mut late_a = sail.matrix::<F32>(1, 256).unwrap();
    let mut late = Batch::new(&sail);
    assert!(late.push(Matmul::new(&late_a, &narrow, out())).is_err());
    late.push(Matmul::new(&late_a, &operands.b, out())).unwrap();
    let _late = sail.submit(late).unwrap();
    let pending = sail.submit(batch).unwrap();
    assert!(matches!(operands.a.write(&[0.0; 256]), Err(Error::InFlight { .. })));
    assert!(matches!(operands.b.view_mut(), Err(Error::InFlight { .. })));
    assert!(matches!(late_a.write(&[0.0; 256]), Err(Error::InFlight { .. })));
    gate.open();
    let _ = pending.wait().unwrap();
    refused_a.write(&[0.0; 256]).unwrap();
}

#[test]
fn a_chain_is_recycled_as_well() {
    let sail = Sail::software().unwrap();
    let x = sail.upload::<F32>(1, 256, &[0.5; 256]).unwrap();
    let up = sail.upload_bytes::<Q4K>(256, 256, &[7; 256 * 144]).unwrap();
    let down = sail.upload_bytes::<Q4K>(4, 256, &[7; 4 * 144]).unwrap();
    let mut batch = Batch::new(&sail);
    let hidden = batch.push(Matmul::new(&x, &up, sail.matrix(1, 256).unwrap())).unwrap();
    batch.push_chained(hidden, &down, sail.matrix(1, 4).unwrap()).unwrap();
    let mut batch = sail.submit(batch).unwrap().wait().unwrap();
    let expected = batch.results()[1].to_vec().unwrap();
    assert!(expected[0] != 0.0);
    batch.recycle();
    let hidden = batch.push_recycled(&x, &up).unwrap();
    assert!(batch.push_chained_recycled(7, &down).is_err());
    batch.push_chained_recycled(hidden, &down).unwrap();
    let batch = sail.submit(batch).unwrap().wait().unwrap();
    assert_eq!(batch.results()[1].to_vec().unwrap(), expected);
}

#[test]
fn a_clone_is_the_same_open() {
    let sail = Sail::software().unwrap();
    let operands = Operands::new(&sail.clone());
    assert_eq!(operands.submit(&sail).seqno(), 1);
    assert_eq!(operands.submit(&sail.clone()).seqno(), 2);
    assert_eq!(operands.submit(&sail).wait().unwrap().stored_len(), 4);
    let progress = operands.submit(&sail).wait_timeout(Duration::from_secs(60)).unwrap();
    assert!(progress.done().is_some());
}
