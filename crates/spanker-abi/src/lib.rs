// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("../README.md")]

pub mod check;
pub mod diff;
mod error;
pub mod header;
pub mod model;
pub mod report;
pub mod snapshot;
pub mod table;
mod target;
pub mod version;

pub use error::Error;
pub use target::Target;
