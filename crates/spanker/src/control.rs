// SPDX-License-Identifier: Apache-2.0
//! The control node.

use crate::abi_version::AbiVersion;
use crate::error::{Error, Request};
use crate::open::{compatible_version, query_all};
use crate::transport::Node;
use spanker_sys::SPANKER_QUERY_CARDS;
use std::path::Path;

/// The node that is there whenever the driver is loaded.
pub const CONTROL_DEVICE_PATH: &str = "/dev/spankerctl";

/// The control node, opened: it tells which cards there are.
///
/// ```no_run
/// use spanker::{Sail, SpankerControl};
///
/// # fn main() -> Result<(), spanker::Error> {
/// for index in SpankerControl::open()?.sails()? {
///     println!("{index}: {}", Sail::open(index)?.info().name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SpankerControl {
    node: Node,
    version: AbiVersion,
}

impl SpankerControl {
    /// Opens [`CONTROL_DEVICE_PATH`].
    ///
    /// # Errors
    /// [`Error::Open`] if the driver is not loaded or this user may not;
    /// [`Error::NotASail`]; [`Error::IncompatibleAbi`].
    pub fn open() -> Result<Self, Error> {
        Self::open_path(CONTROL_DEVICE_PATH)
    }

    /// Opens the control node at another path.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let node =
            Node::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        let version = compatible_version(&node, path)?;
        Ok(Self { node, version })
    }

    /// Opens the control node of a software machine.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(feature = "soft")]
    pub fn on_machine(machine: &spanker_soft::Machine) -> Result<Self, Error> {
        let node = Node::soft(machine.open_control());
        let version = compatible_version(&node, Path::new("software control node"))?;
        Ok(Self { node, version })
    }

    /// Does nothing, successfully, if the driver is there.
    ///
    /// # Errors
    /// [`Error::Request`]
    pub fn ping(&self) -> Result<(), Error> {
        self.node
            .ping()
            .map_err(|errno| Error::request(Request::Ping, errno, "the driver does not answer"))
    }

    /// The ABI that the driver implements.
    pub fn version(&self) -> AbiVersion {
        self.version
    }

    /// The indices of the cards there are, ascending.
    ///
    /// # Errors
    /// [`Error::Request`]
    pub fn sails(&self) -> Result<Vec<u32>, Error> {
        query_all(&self.node, SPANKER_QUERY_CARDS)
    }
}
