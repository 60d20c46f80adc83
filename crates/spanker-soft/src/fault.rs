// SPDX-License-Identifier: Apache-2.0
//! Faults on purpose: what is to go wrong, said beforehand.

mod call;
mod injector;
mod text;
mod timer;
mod when;

pub use call::Call;
pub(crate) use injector::Injector;
use nix::errno::Errno;
use std::time::Duration;
pub use text::FaultPlanError;
pub(crate) use timer::{Event, Timer};
pub use when::When;

/// What is to go wrong on a [`Machine`](crate::Machine), and when, so that a
/// program can be tested on its way out of trouble.
///
/// A plan is made with the methods here, or from text, which is also what
/// `SPANKER_SOFT_FAULTS` holds: rules with `;` between them, in any order.
///
/// | rule | what it does |
/// |---|---|
/// | `WORK_SUBMIT#3=ENOMEM` | the third WORK_SUBMIT answers ENOMEM |
/// | `WAIT%1=EINTR` | one WAIT answers EINTR; each has a chance of 1 percent |
/// | `batch#5` | batch 5 (by its seqno) of an open fails at its op 0 |
/// | `batch#5:2` | batch 5 of an open fails at its op 2 |
/// | `batch%0.5:2` | a batch fails at its op 2; each has a chance of 0.5 percent |
/// | `slow=2ms` | every op takes so much longer |
/// | `unplug=250ms` | the cards are unplugged, so long after one was first opened, and do not come back |
/// | `reset=250ms` | the cards are reset, so long after one was first opened |
/// | `version=9.0.0` | GET_VERSION answers this version of the ABI |
/// | `seed=7` | the chances fall in another way; without it the seed is 0 |
///
/// In place of `WORK_SUBMIT` and `WAIT` stand `OPEN`, `PING`, `GET_VERSION`,
/// `QUERY`, `BUF_CREATE`, `BUF_DESTROY`, `MMAP`, `READ`, or `any` of all these.
/// In place of ENOMEM stands any errno by its name (EAGAIN, not EWOULDBLOCK). Times are in `ns`, `us`,
/// `ms` or `s`.
///
/// A rule with `#` or `%`, and `reset`, comes **once**, so that a program that
/// opens the card again gets on. With a `*` it comes again and again:
///
/// | rule | when it comes |
/// |---|---|
/// | `WORK_SUBMIT#3*=ENOMEM` | the third, the sixth, the ninth... |
/// | `WAIT%1*=EINTR` | every time that the chance of 1 percent falls so |
/// | `batch#5:2*` | batch 5 of every open |
/// | `batch%0.5*` | every time that the chance of 0.5 percent falls so |
/// | `reset=250ms*` | after 250 ms, after 500 ms, after 750 ms... |
///
/// A batch's seqno counts anew at each open. Requests are counted over all opens
/// of a machine, each rule for itself: its
/// count and its chances do not depend on what other rules there are. With one
/// seed the same calls in the same order always get the same answers, as far as
/// no time is in the plan. Rules of the same text fall together.
///
/// An errno is answered before the request's struct is read, but where a card
/// that is gone answers ENODEV, that comes first, as does what does not count as
/// a request at all (ENOTTY, and EINVAL for a size that is too small). So a
/// request that is refused by a plan changes nothing and writes nothing. Of
/// several rules that come at once the first answers.
///
/// ```
/// use nix::errno::Errno;
/// use spanker_soft::{Call, Config, FaultPlan, Machine, When};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let plan: FaultPlan = "OPEN#2=EMFILE; batch#5:2; WAIT%1*=EINTR; seed=7".parse()?;
/// let same = FaultPlan::new()
///     .answer(Call::Open, When::nth(2), Errno::EMFILE)
///     .fail_batch(When::nth(5), 2)
///     .answer(Call::Wait, When::percent(1.0).repeated(), Errno::EINTR)
///     .seed(7);
/// assert_eq!(plan, same);
///
/// let machine = Machine::new(Config { faults: plan, ..Config::default() })?;
/// assert!(machine.open_card(0).is_ok());
/// assert_eq!(machine.open_card(0).err(), Some(Errno::EMFILE));
/// assert!(machine.open_card(0).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    seed: u64,
    answers: Vec<Answer>,
    batches: Vec<BatchFault>,
    slow: Option<Duration>,
    unplug: Option<Duration>,
    resets: Vec<Reset>,
    version: Option<[u16; 3]>,
}

/// An errno in place of what a call would do.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    call: Call,
    when: When,
    errno: Errno,
}

/// A batch that fails at one of its ops.
#[derive(Clone, Debug, PartialEq)]
struct BatchFault {
    when: When,
    op: u32,
}

/// A reset so long after the first open, or at each multiple of that.
#[derive(Clone, Debug, PartialEq)]
struct Reset {
    after: Duration,
    repeated: bool,
}

impl FaultPlan {
    /// A plan without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing will go wrong.
    pub fn is_empty(&self) -> bool {
        *self == Self { seed: self.seed, ..Self::default() }
    }

    /// Makes chances fall in another way.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Answers `errno` to calls of this kind, with nothing done.
    #[must_use]
    pub fn answer(mut self, call: Call, when: When, errno: Errno) -> Self {
        self.answers.push(Answer { call, when, errno });
        self
    }

    /// Lets the batch whose seqno is `when`, or each with a chance, fail at its
    /// op `op` (from 0); batches that do not have so many ops do not fail.
    /// Repeated, a seqno is that of every open.
    #[must_use]
    pub fn fail_batch(mut self, when: When, op: u32) -> Self {
        self.batches.push(BatchFault { when, op });
        self
    }

    /// Lets every op take so much longer. It stops at once when nobody wants its
    /// result any more.
    #[must_use]
    pub fn slow(mut self, time: Duration) -> Self {
        self.slow = Some(time);
        self
    }

    /// Unplugs the cards so long after one of them was first opened.
    #[must_use]
    pub fn unplug(mut self, after: Duration) -> Self {
        self.unplug = Some(after);
        self
    }

    /// Resets the cards so long after one of them was first opened.
    #[must_use]
    pub fn reset(mut self, after: Duration) -> Self {
        self.resets.push(Reset { after, repeated: false });
        self
    }

    /// Resets the cards again and again, first so long after one of them was
    /// first opened.
    ///
    /// # Panics
    /// If `period` is zero.
    #[must_use]
    pub fn reset_every(mut self, period: Duration) -> Self {
        assert!(!period.is_zero(), "a reset can be repeated only after some time");
        self.resets.push(Reset { after: period, repeated: true });
        self
    }

    /// Lets GET_VERSION answer another version of the ABI.
    #[must_use]
    pub fn version(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.version = Some([major, minor, patch]);
        self
    }
}
