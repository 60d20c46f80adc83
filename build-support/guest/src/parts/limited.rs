// SPDX-License-Identifier: Apache-2.0
//! A program in a cgroup of little memory.

use crate::children::{eventually, ready};
use crate::driver;
use crate::raw::RawOpen;
use crate::work::{LongWork, Operands};
use nix::errno::Errno;
use spanker::{Placement, Sail, F32};
use std::fs;
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// What else is charged, and how exact the number is.
const NEAR: u64 = 2 * MIB;

/// `group` is a folder of the cgroup file system; its limit is 32 MiB.
pub(super) fn limited(group: &str) {
    fs::write(format!("{group}/cgroup.procs"), "0").unwrap();
    let current = || -> u64 {
        fs::read_to_string(format!("{group}/memory.current")).unwrap().trim().parse().unwrap()
    };
    let falls_to = |bytes| eventually(Duration::from_secs(5), || current() <= bytes + NEAR);
    let sail = Sail::open(0).unwrap();
    let small = Operands::new(&sail, 1, 4, 256).unwrap();
    small.check(&sail).unwrap();
    let before = current();
    ready();

    for placement in [Placement::Mapped, Placement::Device] {
        let matrix = sail.matrix_in::<F32>(12, (MIB / 4) as usize, placement).unwrap();
        let grown = current() - before;
        assert!(grown.abs_diff(12 * MIB) < NEAR, "{grown} bytes are charged for 12 MiB");
        let more = sail.matrix_in::<F32>(64, (MIB / 4) as usize, placement).unwrap_err();
        assert_eq!(more.errno(), Some(Errno::ENOMEM as i32), "{more}");
        drop(matrix);
        assert!(falls_to(before), "{} bytes stay, of {before}", current());
    }

    // Ops that are queued behind a long one take memory of the kernel's.
    let busy = Sail::open(0).unwrap();
    let long = LongWork::new(&busy).unwrap();
    let first = long.submit(&busy).unwrap();
    let before_queueing = current();
    let node = RawOpen::new(&driver::node(0)).unwrap();
    let op = node.small_op().unwrap();
    let ops = vec![op; sail.info().max_ops as usize];
    let batches = u64::from(sail.info().max_in_flight);
    for seqno in 1..=batches {
        assert_eq!(node.submit(&ops), Ok(seqno));
    }
    let least = batches * std::mem::size_of_val(&ops[..]) as u64 / 2;
    let grown = current() - before_queueing;
    assert!(grown >= least, "{grown} bytes are charged for {least}, twice, of queued ops");
    drop((node, first, long, busy));
    assert!(falls_to(before), "{} bytes stay of the queue, of {before}", current());

    small.check(&sail).unwrap();
}
