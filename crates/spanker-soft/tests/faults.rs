// SPDX-License-Identifier: Apache-2.0
//! What goes wrong when a plan says so, once or again and again, and that
//! nothing else does.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use nix::errno::Errno;
use spanker_soft::{Config, Machine, Protection, Sharing, Slices};
use spanker_sys::{spanker_op, spanker_version, Plain, SPANKER_IOC_GET_VERSION};
use std::num::NonZeroUsize;

fn machine(plan: &str) -> Machine {
    let faults = plan.parse().unwrap();
    Machine::new(Config { faults, threads: NonZeroUsize::new(2), ..Config::default() }).unwrap()
}

fn card(plan: &str) -> Card {
    Card::open(&machine(plan)).unwrap()
}

/// What so many of these calls answer.
fn answers<T>(count: usize, mut call: impl FnMut() -> Result<T, Errno>) -> Vec<Result<(), Errno>> {
    (0..count).map(|_| call().map(drop)).collect()
}

const EIO: Result<(), Errno> = Err(Errno::EIO);

#[test]
fn each_kind_of_call_is_answered_once_by_its_number() {
    type Act = fn(&Machine, &Card) -> Result<(), Errno>;
    let acts: [(&str, Act); 10] = [
        ("OPEN", |machine, _| Card::open(machine).map(drop)),
        ("PING", |_, card| card.ping()),
        ("GET_VERSION", |_, card| card.version().map(drop)),
        ("QUERY", |_, card| card.telemetry().map(drop)),
        ("BUF_CREATE", |_, card| card.create(1).map(drop)),
        ("BUF_DESTROY", |_, card| match card.destroy(99) {
            Err(Errno::ENOENT) => Ok(()),
            other => other,
        }),
        ("WORK_SUBMIT", |_, card| match card.submit(&[spanker_op::default()]) {
            Err(Errno::EINVAL) => Ok(()),
            other => other.map(drop),
        }),
        ("WAIT", |_, card| match card.wait(1) {
            Err(Errno::EINVAL) => Ok(()),
            other => other,
        }),
        ("MMAP", |_, card| match card.file.mmap(0, 1, Protection::READ_WRITE, Sharing::Shared) {
            Err(Errno::EINVAL) => Ok(()),
            other => other.map(drop),
        }),
        ("READ", |_, card| match card.read(true) {
            Err(Errno::EAGAIN) => Ok(()),
            other => other.map(drop),
        }),
    ];
    for (name, act) in acts {
        // The first OPEN is the one that these calls are made with.
        let number = if name == "OPEN" { 3 } else { 2 };
        let machine = machine(&format!("{name}#{number}=EIO"));
        let card = Card::open(&machine).unwrap();
        for (other, act) in acts.iter().filter(|(other, _)| *other != name) {
            assert_eq!(answers(3, || act(&machine, &card)), [Ok(()); 3], "{other} by {name}");
        }
        let got = answers(4, || act(&machine, &card));
        assert_eq!(got, [Ok(()), EIO, Ok(()), Ok(())], "{name}");
    }
}

#[test]
fn any_counts_all_calls_together() {
    let machine = machine("any#4=EIO");
    let card = Card::open(&machine).unwrap();
    card.ping().unwrap();
    card.create(1).unwrap();
    assert_eq!(card.read(true), Err(Errno::EIO));
    assert_eq!(card.read(true), Err(Errno::EAGAIN));
}

#[test]
fn a_marked_rule_comes_every_so_manyth_call() {
    let card = card("PING#3*=EIO");
    let ok = Ok(());
    assert_eq!(answers(7, || card.ping()), [ok, ok, EIO, ok, ok, EIO, ok]);
}

#[test]
fn calls_are_counted_over_all_opens_so_that_opening_again_gets_on() {
    let machine = machine("BUF_CREATE#2=ENOMEM; OPEN#2=EMFILE");
    let first = Card::open(&machine).unwrap();
    first.create(1).unwrap();
    assert_eq!(Card::open(&machine).err(), Some(Errno::EMFILE));
    let second = Card::open(&machine).unwrap();
    assert_eq!(second.create(1).err(), Some(Errno::ENOMEM));
    assert_eq!(answers(3, || second.create(1)), [Ok(()); 3]);
}

#[test]
fn chances_are_the_same_with_the_same_seed_whatever_other_rules_there_are() {
    let pings = |plan: &str| {
        let card = card(plan);
        answers(200, || card.ping())
    };
    let alone = pings("seed=5; PING%20*=EIO");
    assert!(alone.contains(&EIO) && alone.contains(&Ok(())));
    assert_eq!(alone, pings("PING%20*=EIO; WAIT%50*=EINTR; slow=1ns; seed=5"));
    assert_ne!(alone, pings("seed=6; PING%20*=EIO"));

    let once = pings("seed=5; PING%20=EIO");
    assert_eq!(once.iter().filter(|answer| **answer == EIO).count(), 1);
}

#[test]
fn a_rule_counts_what_another_rule_answers() {
    let card = card("PING#2=EINTR; PING#2=EIO; PING#3=EIO");
    assert_eq!(answers(4, || card.ping()), [Ok(()), Err(Errno::EINTR), EIO, Ok(())]);
}

#[test]
fn a_refused_create_takes_no_memory_and_no_handle() {
    let card = card("BUF_CREATE#2=ENOMEM");
    let first = card.create(5000).unwrap();
    let before = card.telemetry().unwrap().mem_used;
    assert_eq!(card.create(5000).err(), Some(Errno::ENOMEM));
    assert_eq!(card.telemetry().unwrap().mem_used, before);
    assert_eq!(card.create(5000).unwrap().handle, first.handle + 1);
}

#[test]
fn a_refused_destroy_keeps_the_buffer() {
    let card = card("BUF_DESTROY#1=EINTR");
    let handle = card.create(1).unwrap().handle;
    let before = card.telemetry().unwrap().mem_used;
    assert_eq!(card.destroy(handle), Err(Errno::EINTR));
    assert_eq!(card.telemetry().unwrap().mem_used, before);
    assert_eq!(card.destroy(handle), Ok(()));
}

#[test]
fn a_refused_submit_queues_nothing() {
    let card = card("WORK_SUBMIT#1=ENOMEM");
    let op = card.copy_op().unwrap();
    assert_eq!(card.submit(&[op]), Err(Errno::ENOMEM));
    assert_eq!(card.context().unwrap().submitted, 0);
    assert_eq!(card.submit(&[op]), Ok(1));
    assert_eq!(card.wait(1), Ok(()));
}

#[test]
fn a_refused_wait_or_read_can_be_made_again() {
    let card = card("WAIT#1=EINTR; READ#1=EINTR");
    let seqno = card.submit(&[card.copy_op().unwrap()]).unwrap();
    assert_eq!(card.wait(seqno), Err(Errno::EINTR));
    assert_eq!(card.wait(seqno), Ok(()));
    assert_eq!(card.read(false), Err(Errno::EINTR));
    assert_eq!(card.read(false), Ok(seqno));
}

#[test]
fn a_refused_request_writes_nothing() {
    let card = card("GET_VERSION#1=EIO");
    let mut version = spanker_version { major: 7, minor: 7, patch: 7, reserved: 7 };
    let before = version.bytes().to_vec();
    let refused = card.request(SPANKER_IOC_GET_VERSION, &mut version, &[], &mut []);
    assert_eq!(refused, EIO);
    assert_eq!(version.bytes(), before);
}

#[test]
fn a_card_that_is_gone_is_told_before_a_fault_and_uses_none_up() {
    let machine = machine("PING#1=EIO; MMAP#1=EIO; READ#1=EIO");
    let card = Card::open(&machine).unwrap();
    machine.reset(0);
    let gone = Err(Errno::ENODEV);
    assert_eq!(card.ping(), gone);
    assert_eq!(card.read(true).map(drop), gone);
    let mmap = |card: &Card| card.file.mmap(0, 1, Protection::READ_WRITE, Sharing::Shared);
    assert_eq!(mmap(&card).err(), Some(Errno::ENODEV));

    let card = Card::open(&machine).unwrap();
    assert_eq!(card.ping(), EIO);
    assert_eq!(card.read(true).map(drop), EIO);
    assert_eq!(mmap(&card).err(), Some(Errno::EIO));
}

#[test]
fn what_is_no_request_is_not_counted() {
    let card = card("PING#1=EIO");
    let unknown = card.file.request(&mut Slices::new(&mut []), 0xe37f, 0);
    assert_eq!(unknown, Err(Errno::ENOTTY));
    assert_eq!(card.ping(), EIO);
}

#[test]
fn the_control_node_is_answered_too() {
    let machine = machine("PING#2=EIO; version=9.1.2");
    let control = Card { file: machine.open_control() };
    assert_eq!(control.ping(), Ok(()));
    assert_eq!(Card::open(&machine).unwrap().ping(), EIO);
    assert_eq!(control.version(), Ok((9, 1, 2)));
}

#[test]
fn every_open_tells_the_version_of_the_plan() {
    let machine = machine("version=9.0.0");
    for _ in 0..2 {
        assert_eq!(Card::open(&machine).unwrap().version(), Ok((9, 0, 0)));
    }
}

/// Submits batches of so many ops, and says what became of them.
fn batches(card: &Card, count: u64, ops: usize) -> Vec<Result<(), Errno>> {
    let op = card.copy_op().unwrap();
    let run = |_| {
        let seqno = card.submit(&vec![op; ops])?;
        card.wait(seqno)
    };
    (0..count).map(run).collect()
}

fn fault(card: &Card) -> (u64, u32) {
    let context = card.context().unwrap();
    (context.fault_seqno, context.fault_op)
}

#[test]
fn a_batch_fails_at_its_op_on_one_open_only() {
    for (rule, op) in [("batch#2", 0), ("batch#2:1", 1)] {
        let machine = machine(rule);
        let card = Card::open(&machine).unwrap();
        assert_eq!(batches(&card, 3, 2), [Ok(()), EIO, EIO]);
        assert_eq!(fault(&card), (2, op));
        assert_eq!(card.telemetry().unwrap().faults, 1);
        assert_eq!(batches(&Card::open(&machine).unwrap(), 3, 2), [Ok(()); 3]);
    }
}

#[test]
fn a_marked_batch_fails_on_every_open() {
    let machine = machine("batch#2:1*");
    for _ in 0..3 {
        let card = Card::open(&machine).unwrap();
        assert_eq!(batches(&card, 2, 2), [Ok(()), EIO]);
        assert_eq!(fault(&card), (2, 1));
    }
}

#[test]
fn a_batch_without_that_op_does_not_fail() {
    let card = card("batch#1:1");
    assert_eq!(batches(&card, 3, 1), [Ok(()); 3]);
}

#[test]
fn batches_fail_by_chance_reproducibly() {
    let faults = |plan: &str| -> Vec<u64> {
        let machine = machine(plan);
        let fault = |_| {
            let card = Card::open(&machine).unwrap();
            batches(&card, 40, 2);
            fault(&card).0
        };
        (0..8).map(fault).collect()
    };
    let first = faults("seed=3; batch%10:1*");
    assert!(first.iter().filter(|seqno| **seqno > 0).count() > 1, "{first:?}");
    assert_eq!(first, faults("seed=3; batch%10:1*"));
    let once = faults("seed=3; batch%10:1");
    assert_eq!(once[0], first[0]);
    assert!(once[0] > 0 && once[1..] == [0; 7], "{once:?}");
}

#[test]
fn slow_ops_take_longer_and_still_compute() {
    let card = card("slow=2ms");
    let before = card.telemetry().unwrap();
    assert_eq!(batches(&card, 2, 3), [Ok(()); 2]);
    let after = card.telemetry().unwrap();
    assert_eq!(after.ops, 6);
    assert!(after.busy_ns - before.busy_ns >= 6 * 2_000_000);
}

#[test]
fn a_slow_op_stops_when_its_open_ends() {
    // An hour would be noticed.
    let machine = machine("slow=3600s");
    let observer = Card::open(&machine).unwrap();
    let card = Card::open(&machine).unwrap();
    let op = card.copy_op().unwrap();
    let used = observer.telemetry().unwrap().mem_used;
    assert!(used > 0);
    card.submit(&[op]).unwrap();
    while observer.telemetry().unwrap().busy_ns == 0 {
        std::thread::yield_now();
    }
    drop(card);
    while observer.telemetry().unwrap().mem_used > 0 {
        std::thread::yield_now();
    }
    assert_eq!(observer.telemetry().unwrap().faults, 0);
}

#[test]
fn a_slow_op_stops_when_its_card_is_reset_and_who_waits_is_told() {
    let machine = machine("slow=3600s");
    let card = Card::open(&machine).unwrap();
    let seqno = card.submit(&[card.copy_op().unwrap()]).unwrap();
    let waiting = {
        let card = card.clone();
        std::thread::spawn(move || card.wait(seqno))
    };
    let started = || Card::open(&machine).unwrap().telemetry().unwrap().busy_ns > 0;
    while !started() {
        std::thread::yield_now();
    }
    machine.reset(0);
    assert_eq!(waiting.join().unwrap(), Err(Errno::ENODEV));
}
