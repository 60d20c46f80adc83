// SPDX-License-Identifier: Apache-2.0
//! A forked child of this process, which has the descriptors and mappings that
//! this one had.

use std::panic::{self, AssertUnwindSafe};
use std::process;

use nix::libc;
use nix::sys::signal::{kill, Signal};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, pause, ForkResult, Pid};

use super::thread::Thread;

/// A child that has not been waited for. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
}

impl Child {
    /// Forks a child that does something and ends: well if `run` says so. This
    /// process has other threads, of which the child has none, so that `run`
    /// makes system calls on what is there already and takes no locks.
    #[track_caller]
    pub fn that(run: impl FnOnce() -> bool) -> Child {
        // SAFETY: the child does nothing but `run`, which the caller keeps to
        // what may be done after a fork, and ends without destructors.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Parent { child } => Child { pid: child },
            ForkResult::Child => {
                // SAFETY: it has no memory among its arguments. A child goes
                // when the thread of its case does.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                let well = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(false);
                // SAFETY: it ends this process at once, which is what is wanted:
                // everything in it is also the parent's.
                unsafe { libc::_exit(i32::from(!well)) }
            }
        }
    }

    /// Forks a child that does nothing until it is killed.
    #[track_caller]
    pub fn that_sleeps() -> Child {
        Child::that(|| loop {
            pause();
        })
    }

    /// Its only thread.
    pub fn thread(&self) -> Thread {
        Thread::of(self.pid)
    }

    /// Kills it, and waits until it is gone.
    #[track_caller]
    pub fn kill(self) {
        kill(self.pid, Signal::SIGKILL).expect("kill of a child");
        let ended = self.wait();
        assert!(
            matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _)),
            "it should have been killed: {ended:?}",
        );
    }

    /// Waits until it has ended, which it is to do well.
    #[track_caller]
    pub fn ends_well(self) {
        let ended = self.wait();
        assert!(matches!(ended, WaitStatus::Exited(_, 0)), "the child: {ended:?}");
    }

    #[track_caller]
    fn wait(self) -> WaitStatus {
        let ended = waitpid(self.pid, None).expect("waitpid of a child");
        std::mem::forget(self);
        ended
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill(self.pid, Signal::SIGKILL);
        if waitpid(self.pid, None).is_err() {
            eprintln!("{}: child {} cannot be waited for", process::id(), self.pid);
        }
    }
}
