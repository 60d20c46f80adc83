// SPDX-License-Identifier: Apache-2.0
//! The built command, run as people and scripts run it.

mod demo;
mod doctor;
mod documented;
mod manual;
mod matmul;
mod mistakes;
mod model;
mod output;
mod recording;
mod replay;
mod sails;
mod scene;
mod snapshots;
mod streams;
mod tensors;
mod terminal;
