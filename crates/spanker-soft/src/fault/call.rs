// SPDX-License-Identifier: Apache-2.0
//! What a program can ask of a machine.

use std::fmt;

/// A kind of call that a [`FaultPlan`](crate::FaultPlan) can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// Each of the others.
    Any,
    /// Opening a card.
    Open,
    /// SPANKER_IOC_PING, on any node.
    Ping,
    /// SPANKER_IOC_GET_VERSION, on any node.
    GetVersion,
    /// SPANKER_IOC_QUERY, on any node.
    Query,
    /// SPANKER_IOC_BUF_CREATE
    BufCreate,
    /// SPANKER_IOC_BUF_DESTROY
    BufDestroy,
    /// SPANKER_IOC_WORK_SUBMIT
    WorkSubmit,
    /// SPANKER_IOC_WAIT
    Wait,
    /// mmap(2) on a card.
    Mmap,
    /// read(2) on a card.
    Read,
}

impl Call {
    pub(super) const ALL: [Self; 11] = [
        Self::Any,
        Self::Open,
        Self::Ping,
        Self::GetVersion,
        Self::Query,
        Self::BufCreate,
        Self::BufDestroy,
        Self::WorkSubmit,
        Self::Wait,
        Self::Mmap,
        Self::Read,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Open => "OPEN",
            Self::Ping => "PING",
            Self::GetVersion => "GET_VERSION",
            Self::Query => "QUERY",
            Self::BufCreate => "BUF_CREATE",
            Self::BufDestroy => "BUF_DESTROY",
            Self::WorkSubmit => "WORK_SUBMIT",
            Self::Wait => "WAIT",
            Self::Mmap => "MMAP",
            Self::Read => "READ",
        }
    }

    pub(super) fn includes(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
