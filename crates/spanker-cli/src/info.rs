// SPDX-License-Identifier: Apache-2.0
//! `spanker info`: what a Sail is, its limits and its counters.

use crate::arguments::InfoArguments;
use crate::chosen_sail::ChosenSail;
use crate::exit::Failure;
use crate::quantity::{bytes, duration};
use crate::report;
use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

pub(crate) fn run(arguments: &InfoArguments) -> Result<(), Failure> {
    let ChosenSail { sail, name } = ChosenSail::open(arguments.sail.name.as_ref(), None)?;
    let info = sail.info();
    let counters = sail.telemetry()?;
    let caps = sail.caps()?;
    let report = InfoReport {
        sail: name.to_string(),
        node: sail.path().map(|path| path.display().to_string()),
        card: info.name.clone(),
        index: info.index,
        is_virtual: info.is_virtual,
        uuid: info.uuid.to_string(),
        pci: info.pci.map(|pci| pci.to_string()),
        abi: sail.version().to_string(),
        memory_bytes: info.memory_bytes,
        limits: Limits {
            buffer_bytes: info.max_buffer_bytes,
            buffers: info.max_buffers,
            ops: info.max_ops,
            in_flight: info.max_in_flight,
            m: info.max_m,
            n: info.max_n,
            k: info.max_k,
            operand_align: info.operand_align,
        },
        products: caps
            .iter()
            .map(|cap| Product { types: cap.to_string(), bit_exact: cap.bit_exact })
            .collect(),
        counters: Counters {
            busy_ns: counters.busy_ns,
            ops: counters.ops,
            batches: counters.batches,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            faults: counters.faults,
            resets: counters.resets,
            memory_used_bytes: counters.memory_used_bytes,
        },
    };
    report::print(&report, arguments.output.json)
}

#[derive(Debug, Serialize)]
struct InfoReport {
    sail: String,
    node: Option<String>,
    card: String,
    index: u32,
    #[serde(rename = "virtual")]
    is_virtual: bool,
    uuid: String,
    pci: Option<String>,
    abi: String,
    memory_bytes: u64,
    limits: Limits,
    products: Vec<Product>,
    counters: Counters,
}

#[derive(Debug, Serialize)]
struct Limits {
    buffer_bytes: u64,
    buffers: u32,
    ops: u32,
    in_flight: u32,
    m: u32,
    n: u32,
    k: u32,
    operand_align: u32,
}

#[derive(Debug, Serialize)]
struct Product {
    types: String,
    bit_exact: bool,
}

#[derive(Debug, Serialize)]
struct Counters {
    busy_ns: u64,
    ops: u64,
    batches: u64,
    bytes_in: u64,
    bytes_out: u64,
    faults: u64,
    resets: u64,
    memory_used_bytes: u64,
}

impl fmt::Display for InfoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, counters, .. } = self;
        writeln!(f, "Sail {}: {}\n", self.sail, self.card)?;

        let hardware = match (&self.pci, self.is_virtual) {
            (Some(pci), _) => format!("PCI {pci}"),
            (None, true) => "none: it is virtual".to_owned(),
            (None, false) => "not on PCI".to_owned(),
        };
        let mut card = Table::default();
        card.row([&"node", &self.node.as_deref().unwrap_or("none: it runs in this process")])
            .row([&"ABI", &self.abi])
            .row([&"index", &self.index])
            .row([&"UUID", &self.uuid])
            .row([&"hardware", &hardware]);
        writeln!(f, "{card}\nIt takes")?;

        let mut sizes = Table::default();
        sizes
            .row([&"memory", &bytes(self.memory_bytes)])
            .row([&"largest buffer", &bytes(limits.buffer_bytes)])
            .row([&"buffers of one open", &limits.buffers])
            .row([&"ops in a batch", &limits.ops])
            .row([&"batches in flight", &limits.in_flight])
            .row([&"rows of x (m)", &limits.m])
            .row([&"rows of weights (n)", &limits.n])
            .row([&"columns (k)", &limits.k])
            .row([&"fastest alignment", &bytes(limits.operand_align.into())]);
        writeln!(f, "{sizes}\nIt multiplies")?;

        let mut products = Table::default();
        for product in &self.products {
            let bits = if product.bit_exact { "to the bit" } else { "" };
            products.row([&product.types, &bits]);
        }
        writeln!(f, "{products}\nIt has counted, for all who use it")?;

        let busy = duration(Duration::from_nanos(counters.busy_ns));
        let mut counted = Table::default();
        counted
            .row([&"busy", &busy])
            .row([&"ops", &counters.ops])
            .row([&"batches", &counters.batches])
            .row([&"read by ops", &bytes(counters.bytes_in)])
            .row([&"written by ops", &bytes(counters.bytes_out)])
            .row([&"faults", &counters.faults])
            .row([&"resets", &counters.resets])
            .row([&"memory in use", &bytes(counters.memory_used_bytes)]);
        write!(f, "{counted}")
    }
}
