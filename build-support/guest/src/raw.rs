// SPDX-License-Identifier: Apache-2.0
//! An open of a card by requests alone, for what the safe crate has no words
//! for: one op many times in a batch.

use nix::errno::Errno;
use nix::libc;
use spanker_sys::*;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

pub(crate) struct RawOpen {
    file: File,
}

impl RawOpen {
    pub(crate) fn new(node: &str) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().read(true).write(true).open(node)? })
    }

    fn request<T>(&self, code: u32, argument: &mut T) -> Result<(), Errno> {
        // SAFETY: the descriptor is open, and `argument` is the struct of the
        // request, of integers only. What it points to is read for the length
        // that it says, see the callers.
        let answer = unsafe { libc::ioctl(self.file.as_raw_fd(), code.into(), argument) };
        Errno::result(answer).map(drop)
    }

    fn buffer(&self, size: u64) -> Result<u32, Errno> {
        let mut create = spanker_buf_create { size, ..Default::default() };
        self.request(SPANKER_IOC_BUF_CREATE, &mut create)?;
        Ok(create.handle)
    }

    /// A product of one row by one, with operands of its own.
    pub(crate) fn small_op(&self) -> Result<spanker_op, Errno> {
        let operand = |type_, bytes| -> Result<_, Errno> {
            Ok(spanker_operand { handle: self.buffer(bytes)?, type_, offset: 0, row_stride: bytes })
        };
        Ok(spanker_op {
            opcode: SPANKER_OPCODE_MATMUL,
            m: 1,
            n: 1,
            k: 256,
            a: operand(SPANKER_TYPE_F32, 1024)?,
            b: operand(SPANKER_TYPE_Q4_K, 144)?,
            out: operand(SPANKER_TYPE_F32, 4)?,
            ..Default::default()
        })
    }

    /// The seqno of a batch of these ops.
    pub(crate) fn submit(&self, ops: &[spanker_op]) -> Result<u64, Errno> {
        let mut submit = spanker_work_submit {
            ops: ops.as_ptr() as usize as u64,
            op_count: ops.len() as u32,
            op_stride: std::mem::size_of::<spanker_op>() as u32,
            ..Default::default()
        };
        // `ops` is borrowed, and as long as `submit` says.
        self.request(SPANKER_IOC_WORK_SUBMIT, &mut submit)?;
        Ok(submit.seqno)
    }
}
