// SPDX-License-Identifier: Apache-2.0
//! An open of a software Sail, driven as a program drives a descriptor.

// Every test uses its part.
#![allow(dead_code)]

use nix::errno::Errno;
use spanker_soft::{File, Machine, Slices};
use spanker_sys::*;

#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) file: File,
}

impl Card {
    pub(crate) fn open(machine: &Machine) -> Result<Self, Errno> {
        Ok(Self { file: machine.open_card(0)? })
    }

    /// A request that also reads `input` and writes `output`.
    pub(crate) fn request<T: Plain>(
        &self,
        code: u32,
        argument: &mut T,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), Errno> {
        let bytes = argument.bytes_mut();
        let address = bytes.as_ptr() as usize as u64;
        let mut memory = Slices::new(bytes).with_input(input).with_output(output);
        self.file.request(&mut memory, code, address)
    }

    pub(crate) fn ping(&self) -> Result<(), Errno> {
        self.file.request(&mut Slices::new(&mut []), SPANKER_IOC_PING, 0)
    }

    pub(crate) fn version(&self) -> Result<(u16, u16, u16), Errno> {
        let mut version = spanker_version::default();
        self.request(SPANKER_IOC_GET_VERSION, &mut version, &[], &mut [])?;
        Ok((version.major, version.minor, version.patch))
    }

    fn query(&self, type_: u32, answer: &mut [u8]) -> Result<(), Errno> {
        let ptr = answer.as_ptr() as usize as u64;
        let mut query = spanker_query { type_, size: answer.len() as u32, ptr };
        self.request(SPANKER_IOC_QUERY, &mut query, &[], answer)
    }

    pub(crate) fn telemetry(&self) -> Result<spanker_telemetry, Errno> {
        let mut telemetry = spanker_telemetry::default();
        self.query(SPANKER_QUERY_TELEMETRY, telemetry.bytes_mut())?;
        Ok(telemetry)
    }

    pub(crate) fn context(&self) -> Result<spanker_context_info, Errno> {
        let mut context = spanker_context_info::default();
        self.query(SPANKER_QUERY_CONTEXT, context.bytes_mut())?;
        Ok(context)
    }

    pub(crate) fn create(&self, size: u64) -> Result<spanker_buf_create, Errno> {
        let mut create = spanker_buf_create { size, ..Default::default() };
        self.request(SPANKER_IOC_BUF_CREATE, &mut create, &[], &mut [])?;
        Ok(create)
    }

    pub(crate) fn destroy(&self, handle: u32) -> Result<(), Errno> {
        let mut destroy = spanker_buf_destroy { handle, flags: 0 };
        self.request(SPANKER_IOC_BUF_DESTROY, &mut destroy, &[], &mut [])
    }

    pub(crate) fn submit(&self, ops: &[spanker_op]) -> Result<u64, Errno> {
        let mut submit = spanker_work_submit {
            ops: ops.as_ptr() as usize as u64,
            op_count: ops.len() as u32,
            op_stride: std::mem::size_of::<spanker_op>() as u32,
            ..Default::default()
        };
        let input = Plain::slice_bytes(ops);
        self.request(SPANKER_IOC_WORK_SUBMIT, &mut submit, input, &mut [])?;
        Ok(submit.seqno)
    }

    pub(crate) fn wait_until(&self, seqno: u64, deadline_ns: i64) -> Result<(), Errno> {
        let mut wait = spanker_wait { seqno, deadline_ns, ..Default::default() };
        self.request(SPANKER_IOC_WAIT, &mut wait, &[], &mut [])
    }

    pub(crate) fn wait(&self, seqno: u64) -> Result<(), Errno> {
        self.wait_until(seqno, SPANKER_DEADLINE_NEVER as i64)
    }

    pub(crate) fn read(&self, nonblocking: bool) -> Result<u64, Errno> {
        let mut counter = [0; 8];
        let address = counter.as_ptr() as usize as u64;
        self.file.read(&mut Slices::new(&mut counter), address, 8, nonblocking)?;
        Ok(u64::from_ne_bytes(counter))
    }

    /// A buffer, and an op that copies some of its bytes to others of it.
    pub(crate) fn copy_op(&self) -> Result<spanker_op, Errno> {
        let handle = self.create(4096)?.handle;
        let operand = |offset| spanker_operand { handle, offset, row_stride: 64, type_: 0 };
        Ok(spanker_op {
            opcode: SPANKER_OPCODE_COPY,
            m: 1,
            k: 64,
            a: operand(0),
            out: operand(2048),
            ..Default::default()
        })
    }
}
