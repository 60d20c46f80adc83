// SPDX-License-Identifier: Apache-2.0
//! The command as people and CI have it, by process.

mod gate;
mod github;
mod output;
mod refused;
mod scene;
mod shown;
