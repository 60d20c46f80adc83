// SPDX-License-Identifier: Apache-2.0
//! Cards that go at a time, with nothing else going on.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use spanker_soft::{Config, Machine};

fn machine(plan: &str) -> Machine {
    Machine::new(Config { faults: plan.parse().unwrap(), ..Config::default() }).unwrap()
}

/// An open whose card is about to be unplugged, and a batch that would not end
/// for an hour.
fn blocked() -> (Machine, Card, u64) {
    // Where this thread has to stand back, a time may have come too soon.
    let mut times = [20, 200, 2000].into_iter();
    loop {
        let time = times.next().expect("two seconds are enough to submit a batch");
        let machine = machine(&format!("slow=3600s; unplug={time}ms"));
        let Ok(card) = Card::open(&machine) else { continue };
        if let Ok(seqno) = card.copy_op().and_then(|op| card.submit(&[op])) {
            return (machine, card, seqno);
        }
    }
}

#[test]
fn an_unplug_wakes_who_waits() {
    let (machine, card, seqno) = blocked();
    assert_eq!(card.wait_until(seqno, i64::MAX - 1), Err(Errno::ENODEV));
    assert_eq!(Card::open(&machine).err(), Some(Errno::ENOENT));
    assert!(machine.cards().is_empty());
}

#[test]
fn an_unplug_wakes_who_waits_by_computing() {
    let (_, card, seqno) = blocked();
    assert_eq!(card.wait(seqno), Err(Errno::ENODEV));
}

#[test]
fn an_unplug_wakes_who_reads() {
    // The machine itself is gone: what is open keeps it going.
    let card = Card::open(&machine("unplug=20ms")).unwrap();
    assert_eq!(card.read(false), Err(Errno::ENODEV));
}

#[test]
fn a_reset_wakes_an_event_loop_and_opening_again_gets_on() {
    let machine = machine("reset=20ms");
    let card = Card::open(&machine).unwrap();
    let event = card.file.event_fd().unwrap();
    // What was before is of no interest.
    while !card.file.poll().hangup {
        let mut fds = [PollFd::new(event, PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::NONE).unwrap();
    }
    assert_eq!(card.ping(), Err(Errno::ENODEV));

    let again = Card::open(&machine).unwrap();
    assert_eq!(again.telemetry().unwrap().resets, 1);
    let seqno = again.submit(&[again.copy_op().unwrap()]).unwrap();
    assert_eq!(again.wait(seqno), Ok(()));
}

#[test]
fn a_marked_reset_comes_again() {
    let machine = machine("reset=5ms*");
    for _ in 0..4 {
        assert_eq!(Card::open(&machine).unwrap().read(false), Err(Errno::ENODEV));
    }
    assert!(Card::open(&machine).unwrap().telemetry().map_or(true, |now| now.resets >= 4));
}

#[test]
fn resets_come_to_an_end_when_the_card_goes() {
    let machine = machine("reset=1ms*; unplug=20ms");
    while let Ok(card) = Card::open(&machine) {
        assert_eq!(card.read(false), Err(Errno::ENODEV));
    }
    assert_eq!(Card::open(&machine).err(), Some(Errno::ENOENT));
}

#[test]
fn time_begins_when_a_card_is_first_opened() {
    let machine = machine("unplug=0s");
    assert_eq!(machine.cards(), [0]);
    assert_eq!(Card::open(&machine).unwrap().read(false), Err(Errno::ENODEV));
}
