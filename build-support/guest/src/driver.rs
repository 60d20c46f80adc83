// SPDX-License-Identifier: Apache-2.0
//! The module, and the cards that it makes.

use nix::errno::Errno;
use nix::kmod::{delete_module, finit_module, DeleteModuleFlags, ModuleInitFlags};
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const BUS: &str = "/sys/bus/spanker_virtual";

/// How long an end may take that nothing stands in the way of.
const ENDS: Duration = Duration::from_secs(10);

/// Inserts the module with these parameters, such as `cards=64M`.
pub(crate) fn insert(parameters: &str) -> io::Result<()> {
    insert_from("/spanker.ko", parameters)
}

pub(crate) fn insert_from(module: &str, parameters: &str) -> io::Result<()> {
    let parameters = CString::new(parameters)?;
    finit_module(&File::open(module)?, &parameters, ModuleInitFlags::empty())?;
    Ok(())
}

/// Removes the module, if nobody uses it.
pub(crate) fn remove() -> Result<(), Errno> {
    let name = CString::new("spanker").map_err(|_| Errno::EINVAL)?;
    delete_module(&name, DeleteModuleFlags::O_NONBLOCK)
}

pub(crate) fn is_inserted() -> bool {
    Path::new("/sys/module/spanker").exists()
}

/// Removes the module, once those are gone who used it and were killed.
pub(crate) fn clear_away() -> Result<(), String> {
    let deadline = Instant::now() + ENDS;
    loop {
        match remove() {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(errno) if Instant::now() > deadline => {
                return Err(format!("the module cannot be removed: {errno}"));
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Makes a card; `words` are such as `mem_size=64M index=3`.
pub(crate) fn new_device(words: &str) -> io::Result<()> {
    write(format!("{BUS}/new_device"), words)
}

pub(crate) fn del_device(index: u32) -> io::Result<()> {
    write(format!("{BUS}/del_device"), &index.to_string())
}

pub(crate) fn reset(index: u32) -> io::Result<()> {
    write(format!("/sys/class/spanker/spanker{index}/device/reset"), "1")
}

/// One write to an attribute that is there.
fn write(attribute: String, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(attribute)?.write_all(text.as_bytes())
}

pub(crate) fn node(index: u32) -> String {
    format!("/dev/spanker{index}")
}
