// SPDX-License-Identifier: Apache-2.0
//! The nodes under test, and the device that each case is given of them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use spanker_sys::{
    spanker_query, spanker_version, SPANKER_ABI_VERSION_MAJOR, SPANKER_ABI_VERSION_MINOR,
    SPANKER_IOC_GET_VERSION, SPANKER_IOC_QUERY, SPANKER_QUERY_CARDS,
};

use super::controls::VirtualCard;
use super::file::KernelFile;
use crate::device::{Device, Faults, File, Plug, Resets};
use crate::open::Open;

/// A card of the kernel and its control node.
#[derive(Clone, Debug)]
pub struct Target {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    card: PathBuf,
    control: PathBuf,
    /// The controls, or why there are none.
    virtual_card: Result<VirtualCard, String>,
    /// Counts the devices that were given out. Only the last of them is the
    /// card: a case that was left behind must not disturb those after it.
    generation: AtomicU64,
}

impl Target {
    /// Looks whether the nodes are there and understood. The control node is
    /// `spankerctl` beside the card unless it is named.
    pub fn find(card: &Path, control: Option<&Path>) -> Result<Target, String> {
        let control = match control {
            Some(path) => path.to_owned(),
            None => card.with_file_name("spankerctl"),
        };
        if !card.to_string_lossy().contains('/') {
            let name = card.display();
            return Err(format!("{name}: give a path, such as /dev/spanker0, or `soft`"));
        }
        let open = understood(card)?;
        // Only a control node answers this.
        let cards = spanker_query { type_: SPANKER_QUERY_CARDS, size: 0, ptr: 0 };
        if open.request(SPANKER_IOC_QUERY, &cards).result.is_ok() {
            return Err(format!(
                "{} is a control node: name a card, such as /dev/spanker0",
                card.display()
            ));
        }
        let info = open.device_info();
        drop(open);
        understood(&control)?;
        let virtual_card = VirtualCard::of(&info);
        let shared =
            Shared { card: card.to_owned(), control, virtual_card, generation: AtomicU64::new(0) };
        Ok(Target { shared: Arc::new(shared) })
    }

    /// A device for one case: where that is possible, a card that was never
    /// opened.
    pub fn device(&self) -> Result<Box<dyn Device>, String> {
        let generation = self.shared.generation.fetch_add(1, Ordering::SeqCst) + 1;
        match &self.shared.virtual_card {
            Ok(card) => {
                if card.is_there() {
                    card.unplug()?;
                }
                card.plug()?;
            }
            Err(_) => settle(&understood(&self.shared.card)?),
        }
        Ok(Box::new(KernelDevice { shared: Arc::clone(&self.shared), generation }))
    }

    /// Leaves the card as it was found: there.
    pub fn restore(&self) -> Result<(), String> {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        match &self.shared.virtual_card {
            Ok(card) if !card.is_there() => card.plug(),
            _ => Ok(()),
        }
    }
}

/// Waits until the opens of the case before have ended, which close does not
/// wait for. Somebody else may use the card.
fn settle(watcher: &Open) {
    let limit = Instant::now() + Duration::from_secs(1);
    while watcher.telemetry().mem_used > 0 && Instant::now() < limit {
        thread::yield_now();
    }
}

/// An open of a node that speaks this version of the ABI.
fn understood(path: &Path) -> Result<Open, String> {
    let told = |reason: String| format!("{}: {reason}", path.display());
    let file = KernelFile::open(path).map_err(|errno| {
        let remedy = match errno {
            Errno::ENOENT => {
                ": is the driver installed and loaded, and has it a card? See driver/README.md"
            }
            Errno::EACCES | Errno::EPERM => ": be root, or of the group that the node belongs to",
            Errno::ENODEV | Errno::ENXIO => ": there is no driver behind it any more",
            _ => "",
        };
        told(format!("{}{remedy}", errno.desc()))
    })?;
    let open = Open::new(Box::new(file));
    let answer = open.request(SPANKER_IOC_GET_VERSION, &spanker_version::default());
    answer
        .result
        .map_err(|errno| told(format!("it is no node of Spanker: GET_VERSION: {errno}")))?;
    let theirs = answer.after;
    let ours = (SPANKER_ABI_VERSION_MAJOR, SPANKER_ABI_VERSION_MINOR);
    let (major, minor) = (u32::from(theirs.major), u32::from(theirs.minor));
    if major == ours.0 && (major != 0 || minor == ours.1) {
        Ok(open)
    } else {
        Err(told(format!(
            "the device speaks ABI {major}.{minor}.{}, this suite is of {}.{}",
            theirs.patch, ours.0, ours.1
        )))
    }
}

#[derive(Debug)]
struct KernelDevice {
    shared: Arc<Shared>,
    generation: u64,
}

impl KernelDevice {
    fn is_current(&self) -> bool {
        self.shared.generation.load(Ordering::SeqCst) == self.generation
    }

    /// The controls, while this device is still the card.
    fn virtual_card(&self) -> Option<&VirtualCard> {
        self.shared.virtual_card.as_ref().ok()
    }

    #[track_caller]
    fn control(&self, what: impl FnOnce(&VirtualCard) -> Result<(), String>) {
        assert!(self.is_current(), "the card is another case's by now");
        let card = self.virtual_card().expect("there is no control without it");
        what(card).unwrap_or_else(|reason| panic!("{reason}"));
    }
}

impl Device for KernelDevice {
    fn name(&self) -> String {
        self.shared.card.display().to_string()
    }

    fn has_descriptors(&self) -> bool {
        true
    }

    fn open_control(&self) -> Result<Box<dyn File>, Errno> {
        Ok(Box::new(KernelFile::open(&self.shared.control)?))
    }

    fn open_card(&self) -> Result<Box<dyn File>, Errno> {
        if !self.is_current() {
            return Err(Errno::ENODEV);
        }
        Ok(Box::new(KernelFile::open(&self.shared.card)?))
    }

    fn remedy(&self) -> String {
        self.shared.virtual_card.as_ref().err().cloned().unwrap_or_default()
    }

    fn faults(&self) -> Option<&dyn Faults> {
        self.virtual_card().map(|_| self as &dyn Faults)
    }

    fn plug(&self) -> Option<&dyn Plug> {
        self.virtual_card().map(|_| self as &dyn Plug)
    }

    fn resets(&self) -> Option<&dyn Resets> {
        self.virtual_card().map(|_| self as &dyn Resets)
    }
}

impl Faults for KernelDevice {
    fn fault_next_open(&self, seqno: u64, op: u32) {
        self.control(|card| card.fail_next_open(seqno, op));
    }
}

impl Plug for KernelDevice {
    fn unplug(&self) {
        self.control(VirtualCard::unplug);
    }
}

impl Resets for KernelDevice {
    fn reset(&self) {
        self.control(VirtualCard::reset);
    }
}
