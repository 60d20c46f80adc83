// SPDX-License-Identifier: Apache-2.0
//! What a case is, what it needs, and what it is given.

use std::fmt::{self, Debug};
use std::os::fd::BorrowedFd;

use spanker_sys::{spanker_matmul_cap, SPANKER_MATMUL_CAP_BIT_EXACT};

use crate::device::{Device, Faults, Plug, Resets};
use crate::open::Open;

/// A behaviour that the header demands.
#[derive(Clone, Copy)]
pub struct Case {
    /// The subject, which groups cases.
    pub subject: &'static str,
    /// The behaviour.
    pub name: &'static str,
    /// What a device must have for the case to mean anything.
    pub needs: &'static [Need],
    /// Panics where the device does otherwise.
    pub run: fn(&Context),
}

impl Case {
    /// A case that every device can be put to.
    pub const fn new(subject: &'static str, name: &'static str, run: fn(&Context)) -> Case {
        Case { subject, name, needs: &[], run }
    }

    /// The case with what it needs.
    pub const fn needing(self, needs: &'static [Need]) -> Case {
        Case { needs, ..self }
    }

    /// Whether only a kernel can be put to it.
    pub fn is_of_the_kernel(&self) -> bool {
        self.needs.contains(&Need::Descriptors)
    }

    /// The subject and the behaviour, as a filter is matched against them.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.subject, self.name)
    }
}

impl Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_name())
    }
}

/// Something that not every device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Opens that the kernel knows of: descriptors of this process.
    Descriptors,
    /// A control that makes ops fail.
    Faults,
    /// A control that unplugs the card.
    Plug,
    /// A control that resets the card.
    Resets,
    /// At most so many bytes of card memory: the case fills it.
    MemoryUpTo(u64),
    /// At most so many live handles: the case makes them all.
    BuffersUpTo(u32),
    /// The type as `a` with Q4_K, with the bits that the header defines.
    BitExact(u32),
}

/// What a case is given: a device that no other case has touched, as far as the
/// device can be made so.
#[derive(Debug)]
pub struct Context {
    device: Box<dyn Device>,
}

impl Context {
    /// A context of a device.
    pub fn new(device: Box<dyn Device>) -> Context {
        Context { device }
    }

    /// The device.
    pub fn device(&self) -> &dyn Device {
        &*self.device
    }

    /// A new open of the card.
    #[track_caller]
    pub fn card(&self) -> Open {
        let file = self.device.open_card();
        Open::new(file.unwrap_or_else(|errno| panic!("open of the card: {errno}")))
    }

    /// The descriptor of an open, in a case that needs [`Need::Descriptors`].
    pub fn descriptor<'open>(&self, open: &'open Open) -> BorrowedFd<'open> {
        open.file().descriptor().expect("the case needs Descriptors")
    }

    /// A new open of the control node.
    #[track_caller]
    pub fn control(&self) -> Open {
        let file = self.device.open_control();
        Open::new(file.unwrap_or_else(|errno| panic!("open of the control node: {errno}")))
    }

    /// The control of a case that needs [`Need::Faults`].
    pub fn faults(&self) -> &dyn Faults {
        self.device.faults().expect("the case needs Faults")
    }

    /// The control of a case that needs [`Need::Plug`].
    pub fn plug(&self) -> &dyn Plug {
        self.device.plug().expect("the case needs Plug")
    }

    /// The control of a case that needs [`Need::Resets`].
    pub fn resets(&self) -> &dyn Resets {
        self.device.resets().expect("the case needs Resets")
    }

    /// Why the device cannot be put to a case, if so.
    pub fn lacks(&self, need: Need) -> Option<String> {
        match need {
            Need::Descriptors if !self.device.has_descriptors() => {
                Some("its opens are no descriptors: run it on a node of the kernel".into())
            }
            Need::Faults if self.device.faults().is_none() => {
                Some(format!("no control makes ops fail: {}", self.device.remedy()))
            }
            Need::Plug if self.device.plug().is_none() => {
                Some(format!("no control unplugs the card: {}", self.device.remedy()))
            }
            Need::Resets if self.device.resets().is_none() => {
                Some(format!("no control resets the card: {}", self.device.remedy()))
            }
            Need::MemoryUpTo(limit) => {
                let has = self.card().device_info().mem_size;
                (has > limit).then(|| {
                    format!("the case fills up to {limit} bytes, and the card has {has}: {SMALL}")
                })
            }
            Need::BuffersUpTo(limit) => {
                let has = self.card().device_info().max_bufs;
                (has > limit).then(|| {
                    format!("the case makes up to {limit} buffers, and max_bufs is {has}: {SMALL}")
                })
            }
            Need::BitExact(a_type) => {
                let exact = |cap: &spanker_matmul_cap| {
                    cap.a_type == a_type && cap.flags & SPANKER_MATMUL_CAP_BIT_EXACT != 0
                };
                (!self.card().matmul_caps().iter().any(exact)).then(|| {
                    format!("the card offers no bit-exact products with type {a_type} as a")
                })
            }
            Need::Descriptors | Need::Faults | Need::Plug | Need::Resets => None,
        }
    }
}

/// What helps where the limits of a card are too large.
const SMALL: &str = "make a virtual card with smaller ones";

/// A table of cases, named after their functions. What follows a semicolon
/// needs what stands before its cases.
macro_rules! cases {
    ($subject:literal: $($name:ident),* $(,)? $(; $needs:tt $($needing:ident),* $(,)?)*) => {
        pub(super) const CASES: &[$crate::case::Case] = &[
            $($crate::case::Case::new($subject, stringify!($name), $name),)*
            $($($crate::case::Case::new($subject, stringify!($needing), $needing)
                .needing(&$needs),)*)*
        ];
    };
}

pub(crate) use cases;
