// SPDX-License-Identifier: Apache-2.0
//! The thread that a plan with a time in it has. One test: threads are counted.

#[path = "seam/card.rs"]
mod card;

use card::Card;
use nix::errno::Errno;
use spanker_soft::{Config, Machine};
use std::{fs, thread};

fn machine(plan: &str) -> Machine {
    Machine::new(Config { faults: plan.parse().unwrap(), ..Config::default() }).unwrap()
}

/// Threads of this process that wait for the time of a fault.
fn timers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "spanker-faults").count()
}

fn wait_until_there_are(count: usize) {
    while timers() != count {
        thread::yield_now();
    }
}

#[test]
fn it_is_there_only_for_a_time_and_ends_with_what_it_waits_for() {
    let without = machine("slow=1ms; PING#1=EIO; version=9.0.0");
    Card::open(&without).unwrap();
    assert_eq!(timers(), 0);

    let never_opened = machine("unplug=3600s");
    wait_until_there_are(1);
    drop(never_opened);
    wait_until_there_are(0);

    let opened = machine("reset=3600s*");
    let card = Card::open(&opened).unwrap();
    wait_until_there_are(1);
    drop(opened);
    assert_eq!((card.ping(), timers()), (Ok(()), 1), "what is open keeps it");
    drop(card);
    wait_until_there_are(0);

    let come = machine("reset=0s");
    let card = Card::open(&come).unwrap();
    assert_eq!(card.read(false), Err(Errno::ENODEV));
    wait_until_there_are(0);
}
