// SPDX-License-Identifier: Apache-2.0
//! Several products at once.

mod op_array;

use crate::element::{Activation, F32, Q4K};
use crate::error::Error;
use crate::matmul::{checked_op, fill_in, fit_together, Matmul};
use crate::matrix::{Matrix, Untyped};
use crate::open::Open;
use crate::sail::Sail;
use crate::transport::Buffer;
use crate::work::{sealed, submit_ops, Refused, Results, Submitted, Work};
use op_array::OpArray;
use spanker_sys::spanker_op;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Products that are submitted together and run as if one after another: later
/// ones may read what earlier ones wrote. A product that the card takes in parts
/// counts as so many ops against its [`max_ops`](crate::DeviceInfo), and where an
/// error names an op.
///
/// What they read is borrowed until the batch is submitted; what they write is
/// moved in. [`Pending::wait`](crate::Pending::wait) hands the batch back with
/// the results in it and no ops; [`clear`](Self::clear) or
/// [`drain_results`](Self::drain_results) makes it ready to be filled again
/// without allocating.
///
/// ```
/// use spanker::{Batch, Matmul, Sail, F32, Q4K};
///
/// # fn main() -> Result<(), spanker::Error> {
/// let sail = Sail::software()?;
/// let mut x = sail.matrix::<F32>(1, 256)?;
/// let (up, down) = (sail.matrix::<Q4K>(512, 256)?, sail.matrix::<Q4K>(256, 512)?);
///
/// let (mut hidden, mut y) = (sail.matrix(1, 512)?, sail.matrix(1, 256)?);
/// let mut batch = Batch::new(&sail);
/// for token in 0..3 {
///     x.write(&[token as f32; 256])?;
///     let first = batch.push(Matmul::new(&x, &up, hidden))?;
///     batch.push_chained(first, &down, y)?;
///     batch = sail.submit(batch)?.wait()?;
///     assert_eq!(batch.results()[1].to_vec()?, [0.0; 256]);
///
///     let mut results = batch.drain_results();
///     (hidden, y) = (results.next().unwrap(), results.next().unwrap());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until it is submitted"]
pub struct Batch<'a> {
    open: Arc<Open>,
    ops: OpArray,
    /// What product i writes is at i; behind them, matrices to be used again.
    results: Vec<Matrix<F32>>,
    /// How many products there are.
    products: usize,
    /// What the ops read, each once; results of its own are not among them.
    reads: Vec<&'a Untyped>,
    /// What the ops add to: indices of results.
    accumulates: Vec<usize>,
    /// Tells this round of pushing from all others, also of other batches. A
    /// matrix that is noted with it is in `reads`, of this open, and not too
    /// large for one op, so that it need not be looked at for each op anew.
    /// [`RETURNED`] while it holds the results of its last ops.
    filling: u64,
}

/// No matrix is noted with this one twice.
static NEXT_FILLING: AtomicU64 = AtomicU64::new(RETURNED + 1);
/// What no matrix is ever noted with; they begin with 0.
const RETURNED: u64 = 1;

fn next_filling() -> u64 {
    NEXT_FILLING.fetch_add(1, Ordering::Relaxed)
}

impl<'a> Batch<'a> {
    /// An empty batch for `sail`.
    pub fn new(sail: &Sail) -> Self {
        Self {
            open: Arc::clone(sail.open_handle()),
            ops: OpArray::default(),
            results: Vec::new(),
            products: 0,
            reads: Vec::new(),
            accumulates: Vec::new(),
            filling: next_filling(),
        }
    }

    /// Adds a product. Returns where its result will be in
    /// [`results`](Self::results).
    ///
    /// # Errors
    /// If the operands do not fit each other or are of another Sail, or the
    /// batch still holds results ([`Error::OldResults`]); the product is handed
    /// back, and the batch is as before.
    // As a call it costs half as much again, in the innermost loop of its callers.
    #[inline(always)]
    pub fn push<A: Activation>(
        &mut self,
        matmul: Matmul<'a, A>,
    ) -> Result<usize, Refused<Matmul<'a, A>>> {
        let (a, b, out) = (matmul.a.untyped(), matmul.b.untyped(), matmul.out.untyped());
        let noted = a.is_noted_in(self.filling) && b.is_noted_in(self.filling);
        let simple = (noted || self.note_both(a, b)) && !matmul.accumulate;
        match self.ops.next() {
            Some(op) if simple && fit_together(&self.open, a, b, out) => {
                fill_in(op, a, b, out);
                self.ops.accept();
            }
            _ => {
                if let Err(error) = self.admit(a, b, out, matmul.accumulate) {
                    self.forget_notes();
                    return Err(Refused { error, work: matmul });
                }
            }
        }
        Ok(self.push_result(matmul.out))
    }

    /// Adds the product of `a` and `b` into the next of the matrices that
    /// [`recycle`](Self::recycle) has kept, in their order. Returns where its
    /// result will be in [`results`](Self::results).
    ///
    /// # Errors
    /// If the operands do not fit each other or are of another Sail, or no
    /// matrix is left ([`Error::NothingToRecycle`]); the batch is as before.
    #[inline]
    pub fn push_recycled<A: Activation>(
        &mut self,
        a: &'a Matrix<A>,
        b: &'a Matrix<Q4K>,
    ) -> Result<usize, Error> {
        let (a, b, place) = (a.untyped(), b.untyped(), self.products);
        let noted = a.is_noted_in(self.filling) && b.is_noted_in(self.filling);
        if noted || self.note_both(a, b) {
            if let Some(out) = self.results.get(place).map(Matrix::untyped) {
                if fit_together(&self.open, a, b, out) {
                    if let Some(op) = self.ops.next() {
                        fill_in(op, a, b, out);
                        self.ops.accept();
                        self.products = place + 1;
                        return Ok(place);
                    }
                }
            }
        }
        self.admit_recycled(a, b)
    }

    #[cold]
    fn admit_recycled(&mut self, a: &'a Untyped, b: &'a Untyped) -> Result<usize, Error> {
        let admitted = self.recycled_op(|batch, out| checked_op(&batch.open, a, b, out, false));
        if admitted.is_err() {
            self.forget_notes();
        }
        admitted
    }

    /// Adds the op that `make` makes with the next matrix that was kept.
    fn recycled_op(
        &mut self,
        make: impl FnOnce(&Self, &Untyped) -> Result<spanker_op, Error>,
    ) -> Result<usize, Error> {
        self.require_no_old_results()?;
        let place = self.products;
        let out = self.results.get(place).ok_or(Error::NothingToRecycle { products: place })?;
        let op = make(self, out.untyped())?;
        self.ops.push_parts(&op, &self.open.info);
        self.products += 1;
        Ok(place)
    }

    /// As [`push_chained`](Self::push_chained), into the next of the matrices
    /// that [`recycle`](Self::recycle) has kept.
    ///
    /// # Errors
    /// As [`push_recycled`](Self::push_recycled), and [`Error::NoSuchResult`].
    pub fn push_chained_recycled(
        &mut self,
        result: usize,
        b: &'a Matrix<Q4K>,
    ) -> Result<usize, Error> {
        let b = b.untyped();
        let place = self.recycled_op(|batch, out| batch.chained_op(result, b, out))?;
        // It may be too large for one op, and is noted all the same.
        let _ = self.note(b);
        Ok(place)
    }

    /// Puts a matrix where the next result will be.
    #[inline]
    fn push_result(&mut self, out: Matrix<F32>) -> usize {
        let place = self.products;
        if place == self.results.len() {
            self.results.push(out);
        } else {
            self.insert_result(place, out);
        }
        self.products = place + 1;
        place
    }

    /// Those to be used again stay behind it.
    #[cold]
    fn insert_result(&mut self, place: usize, out: Matrix<F32>) {
        self.results.insert(place, out);
    }

    /// Takes note of what an op reads. Returns whether it needs no closer look.
    #[inline(never)]
    fn note_both(&mut self, a: &'a Untyped, b: &'a Untyped) -> bool {
        self.note(a) & self.note(b)
    }

    /// Takes note of a matrix that ops read, if it is of this open, once.
    fn note(&mut self, matrix: &'a Untyped) -> bool {
        if matrix.is_noted_in(self.filling) {
            return true;
        }
        if self.filling == RETURNED || !matrix.buffer.is_of(&self.open) {
            return false;
        }
        self.reads.push(matrix);
        matrix.note_filling(self.filling)
    }

    /// A product was refused after its operands may have been noted: they count
    /// as read, which is safe, but notes must not pile up with refusals.
    fn forget_notes(&mut self) {
        if self.filling != RETURNED && self.reads.len() > 2 * self.products {
            self.reads.truncate(2 * self.products);
            self.filling = next_filling();
        }
    }

    /// Looks at a product closely, and adds its ops.
    #[cold]
    fn admit(
        &mut self,
        a: &'a Untyped,
        b: &'a Untyped,
        out: &Untyped,
        accumulate: bool,
    ) -> Result<(), Error> {
        self.require_no_old_results()?;
        let op = checked_op(&self.open, a, b, out, accumulate)?;
        self.ops.push_parts(&op, &self.open.info);
        if accumulate {
            self.accumulates.push(self.products);
        }
        Ok(())
    }

    /// Adds the product of an earlier op's result, as `a`, and `b` into `out`.
    /// Returns where its result will be in [`results`](Self::results).
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`Error::NoSuchResult`]; `out` is handed
    /// back.
    pub fn push_chained(
        &mut self,
        result: usize,
        b: &'a Matrix<Q4K>,
        out: Matrix<F32>,
    ) -> Result<usize, Refused<Matrix<F32>>> {
        match self.chained_op(result, b.untyped(), out.untyped()) {
            Ok(op) => {
                self.ops.push_parts(&op, &self.open.info);
                // It may be too large for one op, and is noted all the same.
                let _ = self.note(b.untyped());
                Ok(self.push_result(out))
            }
            Err(error) => Err(Refused { error, work: out }),
        }
    }

    fn chained_op(&self, result: usize, b: &Untyped, out: &Untyped) -> Result<spanker_op, Error> {
        self.require_no_old_results()?;
        let count = self.products;
        let a = self.results().get(result).ok_or(Error::NoSuchResult { result, count })?;
        checked_op(&self.open, a.untyped(), b, out, false)
    }

    /// # Errors
    /// [`Error::OldResults`] if it holds what its last ops wrote.
    fn require_no_old_results(&self) -> Result<(), Error> {
        if self.filling == RETURNED {
            return Err(Error::OldResults { count: self.products });
        }
        Ok(())
    }

    /// How many products it has that have not been submitted.
    pub fn len(&self) -> usize {
        if self.filling == RETURNED {
            0
        } else {
            self.products
        }
    }

    /// Whether it has none. An empty batch cannot be submitted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the products write, in the order they were pushed.
    pub fn results(&self) -> &[Matrix<F32>] {
        self.results.get(..self.products).unwrap_or_default()
    }

    /// Takes the results out and empties the batch.
    pub fn drain_results(&mut self) -> impl Iterator<Item = Matrix<F32>> + '_ {
        let products = self.restart();
        self.results.drain(..products)
    }

    /// Empties the batch and keeps its results, to be written anew by what
    /// [`push_recycled`](Self::push_recycled) adds. This is the cheapest way to
    /// run products of the same shapes again and again.
    ///
    /// ```
    /// use spanker::{Batch, Matmul, Sail, F32, Q4K};
    ///
    /// # fn main() -> Result<(), spanker::Error> {
    /// let sail = Sail::software()?;
    /// let mut x = sail.matrix::<F32>(1, 256)?;
    /// let weights = sail.matrix::<Q4K>(512, 256)?;
    ///
    /// let mut batch = Batch::new(&sail);
    /// batch.push(Matmul::new(&x, &weights, sail.matrix(1, 512)?))?;
    /// for token in 0..3 {
    ///     batch = sail.submit(batch)?.wait()?;
    ///     println!("{:?}", batch.results()[0].view()?.get(0, 0));
    ///     batch.recycle();
    ///     x.write(&[token as f32; 256])?;
    ///     batch.push_recycled(&x, &weights)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn recycle(&mut self) {
        self.restart();
    }

    /// Empties the batch; its memory is kept for the next ops, its results are
    /// not.
    pub fn clear(&mut self) {
        self.restart();
        self.results.clear();
    }

    /// Begins a new round of pushing. Returns how many products the last had.
    fn restart(&mut self) -> usize {
        self.forget_ops();
        self.filling = next_filling();
        std::mem::take(&mut self.products)
    }

    fn forget_ops(&mut self) {
        self.ops.clear();
        self.reads.clear();
        self.accumulates.clear();
    }
}

impl sealed::Sealed for Batch<'_> {}
impl Work for Batch<'_> {
    type Results = Batch<'static>;

    fn submit_to(&self, sail: &Sail, _: sealed::Permission) -> Result<Submitted, Error> {
        let open = sail.open_handle();
        if self.is_empty() {
            return Err(Error::EmptyBatch);
        }
        if !Arc::ptr_eq(open, &self.open) {
            return Err(Error::ForeignBatch);
        }
        let reads = self.reads.iter().map(|matrix| &matrix.buffer);
        let accumulated = self.accumulates.iter().map(|result| self.results[*result].buffer());
        open.record_contents(reads.clone().chain(accumulated));
        let seqno = submit_ops(open, self.ops.as_slice())?;
        reads.for_each(|buffer| buffer.mark_read_by(seqno));
        Ok(Submitted::whole(seqno))
    }

    fn into_results(mut self, _: sealed::Permission) -> Batch<'static> {
        // Ops that could be submitted again would name matrices that nobody has
        // borrowed any more.
        self.forget_ops();
        // An empty vector of one lifetime as that of another: collecting in
        // place keeps its memory.
        let reads = self.reads.into_iter().map_while(|_| None).collect();
        Batch {
            open: self.open,
            ops: self.ops,
            results: self.results,
            products: self.products,
            reads,
            accumulates: self.accumulates,
            filling: RETURNED,
        }
    }
}

impl Results for Batch<'_> {
    fn for_each_buffer(&self, show: &mut dyn FnMut(&Buffer)) {
        self.results().iter().for_each(|result| show(result.buffer()));
    }
}
