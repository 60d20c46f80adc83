// SPDX-License-Identifier: Apache-2.0
//! Durations, sizes and rates as people read them.

use std::num::NonZeroUsize;
use std::time::Duration;

/// `8.61 ms`, to three digits.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s < 999.5e-9 => (s * 1e9, "ns"),
        s if s < 999.5e-6 => (s * 1e6, "µs"),
        s if s < 999.5e-3 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// `9.00 MiB`, to three digits.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} bytes");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{} {unit}", three_digits(value))
}

/// `, 2 threads`, to follow the name of a Sail; nothing where it is not known.
pub(crate) fn with_threads(count: Option<NonZeroUsize>) -> String {
    match count {
        Some(count) if count.get() == 1 => ", 1 thread".to_owned(),
        Some(count) => format!(", {count} threads"),
        None => String::new(),
    }
}

/// Floating-point operations of one product, in 10⁹ a second.
pub(crate) fn gflops([m, n, k]: [usize; 3], time: Duration) -> f64 {
    2.0 * m as f64 * n as f64 * k as f64 / time.as_secs_f64() / 1e9
}

/// Milliseconds, for machines to read.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

/// A number to three digits, without an exponent.
pub(crate) fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        for (ns, text) in [
            (0, "0.00 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_995, "10.0 µs"),
            (8_614_000, "8.61 ms"),
            (99_960_000, "100 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.00 s"),
            (3_600_000_000_000, "3600 s"),
        ] {
            assert_eq!(duration(Duration::from_nanos(ns)), text);
        }
    }

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        for (count, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            (9 << 20, "9.00 MiB"),
            ((1 << 20) - 1, "1.00 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn a_product_has_two_operations_for_each_pair() {
        let rate = gflops([32, 4096, 4096], Duration::from_millis(10));
        assert!((rate - 107.374_182_4).abs() < 1e-6, "{rate}");
    }
}
