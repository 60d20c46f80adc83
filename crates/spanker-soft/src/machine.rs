// SPDX-License-Identifier: Apache-2.0
//! A machine with software Sails in it.

use crate::card::Card;
use crate::config::Config;
use crate::file::File;
use crate::open::Open;
use crate::scheduler::Scheduler;
use crate::sync::lock;
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

/// What a driver module is to a kernel: the control node, the cards, and the
/// threads that compute for them. Clones are the same machine.
#[derive(Clone, Debug)]
pub struct Machine {
    slots: Arc<Slots>,
}

/// The cards that are plugged in, by index.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    cards: Mutex<BTreeMap<u32, Arc<Card>>>,
}

impl Slots {
    /// The indices of the cards there are, ascending.
    pub(crate) fn indices(&self) -> Vec<u32> {
        lock(&self.cards).keys().copied().collect()
    }
}

impl Machine {
    /// A machine with the cards of `config`; its threads start now.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn new(config: Config) -> io::Result<Self> {
        let scheduler = Arc::new(Scheduler::start(config.thread_count(), config.engine)?);
        let cards = (0..)
            .zip(config.cards)
            .map(|(index, card)| {
                let card = Card::new(index, card.within_bounds(), Arc::clone(&scheduler));
                (index, Arc::new(card))
            })
            .collect();
        Ok(Self { slots: Arc::new(Slots { cards: Mutex::new(cards) }) })
    }

    /// Opens the control node.
    pub fn open_control(&self) -> File {
        File::control(Arc::clone(&self.slots))
    }

    /// Opens the Sail with this index.
    ///
    /// # Errors
    /// ENOENT if no such card is plugged in; EMFILE or ENFILE if the descriptor
    /// for event loops cannot be had.
    pub fn open_card(&self, index: u32) -> Result<File, Errno> {
        let card = lock(&self.slots.cards).get(&index).cloned().ok_or(Errno::ENOENT)?;
        Ok(File::card(Open::new(card)?))
    }

    /// The indices of the cards there are, ascending.
    pub fn cards(&self) -> Vec<u32> {
        self.slots.indices()
    }

    /// Takes a card out: its opens answer ENODEV from now on. Returns whether
    /// it was there.
    pub fn unplug(&self, index: u32) -> bool {
        let card = lock(&self.slots.cards).remove(&index);
        card.map(|card| card.unplug()).is_some()
    }

    /// Resets a card: what was opened before answers ENODEV from now on, what
    /// is opened later works. Returns whether the card is there.
    pub fn reset(&self, index: u32) -> bool {
        let card = lock(&self.slots.cards).get(&index).cloned();
        card.map(|card| card.reset()).is_some()
    }
}
