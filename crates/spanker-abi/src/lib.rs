// SPDX-License-Identifier: Apache-2.0
//! What a Linux user API header promises to programs, as facts that can be
//! written down, compared and gated: layouts, constants and request codes, for
//! each target.

pub mod diff;
pub mod model;
