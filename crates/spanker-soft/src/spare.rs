// SPDX-License-Identifier: Apache-2.0
//! Shared values that are used again and again, by threads that hand them back.

use std::sync::Arc;

/// A value made ready by `fill`: a spare one, or a new one if there is none.
pub(crate) fn refilled<T: Default>(spare: Option<Arc<T>>, fill: impl FnOnce(&mut T)) -> Arc<T> {
    if let Some(mut spare) = spare {
        // Nobody else has it: `emptied` has made sure.
        if let Some(value) = Arc::get_mut(&mut spare) {
            fill(value);
            return spare;
        }
    }
    let mut value = T::default();
    fill(&mut value);
    Arc::new(value)
}

/// A value as a spare one. None if someone else still has it, who then drops it.
pub(crate) fn emptied<T>(mut value: Arc<T>, empty: impl FnOnce(&mut T)) -> Option<Arc<T>> {
    empty(Arc::get_mut(&mut value)?);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spare_value_is_used_again_in_place() {
        let first = refilled(None, |value: &mut u32| *value = 1);
        let place = Arc::as_ptr(&first);
        let spare = emptied(first, |value| *value = 0);
        let again = refilled(spare, |value| *value += 2);
        assert_eq!((*again, Arc::as_ptr(&again)), (2, place));
    }

    #[test]
    fn a_value_that_someone_still_has_is_never_changed() {
        let first = refilled(None, |value: &mut u32| *value = 1);
        let held = Arc::clone(&first);
        let second = refilled(Some(Arc::clone(&first)), |value| *value += 2);
        assert_eq!((*held, *second), (1, 2));
        assert!(emptied(first, |value| *value = 0).is_none());
        assert_eq!(*held, 1);
    }
}
