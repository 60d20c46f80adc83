// SPDX-License-Identifier: Apache-2.0
//! A thread as the kernel knows it: whether it sleeps, and signals to it.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{sigaction, SaFlags, SigAction, SigHandler, SigSet, Signal};
use nix::unistd::{getpid, gettid, Pid};

/// A thread, of this process or the only one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    id: Pid,
}

/// What a handled signal does to the system call that it comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upon {
    /// The handler has no SA_RESTART: the call ends with EINTR.
    Interrupt,
    /// The handler has SA_RESTART: the call goes on, if it can.
    Restart,
}

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        Thread { id: gettid() }
    }

    pub(super) fn of(id: Pid) -> Thread {
        Thread { id }
    }

    /// Whether it sleeps where a signal would wake it.
    pub fn sleeps(&self) -> bool {
        // "ID (NAME) STATE ...", and the name may hold anything.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    }

    /// Sends this process's thread a signal that is handled by counting it.
    #[track_caller]
    pub fn signal(&self, upon: Upon) {
        let (signal, flags) = match upon {
            Upon::Interrupt => (Signal::SIGUSR1, SaFlags::empty()),
            Upon::Restart => (Signal::SIGUSR2, SaFlags::SA_RESTART),
        };
        let action = SigAction::new(SigHandler::Handler(count), flags, SigSet::empty());
        // SAFETY: the handler only adds to an atomic number, and nobody else
        // uses these signals.
        unsafe { sigaction(signal, &action) }.expect("sigaction");
        let (process, thread) = (getpid().as_raw(), self.id.as_raw());
        // SAFETY: tgkill has no memory among its arguments.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal as i32) };
        assert_eq!(sent, 0, "tgkill: {}", Errno::last());
    }

    /// How many of these signals were handled, by all threads.
    pub fn signals_handled() -> u64 {
        HANDLED.load(Ordering::SeqCst)
    }
}

static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_thread_sleeps_when_it_waits_and_not_when_it_runs() {
        assert!(!Thread::current().sleeps());
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || {
            tell.send(Thread::current()).unwrap();
            ended.recv().unwrap_err();
        });
        let thread = told.recv().unwrap();
        crate::busy::eventually("the thread sleeps", || thread.sleeps());
        drop(end);
        sleeper.join().unwrap();
    }
}
