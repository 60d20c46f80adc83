// SPDX-License-Identifier: Apache-2.0
//! What a Linux user API header promises to programs, as facts that can be
//! written down, compared and gated: layouts, constants and request codes, for
//! each target.

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
