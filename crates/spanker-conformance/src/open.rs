// SPDX-License-Identifier: Apache-2.0
//! An open of a card with typed requests. What a case expects to succeed fails
//! loudly here; what it expects to be refused comes back as an answer.

use std::sync::Arc;

use nix::errno::Errno;
use spanker_sys::{
    spanker_buf_create, spanker_buf_destroy, spanker_context_info, spanker_device_info,
    spanker_matmul_cap, spanker_op, spanker_query, spanker_telemetry, spanker_wait,
    spanker_work_submit, SPANKER_BUF_DEVICE, SPANKER_DEADLINE_NEVER, SPANKER_IOC_BUF_CREATE,
    SPANKER_IOC_BUF_DESTROY, SPANKER_IOC_QUERY, SPANKER_IOC_WAIT, SPANKER_IOC_WORK_SUBMIT,
    SPANKER_NO_OP, SPANKER_QUERY_CONTEXT, SPANKER_QUERY_DEVICE, SPANKER_QUERY_MATMUL_CAPS,
    SPANKER_QUERY_TELEMETRY, SPANKER_TYPE_Q4_K,
};

use crate::device::{File, Mapping, Protection, Sharing};
use crate::ops::A_TYPES;
use crate::pages::page_size;
use crate::user_bytes::UserBytes;
use crate::wire::{decode, decode_all, encode, Wire};

/// A deadline that never comes.
pub const NEVER: i64 = SPANKER_DEADLINE_NEVER as i64;
/// A deadline that has come: WAIT only looks.
pub const LOOK: i64 = 0;

/// An open, shared like a descriptor is.
#[derive(Clone, Debug)]
pub struct Open {
    file: Arc<dyn File>,
}

/// What the caller's struct holds when a request has answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<T> {
    /// The answer.
    pub result: Result<(), Errno>,
    /// The struct as the device left it.
    pub after: T,
}

/// A live buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Its handle on its open.
    pub handle: u32,
    /// Bytes asked for.
    pub size: u64,
    /// What to give to mmap, 0 for a buffer that cannot be mapped.
    pub mmap_offset: u64,
}

impl Open {
    /// Wraps an open file.
    pub fn new(file: Box<dyn File>) -> Open {
        Open { file: file.into() }
    }

    /// The open without types.
    pub fn file(&self) -> &dyn File {
        &*self.file
    }

    /// Makes a request whose struct ends where memory does.
    pub fn request<T: Wire>(&self, code: u32, argument: &T) -> Answer<T> {
        let placed = UserBytes::new(&encode(argument));
        let result = self.file.request(code, placed.address());
        Answer { result, after: decode(&placed.bytes()) }
    }

    /// QUERY with enough room: the answer's bytes.
    #[track_caller]
    pub fn query(&self, type_: u32) -> Vec<u8> {
        let first = self.request(SPANKER_IOC_QUERY, &spanker_query { type_, size: 0, ptr: 0 });
        first.result.unwrap_or_else(|errno| panic!("QUERY {type_} of its length: {errno}"));
        let room = UserBytes::room(first.after.size as usize);
        let query = spanker_query { type_, size: first.after.size, ptr: room.address() };
        let second = self.request(SPANKER_IOC_QUERY, &query);
        second.result.unwrap_or_else(|errno| panic!("QUERY {type_}: {errno}"));
        assert_eq!(second.after.size, first.after.size, "QUERY {type_} changed its length");
        room.bytes()
    }

    /// SPANKER_QUERY_DEVICE.
    #[track_caller]
    pub fn device_info(&self) -> spanker_device_info {
        decode(&self.query(SPANKER_QUERY_DEVICE))
    }

    /// SPANKER_QUERY_MATMUL_CAPS.
    #[track_caller]
    pub fn matmul_caps(&self) -> Vec<spanker_matmul_cap> {
        decode_all(&self.query(SPANKER_QUERY_MATMUL_CAPS))
    }

    /// The types that the card takes as `a` with Q4_K, in the order of
    /// [`A_TYPES`].
    #[track_caller]
    pub fn a_types(&self) -> Vec<u32> {
        let caps = self.matmul_caps();
        let offered = |&a_type: &u32| {
            caps.iter().any(|cap| cap.a_type == a_type && cap.b_type == SPANKER_TYPE_Q4_K)
        };
        A_TYPES.into_iter().filter(offered).collect()
    }

    /// SPANKER_QUERY_CONTEXT.
    #[track_caller]
    pub fn context_info(&self) -> spanker_context_info {
        decode(&self.query(SPANKER_QUERY_CONTEXT))
    }

    /// SPANKER_QUERY_TELEMETRY.
    #[track_caller]
    pub fn telemetry(&self) -> spanker_telemetry {
        decode(&self.query(SPANKER_QUERY_TELEMETRY))
    }

    /// BUF_CREATE, whatever the answer.
    pub fn try_create(&self, size: u64, flags: u32) -> Answer<spanker_buf_create> {
        let argument = spanker_buf_create { size, flags, ..Default::default() };
        self.request(SPANKER_IOC_BUF_CREATE, &argument)
    }

    /// Creates a buffer that can be mapped.
    #[track_caller]
    pub fn create(&self, size: usize) -> Buffer {
        self.create_with(size, 0)
    }

    /// Creates a buffer with SPANKER_BUF_DEVICE.
    #[track_caller]
    pub fn create_on_device(&self, size: usize) -> Buffer {
        self.create_with(size, SPANKER_BUF_DEVICE)
    }

    #[track_caller]
    fn create_with(&self, size: usize, flags: u32) -> Buffer {
        let Answer { result, after } = self.try_create(size as u64, flags);
        result.unwrap_or_else(|errno| panic!("BUF_CREATE of {size} bytes: {errno}"));
        Buffer { handle: after.handle, size: after.size, mmap_offset: after.mmap_offset }
    }

    /// Creates a buffer that holds `bytes`.
    #[track_caller]
    pub fn create_holding(&self, bytes: &[u8]) -> Buffer {
        let buffer = self.create(bytes.len());
        self.map(&buffer).write(0, bytes);
        buffer
    }

    /// BUF_DESTROY, whatever the answer.
    pub fn try_destroy(&self, handle: u32) -> Result<(), Errno> {
        self.request(SPANKER_IOC_BUF_DESTROY, &spanker_buf_destroy { handle, flags: 0 }).result
    }

    /// Destroys a buffer.
    #[track_caller]
    pub fn destroy(&self, buffer: &Buffer) {
        self.try_destroy(buffer.handle)
            .unwrap_or_else(|errno| panic!("BUF_DESTROY of {}: {errno}", buffer.handle));
    }

    /// Maps a buffer whole, to read and write.
    #[track_caller]
    pub fn map(&self, buffer: &Buffer) -> Box<dyn Mapping> {
        let len = (buffer.size as usize).div_ceil(page_size()) * page_size();
        self.file
            .mmap(buffer.mmap_offset, len, Protection::READ_WRITE, Sharing::Shared)
            .unwrap_or_else(|errno| panic!("mmap of buffer {}: {errno}", buffer.handle))
    }

    /// What a buffer holds.
    #[track_caller]
    pub fn contents(&self, buffer: &Buffer) -> Vec<u8> {
        let mut bytes = vec![0; buffer.size as usize];
        self.map(buffer).read(0, &mut bytes);
        bytes
    }

    /// Replaces the first bytes of a buffer.
    #[track_caller]
    pub fn fill(&self, buffer: &Buffer, bytes: &[u8]) {
        self.map(buffer).write(0, bytes);
    }

    /// WORK_SUBMIT of ops one behind the other, whatever the answer.
    pub fn try_submit(&self, ops: &[spanker_op]) -> Answer<spanker_work_submit> {
        let array: Vec<u8> = ops.iter().flat_map(encode).collect();
        let placed = UserBytes::new(&array);
        self.request(SPANKER_IOC_WORK_SUBMIT, &batch(placed.address(), ops.len() as u32))
    }

    /// Submits a batch: its seqno.
    #[track_caller]
    pub fn submit(&self, ops: &[spanker_op]) -> u64 {
        let Answer { result, after } = self.try_submit(ops);
        result.unwrap_or_else(|errno| panic!("WORK_SUBMIT: {errno}, bad_op {}", after.bad_op));
        assert_eq!(after.bad_op, SPANKER_NO_OP, "bad_op of an accepted batch");
        after.seqno
    }

    /// WAIT, whatever the answer.
    pub fn try_wait(&self, seqno: u64, deadline_ns: i64) -> Answer<spanker_wait> {
        let argument =
            spanker_wait { seqno, deadline_ns, completed: u64::MAX, ..Default::default() };
        self.request(SPANKER_IOC_WAIT, &argument)
    }

    /// Waits until a batch has succeeded.
    #[track_caller]
    pub fn wait(&self, seqno: u64) {
        let Answer { result, after } = self.try_wait(seqno, NEVER);
        result.unwrap_or_else(|errno| panic!("WAIT for {seqno}: {errno}"));
        assert!(after.completed >= seqno, "{} completed, waited for {seqno}", after.completed);
    }

    /// Submits a batch and waits until it has succeeded: its seqno.
    #[track_caller]
    pub fn run(&self, ops: &[spanker_op]) -> u64 {
        let seqno = self.submit(ops);
        self.wait(seqno);
        seqno
    }

    /// `read` of a seqno.
    pub fn read_seqno(&self) -> Result<u64, Errno> {
        let room = UserBytes::room(8);
        let len = self.file.read(room.address(), 8)?;
        assert_eq!(len, 8, "read gives 8 bytes");
        Ok(decode(&room.bytes()))
    }
}

/// The struct of WORK_SUBMIT for ops one behind the other. What the device is
/// to write holds something else.
pub fn batch(ops: u64, op_count: u32) -> spanker_work_submit {
    spanker_work_submit {
        ops,
        op_count,
        op_stride: <spanker_op as Wire>::SIZE as u32,
        flags: 0,
        bad_op: 0x5555_5555,
        seqno: 0x5555_5555_5555_5555,
    }
}
