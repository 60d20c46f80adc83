// SPDX-License-Identifier: Apache-2.0
//! No panic goes out to C.

use super::host;
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What `call` returns; if it panics `instead`, and a line through ggml's
/// logger.
pub(super) fn guard<T>(instead: impl FnOnce() -> T, call: impl FnOnce() -> T) -> T {
    // What a panic leaves half done is let go with the object that it was of,
    // or was behind a lock that nobody trusts to be whole.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => value,
        Err(panic) => {
            // Should even telling panic, that must not go out either.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                host::log_error(&format!("a mistake in ggml-spanker: {}", message(&*panic)));
            }));
            instead()
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_becomes_the_value_instead() {
        assert_eq!(guard(|| 1, || 2), 2);
        assert_eq!(guard(|| 1, || panic!("on purpose")), 1);
        assert_eq!(guard(|| 1, || std::panic::panic_any(7)), 1);
    }
}
