// SPDX-License-Identifier: Apache-2.0
//! The cases, a file per subject.

mod adding;
mod addresses;
mod arithmetic;
mod batches;
mod buffers;
mod calls;
mod codes;
mod copying;
mod deadlines;
mod dequantised;
mod device_buffers;
mod device_facts;
mod ending;
mod faults;
mod field_order;
mod fields;
mod footprints;
mod goldens;
mod gone;
mod handles;
mod mapping;
mod memory;
mod mmap;
mod multiplying;
mod op_array;
mod opens;
mod overlaps;
mod poll;
mod properties;
mod quantising;
mod query;
mod queue;
mod read;
mod refusal;
mod requests;
mod resets;
mod sharing;
mod signals;
mod sizes;
mod telemetry;
mod timeline;
mod unplug;
mod version;
mod version_sizes;
mod wait;
mod wakeups;

use crate::case::Case;

/// Every case, subject after subject.
pub fn cases() -> Vec<Case> {
    [
        version::CASES,
        codes::CASES,
        version_sizes::CASES,
        sizes::CASES,
        addresses::CASES,
        query::CASES,
        device_facts::CASES,
        buffers::CASES,
        handles::CASES,
        memory::CASES,
        device_buffers::CASES,
        mmap::CASES,
        mapping::CASES,
        batches::CASES,
        op_array::CASES,
        fields::CASES,
        field_order::CASES,
        footprints::CASES,
        overlaps::CASES,
        copying::CASES,
        multiplying::CASES,
        adding::CASES,
        quantising::CASES,
        arithmetic::CASES,
        dequantised::CASES,
        goldens::CASES,
        properties::CASES,
        timeline::CASES,
        queue::CASES,
        wait::CASES,
        deadlines::CASES,
        read::CASES,
        calls::CASES,
        poll::CASES,
        wakeups::CASES,
        faults::CASES,
        unplug::CASES,
        resets::CASES,
        telemetry::CASES,
        opens::CASES,
        ending::CASES,
        sharing::CASES,
        signals::CASES,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::cases;

    #[test]
    fn no_two_cases_have_the_same_name() {
        let names: HashSet<String> = cases().iter().map(|case| case.full_name()).collect();
        assert_eq!(names.len(), cases().len());
    }
}
