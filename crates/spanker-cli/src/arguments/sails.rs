// SPDX-License-Identifier: Apache-2.0
//! The command lines of what asks about Sails.

use super::options::{JsonOption, SailOption};
use super::sections;
use clap::Args;

/// List the Sails there are
///
/// The software Sail is always one of them.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker list
  spanker list --json | jq -r '.sails[].sail'

Fields of --json: driver {node, abi, problem}, sails [{sail, node, card, virtual,
memory_bytes, problem}]. What is not known is null."
))]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Show what a Sail is, its limits and its counters
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker info
  spanker info --sail soft --json | jq .limits

Fields of --json: sail, node, card, index, virtual, uuid, pci, abi, memory_bytes,
limits {buffer_bytes, buffers, ops, in_flight, m, n, k, operand_align},
products [{types, bit_exact}], counters {busy_ns, ops, batches, bytes_in,
bytes_out, faults, resets, memory_used_bytes}. pci is null where there is none."
))]
pub(crate) struct InfoArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Ask a Sail whether it is there
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker ping
  spanker ping --sail /dev/spanker0 && echo there

Fields of --json: sail, node, card, pings, best_ns, median_ns."
))]
pub(crate) struct PingArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Show versions: of this command, its library, and the Sail's ABI
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker version                 what to say in a bug report
  spanker version --sail 0

Fields of --json: command, library_abi, mirror (bindgen or committed), sail, node,
device_abi, compatible. The last four are null where there is no Sail."
))]
pub(crate) struct VersionArguments {
    #[command(flatten)]
    pub(crate) sail: SailOption,
    #[command(flatten)]
    pub(crate) output: JsonOption,
}

/// Find out whether programs get a Sail here, and what to do if not
///
/// Looks at the driver, its nodes and their permissions, at libclang, the CPU and
/// the environment, and runs a small product on the Sail that a program would get.
/// Each finding is ok, a note (nothing is broken) or a problem. The exit code is 0
/// if a program would work.
#[derive(Debug, Args)]
#[command(after_help = sections(
    "Examples:
  spanker doctor
  spanker doctor | grep -A 3 ^problem
  SPANKER_SAIL=0 spanker doctor   as a program would find it that is told so
  spanker doctor --json | jq -r '.findings[] | select(.mark != \"ok\") | .remedy'

Fields of --json: works, sail, findings [{about, mark, found, remedy}]. sail is null
where the environment names none; remedy is null where there is nothing to do."
))]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) output: JsonOption,
}
