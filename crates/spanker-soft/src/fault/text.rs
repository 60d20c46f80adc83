// SPDX-License-Identifier: Apache-2.0
//! Plans as text, both ways.

use super::when::{When, Which};
use super::{Answer, BatchFault, Call, FaultPlan, Reset};
use nix::errno::Errno;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Text that is not a [`FaultPlan`]: which rule is not one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlanError {
    rule: String,
    problem: String,
}

impl fmt::Display for FaultPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, problem } = self;
        write!(f, "rule `{}`: {problem}; rules look like `{EXAMPLE}`", rule.escape_debug())
    }
}

impl std::error::Error for FaultPlanError {}

const EXAMPLE: &str = "seed=7; WORK_SUBMIT#3=ENOMEM; WAIT%1*=EINTR; batch#5:2; slow=2ms; \
    unplug=250ms; reset=250ms; version=9.0.0";

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rules = Vec::new();
        if self.seed != 0 {
            rules.push(format!("seed={}", self.seed));
        }
        rules.extend(self.answers.iter().map(Answer::to_string));
        rules.extend(self.batches.iter().map(BatchFault::to_string));
        rules.extend(self.slow.map(|time| format!("slow={}", Time(time))));
        rules.extend(self.unplug.map(|time| format!("unplug={}", Time(time))));
        rules.extend(self.resets.iter().map(|reset| {
            let star = star(reset.repeated);
            format!("reset={}{star}", Time(reset.after))
        }));
        rules.extend(
            self.version.map(|[major, minor, patch]| format!("version={major}.{minor}.{patch}")),
        );
        f.pad(&rules.join("; "))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, when, errno } = self;
        write!(f, "{call}{when}{}={errno:?}", star(when.repeated))
    }
}

impl fmt::Display for BatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch{}", self.when)?;
        if self.op > 0 {
            write!(f, ":{}", self.op)?;
        }
        f.write_str(star(self.when.repeated))
    }
}

fn star(repeated: bool) -> &'static str {
    if repeated {
        "*"
    } else {
        ""
    }
}

/// A time in the largest unit that is exact.
struct Time(Duration);

/// Nanoseconds in a unit, the largest first.
const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1)];

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.as_nanos();
        let (unit, size) =
            UNITS.into_iter().find(|(_, size)| time % size == 0).unwrap_or(("ns", 1));
        write!(f, "{}{unit}", time / size)
    }
}

impl FromStr for FaultPlan {
    type Err = FaultPlanError;

    fn from_str(text: &str) -> Result<Self, FaultPlanError> {
        let mut plan = Self::default();
        let mut seed = None;
        for rule in text.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            add(&mut plan, &mut seed, rule)
                .map_err(|problem| FaultPlanError { rule: rule.into(), problem })?;
        }
        Ok(plan.seed(seed.unwrap_or(0)))
    }
}

/// Adds a rule, or says what is wrong with it.
fn add(plan: &mut FaultPlan, seed: &mut Option<u64>, rule: &str) -> Result<(), String> {
    let (subject, value) = match rule.split_once('=') {
        Some((subject, value)) => (subject.trim(), Some(value.trim())),
        None => (rule, None),
    };
    if let Some(place) = subject.find(['#', '%']) {
        let (name, which) = subject.split_at(place);
        let (which, repeated) = repeated(which);
        return match (name.eq_ignore_ascii_case("batch"), value) {
            (true, None) => {
                let (which, op) = match which.split_once(':') {
                    Some((which, op)) => (which, number(op, "the number of an op, from 0")?),
                    None => (which, 0),
                };
                plan.batches.push(BatchFault { when: when(which, repeated)?, op });
                Ok(())
            }
            (true, Some(_)) => Err("a batch fails without an errno, as in batch#5".into()),
            (false, Some(errno)) => {
                let (call, errno) = (call(name)?, self::errno(errno)?);
                plan.answers.push(Answer { call, when: when(which, repeated)?, errno });
                Ok(())
            }
            (false, None) => {
                call(name)?;
                Err(format!("an answer is missing, as in {subject}=EIO"))
            }
        };
    }
    let value = value.filter(|value| !value.is_empty());
    let given = || value.ok_or_else(|| format!("a value is missing, as in {subject}=..."));
    match subject.to_ascii_lowercase().as_str() {
        "seed" => once(seed, number(given()?, "a number")?),
        "slow" => once(&mut plan.slow, time(given()?)?),
        "unplug" => once(&mut plan.unplug, time(given()?)?),
        "version" => once(&mut plan.version, version(given()?)?),
        "reset" => {
            let (after, repeated) = repeated(given()?);
            let after = time(after)?;
            if repeated && after.is_zero() {
                return Err("a reset can be repeated only after some time".into());
            }
            plan.resets.push(Reset { after, repeated });
            Ok(())
        }
        "batch" => Err("which batch is missing, as in batch#5".into()),
        _ => {
            let call = call(subject)?;
            Err(format!("which {call} is missing, as in {call}#3=EIO or {call}%1=EIO"))
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("this can be said only once".into()),
    }
}

fn repeated(text: &str) -> (&str, bool) {
    match text.strip_suffix('*') {
        Some(text) => (text, true),
        None => (text, false),
    }
}

fn number<T: FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not {what}"))
}

/// `text` begins with # or %.
fn when(text: &str, repeated: bool) -> Result<When, String> {
    let (sign, value) = text.split_at(1);
    let (which, what) = if sign == "#" {
        let what = "a number from 1";
        (Which::Nth(number(value, what)?), what)
    } else {
        let what = "a chance in percent, above 0 and at most 100";
        (Which::Percent(number(value, what)?), what)
    };
    if !which.is_valid() {
        return Err(format!("`{value}` is not {what}"));
    }
    Ok(When { which, repeated })
}

fn call(name: &str) -> Result<Call, String> {
    Call::ALL.into_iter().find(|call| call.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let calls = Call::ALL.map(Call::name).join(", ");
        format!("`{name}` is none of {calls}, batch, slow, unplug, reset, version and seed")
    })
}

/// The largest errno that a kernel can answer.
const MAX_ERRNO: i32 = 4095;

fn errno(name: &str) -> Result<Errno, String> {
    (1..=MAX_ERRNO)
        .map(Errno::from_raw)
        .filter(|errno| *errno != Errno::UnknownErrno)
        .find(|errno| format!("{errno:?}").eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("`{name}` is not the name of an errno, such as EIO"))
}

fn time(text: &str) -> Result<Duration, String> {
    let problem = || format!("`{text}` is not a time, such as 250ms; units are ns, us, ms, s");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(problem)?;
    let (number, unit) = text.split_at(digits);
    let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(problem)?;
    let time = number.parse::<u128>().ok().and_then(|number| number.checked_mul(size));
    let time = time.ok_or_else(problem)?;
    let (second, rest) = (time / 1_000_000_000, time % 1_000_000_000);
    let seconds = u64::try_from(second).map_err(|_| problem())?;
    Ok(Duration::new(seconds, rest as u32))
}

fn version(text: &str) -> Result<[u16; 3], String> {
    let problem = || format!("`{text}` is not a version, such as 9.0.0");
    let parts: Result<Vec<u16>, _> = text.split('.').map(str::parse).collect();
    parts.ok().and_then(|parts| parts.try_into().ok()).ok_or_else(problem)
}
