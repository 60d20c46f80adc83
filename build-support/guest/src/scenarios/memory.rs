// SPDX-License-Identifier: Apache-2.0
//! Where memory is counted.

use crate::children::{eventually, Part};
use crate::driver;
use crate::work::{expect_working, Operands};
use spanker::Sail;
use std::fs;
use std::time::Duration;

const GROUP: &str = "/sys/fs/cgroup/limited";

pub(super) fn cgroup() {
    driver::insert("cards=256M").unwrap();
    fs::create_dir(GROUP).unwrap();
    fs::write(format!("{GROUP}/memory.max"), "32M").unwrap();
    Part::start(&["limited", GROUP]).expect_success();
    let events = fs::read_to_string(format!("{GROUP}/memory.events")).unwrap();
    assert!(events.contains("oom_kill 0"), "{events}");
    fs::remove_dir(GROUP).unwrap();
    expect_working(0);
    driver::remove().unwrap();
}

/// Insertions that fill the kernel's caches, and those that must not matter.
const WARM_UP: usize = 8;
const COUNTED: usize = 30;

/// How much the counters move by themselves, in KiB. A page for each insertion
/// is more.
const NOISE: u64 = 100;

pub(super) fn insertions() {
    for _ in 0..WARM_UP {
        insert_use_remove();
    }
    let before = kernel_memory();
    for _ in 0..COUNTED {
        insert_use_remove();
    }
    // What is freed after a grace period takes a moment.
    let is_back = || kernel_memory() < before + NOISE;
    let back = eventually(Duration::from_secs(10), is_back);
    let after = kernel_memory();
    println!("measured kernel memory: {before} KiB, after {COUNTED} insertions {after} KiB");
    assert!(back, "{before} KiB became {after} KiB");
    for list in ["/proc/vmallocinfo", "/proc/slabinfo", "/proc/devices", "/proc/modules"] {
        let text = fs::read_to_string(list).unwrap();
        let own = text.lines().find(|line| line.contains("spanker"));
        assert_eq!(own, None, "{list}");
    }
}

/// Opens, buffers and batches in one insertion: if each leaves 100 bytes behind,
/// it shows.
const USES: usize = 40;

fn insert_use_remove() {
    driver::insert("cards=64M").unwrap();
    driver::new_device("mem_size=16M").unwrap();
    for _ in 0..USES {
        expect_working(0);
        lose_work(1);
    }
    expect_working(1);
    driver::remove().unwrap();
}

/// What the kernel has for itself and cannot give back, in KiB.
fn kernel_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let value = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    };
    ["SUnreclaim:", "VmallocUsed:", "PageTables:", "KernelStack:"].map(value).iter().sum()
}

/// An open that is lost with work in flight.
fn lose_work(index: u32) {
    let sail = Sail::open(index).unwrap();
    let operands = Operands::new(&sail, 2, 64, 2048).unwrap();
    for _ in 0..3 {
        drop(operands.submit(&sail).unwrap());
    }
    driver::reset(index).unwrap();
    let told = operands.submit(&sail).unwrap_err();
    assert!(told.needs_reopening(), "{told}");
}
