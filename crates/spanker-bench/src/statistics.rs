// SPDX-License-Identifier: Apache-2.0
//! What many measurements of one thing say.

/// Measurements in ascending order; never none.
#[derive(Debug)]
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    /// Nothing, if there are no measurements.
    pub(crate) fn new(mut measured: Vec<f64>) -> Option<Self> {
        measured.sort_by(f64::total_cmp);
        (!measured.is_empty()).then_some(Self(measured))
    }

    pub(crate) fn least(&self) -> f64 {
        self.0[0]
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The least measurement that at least `percent` of all do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent.min(100)).div_ceil(100);
        self.0[rank.saturating_sub(1)]
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Sorted;

    #[test]
    fn percentiles_are_measurements_of_that_rank() {
        let sorted = Sorted::new((1..=200).rev().map(f64::from).collect()).unwrap();
        assert_eq!(
            [0, 1, 50, 99, 100].map(|percent| sorted.percentile(percent)),
            [1.0, 2.0, 100.0, 198.0, 200.0]
        );
        let odd = Sorted::new(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!([34, 50, 66, 67].map(|percent| odd.percentile(percent)), [2.0, 2.0, 2.0, 3.0]);
        assert_eq!((sorted.least(), sorted.count()), (1.0, 200));
        assert!(Sorted::new(Vec::new()).is_none());
    }
}
