// SPDX-License-Identifier: Apache-2.0
//! What no product can exceed on this machine, measured in the same run.

pub(crate) mod integer;
pub(crate) mod memory;

use std::num::NonZeroUsize;
use std::thread;

/// Does `work` on so many threads at once, each given its index.
fn on_threads(threads: NonZeroUsize, work: impl Fn(usize) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for index in 1..threads.get() {
            scope.spawn(move || work(index));
        }
        work(0);
    });
}
