// SPDX-License-Identifier: Apache-2.0
//! A bar for who waits at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bar shows that all is not over.
const TICK: Duration = Duration::from_millis(100);

/// How far a command is. On standard error, where that is a terminal, a bar
/// appears after a second; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    reveal: Option<Reveal>,
}

/// What shows the bar when the time has come.
#[derive(Debug)]
struct Reveal {
    /// Dropped to say that it need not come any more.
    over: Sender<()>,
    thread: JoinHandle<()>,
}

impl Reveal {
    /// `None` without a thread to be had: then there is no bar, and nothing else
    /// is missing.
    fn of(bar: &ProgressBar) -> Option<Self> {
        let bar = bar.clone();
        let (over, wait) = mpsc::channel::<()>();
        let reveal = move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            }
        };
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(reveal).ok()?;
        Some(Self { over, thread })
    }
}

impl Progress {
    /// Begins; the bar never appears unless `wanted`.
    pub(crate) fn start(wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let reveal = if wanted && io::stderr().is_terminal() { Reveal::of(&bar) } else { None };
        Self { bar, reveal }
    }

    /// Goes on to a stage of `steps` steps; 0 if it cannot be told how many.
    pub(crate) fn stage(&self, what: &'static str, steps: usize) {
        let template = match steps {
            0 => "  {spinner} {msg}",
            _ => "  {spinner} {msg}  {wide_bar} {percent:>3}%",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.tick_strings(&["-", "\\", "|", "/", " "]));
        }
        self.bar.set_length(steps as u64);
        self.bar.set_position(0);
        self.bar.set_message(what);
    }

    /// This many more steps are done.
    pub(crate) fn advance(&self, steps: usize) {
        self.bar.inc(steps as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Reveal { over, thread }) = self.reveal.take() {
            drop(over);
            // It ends at once, and cannot show the bar after it was cleared.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
