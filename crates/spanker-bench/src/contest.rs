// SPDX-License-Identifier: Apache-2.0
//! Contestants that do the same work by turns: A B A B ….

use crate::implementation::Contestant;
use crate::statistics::Sorted;
use crate::Error;
use std::time::{Duration, Instant};

/// For how long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Of each contestant at each size, warm-up included.
    pub(crate) time: Duration,
    /// Turns of each contestant, even if they take longer than that.
    pub(crate) rounds: usize,
}

/// A turn's timed runs go on for this long.
const TURN: Duration = Duration::from_millis(4);
/// The runs before it that are not timed: long enough that others' threads have stopped spinning.
const WARM_UP: Duration = Duration::from_millis(2);
/// Above this, what a run itself fetches into the caches is so little of it that no other run has
/// to warm them.
const LONG: Duration = Duration::from_millis(40);

/// Seconds of one run, for each contestant.
///
/// The others' turns leave caches cold and processors asleep, so each turn begins with runs that
/// are not timed.
pub(crate) fn by_turns(
    contestants: &mut [&mut dyn Contestant],
    effort: Effort,
) -> Result<Vec<Sorted>, Error> {
    let mut times = vec![Vec::new(); contestants.len()];
    let mut warm_up = vec![true; contestants.len()];
    let limit = effort.time * u32::try_from(contestants.len())?;
    let begin = Instant::now();
    for round in 0.. {
        if round >= effort.rounds && begin.elapsed() >= limit {
            break;
        }
        for (index, contestant) in contestants.iter_mut().enumerate() {
            if warm_up[index] {
                let warming = Instant::now();
                contestant.run()?;
                while warming.elapsed() < WARM_UP {
                    contestant.run()?;
                }
                warm_up[index] = warming.elapsed() < LONG;
            }
            let turn = Instant::now();
            while turn.elapsed() < TURN {
                let run = Instant::now();
                contestant.run()?;
                times[index].push(run.elapsed().as_secs_f64());
            }
            contestant.rest();
        }
    }
    times.into_iter().map(|times| Sorted::new(times).ok_or_else(|| "no runs".into())).collect()
}

#[cfg(test)]
mod tests {
    use super::{by_turns, Effort};
    use crate::implementation::Contestant;
    use crate::Error;
    use std::cell::RefCell;
    use std::time::Duration;

    struct Logging<'a> {
        name: char,
        log: &'a RefCell<String>,
    }

    impl Contestant for Logging<'_> {
        fn run(&mut self) -> Result<(), Error> {
            let mut log = self.log.borrow_mut();
            if !log.ends_with(self.name) {
                log.push(self.name);
            }
            Ok(())
        }

        fn rest(&mut self) {
            self.log.borrow_mut().push('.');
        }
    }

    #[test]
    fn contestants_alternate_and_rest_while_others_run() {
        let log = RefCell::new(String::new());
        let [mut a, mut b] = ['a', 'b'].map(|name| Logging { name, log: &log });
        let effort = Effort { time: Duration::ZERO, rounds: 3 };
        let times = by_turns(&mut [&mut a, &mut b], effort).unwrap();
        assert_eq!(*log.borrow(), "a.b.a.b.a.b.");
        assert!(times.len() == 2 && times.iter().all(|times| times.count() >= 3));
    }
}
