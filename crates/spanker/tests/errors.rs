// SPDX-License-Identifier: Apache-2.0
//! What people read when something is wrong, and what programs can tell.

#[path = "engines/gate.rs"]
mod gate;

use gate::Gate;
use nix::{errno::Errno, libc};
use spanker::{
    Batch, Copy, Error, Matmul, Matrix, Operand, Request, Sail, Shape, SpankerControl, F32, Q4K,
    Q8K,
};
use spanker_soft::{CardConfig, Config, FaultPlan, Machine, When};
use spanker_sys::{spanker_version, SPANKER_IOC_GET_VERSION};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

fn small_card() -> CardConfig {
    CardConfig {
        mem_size: 1 << 20,
        max_buf_size: 1 << 19,
        max_ops: 2,
        max_inflight: 2,
        max_bufs: 8,
        max_m: 4,
        max_n: 8,
        max_k: 512,
    }
}

fn sail_with(card: CardConfig) -> Sail {
    let machine = Machine::new(Config { cards: vec![card], ..Config::default() }).unwrap();
    Sail::on_machine(&machine, 0).unwrap()
}

fn operands(sail: &Sail) -> (Matrix<F32>, Matrix<Q4K>, Matrix<F32>) {
    (sail.matrix(1, 256).unwrap(), sail.matrix(8, 256).unwrap(), sail.matrix(1, 8).unwrap())
}

fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(!text.contains('\n'), "one line: {text}");
}

#[test]
fn a_node_that_is_not_there_says_what_to_do() {
    let error = Sail::open_path("/dev/spanker-that-is-not-there").unwrap_err();
    says(&error, &["/dev/spanker-that-is-not-there", "module `spanker` is not loaded"]);
    assert_eq!(error.errno(), Some(Errno::ENOENT as i32));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
}

/// What a node answers that knows no Sail: ENOTTY of the kernel. qemu's
/// emulation of user mode passes on the requests that it knows, and answers
/// ENOSYS by itself to others.
fn answer_to_get_version(path: &str) -> Errno {
    let node = File::open(path).unwrap();
    let mut version = spanker_version::default();
    let request = SPANKER_IOC_GET_VERSION.into();
    // SAFETY: the descriptor is open, and whoever knows the request writes a
    // version, for which there is room.
    let answer = unsafe { libc::ioctl(node.as_raw_fd(), request, &mut version) };
    Errno::result(answer).unwrap_err()
}

#[test]
fn a_node_that_is_no_sail_is_told_from_one() {
    for path in ["/dev/null", "/dev/zero"] {
        let error = Sail::open_path(path).unwrap_err();
        says(&error, &[path, "is not a Sail", &format!("{:?}", answer_to_get_version(path))]);
        let error = SpankerControl::open_path(path).unwrap_err();
        assert!(matches!(error, Error::NotASail { .. }), "{error}");
    }
}

#[test]
fn a_card_that_is_not_in_the_machine_cannot_be_opened() {
    let machine = Machine::new(Config::default()).unwrap();
    assert!(matches!(Sail::on_machine(&machine, 7), Err(Error::Open { .. })));
}

#[test]
fn operands_that_do_not_fit_are_named_with_both_shapes_and_handed_back() {
    let sail = Sail::software().unwrap();
    let (a, _, out) = operands(&sail);
    let narrow = sail.matrix::<Q4K>(8, 512).unwrap();
    let refused = sail.submit(Matmul::new(&a, &narrow, out)).unwrap_err();
    says(&refused.error, &["operand b", "8×256 is required", "8×512 was given"]);
    let out = refused.work.into_out();
    assert_eq!(out.shape(), Shape { rows: 1, cols: 8 });

    let weights = sail.matrix::<Q4K>(9, 256).unwrap();
    let refused = sail.submit(Matmul::new(&a, &weights, out)).unwrap_err();
    says(&refused.error, &["operand out", "1×9 is required", "1×8 was given"]);
    let expected = Shape { rows: 1, cols: 9 };
    assert!(matches!(
        refused.error,
        Error::OperandShape { operand: Operand::Out, required, .. } if required == expected
    ));
}

/// Also on the short way that a batch takes for matrices it has seen before.
#[test]
fn an_output_that_does_not_fit_is_refused_wherever_it_is_given() {
    let (sail, other) = (Sail::software().unwrap(), Sail::software().unwrap());
    let (a, b, out) = operands(&sail);
    let mut batch = Batch::new(&sail);
    batch.push(Matmul::new(&a, &b, out)).unwrap();
    for (out, words) in [
        (sail.matrix(2, 8).unwrap(), ["operand out", "1×8 is required", "2×8 was given"]),
        (sail.matrix(1, 7).unwrap(), ["operand out", "1×8 is required", "1×7 was given"]),
        (other.matrix(1, 8).unwrap(), ["operand out", "another Sail", "make it on the Sail"]),
    ] {
        let refused = batch.push(Matmul::new(&a, &b, out)).unwrap_err();
        says(&refused.error, &words);
        let refused = sail.submit(refused.work).unwrap_err();
        says(&refused.error, &words);
    }
    let batch = sail.submit(batch).unwrap().wait().unwrap();
    assert_eq!(batch.results().len(), 1);
}

#[test]
fn a_copy_between_shapes_is_refused() {
    let sail = Sail::software().unwrap();
    let a = sail.matrix::<Q8K>(2, 256).unwrap();
    let refused = sail.submit(Copy::new(&a, sail.matrix(1, 512).unwrap())).unwrap_err();
    says(&refused.error, &["operand out", "2×256 is required", "1×512 was given"]);
}

#[test]
fn a_matrix_of_another_sail_is_refused() {
    let (sail, other) = (Sail::software().unwrap(), Sail::software().unwrap());
    let (a, b, out) = operands(&sail);
    let foreign = other.matrix::<Q4K>(8, 256).unwrap();
    let refused = sail.submit(Matmul::new(&a, &foreign, out)).unwrap_err();
    says(&refused.error, &["operand b", "another Sail"]);
    let refused = other.submit(Matmul::new(&a, &foreign, refused.work.into_out())).unwrap_err();
    says(&refused.error, &["operand a", "another Sail"]);
    let mut batch = Batch::new(&sail);
    batch.push(Matmul::new(&a, &b, refused.work.into_out())).unwrap();
    assert!(matches!(other.submit(batch).unwrap_err().error, Error::ForeignBatch));
}

#[test]
fn impossible_shapes_are_refused() {
    let sail = Sail::software().unwrap();
    for (rows, cols) in [(0, 256), (1, 0), (1, 255), (usize::MAX, 256), (1 << 31, usize::MAX)] {
        let error = sail.matrix::<Q4K>(rows, cols).unwrap_err();
        assert!(matches!(error, Error::MatrixShape { element: "Q4_K", .. }), "{error}");
    }
    says(&sail.matrix::<Q4K>(3, 100).unwrap_err(), &["3×100", "multiple of 256"]);
}

#[test]
fn slices_of_the_wrong_length_are_refused_and_nothing_is_written() {
    let sail = Sail::software().unwrap();
    let mut a = sail.upload::<F32>(2, 3, &[1.0; 6]).unwrap();
    let error = a.write(&[2.0; 5]).unwrap_err();
    says(&error, &["2×3 matrix of F32 needs 6 values", "5 were given"]);
    says(&a.write_bytes(&[0; 25]).unwrap_err(), &["24 bytes", "25 were given"]);
    says(&a.read(&mut [0.0; 7]).unwrap_err(), &["6 values", "7 were given"]);
    assert_eq!(a.to_vec().unwrap(), [1.0; 6]);
    let error = sail.upload::<Q4K>(2, 512, &[]).unwrap_err();
    says(&error, &["2×512 matrix of Q4_K needs 4 blocks", "0 were given"]);
}

#[test]
fn limits_of_the_card_are_named() {
    let sail = sail_with(small_card());
    says(&sail.matrix::<F32>(1, 1 << 18).unwrap_err(), &["BUF_CREATE", "EINVAL", "524288"]);
    // Less is free then, and still 6 pages, of 64 KiB on some machines.
    let _held = [sail.matrix::<F32>(1, 1 << 17).unwrap(), sail.matrix(1, 1 << 14).unwrap()];
    says(&sail.matrix::<F32>(1, 1 << 17).unwrap_err(), &["BUF_CREATE", "ENOSPC", "1048576"]);
    let mut small: Vec<_> = (0..6).map(|_| sail.matrix::<F32>(1, 1).unwrap()).collect();
    says(&sail.matrix::<F32>(1, 1).unwrap_err(), &["BUF_CREATE", "EMFILE", "8 buffers"]);
    small.pop();
    sail.matrix::<F32>(1, 1).unwrap();
}

/// A card that takes less than one superblock takes nothing, however it is cut.
#[test]
fn an_op_that_no_cut_makes_fit_is_named_with_the_limits() {
    let sail = sail_with(CardConfig { max_k: 128, ..small_card() });
    let (a, b, out) = operands(&sail);
    let mut batch = Batch::new(&sail);
    batch.push(Matmul::new(&a, &b, out)).unwrap();
    batch.push(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap();
    let refused = sail.submit(batch).unwrap_err();
    says(&refused.error, &["op 0", "1×256 F32 by 8×256 Q4_K", "128 columns"]);
    assert!(matches!(refused.error, Error::OpRefused { op: 0, .. }));
    assert_eq!(refused.work.len(), 2, "the batch is handed back");
}

#[test]
fn a_batch_beyond_the_limits_is_told_the_limit() {
    let sail = sail_with(small_card());
    let (a, b, _) = operands(&sail);
    let mut batch = Batch::new(&sail);
    for _ in 0..3 {
        batch.push(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap();
    }
    let refused = sail.submit(batch).unwrap_err();
    says(&refused.error, &["WORK_SUBMIT", "3 ops", "up to 2"]);
    assert!(matches!(sail.submit(Batch::new(&sail)).unwrap_err().error, Error::EmptyBatch));
}

#[test]
fn a_full_queue_says_so_and_hands_the_work_back() {
    let (machine, gate) = Gate::machine_with(small_card());
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b, out) = operands(&sail);
    let first = sail.submit(Matmul::new(&a, &b, out)).unwrap();
    let second = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap();
    let refused = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap_err();
    says(&refused.error, &["WORK_SUBMIT", "EAGAIN", "the card's limit is 2 batches"]);
    assert_eq!(refused.error.errno(), Some(Errno::EAGAIN as i32));
    assert!(matches!(refused.error, Error::Request { request: Request::WorkSubmit, .. }));
    gate.open();
    let _ = (first.wait().unwrap(), second.wait().unwrap());
    let _ = sail.submit(refused.work).unwrap().wait().unwrap();
}

#[test]
fn a_chained_product_needs_an_earlier_result() {
    let sail = Sail::software().unwrap();
    let (_, b, out) = operands(&sail);
    let mut batch = Batch::new(&sail);
    let refused = batch.push_chained(0, &b, out).unwrap_err();
    says(&refused.error, &["no result 0", "0 so far"]);
    assert!(batch.is_empty());
}

fn faulting(seqno: u64, op: u32) -> Sail {
    let faults = FaultPlan::new().fail_batch(When::nth(seqno), op);
    let machine = Machine::new(Config { faults, ..Config::default() }).unwrap();
    Sail::on_machine(&machine, 0).unwrap()
}

#[test]
fn a_fault_names_the_op_and_what_follows_is_cancelled_or_refused() {
    let sail = faulting(2, 1);
    let (mut a, b, out) = operands(&sail);
    let before = sail.submit(Matmul::new(&a, &b, out)).unwrap();
    let mut batch = Batch::new(&sail);
    for _ in 0..2 {
        batch.push(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap();
    }
    let fault = sail.submit(batch).unwrap();
    let _ = before.wait().unwrap();
    let error = fault.wait().unwrap_err();
    says(&error, &["op 1 of batch 2 failed", "open the Sail again"]);
    assert!(matches!(error, Error::Fault { seqno: 2, op: 1, code: 1 }));
    assert_eq!(error.errno(), Some(Errno::EIO as i32));

    let refused = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap_err();
    says(&refused.error, &["WORK_SUBMIT", "EIO", "earlier batch failed"]);
    a.write(&[0.0; 256]).unwrap();
    assert!(matches!(sail.completed(), Ok(1)));
    assert!(matches!(sail.completed(), Err(Error::Fault { seqno: 2, .. })));
}

#[test]
fn work_behind_a_fault_is_cancelled() {
    let gate = Arc::new(Gate::default());
    let faults = FaultPlan::new().fail_batch(When::nth(2), 0);
    let config = Config { engine: Arc::clone(&gate) as _, faults, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b, _) = operands(&sail);
    let pending: Vec<_> = (0..3)
        .map(|_| sail.submit(Matmul::new(&a, &b, sail.matrix(1, 8).unwrap())).unwrap())
        .collect();
    gate.open();
    let mut ends = pending.into_iter().map(|pending| pending.wait().map(drop));
    assert!(ends.next().unwrap().is_ok());
    assert!(matches!(ends.next().unwrap(), Err(Error::Fault { seqno: 2, op: 0, .. })));
    let error = ends.next().unwrap().unwrap_err();
    says(&error, &["batch 3 was cancelled", "batch 2"]);
    assert_eq!(error.errno(), Some(Errno::ECANCELED as i32));
}

#[test]
fn a_card_that_goes_away_wakes_who_waits_and_says_so() {
    let (machine, _gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (mut a, b, out) = operands(&sail);
    let pending = sail.submit(Matmul::new(&a, &b, out)).unwrap();
    let waiting = std::thread::spawn(move || pending.wait().map(drop).unwrap_err());
    assert!(machine.unplug(0));
    let error = waiting.join().unwrap();
    says(&error, &["WAIT", "ENODEV"]);
    assert_eq!(sail.ping().unwrap_err().errno(), Some(Errno::ENODEV as i32));
    assert!(a.write(&[0.0; 256]).is_err(), "an op may still be reading it");
    assert_eq!(a.to_vec().unwrap(), [0.0; 256]);
}

/// Refused work may hold borrows, which a boxed error cannot.
#[test]
fn refused_work_becomes_a_boxed_error_by_the_question_mark() {
    fn submit(sail: &Sail) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (a, _, out) = operands(sail);
        let narrow = sail.matrix::<Q4K>(8, 512)?;
        let _ = sail.submit(Matmul::new(&a, &narrow, out))?.wait()?;
        Ok(())
    }
    let error = submit(&Sail::software().unwrap()).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Error::OperandShape { .. })), "{error}");
}
