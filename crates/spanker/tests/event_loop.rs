// SPDX-License-Identifier: Apache-2.0
//! Work waited for by a descriptor.

#[path = "engines/gate.rs"]
mod gate;

use gate::Gate;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use spanker::{Error, Matmul, Matrix, Pending, Progress, Sail, F32, Q4K};
use spanker_soft::{Config, Machine};
use std::os::fd::AsFd;

fn submit(sail: &Sail, a: &Matrix<F32>, b: &Matrix<Q4K>) -> Pending<Matrix<F32>> {
    sail.submit(Matmul::new(a, b, sail.matrix(1, 4).unwrap())).unwrap()
}

/// Whether the descriptor is readable now, or becomes so in `milliseconds`.
fn readable(fd: &impl AsFd, milliseconds: u16) -> bool {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::from(milliseconds)).unwrap() > 0
}

#[test]
fn the_descriptor_wakes_an_event_loop_when_work_completes_and_is_quiet_after_it_was_asked() {
    let (machine, gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(4, 256).unwrap());
    let pending = submit(&sail, &a, &b);
    // It may be readable at first: a loop asks, and waits again.
    let _ = readable(&sail, 0);
    assert_eq!(sail.completed().unwrap(), 0);
    assert!(!readable(&pending, 0), "nothing has happened");

    gate.open();
    assert!(readable(&pending, 20_000), "nobody was woken");
    assert_eq!(sail.completed().unwrap(), 1);
    assert!(!readable(&sail, 0), "asked and answered");
    assert!(matches!(pending.try_wait().unwrap(), Progress::Done(_)));
}

#[test]
fn one_thread_serves_many_batches() {
    let sail = Sail::software().unwrap();
    let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(4, 256).unwrap());
    let fd = sail.as_fd().try_clone_to_owned().unwrap();
    let mut pending: Vec<_> = (0..100).map(|_| submit(&sail, &a, &b)).collect();
    while !pending.is_empty() {
        assert!(readable(&fd, 20_000), "nobody was woken");
        let completed = sail.completed().unwrap();
        pending.retain(|pending| pending.seqno() > completed);
    }
    assert_eq!(sail.completed().unwrap(), 100);
}

/// Also when both were there before the loop looked.
#[test]
fn a_fault_behind_a_success_is_told_as_well() {
    let gate = std::sync::Arc::new(Gate::default());
    let faults = "batch#2".parse().unwrap();
    let config = Config { engine: std::sync::Arc::clone(&gate) as _, faults, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = (sail.matrix::<F32>(1, 256).unwrap(), sail.matrix::<Q4K>(4, 256).unwrap());
    let _ = sail.as_fd();
    let (first, second) = (submit(&sail, &a, &b), submit(&sail, &a, &b));
    gate.open();
    assert!(second.wait().is_err());
    assert!(readable(&sail, 20_000));
    assert_eq!(sail.completed().unwrap(), 1);
    assert!(readable(&sail, 20_000), "the fault is not told");
    assert!(matches!(sail.completed(), Err(Error::Fault { seqno: 2, .. })));
    assert!(first.wait().is_ok());
}

#[test]
fn a_card_that_goes_away_wakes_the_loop() {
    let (machine, _gate) = Gate::machine();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let _ = sail.as_fd();
    assert_eq!(sail.completed().unwrap(), 0);
    assert!(!readable(&sail, 0));
    machine.reset(0);
    assert!(readable(&sail, 20_000));
    assert!(sail.completed().is_err());
}
