// SPDX-License-Identifier: Apache-2.0
//! The rules of the diff, on facts built by hand.

mod build;
mod constants;
mod fields;
mod properties;
mod records;
mod requests;
mod shadows;
mod targets;
