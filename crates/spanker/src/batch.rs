// SPDX-License-Identifier: Apache-2.0
//! Several products at once.

use crate::element::{Activation, F32, Q4K};
use crate::error::{Error, Operand};
use crate::matmul::{matmul_op, require_same_open, Matmul};
use crate::matrix::Matrix;
use crate::open::Open;
use crate::sail::Sail;
use crate::transport::Buffer;
use crate::work::{sealed, submit_ops, Refused, Work};
use spanker_sys::spanker_op;
use std::sync::Arc;

/// Products that are submitted together and run as if one after another: later
/// ones may read what earlier ones wrote.
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
    ops: Vec<spanker_op>,
    /// What op i writes is at i.
    results: Vec<Matrix<F32>>,
    reads: Vec<&'a Buffer>,
}

impl<'a> Batch<'a> {
    /// An empty batch for `sail`.
    pub fn new(sail: &Sail) -> Self {
        let open = Arc::clone(sail.open_handle());
        Self { open, ops: Vec::new(), results: Vec::new(), reads: Vec::new() }
    }

    /// Adds a product. Returns where its result will be in
    /// [`results`](Self::results).
    ///
    /// # Errors
    /// If the operands do not fit each other or are of another Sail, or the
    /// batch still holds results ([`Error::OldResults`]); the product is handed
    /// back, and the batch is as before.
    pub fn push<A: Activation>(
        &mut self,
        matmul: Matmul<'a, A>,
    ) -> Result<usize, Refused<Matmul<'a, A>>> {
        match self.require_no_old_results().and_then(|()| matmul.to_op(&self.open)) {
            Ok(op) => {
                self.reads.push(matmul.a.buffer());
                self.reads.push(matmul.b.buffer());
                Ok(self.push_op(op, matmul.out))
            }
            Err(error) => Err(Refused { error, work: matmul }),
        }
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
        match self.chained_op(result, b, &out) {
            Ok(op) => {
                self.reads.push(b.buffer());
                Ok(self.push_op(op, out))
            }
            Err(error) => Err(Refused { error, work: out }),
        }
    }

    fn chained_op(
        &self,
        result: usize,
        b: &Matrix<Q4K>,
        out: &Matrix<F32>,
    ) -> Result<spanker_op, Error> {
        self.require_no_old_results()?;
        let count = self.results.len();
        let a = self.results.get(result).ok_or(Error::NoSuchResult { result, count })?;
        require_same_open(Operand::B, b.is_of(&self.open))?;
        require_same_open(Operand::Out, out.is_of(&self.open))?;
        matmul_op(a, b, out, false)
    }

    fn push_op(&mut self, op: spanker_op, out: Matrix<F32>) -> usize {
        self.ops.push(op);
        self.results.push(out);
        self.results.len() - 1
    }

    /// # Errors
    /// [`Error::OldResults`] if it holds what its last ops wrote.
    fn require_no_old_results(&self) -> Result<(), Error> {
        let count = self.results.len();
        if count == self.ops.len() {
            return Ok(());
        }
        Err(Error::OldResults { count })
    }

    /// How many ops it has that have not been submitted.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether it has none. An empty batch cannot be submitted.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What the ops write, in the order they were pushed.
    pub fn results(&self) -> &[Matrix<F32>] {
        &self.results
    }

    /// Takes the results out and empties the batch.
    pub fn drain_results(&mut self) -> impl Iterator<Item = Matrix<F32>> + '_ {
        self.ops.clear();
        self.reads.clear();
        self.results.drain(..)
    }

    /// Empties the batch; its memory is kept for the next ops.
    pub fn clear(&mut self) {
        drop(self.drain_results());
    }
}

impl sealed::Sealed for Batch<'_> {}
impl Work for Batch<'_> {
    type Results = Batch<'static>;

    fn submit_to(&self, sail: &Sail) -> Result<u64, Error> {
        let open = sail.open_handle();
        if self.is_empty() {
            return Err(Error::EmptyBatch);
        }
        if !Arc::ptr_eq(open, &self.open) {
            return Err(Error::ForeignBatch);
        }
        let seqno = submit_ops(open, &self.ops)?;
        self.reads.iter().for_each(|buffer| buffer.mark_read_by(seqno));
        Ok(seqno)
    }

    fn into_results(mut self) -> Batch<'static> {
        // Ops that could be submitted again would name matrices that nobody has
        // borrowed any more.
        self.ops.clear();
        self.reads.clear();
        // An empty vector of one lifetime as that of another: collecting in
        // place keeps its memory.
        let reads = self.reads.into_iter().map(|_| unreachable!()).collect();
        Batch { open: self.open, ops: self.ops, results: self.results, reads }
    }
}
