// SPDX-License-Identifier: Apache-2.0
//! Plans of faults as text, both ways.

use nix::errno::Errno;
use spanker_soft::{Call, FaultPlan, When};
use std::time::Duration;

#[test]
fn every_kind_of_rule_says_what_its_method_does() {
    let nth = When::nth;
    let tenth = || When::percent(0.1);
    for (text, plan) in [
        ("", FaultPlan::new()),
        ("seed=7", FaultPlan::new().seed(7)),
        ("OPEN#1=ENOENT", FaultPlan::new().answer(Call::Open, nth(1), Errno::ENOENT)),
        ("PING#2=EIO", FaultPlan::new().answer(Call::Ping, nth(2), Errno::EIO)),
        ("GET_VERSION%0.1=EIO", FaultPlan::new().answer(Call::GetVersion, tenth(), Errno::EIO)),
        ("QUERY%100=EFAULT", {
            FaultPlan::new().answer(Call::Query, When::percent(100.0), Errno::EFAULT)
        }),
        ("BUF_CREATE#3=ENOMEM", FaultPlan::new().answer(Call::BufCreate, nth(3), Errno::ENOMEM)),
        ("BUF_DESTROY#3*=ENOENT", {
            FaultPlan::new().answer(Call::BufDestroy, nth(3).repeated(), Errno::ENOENT)
        }),
        ("WORK_SUBMIT#3=EAGAIN", FaultPlan::new().answer(Call::WorkSubmit, nth(3), Errno::EAGAIN)),
        ("WAIT%0.1*=EINTR", {
            FaultPlan::new().answer(Call::Wait, tenth().repeated(), Errno::EINTR)
        }),
        ("MMAP#1=EACCES", FaultPlan::new().answer(Call::Mmap, nth(1), Errno::EACCES)),
        ("READ#1=EINTR", FaultPlan::new().answer(Call::Read, nth(1), Errno::EINTR)),
        ("any#9=EIO", FaultPlan::new().answer(Call::Any, nth(9), Errno::EIO)),
        ("batch#5", FaultPlan::new().fail_batch(nth(5), 0)),
        ("batch#5:2*", FaultPlan::new().fail_batch(nth(5).repeated(), 2)),
        ("batch%0.1:3", FaultPlan::new().fail_batch(tenth(), 3)),
        ("slow=2ms", FaultPlan::new().slow(Duration::from_millis(2))),
        ("unplug=1500us", FaultPlan::new().unplug(Duration::from_micros(1500))),
        ("reset=3s", FaultPlan::new().reset(Duration::from_secs(3))),
        ("reset=7ns*", FaultPlan::new().reset_every(Duration::from_nanos(7))),
        ("version=9.0.65535", FaultPlan::new().version(9, 0, 65535)),
    ] {
        assert_eq!(text.parse(), Ok(plan.clone()), "{text}");
        assert_eq!(plan.to_string(), text);
    }
}

#[test]
fn many_rules_survive_both_ways() {
    let plan = FaultPlan::new()
        .seed(u64::MAX)
        .answer(Call::Wait, When::percent(0.1 + 0.2).repeated(), Errno::EINTR)
        .answer(Call::Wait, When::nth(u64::MAX), Errno::EINTR)
        .answer(Call::Any, When::percent(f64::MIN_POSITIVE), Errno::EIO)
        .fail_batch(When::nth(u64::MAX), u32::MAX)
        .slow(Duration::ZERO)
        .unplug(Duration::MAX)
        .reset(Duration::new(1, 1))
        .reset_every(Duration::MAX)
        .version(0, 0, 0);
    assert_eq!(plan.to_string().parse(), Ok(plan));
}

#[test]
fn blanks_letter_case_and_empty_rules_do_not_matter() {
    let plan: FaultPlan = " ; wait#1 = eintr;;\tBATCH#2; Slow=1s ; seed=0;".parse().unwrap();
    assert_eq!(plan, "WAIT#1=EINTR; batch#2; slow=1s".parse().unwrap());
}

#[test]
fn a_plan_of_nothing_but_a_seed_is_empty() {
    assert!("seed=7".parse::<FaultPlan>().unwrap().is_empty());
    assert!(!"slow=0s".parse::<FaultPlan>().unwrap().is_empty());
}

#[test]
fn malformed_text_is_told_which_rule_is_wrong_and_how_rules_look() {
    for (rule, problem) in [
        ("WIAT#1=EIO", "`WIAT` is none of any, OPEN, PING, GET_VERSION, QUERY, BUF_CREATE"),
        ("WIAT#1", "`WIAT` is none of"),
        ("nonsense", "`nonsense` is none of"),
        ("=EIO", "`` is none of"),
        ("WAIT=EIO", "which WAIT is missing, as in WAIT#3=EIO or WAIT%1=EIO"),
        ("WAIT#1", "an answer is missing, as in WAIT#1=EIO"),
        ("WAIT#1=EBOGUS", "`EBOGUS` is not the name of an errno"),
        ("WAIT#1=", "`` is not the name of an errno"),
        ("WAIT#0=EIO", "`0` is not a number from 1"),
        ("WAIT#=EIO", "`` is not a number from 1"),
        ("WAIT#x=EIO", "`x` is not a number from 1"),
        ("WAIT#1**=EIO", "`1*` is not a number from 1"),
        ("WAIT%0=EIO", "`0` is not a chance in percent, above 0 and at most 100"),
        ("WAIT%101=EIO", "`101` is not a chance"),
        ("WAIT%NaN=EIO", "`NaN` is not a chance"),
        ("batch", "which batch is missing, as in batch#5"),
        ("batch#0", "`0` is not a number from 1"),
        ("batch#5:x", "`x` is not the number of an op, from 0"),
        ("batch#5=EIO", "a batch fails without an errno"),
        ("slow", "a value is missing, as in slow=..."),
        ("slow=", "a value is missing"),
        ("slow=5", "`5` is not a time, such as 250ms; units are ns, us, ms, s"),
        ("slow=5min", "`5min` is not a time"),
        ("slow=-5ms", "`-5ms` is not a time"),
        ("slow=2ms*", "`2ms*` is not a time"),
        ("unplug=99999999999999999999s", "is not a time"),
        ("reset=0ms*", "a reset can be repeated only after some time"),
        ("version=9.0", "`9.0` is not a version, such as 9.0.0"),
        ("version=65536.0.0", "`65536.0.0` is not a version"),
        ("seed=x", "`x` is not a number"),
        ("slow=3ms", "this can be said only once"),
    ] {
        let first = if problem.contains("only once") { "slow=2ms" } else { "PING#1=EIO" };
        let error = format!("{first}; {rule} ; batch#1").parse::<FaultPlan>().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("rule `{rule}`: ")), "{text}");
        assert!(text.contains(problem), "`{problem}` is not in: {text}");
        let example = text.split('`').rev().nth(1).unwrap();
        assert!(example.parse::<FaultPlan>().is_ok(), "{text}");
    }
}

#[test]
fn methods_refuse_what_text_cannot_say() {
    let refuses = |make: fn()| std::panic::catch_unwind(make).is_err();
    assert!(refuses(|| _ = When::nth(0)));
    assert!(refuses(|| _ = When::percent(0.0)));
    assert!(refuses(|| _ = When::percent(100.5)));
    assert!(refuses(|| _ = When::percent(f64::NAN)));
    assert!(refuses(|| _ = FaultPlan::new().reset_every(Duration::ZERO)));
}
