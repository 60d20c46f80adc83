// SPDX-License-Identifier: Apache-2.0
//! A valid argument for every request that carries data in, to be spoilt.

use nix::errno::Errno;
use spanker_sys::{
    ioc, ioc_dir, ioc_nr, ioc_size, spanker_buf_create, spanker_buf_destroy, spanker_query,
    spanker_wait, SPANKER_IOC_BUF_CREATE, SPANKER_IOC_BUF_DESTROY, SPANKER_IOC_MAGIC,
    SPANKER_IOC_QUERY, SPANKER_IOC_WAIT, SPANKER_IOC_WORK_SUBMIT, SPANKER_NO_OP,
    SPANKER_QUERY_DEVICE,
};

use super::refusal::State;
use crate::case::Context;
use crate::open::{batch, Buffer, Open, LOOK};
use crate::ops::{copy_start, valid_copy};
use crate::user_bytes::UserBytes;
use crate::wire::encode;

/// The requests that carry data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Query,
    BufCreate,
    BufDestroy,
    WorkSubmit,
    Wait,
}

impl Request {
    /// The request code of the first version.
    pub(super) fn code(self) -> u32 {
        match self {
            Request::Query => SPANKER_IOC_QUERY,
            Request::BufCreate => SPANKER_IOC_BUF_CREATE,
            Request::BufDestroy => SPANKER_IOC_BUF_DESTROY,
            Request::WorkSubmit => SPANKER_IOC_WORK_SUBMIT,
            Request::Wait => SPANKER_IOC_WAIT,
        }
    }

    /// Bytes of the first version, as the header gives them.
    pub(super) fn first_version(self) -> usize {
        match self {
            Request::Query => 16,
            Request::BufCreate => 24,
            Request::BufDestroy => 8,
            Request::WorkSubmit | Request::Wait => 32,
        }
    }

    /// The code of a caller whose struct has another size.
    pub(super) fn code_of_size(self, size: usize) -> u32 {
        let code = self.code();
        assert_eq!(ioc_size(code), self.first_version());
        ioc(ioc_dir(code), SPANKER_IOC_MAGIC, ioc_nr(code), size)
    }

    /// What the device writes to a struct that it has read and refuses.
    fn written_when_refused(self, before: &[u8]) -> Vec<u8> {
        let mut after = before.to_vec();
        match self {
            Request::WorkSubmit => {
                after.splice(20..24, SPANKER_NO_OP.to_ne_bytes());
            }
            // One batch has completed.
            Request::Wait => {
                after.splice(24..32, 1u64.to_ne_bytes());
            }
            _ => {}
        }
        after
    }
}

/// An open on which a request is valid, and the request's struct.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) open: Open,
    pub(super) request: Request,
    pub(super) bytes: Vec<u8>,
    state: State,
    destroyed: Buffer,
    _named: UserBytes,
}

impl Ready {
    /// Makes the open, with a buffer to destroy and one batch that has retired.
    #[track_caller]
    pub(super) fn new(context: &Context, request: Request) -> Ready {
        let open = context.card();
        let destroyed = open.create(100);
        let valid = valid_copy(&open);
        open.run(&[valid.op]);
        let (bytes, named) = match request {
            Request::Query => {
                let room = UserBytes::room(128);
                let query =
                    spanker_query { type_: SPANKER_QUERY_DEVICE, size: 128, ptr: room.address() };
                (encode(&query), room)
            }
            Request::BufCreate => {
                let create = spanker_buf_create { size: 5000, handle: 77, ..Default::default() };
                (encode(&create), UserBytes::room(0))
            }
            Request::BufDestroy => {
                let destroy = spanker_buf_destroy { handle: destroyed.handle, flags: 0 };
                (encode(&destroy), UserBytes::room(0))
            }
            Request::WorkSubmit => {
                let array = UserBytes::new(&encode(&valid.op));
                (encode(&batch(array.address(), 1)), array)
            }
            Request::Wait => {
                let wait = spanker_wait { seqno: 1, deadline_ns: LOOK, ..Default::default() };
                (encode(&wait), UserBytes::room(0))
            }
        };
        let state = State::of(&open);
        Ready { open, request, bytes, state, destroyed, _named: named }
    }

    /// The struct with `tail` behind it.
    pub(super) fn with_tail(&self, tail: &[u8]) -> Vec<u8> {
        [&self.bytes[..], tail].concat()
    }

    /// Makes a mistake that only this request knows, and answers with EINVAL.
    pub(super) fn spoil(&mut self) {
        match self.request {
            // type
            Request::Query => self.bytes[..4].fill(0x77),
            // size
            Request::BufCreate => self.bytes[..8].fill(0),
            // flags
            Request::BufDestroy => self.bytes[4..8].fill(1),
            Request::WorkSubmit | Request::Wait => self.bytes[16..20].fill(1),
        }
    }

    /// The request succeeds.
    #[track_caller]
    pub(super) fn accepts(&self, argument: &UserBytes, size: usize) {
        let result = self.open.file().request(self.request.code_of_size(size), argument.address());
        assert_eq!(result, Ok(()), "{:?} with {size} bytes", self.request);
    }

    /// The request fails before its struct is read, or with it unwritable.
    #[track_caller]
    pub(super) fn refuses_unread(&self, argument: &UserBytes, size: usize, errno: Errno) {
        let before = argument.bytes();
        self.refuses(argument.address(), size, errno);
        assert_eq!(argument.bytes(), before, "the struct of a refused {:?}", self.request);
    }

    /// The request fails after its struct was read.
    #[track_caller]
    pub(super) fn refuses_read(&self, argument: &UserBytes, size: usize, errno: Errno) {
        let expected = self.request.written_when_refused(&argument.bytes());
        self.refuses(argument.address(), size, errno);
        assert_eq!(argument.bytes(), expected, "the struct of a refused {:?}", self.request);
    }

    /// The request fails and changes nothing on the open.
    #[track_caller]
    pub(super) fn refuses(&self, address: u64, size: usize, errno: Errno) {
        let result = self.open.file().request(self.request.code_of_size(size), address);
        assert_eq!(result, Err(errno), "{:?} with {size} bytes", self.request);
        assert_eq!(State::of(&self.open), self.state, "after a refused {:?}", self.request);
        if self.request == Request::BufDestroy {
            // Still alive: work may name it.
            let op = copy_start(&self.destroyed, &self.destroyed, 1);
            let answer = self.open.try_submit(&[op]);
            assert_eq!(answer.result, Err(Errno::EINVAL), "overlap within the live buffer");
        }
    }
}
