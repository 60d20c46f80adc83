// SPDX-License-Identifier: Apache-2.0
//! Sets of bits of a record, as ranges.

use crate::model::Field;

/// A set of bits: disjoint ranges in ascending order, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<(u64, u64)>);

impl Bits {
    /// The bits from `start` up to `end`, which is not one of them.
    pub(super) fn range(start: u64, end: u64) -> Self {
        Self(if start < end { vec![(start, end)] } else { Vec::new() })
    }

    /// The bits a field takes.
    pub(super) fn of(field: &Field) -> Self {
        Self::range(field.offset_bits, end(field))
    }

    /// The bits that any of these fields takes.
    pub(super) fn of_all<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let ranges = fields.into_iter().map(|field| (field.offset_bits, end(field)));
        Self::joined(ranges.collect())
    }

    fn joined(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.retain(|(start, end)| start < end);
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut common = Vec::new();
        for &(start, end) in &self.0 {
            for &(from, to) in &other.0 {
                common.push((start.max(from), end.min(to)));
            }
        }
        Self::joined(common)
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        Self::joined(self.0.iter().chain(&other.0).copied().collect())
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &(start, end) in &self.0 {
            let mut from = start;
            for &(cut, resume) in &other.0 {
                left.push((from, cut.min(end)));
                from = from.max(resume);
            }
            left.push((from, end));
        }
        Self::joined(left)
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        !self.and(other).is_empty()
    }

    pub(super) fn within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }
}

/// The first bit after a field. A snapshot may claim any numbers.
fn end(field: &Field) -> u64 {
    field.offset_bits.saturating_add(field.size_bits)
}

#[cfg(test)]
mod tests {
    use super::Bits;

    fn set(ranges: &[(u64, u64)]) -> Bits {
        Bits::joined(ranges.to_vec())
    }

    #[test]
    fn sets_of_bits_agree_with_sets_of_single_bits() {
        let some = [set(&[]), set(&[(0, 4)]), set(&[(2, 6), (8, 9)]), set(&[(0, 1), (3, 10)])];
        let has = |bits: &Bits, bit| bits.0.iter().any(|&(start, end)| start <= bit && bit < end);
        for a in &some {
            for b in &some {
                for bit in 0..12 {
                    assert_eq!(has(&a.and(b), bit), has(a, bit) && has(b, bit));
                    assert_eq!(has(&a.or(b), bit), has(a, bit) || has(b, bit));
                    assert_eq!(has(&a.without(b), bit), has(a, bit) && !has(b, bit), "{a:?} {b:?}");
                }
            }
        }
    }
}
