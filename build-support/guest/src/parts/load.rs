// SPDX-License-Identifier: Apache-2.0
//! A program that is in the middle of everything when its card goes.

use crate::children::ready;
use crate::work::Operands;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use spanker::{Error, Sail, F32};
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Barrier;
use std::thread;

/// One thread for each thing that can be interrupted, each with an open of its
/// own. All have to be told ENODEV, and what is mapped stays.
pub(super) fn load(index: u32) {
    let told: [fn(&Sail, &Barrier) -> Error; 5] =
        [submit_and_wait, keep_the_queue_full, wait_for_long_work, watch_the_descriptor, allocate];
    // All of them, who touches memory, and this thread.
    let begun = Barrier::new(told.len() + 2);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let toucher = scope.spawn(|| touch(&Sail::open(index).unwrap(), &begun, &ended));
        let begun = &begun;
        let threads: Vec<_> = told
            .iter()
            .map(|run| scope.spawn(move || run(&Sail::open(index).unwrap(), begun)))
            .collect();
        begun.wait();
        ready();
        for (number, thread) in threads.into_iter().enumerate() {
            let error = thread.join().unwrap();
            assert_eq!(error.errno(), Some(Errno::ENODEV as i32), "thread {number}: {error}");
        }
        ended.store(true, Ordering::Relaxed);
        toucher.join().unwrap();
    });
}

fn submit_and_wait(sail: &Sail, begun: &Barrier) -> Error {
    let operands = Operands::new(sail, 2, 4, 512).unwrap();
    operands.check(sail).unwrap();
    begun.wait();
    loop {
        if let Err(error) = operands.check(sail) {
            return error;
        }
    }
}

fn keep_the_queue_full(sail: &Sail, begun: &Barrier) -> Error {
    let operands = Operands::new(sail, 8, 64, 2048).unwrap();
    let mut pending = VecDeque::from([operands.submit(sail).unwrap()]);
    begun.wait();
    loop {
        match operands.submit(sail) {
            Ok(next) => pending.push_back(next),
            Err(error) if error.is_queue_full() => {
                if let Some(Err(error)) = pending.pop_front().map(|oldest| oldest.wait()) {
                    return error;
                }
            }
            Err(error) => return error,
        }
    }
}

fn wait_for_long_work(sail: &Sail, begun: &Barrier) -> Error {
    let operands = Operands::new(sail, 16, 512, 4096).unwrap();
    begun.wait();
    loop {
        let mut pending = Vec::new();
        for _ in 0..4 {
            match operands.submit(sail) {
                Ok(next) => pending.push(next),
                Err(error) => return error,
            }
        }
        if let Some(Err(error)) = pending.pop().map(|last| last.wait()) {
            return error;
        }
    }
}

fn watch_the_descriptor(sail: &Sail, begun: &Barrier) -> Error {
    let operands = Operands::new(sail, 2, 4, 512).unwrap();
    let fd = sail.as_fd();
    begun.wait();
    loop {
        let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
        if let Err(error) = operands.submit(sail).map(drop) {
            if !error.is_queue_full() {
                return error;
            }
        }
        poll(&mut fds, PollTimeout::NONE).unwrap();
        if let Err(error) = sail.completed() {
            let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::NONE).unwrap();
            assert!(fds[0].revents().unwrap().contains(PollFlags::POLLHUP));
            return error;
        }
    }
}

fn allocate(sail: &Sail, begun: &Barrier) -> Error {
    begun.wait();
    loop {
        match sail.matrix::<F32>(64, 1024) {
            Ok(mut matrix) => matrix.view_mut().unwrap().bytes_mut().fill(7),
            Err(error) => return error,
        }
    }
}

/// Reads and writes mapped memory until the others have ended, and some more.
fn touch(sail: &Sail, begun: &Barrier, ended: &AtomicBool) {
    let mut matrix = sail.matrix::<F32>(64, 1024).unwrap();
    let mut round = 0_u8;
    begun.wait();
    let mut more = 100;
    while more > 0 {
        round = round.wrapping_add(1);
        matrix.view_mut().unwrap().bytes_mut().fill(round);
        assert!(matrix.view().unwrap().bytes().iter().all(|byte| *byte == round));
        more -= i32::from(ended.load(Ordering::Relaxed));
    }
}
