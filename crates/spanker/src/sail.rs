// SPDX-License-Identifier: Apache-2.0
//! One card, opened.

use crate::abi_version::AbiVersion;
use crate::element::Element;
use crate::error::{Error, Request, Shape};
use crate::info::{DeviceInfo, MatmulCap, Telemetry};
use crate::matrix::Matrix;
use crate::open::{query, query_all, Open};
use crate::pending::Pending;
use crate::sail_name::SailName;
use crate::transport::{Node, Placement};
use crate::work::sealed::PERMISSION;
use crate::work::{Refused, Work};
use nix::errno::Errno;
use spanker_sys::*;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A Sail, opened: one in-order queue of work and one set of matrices. Opening
/// the same card twice gives two that share nothing.
///
/// It can be shared between threads; a clone is the same open. Matrices and
/// pending work keep it open; it closes when the last of them is gone, and work
/// in flight then stops.
#[derive(Clone, Debug)]
pub struct Sail {
    open: Arc<Open>,
}

impl Sail {
    /// Opens the card with this index, `/dev/spankerN`.
    ///
    /// # Errors
    /// As [`open_path`](Self::open_path).
    pub fn open(index: u32) -> Result<Self, Error> {
        Self::open_path(device_path(index))
    }

    /// Opens the card with this node.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::NotASail`], and [`Error::IncompatibleAbi`].
    pub fn open_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let node =
            Node::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        Ok(Self { open: Open::new(node, path, Some(path))? })
    }

    /// Opens the software Sail: the same ABI, executed by threads of this
    /// process. It needs no card, no driver and no rights. All opens in a
    /// process are of the same card and share its threads, of which there is
    /// one for each processor, or as many as `SPANKER_SOFT_THREADS` says when
    /// the first is opened. With `SPANKER_SOFT_FAULTS` set, it fails as that
    /// says: see [`FaultPlan`](spanker_soft::FaultPlan).
    ///
    /// # Errors
    /// [`Error::Software`] if its threads do not start, or a variable makes no
    /// sense.
    #[cfg(feature = "soft")]
    pub fn software() -> Result<Self, Error> {
        let machine = crate::software::machine()?;
        Self::on_machine(&machine, 0)
    }

    /// Opens a card of a software machine that the caller has made, with its
    /// own limits, threads and engine.
    ///
    /// # Errors
    /// [`Error::Open`] if there is no such card.
    #[cfg(feature = "soft")]
    pub fn on_machine(machine: &spanker_soft::Machine, index: u32) -> Result<Self, Error> {
        let path = PathBuf::from(format!("software Sail {index}"));
        let file = machine.open_card(index).map_err(|errno| Error::Open {
            path: path.clone(),
            source: std::io::Error::from_raw_os_error(errno as i32),
        })?;
        Ok(Self { open: Open::new(Node::soft(file), &path, None)? })
    }

    /// Opens the Sail that `name` names.
    ///
    /// # Errors
    /// As the openers above; [`Error::NoSoftware`] for the software Sail
    /// without the feature `soft`.
    pub fn open_named(name: &SailName) -> Result<Self, Error> {
        match name {
            SailName::Index(index) => Self::open(*index),
            SailName::Path(path) => Self::open_path(path),
            #[cfg(feature = "soft")]
            SailName::Software => Self::software(),
            #[cfg(not(feature = "soft"))]
            SailName::Software => Err(Error::NoSoftware),
        }
    }

    /// Opens the Sail that the environment variable `SPANKER_SAIL` names; where
    /// it is not set the first card there is, and without a card the software
    /// Sail.
    ///
    /// # Errors
    /// As [`open_named`](Self::open_named); [`Error::SailName`] if the variable
    /// names nothing. A card that is there but cannot be opened is an error,
    /// and not passed over.
    pub fn from_environment() -> Result<Self, Error> {
        Self::open_named(&SailName::from_environment()?)
    }

    pub(crate) fn open_handle(&self) -> &Arc<Open> {
        &self.open
    }

    #[cfg(feature = "record")]
    pub(crate) fn open_handle_mut(&mut self) -> &mut Arc<Open> {
        &mut self.open
    }

    /// Does nothing, successfully, if the card is there.
    ///
    /// # Errors
    /// [`Error::Request`]
    pub fn ping(&self) -> Result<(), Error> {
        self.open
            .node
            .ping()
            .map_err(|errno| Error::request(Request::Ping, errno, "the card does not answer"))
    }

    /// The ABI that the card implements.
    pub fn version(&self) -> AbiVersion {
        self.open.version
    }

    /// The node it was opened by; the software Sail has none.
    pub fn path(&self) -> Option<&Path> {
        self.open.path.as_deref()
    }

    /// What the card is and what its limits are.
    pub fn info(&self) -> &DeviceInfo {
        &self.open.info
    }

    /// The operand types that the card multiplies.
    ///
    /// # Errors
    /// [`Error::Request`]
    pub fn caps(&self) -> Result<Vec<MatmulCap>, Error> {
        let caps = query_all::<spanker_matmul_cap>(&self.open.node, SPANKER_QUERY_MATMUL_CAPS)?;
        Ok(caps.iter().map(MatmulCap::from_abi).collect())
    }

    /// The card's counters.
    ///
    /// # Errors
    /// [`Error::Request`]
    pub fn telemetry(&self) -> Result<Telemetry, Error> {
        let mut counters = spanker_telemetry::default();
        query(&self.open.node, SPANKER_QUERY_TELEMETRY, &mut counters)?;
        Ok(Telemetry::from_abi(&counters))
    }

    /// A zeroed matrix of `rows` × `cols` elements that host and device reach.
    ///
    /// # Errors
    /// [`Error::MatrixShape`] if a matrix of `E` cannot have this shape,
    /// [`Error::Request`] if there is no room for it.
    pub fn matrix<E: Element>(&self, rows: usize, cols: usize) -> Result<Matrix<E>, Error> {
        self.matrix_in(rows, cols, Placement::Mapped)
    }

    /// A zeroed matrix in memory of the caller's choice.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    pub fn matrix_in<E: Element>(
        &self,
        rows: usize,
        cols: usize,
        placement: Placement,
    ) -> Result<Matrix<E>, Error> {
        Matrix::new(&self.open, Shape { rows, cols }, placement)
    }

    /// A matrix with these values (or blocks), row after row.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and [`Error::Length`].
    pub fn upload<E: Element>(
        &self,
        rows: usize,
        cols: usize,
        values: &[E::Stored],
    ) -> Result<Matrix<E>, Error> {
        let mut matrix = self.matrix(rows, cols)?;
        matrix.write(values)?;
        Ok(matrix)
    }

    /// A matrix with these bytes, which are as in a file: blocks as they stand,
    /// floats little-endian.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub fn upload_bytes<E: Element>(
        &self,
        rows: usize,
        cols: usize,
        bytes: &[u8],
    ) -> Result<Matrix<E>, Error> {
        let mut matrix = self.matrix(rows, cols)?;
        matrix.write_bytes(bytes)?;
        Ok(matrix)
    }

    /// Submits work and comes back at once: the device has checked it and
    /// queued it. (Only a product so large that it takes several batches may
    /// block for a while, if the queue is full in the middle of it.)
    ///
    /// When a batch has failed, its own [`Pending`] says [`Error::Fault`], those
    /// of earlier ones still have their results, and this refuses more work:
    /// [`Error::needs_reopening`].
    ///
    /// # Errors
    /// With the work, of which nothing has run: if operands do not fit each
    /// other or are of another Sail, if the card refuses an op
    /// ([`Error::OpRefused`]), or takes no more work now (EAGAIN, in
    /// [`Error::Request`]: see [`Error::is_queue_full`]) or ever (EIO after a
    /// fault).
    pub fn submit<W: Work>(&self, work: W) -> Result<Pending<W::Results>, Refused<W>> {
        match work.submit_to(self, PERMISSION) {
            Ok(submitted) => {
                let results = work.into_results(PERMISSION);
                Ok(Pending::new(Arc::clone(&self.open), submitted, results))
            }
            Err(error) => Err(Refused { error, work }),
        }
    }

    /// The seqno of the last batch that has completed, and quietens the
    /// descriptor until there is news. It is for one event loop, which
    ///
    /// 1. registers [`as_fd`](AsFd::as_fd) for reading,
    /// 2. calls this when the descriptor is readable, and
    /// 3. takes the results of each [`Pending`] whose
    ///    [`seqno`](Pending::seqno) is not larger, with
    ///    [`wait`](Pending::wait), which then does not block.
    ///
    /// The descriptor may be readable at first, with nothing to tell. Only this
    /// quietens it: waiting does not.
    ///
    /// # Errors
    /// [`Error::Fault`] once a batch has failed and all before it have been
    /// told; [`Error::Request`] if the card is gone.
    pub fn completed(&self) -> Result<u64, Error> {
        match self.open.read_completed() {
            Ok(completed) => Ok(completed),
            Err(Errno::EAGAIN) => Ok(self.open.completed()),
            Err(Errno::EIO) => {
                let context = self.open.context()?;
                Err(Error::Fault {
                    seqno: context.fault_seqno,
                    op: context.fault_op,
                    code: context.fault_code,
                })
            }
            Err(errno) => Err(Error::request(Request::Read, errno, "the completion counter")),
        }
    }
}

/// For event loops: readable when a batch may have completed or failed. See
/// [`Sail::completed`].
impl AsFd for Sail {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.open.node.as_fd()
    }
}

/// The node of the card with this index.
fn device_path(index: u32) -> PathBuf {
    PathBuf::from(format!("/dev/spanker{index}"))
}
