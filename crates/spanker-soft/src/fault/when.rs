// SPDX-License-Identifier: Apache-2.0
//! Which of many calls or batches a rule is about.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Which calls or batches go wrong: the one with this number, or one by chance;
/// once, unless [repeated](When::repeated).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct When {
    pub(super) which: Which,
    pub(super) repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Which {
    Nth(u64),
    Percent(f64),
}

impl Which {
    pub(super) fn is_valid(self) -> bool {
        match self {
            Self::Nth(number) => number > 0,
            Self::Percent(percent) => percent > 0.0 && percent <= 100.0,
        }
    }
}

impl When {
    /// The call with this number, from 1, or the batch with this seqno.
    ///
    /// # Panics
    /// If it is 0.
    pub fn nth(number: u64) -> Self {
        assert!(number > 0, "calls and batches are counted from 1");
        Self { which: Which::Nth(number), repeated: false }
    }

    /// Each with this chance, in percent: above 0, at most 100.
    ///
    /// # Panics
    /// If it is outside of that.
    pub fn percent(percent: f64) -> Self {
        let which = Which::Percent(percent);
        assert!(which.is_valid(), "{percent} percent is no chance: above 0, at most 100");
        Self { which, repeated: false }
    }

    /// Again and again: every so manyth call, that batch of every open, every
    /// time that the chance falls so.
    #[must_use]
    pub fn repeated(self) -> Self {
        Self { repeated: true, ..self }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.which {
            Which::Nth(number) => write!(f, "#{number}"),
            Which::Percent(percent) => write!(f, "%{percent}"),
        }
    }
}

/// Tells when it is time, over the life of a machine.
#[derive(Debug)]
pub(super) struct Trigger {
    when: When,
    /// Where its chances start.
    stream: u64,
    seen: AtomicU64,
    used: AtomicBool,
}

impl Trigger {
    /// `rule` is the text of its rule: each has chances of its own, whatever
    /// other rules there are, and the first falls where it does without a `*`.
    pub(super) fn new(when: When, seed: u64, rule: &str) -> Self {
        let stream = mix(seed ^ fnv(&rule.replace('*', "")));
        Self { when, stream, seen: AtomicU64::new(0), used: AtomicBool::new(false) }
    }

    /// Whether it is time, at one more call.
    pub(super) fn at_next_call(&self) -> bool {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        match self.when.which {
            Which::Nth(number) if self.when.repeated => seen % number == 0,
            Which::Nth(number) => seen == number,
            Which::Percent(percent) => self.falls(seen, percent) && self.is_left(),
        }
    }

    /// Whether it is time, at a batch that has the op in question.
    pub(super) fn at_batch(&self, seqno: u64) -> bool {
        match self.when.which {
            Which::Nth(number) => seqno == number && self.is_left(),
            Which::Percent(_) => self.at_next_call(),
        }
    }

    /// Uses up what comes once.
    fn is_left(&self) -> bool {
        self.when.repeated || !self.used.swap(true, Ordering::Relaxed)
    }

    fn falls(&self, number: u64, percent: f64) -> bool {
        const BITS: u32 = 53;
        let draw = mix(self.stream.wrapping_add(number.wrapping_mul(GAMMA))) >> (64 - BITS);
        draw as f64 * (100.0 / (1_u64 << BITS) as f64) < percent
    }
}

/// SplitMix64: the state goes on by GAMMA, `mix` makes a number of it. Number n
/// of a stream needs none of those before, so that threads share one counter.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fallen(trigger: &Trigger, calls: usize) -> usize {
        (0..calls).filter(|_| trigger.at_next_call()).count()
    }

    #[test]
    fn chances_fall_about_as_often_as_they_say() {
        for (percent, least, most) in [(100.0, 10_000, 10_000), (50.0, 4800, 5200), (1.0, 60, 140)]
        {
            let when = When::percent(percent).repeated();
            let fallen = fallen(&Trigger::new(when, 7, "rule"), 10_000);
            assert!((least..=most).contains(&fallen), "{percent} percent: {fallen}");
        }
    }

    #[test]
    fn chances_depend_on_the_seed_and_the_rule_only() {
        let which = |seed, rule: &str| -> Vec<bool> {
            let trigger = Trigger::new(When::percent(30.0).repeated(), seed, rule);
            (0..64).map(|_| trigger.at_next_call()).collect()
        };
        assert_eq!(which(7, "WAIT"), which(7, "WAIT"));
        assert_ne!(which(7, "WAIT"), which(8, "WAIT"));
        assert_ne!(which(7, "WAIT"), which(7, "READ"));
    }

    #[test]
    fn what_is_not_repeated_comes_once() {
        for when in [When::nth(3), When::percent(20.0)] {
            assert_eq!(fallen(&Trigger::new(when, 1, "rule"), 1000), 1, "{when:?}");
        }
        assert_eq!(fallen(&Trigger::new(When::nth(3).repeated(), 1, "rule"), 1000), 333);
    }
}
