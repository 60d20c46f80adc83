// SPDX-License-Identifier: Apache-2.0
//! What was there goes, in the middle of work.

use crate::children::{eventually, Part};
use crate::driver;
use crate::work::{expect_working, Operands};
use nix::errno::Errno;
use spanker::{Error, Sail, SpankerControl, F32};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// For what is to happen at once, on a machine that is emulated.
const SOON: Duration = Duration::from_secs(5);

/// As many as there are processors, and one.
const LOADS: usize = 3;

fn under_load(what: &str, go: impl FnOnce()) {
    driver::insert("cards=256M,64M").unwrap();
    let loads: Vec<Part> = (0..LOADS).map(|_| Part::start(&["load", "0"])).collect();
    let begin = Instant::now();
    go();
    let took = begin.elapsed();
    for load in loads {
        load.expect_success();
    }
    println!(
        "measured {what} under load: the write took {} ms, all were told after {} ms",
        took.as_millis(),
        begin.elapsed().as_millis()
    );
    assert!(took < SOON, "it waited for {took:?}");
}

pub(super) fn unplug() {
    under_load("unplug", || driver::del_device(0).unwrap());
    assert_eq!(SpankerControl::open().unwrap().sails().unwrap(), [1]);
    assert!(Sail::open(0).is_err());
    driver::new_device("mem_size=64M index=0").unwrap();
    assert_eq!(Sail::open(0).unwrap().telemetry().unwrap().memory_used_bytes, 0);
    expect_working(0);
    expect_working(1);
    driver::remove().unwrap();
}

pub(super) fn reset() {
    under_load("reset", || driver::reset(0).unwrap());
    let counters = Sail::open(0).unwrap().telemetry().unwrap();
    assert_eq!((counters.resets, counters.memory_used_bytes), (1, 0));
    expect_working(0);
    driver::remove().unwrap();
}

pub(super) fn killed() {
    driver::insert("cards=256M").unwrap();
    let observer = Sail::open(0).unwrap();
    let used = || observer.telemetry().unwrap().memory_used_bytes;
    let part = Part::start(&["fill", "0"]);
    assert!(used() > 0);
    let took = part.kill();
    println!("measured SIGKILL with work in flight: gone after {} ms", took.as_millis());
    assert!(took < SOON, "the process was gone after {took:?}");
    assert!(eventually(SOON, || used() == 0), "{} bytes are still in use", used());
    Operands::new(&observer, 2, 4, 512).unwrap().check(&observer).unwrap();
    drop(observer);
    driver::remove().unwrap();
}

pub(super) fn killed_and_removed() {
    for _ in 0..3 {
        driver::insert("cards=256M").unwrap();
        let part = Part::start(&["fill", "0"]);
        part.kill();
        driver::remove().unwrap();
    }
}

/// How long the storm lasts.
const STORM: Duration = Duration::from_secs(6);

pub(super) fn storm() {
    driver::insert("cards=64M").unwrap();
    let is_over = AtomicBool::new(false);
    let (made, worked) = (AtomicU32::new(0), AtomicU32::new(0));
    let threads: [&(dyn Fn() + Sync); 6] = [
        &|| {
            allowed(driver::del_device(1), &[Errno::ENOENT]);
            if allowed(driver::new_device("mem_size=32M index=1"), &[Errno::EEXIST]) {
                made.fetch_add(1, Ordering::Relaxed);
            }
        },
        &|| {
            allowed(driver::new_device("mem_size=32M index=1"), &[Errno::EEXIST]);
            allowed(driver::del_device(1), &[Errno::ENOENT]);
        },
        // The file goes with the card, and so may the card under the file.
        &|| {
            allowed(driver::reset(1), &[Errno::ENOENT, Errno::ENODEV]);
        },
        &|| work_on(1, &worked),
        &|| work_on(0, &worked),
        &|| {
            let indices = SpankerControl::open().unwrap().sails().unwrap();
            assert!(indices == [0] || indices == [0, 1], "{indices:?}");
        },
    ];
    thread::scope(|scope| {
        for run in threads {
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    run();
                }
            });
        }
        thread::sleep(STORM);
        is_over.store(true, Ordering::Relaxed);
    });
    println!(
        "measured a storm of {} s: {} cards made, {} products",
        STORM.as_secs(),
        made.load(Ordering::Relaxed),
        worked.load(Ordering::Relaxed)
    );
    assert!(worked.load(Ordering::Relaxed) > 0 && made.load(Ordering::Relaxed) > 0);
    allowed(driver::new_device("mem_size=32M index=1"), &[Errno::EEXIST]);
    expect_working(0);
    expect_working(1);
    driver::remove().unwrap();
}

/// Whether it succeeded; it may only fail so.
fn allowed(result: io::Result<()>, errors: &[Errno]) -> bool {
    match result {
        Ok(()) => true,
        Err(e) if errors.iter().any(|errno| e.raw_os_error() == Some(*errno as i32)) => false,
        Err(e) => panic!("{e}, where only {errors:?} may be"),
    }
}

/// Opens the card and has it work, as long as it is there.
fn work_on(index: u32, worked: &AtomicU32) {
    let work = || -> Result<(), Error> {
        let sail = Sail::open(index)?;
        let mut own = sail.matrix::<F32>(4, 1024)?;
        let operands = Operands::new(&sail, 2, 4, 512)?;
        drop(operands.submit(&sail)?);
        operands.check(&sail)?;
        own.view_mut()?.bytes_mut().fill(1);
        Ok(())
    };
    match work() {
        Ok(()) => drop(worked.fetch_add(1, Ordering::Relaxed)),
        Err(error) => {
            let gone = [Errno::ENODEV, Errno::ENOENT, Errno::ENXIO].map(|errno| errno as i32);
            let errno = error.errno().unwrap_or_default();
            assert!(index > 0 && gone.contains(&errno), "card {index}: {error}");
        }
    }
}
