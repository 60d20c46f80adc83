// SPDX-License-Identifier: Apache-2.0
//! What a submission and a wait cost through the safe crate, beside the same in
//! C: tiny products, so that little else is seen.

use crate::driver;
use nix::sched::{sched_setaffinity, CpuSet};
use nix::unistd::Pid;
use spanker::{Batch, Error, Matmul, Sail, F32, Q4K};
use std::fs;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// The best of so many counts: whatever disturbs makes it longer.
const ROUNDS: usize = 5;

const BATCH: usize = 256;

pub(crate) fn measure() {
    driver::insert("cards=64M").unwrap();
    // All on one processor: how long one emulated processor takes to wake
    // another is the host's affair, and it is much.
    let mut first = CpuSet::new();
    first.set(0).unwrap();
    sched_setaffinity(Pid::this(), &first).unwrap();
    sched_setaffinity(process_of("spanker/0"), &first).unwrap();
    let single = of_both(1, 400, 1);
    let batches = of_both(1, 40 * BATCH, BATCH);
    let many = of_both(4, 400, 1);
    tell("one op at a time, 1 open", &single);
    tell("one op at a time, 4 opens", &many);
    tell("batches of 256, 1 open", &batches);
    println!(
        "measured single ops beside batches of 256, per op: {:.1} times in C, {:.1} times through \
         the safe crate",
        single[0] / batches[0],
        single[1] / batches[1]
    );
    driver::remove().unwrap();
}

/// The kernel's own thread of this name.
fn process_of(name: &str) -> Pid {
    let number = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let comm = fs::read_to_string(entry.path().join("comm")).ok()?;
        (comm.trim_end() == name).then(|| entry.file_name().to_string_lossy().parse().ok())?
    });
    Pid::from_raw(number.unwrap())
}

fn tell(what: &str, [c, rust]: &[f64; 2]) {
    println!(
        "measured {what}: C {:.1} us, the safe crate {:.1} us per op, ratio {:.3}",
        c / 1000.0,
        rust / 1000.0,
        rust / c
    );
}

/// Nanoseconds for an op in C, and through the safe crate; taken by turns.
fn of_both(opens: usize, ops: usize, batch: usize) -> [f64; 2] {
    let words = ["/dev/spanker0".into(), opens.to_string(), ops.to_string(), batch.to_string()];
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let mut c = Command::new("/submit-wait");
        let mut rust = Command::new("/init");
        rust.args(["part", "submit-wait"]);
        for (best, command) in best.iter_mut().zip([&mut c, &mut rust]) {
            let output = command.args(&words).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{command:?}: {output:?}");
            *best = best.min(text.trim().parse().unwrap());
        }
    }
    best
}

/// Submits and waits for `ops` ops on each of `opens` opens, `batch` at a time,
/// and prints how many nanoseconds one took.
pub(crate) fn submit_wait(node: &str, opens: usize, ops: usize, batch: usize) {
    let (begun, ended) = (Barrier::new(opens + 1), Barrier::new(opens + 1));
    thread::scope(|scope| {
        for _ in 0..opens {
            scope.spawn(|| {
                let sail = Sail::open_path(node).unwrap();
                if batch == 1 {
                    one_by_one(&sail, ops, &begun, &ended).unwrap();
                } else {
                    in_batches(&sail, ops / batch, batch, &begun, &ended).unwrap();
                }
            });
        }
        begun.wait();
        let begin = Instant::now();
        ended.wait();
        println!("{:.1}", begin.elapsed().as_nanos() as f64 / (opens * ops) as f64);
    });
}

fn one_by_one(sail: &Sail, ops: usize, begun: &Barrier, ended: &Barrier) -> Result<(), Error> {
    let (a, b) = (sail.matrix::<F32>(1, 256)?, sail.matrix::<Q4K>(1, 256)?);
    let mut out = sail.matrix(1, 1)?;
    begun.wait();
    for _ in 0..ops {
        out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
    }
    ended.wait();
    Ok(())
}

fn in_batches(
    sail: &Sail,
    batches: usize,
    batch: usize,
    begun: &Barrier,
    ended: &Barrier,
) -> Result<(), Error> {
    let (a, b) = (sail.matrix::<F32>(1, 256)?, sail.matrix::<Q4K>(1, 256)?);
    let mut products = Batch::new(sail);
    for _ in 0..batch {
        products.push(Matmul::new(&a, &b, sail.matrix(1, 1)?))?;
    }
    products = sail.submit(products)?.wait()?;
    begun.wait();
    for _ in 0..batches {
        products.recycle();
        for _ in 0..batch {
            products.push_recycled(&a, &b)?;
        }
        products = sail.submit(products)?.wait()?;
    }
    ended.wait();
    Ok(())
}
