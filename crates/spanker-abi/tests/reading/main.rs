// SPDX-License-Identifier: Apache-2.0
//! What is read from headers, one behaviour a test.

mod bit_fields;
mod constants;
mod declarations;
mod enums;
mod includes;
mod pointers;
mod records;
mod refused;
mod requests;
mod scene;
mod snapshots;
mod targets;
mod texts;
