// SPDX-License-Identifier: Apache-2.0
//! What a virtual card is controlled by: files of sysfs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use spanker_sys::{spanker_device_info, SPANKER_DEVICE_VIRTUAL};

const BUS: &str = "/sys/bus/spanker_virtual";

/// The virtual card under test, which can be deleted and made again.
#[derive(Debug)]
pub(super) struct VirtualCard {
    index: u32,
    /// What new_device is told.
    words: String,
}

impl VirtualCard {
    /// The controls of a card, or why there are none.
    pub(super) fn of(info: &spanker_device_info) -> Result<VirtualCard, String> {
        if info.flags & SPANKER_DEVICE_VIRTUAL == 0 {
            return Err("the card is not virtual: a case that needs a control is run on one".into());
        }
        for file in ["new_device", "del_device"] {
            let path = bus(file);
            // Opening writes nothing.
            OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(|error| format!("{}: {error}: run this as root", path.display()))?;
        }
        let words = format!(
            "index={} mem_size={} max_buf_size={} max_ops={} max_inflight={} max_bufs={} \
             max_m={} max_n={} max_k={}",
            info.card_index,
            info.mem_size,
            info.max_buf_size,
            info.max_ops,
            info.max_inflight,
            info.max_bufs,
            info.max_m,
            info.max_n,
            info.max_k,
        );
        Ok(VirtualCard { index: info.card_index, words })
    }

    /// Makes the card, which is not there.
    pub(super) fn plug(&self) -> Result<(), String> {
        tell(&bus("new_device"), &self.words)
    }

    /// Deletes the card, which is there.
    pub(super) fn unplug(&self) -> Result<(), String> {
        tell(&bus("del_device"), &self.index.to_string())
    }

    pub(super) fn is_there(&self) -> bool {
        self.device().exists()
    }

    pub(super) fn reset(&self) -> Result<(), String> {
        tell(&self.device().join("reset"), "1")
    }

    pub(super) fn fail_next_open(&self, seqno: u64, op: u32) -> Result<(), String> {
        tell(&self.device().join("fail_next_open"), &format!("{seqno} {op}"))
    }

    fn device(&self) -> PathBuf {
        bus("devices").join(format!("virtual{}", self.index))
    }
}

fn bus(name: &str) -> PathBuf {
    Path::new(BUS).join(name)
}

/// One `write`: sysfs takes a text whole.
fn tell(path: &Path, text: &str) -> Result<(), String> {
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|error| format!("write of {text:?} to {}: {error}", path.display()))
}
