// SPDX-License-Identifier: Apache-2.0
//! What the safe API costs, counted.

use crate::run::{cargo, run};

pub(super) fn costs() -> Result<(), String> {
    run(&mut cargo("test --quiet --release --package spanker --test allocations"))?;
    run(&mut cargo("run --quiet --release --package spanker-costs -- --check"))
}
