// SPDX-License-Identifier: Apache-2.0
//! What a card tells about itself.

use spanker_sys::*;
use std::fmt;

/// A card: what it is and what its limits are (`SPANKER_QUERY_DEVICE`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The N of `/dev/spankerN`.
    pub index: u32,
    /// There is no hardware behind it.
    pub is_virtual: bool,
    /// What it calls itself.
    pub name: String,
    /// Tells it from all other cards.
    pub uuid: Uuid,
    /// Where it is on the PCI bus, if it is.
    pub pci: Option<PciDevice>,
    /// Bytes of card memory.
    pub memory_bytes: u64,
    /// Bytes in the largest buffer.
    pub max_buffer_bytes: u64,
    /// Ops in one batch.
    pub max_ops: u32,
    /// Batches in flight on one open.
    pub max_in_flight: u32,
    /// Buffers of one open.
    pub max_buffers: u32,
    /// Alignment of operands that is fastest, in bytes; never required.
    pub operand_align: u32,
    /// Rows of `a` in one op.
    pub max_m: u32,
    /// Rows of `b` in one op.
    pub max_n: u32,
    /// Elements in a row of `a` and `b` in one op.
    pub max_k: u32,
}

impl DeviceInfo {
    pub(crate) fn from_abi(info: &spanker_device_info) -> Self {
        let name: Vec<u8> = info.name.iter().copied().take_while(|byte| *byte != 0).collect();
        let pci = PciDevice {
            vendor: info.pci_vendor,
            device: info.pci_device,
            subsystem_vendor: info.pci_subvendor,
            subsystem_device: info.pci_subdevice,
            domain: info.pci_domain,
            bus: (info.pci_bdf >> 8) as u8,
            slot: (info.pci_bdf >> 3) as u8 & 31,
            function: info.pci_bdf as u8 & 7,
        };
        Self {
            index: info.card_index,
            is_virtual: info.flags & SPANKER_DEVICE_VIRTUAL != 0,
            name: String::from_utf8_lossy(&name).into_owned(),
            uuid: Uuid(info.uuid),
            pci: (info.pci_vendor != 0).then_some(pci),
            memory_bytes: info.mem_size,
            max_buffer_bytes: info.max_buf_size,
            max_ops: info.max_ops,
            max_in_flight: info.max_inflight,
            max_buffers: info.max_bufs,
            operand_align: info.operand_align,
            max_m: info.max_m,
            max_n: info.max_n,
            max_k: info.max_k,
        }
    }
}

/// 16 bytes that tell a card from all others, shown as
/// `7370616e-6b65-722d-736f-667400000000`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A card's place on the PCI bus, shown as `0000:03:00.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PciDevice {
    /// Vendor identifier.
    pub vendor: u16,
    /// Device identifier.
    pub device: u16,
    /// Vendor identifier of the subsystem.
    pub subsystem_vendor: u16,
    /// Device identifier of the subsystem.
    pub subsystem_device: u16,
    /// PCI domain (segment).
    pub domain: u32,
    /// Bus number.
    pub bus: u8,
    /// Device number on the bus.
    pub slot: u8,
    /// Function of the device.
    pub function: u8,
}

impl fmt::Display for PciDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{}", self.domain, self.bus, self.slot, self.function)
    }
}

/// Operand types that a card multiplies (`SPANKER_QUERY_MATMUL_CAPS`). The
/// types are by ggml's number, since a card may offer some that this crate has
/// no name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MatmulCap {
    /// Type of `a`, `SPANKER_TYPE_*`.
    pub a_type: u32,
    /// Type of `b`.
    pub b_type: u32,
    /// Type of `out`.
    pub out_type: u32,
    /// The results have the very bits that the ABI defines.
    pub bit_exact: bool,
}

impl MatmulCap {
    pub(crate) fn from_abi(cap: &spanker_matmul_cap) -> Self {
        Self {
            a_type: cap.a_type,
            b_type: cap.b_type,
            out_type: cap.out_type,
            bit_exact: cap.flags & SPANKER_MATMUL_CAP_BIT_EXACT != 0,
        }
    }
}

/// Shown as `F32 × Q4_K → F32`.
impl fmt::Display for MatmulCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, out] = [self.a_type, self.b_type, self.out_type].map(type_name);
        write!(f, "{a} × {b} → {out}")
    }
}

/// The name of an operand type, or its number.
pub(crate) fn type_name(number: u32) -> String {
    match number {
        SPANKER_TYPE_F32 => "F32".to_owned(),
        SPANKER_TYPE_Q4_K => "Q4_K".to_owned(),
        SPANKER_TYPE_Q8_K => "Q8_K".to_owned(),
        other => format!("type {other}"),
    }
}

/// A card's counters, over all who use it, since it was plugged in
/// (`SPANKER_QUERY_TELEMETRY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// When this was taken, in ns of CLOCK_MONOTONIC.
    pub time_ns: u64,
    /// Time in which at least one op was running, ns.
    pub busy_ns: u64,
    /// Ops of batches that succeeded.
    pub ops: u64,
    /// Batches that succeeded.
    pub batches: u64,
    /// Operand bytes that those ops read.
    pub bytes_in: u64,
    /// Bytes that those ops wrote.
    pub bytes_out: u64,
    /// Batches that failed.
    pub faults: u64,
    /// Times the card was reset.
    pub resets: u64,
    /// Bytes of card memory in use.
    pub memory_used_bytes: u64,
}

impl Telemetry {
    pub(crate) fn from_abi(counters: &spanker_telemetry) -> Self {
        Self {
            time_ns: counters.time_ns,
            busy_ns: counters.busy_ns,
            ops: counters.ops,
            batches: counters.batches,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            faults: counters.faults,
            resets: counters.resets,
            memory_used_bytes: counters.mem_used,
        }
    }
}
