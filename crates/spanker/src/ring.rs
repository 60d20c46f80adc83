// SPDX-License-Identifier: Apache-2.0
//! Many activations, one after another, by the same weights.

use crate::element::{F32, Q4K};
use crate::error::{Error, Shape};
use crate::matmul::Matmul;
use crate::matrix::Matrix;
use crate::pending::Pending;
use crate::sail::Sail;
use crate::view::View;
use std::borrow::Borrow;
use std::collections::VecDeque;

/// Weights that stay on the Sail, and a ring of slots through which activations
/// go over them: each slot has a matrix for activations and one for results,
/// which are used again and again.
///
/// Up to as many products are in flight as there are slots, so that the next
/// activations are written while the Sail works on the last. Results come out
/// in the order in which activations went in.
///
/// ```
/// use spanker::{Ring, Sail, Q4K};
///
/// # fn main() -> Result<(), spanker::Error> {
/// let sail = Sail::software()?;
/// let weights = sail.upload_bytes::<Q4K>(8, 256, &[0x27; 8 * 144])?; // once
/// let mut ring = Ring::new(&sail, &weights, 1, 3)?; // 1 row at a time, 3 slots
///
/// let mut sums = Vec::new();
/// for step in 0..10 {
///     if ring.is_full() {
///         let out = ring.wait()?; // the oldest: 1 row of 8
///         sums.push(out.and_then(|out| out.get(0, 7)));
///     }
///     ring.submit(&[step as f32; 256])?;
/// }
/// while let Some(out) = ring.wait()? {
///     sums.push(out.get(0, 7));
/// }
/// assert_eq!(sums.len(), 10);
/// # Ok(())
/// # }
/// ```
///
/// `W` is a [`Matrix`] of [`Q4K`], a reference to one, or an [`Arc`]: several
/// rings can share weights.
///
/// [`Arc`]: std::sync::Arc
#[derive(Debug)]
pub struct Ring<W> {
    sail: Sail,
    weights: W,
    /// Of activations, in a slot.
    rows: usize,
    slots: usize,
    free: Vec<Slot>,
    /// The oldest is at the front.
    in_flight: VecDeque<InFlight>,
    /// The last that was handed out.
    shown: Option<Slot>,
}

#[derive(Debug)]
struct Slot {
    a: Matrix<F32>,
    out: Matrix<F32>,
}

#[derive(Debug)]
struct InFlight {
    a: Matrix<F32>,
    pending: Pending<Matrix<F32>>,
}

impl<W: Borrow<Matrix<Q4K>>> Ring<W> {
    /// A ring with room for `slots` products of `rows` rows of activations by
    /// `weights`, which are on `sail`.
    ///
    /// # Errors
    /// [`Error::RingFull`] if there is to be no slot; as [`Sail::matrix`].
    pub fn new(sail: &Sail, weights: W, rows: usize, slots: usize) -> Result<Self, Error> {
        if slots == 0 {
            return Err(Error::RingFull { slots });
        }
        let mut ring = Self {
            sail: sail.clone(),
            weights,
            rows,
            slots,
            free: Vec::with_capacity(slots),
            in_flight: VecDeque::with_capacity(slots),
            shown: None,
        };
        for _ in 0..slots {
            let slot = ring.new_slot()?;
            ring.free.push(slot);
        }
        Ok(ring)
    }

    fn new_slot(&self) -> Result<Slot, Error> {
        let Shape { rows, cols } = self.weights.borrow().shape();
        let (a, out) = (self.sail.matrix(self.rows, cols)?, self.sail.matrix(self.rows, rows)?);
        Ok(Slot { a, out })
    }

    /// Copies activations to a free slot, row after row, and submits their
    /// product. Returns the seqno of its batch. What [`wait`](Self::wait)
    /// handed out last is given up.
    ///
    /// # Errors
    /// [`Error::RingFull`]; [`Error::Length`] if `activations` is not as long as
    /// a slot; as [`Sail::submit`]. The ring is as before.
    pub fn submit(&mut self, activations: &[f32]) -> Result<u64, Error> {
        self.free.extend(self.shown.take());
        if self.is_full() {
            return Err(Error::RingFull { slots: self.slots });
        }
        let mut slot = match self.free.pop() {
            Some(slot) => slot,
            // One was lost with a product that failed.
            None => self.new_slot()?,
        };
        if let Err(error) = slot.a.write(activations) {
            self.free.push(slot);
            return Err(error);
        }
        let Slot { a, out } = slot;
        let submitted = self.sail.submit(Matmul::new(&a, self.weights.borrow(), out));
        match submitted.map_err(|refused| (refused.error, refused.work.into_out())) {
            Ok(pending) => {
                let seqno = pending.seqno();
                self.in_flight.push_back(InFlight { a, pending });
                Ok(seqno)
            }
            Err((error, out)) => {
                self.free.push(Slot { a, out });
                Err(error)
            }
        }
    }

    /// Blocks until the oldest product in flight has completed, and shows its
    /// results; None if none is in flight.
    ///
    /// # Errors
    /// As [`Pending::wait`]. The results are lost then, and the next call is
    /// about the next product.
    pub fn wait(&mut self) -> Result<Option<View<'_, F32>>, Error> {
        self.free.extend(self.shown.take());
        match self.in_flight.pop_front() {
            Some(InFlight { a, pending }) => {
                let out = pending.wait()?;
                self.show(Slot { a, out })
            }
            None => Ok(None),
        }
    }

    /// Awaits the oldest product in flight, and shows its results; None if none
    /// is in flight. If it is dropped, that product is the oldest still.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), and [`Error::EventLoop`].
    #[cfg(feature = "tokio")]
    pub async fn next(&mut self) -> Result<Option<View<'_, F32>>, Error> {
        self.free.extend(self.shown.take());
        let Some(oldest) = self.in_flight.front_mut() else { return Ok(None) };
        let out = match (&mut oldest.pending).await {
            // It could not be awaited, and is still there.
            Err(error @ Error::EventLoop { .. }) => return Err(error),
            out => out,
        };
        match (self.in_flight.pop_front(), out?) {
            (Some(InFlight { a, .. }), out) => self.show(Slot { a, out }),
            (None, _) => Ok(None),
        }
    }

    fn show(&mut self, slot: Slot) -> Result<Option<View<'_, F32>>, Error> {
        self.shown.insert(slot).out.view().map(Some)
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// How many of them are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether all are in flight, so that there is no room to
    /// [`submit`](Self::submit).
    pub fn is_full(&self) -> bool {
        self.in_flight.len() >= self.slots
    }

    /// The weights.
    pub fn weights(&self) -> &Matrix<Q4K> {
        self.weights.borrow()
    }
}
