// SPDX-License-Identifier: Apache-2.0
//! What the environment says. One test: the variables are the whole process's.

use spanker_soft::{Config, Machine, FAULTS_VARIABLE, THREADS_VARIABLE};
use std::env;
use std::io::ErrorKind;

#[test]
fn the_environment_sets_threads_and_faults_and_is_told_what_is_wrong_with_it() {
    env::remove_var(THREADS_VARIABLE);
    env::remove_var(FAULTS_VARIABLE);
    assert!(Config::from_environment().unwrap().faults.is_empty());

    env::set_var(THREADS_VARIABLE, "3");
    env::set_var(FAULTS_VARIABLE, "WAIT#2=EINTR; slow=1ms");
    let config = Config::from_environment().unwrap();
    assert_eq!(config.threads.map(usize::from), Some(3));
    assert_eq!(config.faults, "WAIT#2=EINTR; slow=1ms".parse().unwrap());

    env::set_var(FAULTS_VARIABLE, "slow=1ms; WAIT#2=EWHAT");
    let error = Config::from_environment().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let text = error.to_string();
    for word in [FAULTS_VARIABLE, "rule `WAIT#2=EWHAT`", "EWHAT", "rules look like `seed=7;"] {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }

    env::remove_var(FAULTS_VARIABLE);
    for threads in [1025, usize::MAX] {
        let threads = &threads.to_string();
        env::set_var(THREADS_VARIABLE, threads);
        let error = Config::from_environment().and_then(Machine::new).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains(threads) && text.contains("1024 is the most"), "{text}");
    }

    env::set_var(THREADS_VARIABLE, "0");
    let error = Config::from_environment().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("SPANKER_SOFT_THREADS=0 is not a positive number"));
}
