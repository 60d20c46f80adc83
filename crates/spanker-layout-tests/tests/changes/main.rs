// SPDX-License-Identifier: Apache-2.0
//! A copy of the header, or of a mirror, is changed, and the compilers are asked
//! again: what is added is compared without an edit, and what has drifted is
//! named. The compilers are on the machine that built this; elsewhere, these
//! tests are skipped.

mod additions;
mod drift_of_layouts;
mod drift_of_numbers;
mod not_understood;
mod scene;
