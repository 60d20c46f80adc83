// SPDX-License-Identifier: Apache-2.0
//! How well numbers agree with those that are expected.

use std::fmt;

/// How far numbers may be from what is expected.
pub(super) struct Bounds {
    /// The mean square of the differences, in mean squares of what is expected.
    pub(super) nmse: f64,
    /// By how much they may be larger or smaller on the whole.
    pub(super) scale: f64,
}

/// How many times too large a control is. Its mean square is only 4e-4.
const CONTROL: f64 = 1.02;

impl Bounds {
    /// The numbers given are within the bounds, and would not be if all of them
    /// were a little larger.
    pub(super) fn hold(&self, what: &str, pairs: &Pairs) -> Result<(), String> {
        println!("{what}: {pairs}");
        if !self.allow(pairs) {
            let Self { nmse, scale } = self;
            return Err(format!("{what}: {pairs}; allowed are {nmse:.0e} and 1 ± {scale}"));
        }
        if self.allow(&pairs.scaled(CONTROL)) {
            return Err(format!("{what}: {CONTROL} times as much would pass"));
        }
        Ok(())
    }

    fn allow(&self, pairs: &Pairs) -> bool {
        pairs.nmse() <= self.nmse && (pairs.scale() - 1.0).abs() <= self.scale
    }
}

/// Pairs of numbers, the first of each expected and the second given: how many,
/// and sums of their products.
#[derive(Default)]
pub(super) struct Pairs {
    count: usize,
    expected_squared: f64,
    expected_given: f64,
    given_squared: f64,
}

impl FromIterator<(f32, f32)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (f32, f32)>>(numbers: I) -> Self {
        let mut pairs = Self::default();
        for (expected, given) in numbers {
            let (expected, given) = (f64::from(expected), f64::from(given));
            pairs.count += 1;
            pairs.expected_squared += expected * expected;
            pairs.expected_given += expected * given;
            pairs.given_squared += given * given;
        }
        pairs
    }
}

impl Pairs {
    fn nmse(&self) -> f64 {
        let difference = self.expected_squared - 2.0 * self.expected_given + self.given_squared;
        difference / self.expected_squared
    }

    fn scale(&self) -> f64 {
        self.expected_given / self.expected_squared
    }

    /// The same, had all numbers that were given been so many times as large.
    fn scaled(&self, by: f64) -> Self {
        Self {
            expected_given: by * self.expected_given,
            given_squared: by * by * self.given_squared,
            ..*self
        }
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nmse, scale) = (self.nmse(), self.scale());
        write!(f, "{} numbers, NMSE {nmse:.2e}, scale {scale:.5}", self.count)
    }
}
