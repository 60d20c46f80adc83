// SPDX-License-Identifier: Apache-2.0
//! What a program does with its buffers, done on every device and on the model in step: after each
//! batch, every byte of every buffer is the model's.

use super::device::Device;
use super::model;
use spanker_sys::*;

pub(super) enum Step {
    /// A batch, run to its end. Handles are indices of buffers.
    Batch(Vec<spanker_op>),
    /// The caller writes into a buffer.
    Write { buffer: u32, offset: usize, bytes: Vec<u8> },
    /// A buffer is destroyed, and made again with other bytes, under another handle.
    Renew { buffer: u32, bytes: Vec<u8> },
    /// The same, under the same handle.
    RenewUnderItsHandle { buffer: u32, bytes: Vec<u8> },
}

/// Buffers with what they begin with, and what is done with them.
#[derive(Default)]
pub(super) struct Script {
    pub(super) buffers: Vec<Vec<u8>>,
    pub(super) steps: Vec<Step>,
}

/// What a script has shown.
#[derive(Default)]
pub(super) struct Shown {
    /// Outputs of MATMUL, and how many of them were numbers.
    pub(super) outputs: usize,
    pub(super) numbers: usize,
    /// Buffers that were made again where they had been.
    pub(super) same_addresses: usize,
}

impl Script {
    /// A new buffer.
    pub(super) fn buffer(&mut self, bytes: Vec<u8>) -> u32 {
        self.buffers.push(bytes);
        self.buffers.len() as u32 - 1
    }

    /// One more batch.
    pub(super) fn batch(&mut self, ops: &[spanker_op]) {
        self.steps.push(Step::Batch(ops.to_vec()));
    }

    /// Asserts that every device does what the model does; `origin` says where the script is from.
    pub(super) fn check(self, devices: &[Device], origin: &str) -> Shown {
        let mut images = self.buffers;
        let mut handles: Vec<Vec<u32>> = devices
            .iter()
            .map(|device| images.iter().map(|bytes| device.create(bytes)).collect())
            .collect();
        let mut shown = Shown::default();
        for (at, step) in self.steps.iter().enumerate() {
            apply(step, &mut images, &mut shown);
            for (device, handles) in devices.iter().zip(&mut handles) {
                run(step, device, handles, &mut shown);
                if let Step::Batch(ops) = step {
                    let origin = format!("{}, {origin}, step {at}", device.name);
                    compare(ops, device, handles, &images, &origin);
                }
            }
        }
        for (device, handles) in devices.iter().zip(handles) {
            handles.into_iter().for_each(|handle| device.destroy(handle));
        }
        shown
    }
}

/// A step on the model.
fn apply(step: &Step, images: &mut [Vec<u8>], shown: &mut Shown) {
    match step {
        Step::Batch(ops) => {
            for op in ops {
                model::execute(op, images);
                if op.opcode == SPANKER_OPCODE_MATMUL {
                    count(op, images, shown);
                }
            }
        }
        Step::Write { buffer, offset, bytes } => {
            images[*buffer as usize][*offset..][..bytes.len()].copy_from_slice(bytes);
        }
        Step::Renew { buffer, bytes } | Step::RenewUnderItsHandle { buffer, bytes } => {
            images[*buffer as usize] = bytes.clone();
        }
    }
}

fn count(op: &spanker_op, images: &[Vec<u8>], shown: &mut Shown) {
    for i in 0..u64::from(op.m) {
        let start = (op.out.offset + i * op.out.row_stride) as usize;
        let row = &images[op.out.handle as usize][start..][..4 * op.n as usize];
        shown.outputs += op.n as usize;
        shown.numbers += row.chunks_exact(4).filter(|word| word[3] & 0x7f != 0x7f).count();
    }
}

/// A step on a device.
fn run(step: &Step, device: &Device, handles: &mut [u32], shown: &mut Shown) {
    match step {
        Step::Batch(ops) => {
            let mut ops = ops.clone();
            for op in &mut ops {
                op.a.handle = handles[op.a.handle as usize];
                op.out.handle = handles[op.out.handle as usize];
                if op.opcode == SPANKER_OPCODE_MATMUL {
                    op.b.handle = handles[op.b.handle as usize];
                }
            }
            device.run(&ops);
        }
        Step::Write { buffer, offset, bytes } => {
            device.write(handles[*buffer as usize], *offset, bytes);
        }
        Step::Renew { buffer, bytes } => {
            let handle = &mut handles[*buffer as usize];
            let before = device.address(*handle);
            device.destroy(*handle);
            *handle = device.create(bytes);
            shown.same_addresses += usize::from(device.address(*handle) == before);
        }
        Step::RenewUnderItsHandle { buffer, bytes } => {
            let before = handles[*buffer as usize];
            device.destroy(before);
            device.start_handles_again();
            let mut others = Vec::new();
            let handle = loop {
                match device.create(bytes) {
                    handle if handle == before => break handle,
                    other => others.push(other),
                }
            };
            others.into_iter().for_each(|other| device.destroy(other));
            handles[*buffer as usize] = handle;
        }
    }
}

/// Asserts that the buffers of a device are `images`.
fn compare(ops: &[spanker_op], device: &Device, handles: &[u32], images: &[Vec<u8>], origin: &str) {
    for (buffer, (handle, image)) in handles.iter().zip(images).enumerate() {
        if let Some((at, got)) = device.difference(*handle, image) {
            let mut expected = [0; 4];
            let known = &image[at..image.len().min(at + 4)];
            expected[..known.len()].copy_from_slice(known);
            let expected = u32::from_le_bytes(expected);
            let place = place(ops, buffer as u32, at);
            panic!(
                "{origin}: buffer {buffer}, byte {at}: {got:#010x}, not {expected:#010x}; {place}"
            );
        }
    }
}

/// What a place in a buffer is to a batch.
fn place(ops: &[spanker_op], buffer: u32, at: usize) -> String {
    for (index, op) in ops.iter().enumerate().rev() {
        let out = &op.out;
        let Some(from) = (at as u64).checked_sub(out.offset).filter(|_| out.handle == buffer)
        else {
            continue;
        };
        let (row, byte) = (from / out.row_stride, from % out.row_stride);
        let copied = op.opcode == SPANKER_OPCODE_COPY;
        let bytes = if copied { u64::from(op.k) } else { 4 * u64::from(op.n) };
        if row < u64::from(op.m) && byte < bytes {
            return format!("({row}, {}) of the out of op {index}: {op:?}", byte / 4);
        }
    }
    format!("in no op's out of {ops:?}")
}
