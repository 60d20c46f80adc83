// SPDX-License-Identifier: Apache-2.0
//! The safe API on whatever Sail `SPANKER_SAIL` names.

#[test]
fn placeholder() {}
