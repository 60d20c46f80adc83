// SPDX-License-Identifier: Apache-2.0
//! A machine with software Sails in it.

use crate::card::Card;
use crate::config::Config;
use crate::fault::{Call, Event, Injector};
use crate::file::File;
use crate::open::Open;
use crate::scheduler::Scheduler;
use crate::sync::lock;
use nix::errno::Errno;
use std::io;
use std::sync::{Arc, Mutex, Weak};

/// What a driver module is to a kernel: the control node, the cards, and the
/// threads that compute for them. Clones are the same machine.
#[derive(Clone, Debug)]
pub struct Machine {
    slots: Arc<Slots>,
}

/// The cards that are plugged in.
#[derive(Debug)]
pub(crate) struct Slots {
    /// By index; what was unplugged leaves its slot empty.
    cards: Mutex<Vec<Option<Arc<Card>>>>,
    /// What is to go wrong, if anything.
    pub(crate) faults: Option<Arc<Injector>>,
}

impl Slots {
    /// The indices of the cards there are, ascending.
    pub(crate) fn indices(&self) -> Vec<u32> {
        let cards = lock(&self.cards);
        (0..).zip(&*cards).filter_map(|(index, card)| card.as_ref().map(|_| index)).collect()
    }

    fn card(&self, index: u32) -> Option<Arc<Card>> {
        lock(&self.cards).get(index as usize)?.clone()
    }
}

impl Machine {
    /// A machine with the cards of `config`; its threads start now.
    ///
    /// # Errors
    /// If a thread cannot be started, or there are to be more than
    /// [`Config::MAX_THREADS`].
    pub fn new(config: Config) -> io::Result<Self> {
        let scheduler = Arc::new(Scheduler::start(config.thread_count()?, config.engine)?);
        let faults = Injector::new(&config.faults).map(Arc::new);
        let cards: Vec<_> = (0..)
            .zip(config.cards)
            .map(|(index, card)| {
                let scheduler = Arc::clone(&scheduler);
                let card = Card::new(index, card.within_bounds(), scheduler, faults.clone());
                Some(Arc::new(card))
            })
            .collect();
        let all = cards.iter().flatten().map(Arc::downgrade).collect();
        let slots = Arc::new(Slots { cards: Mutex::new(cards), faults });
        if let Some(timer) = slots.faults.as_ref().and_then(|faults| faults.timer()) {
            let cards = AllCards { slots: Arc::downgrade(&slots), cards: all };
            timer.start(move |event| cards.happens(event))?;
        }
        Ok(Self { slots })
    }

    /// Opens the control node.
    pub fn open_control(&self) -> File {
        File::control(Arc::clone(&self.slots))
    }

    /// Opens the Sail with this index.
    ///
    /// # Errors
    /// ENOENT if no such card is plugged in; EMFILE or ENFILE if the descriptor
    /// for event loops cannot be had; what [`Config::faults`] says.
    pub fn open_card(&self, index: u32) -> Result<File, Errno> {
        let card = self.slots.card(index).ok_or(Errno::ENOENT)?;
        if let Some(faults) = &card.faults {
            faults.answer(Call::Open)?;
        }
        let open = Open::new(card)?;
        if let Some(faults) = &open.card.faults {
            faults.opened();
        }
        Ok(File::card(open))
    }

    /// The indices of the cards there are, ascending.
    pub fn cards(&self) -> Vec<u32> {
        self.slots.indices()
    }

    /// Takes a card out: its opens answer ENODEV from now on. Returns whether
    /// it was there.
    pub fn unplug(&self, index: u32) -> bool {
        let card = lock(&self.slots.cards).get_mut(index as usize).and_then(Option::take);
        card.map(|card| card.unplug()).is_some()
    }

    /// Resets a card: what was opened before answers ENODEV from now on, what
    /// is opened later works. Returns whether the card is there.
    pub fn reset(&self, index: u32) -> bool {
        self.slots.card(index).map(|card| card.reset()).is_some()
    }
}

/// What a plan of faults happens to. Opens keep cards going after the machine was
/// dropped, so both are reached, and neither is kept.
struct AllCards {
    slots: Weak<Slots>,
    cards: Vec<Weak<Card>>,
}

impl AllCards {
    fn happens(&self, event: Event) {
        if let (Event::Unplug, Some(slots)) = (event, self.slots.upgrade()) {
            lock(&slots.cards).clear();
        }
        for card in self.cards.iter().filter_map(Weak::upgrade) {
            match event {
                Event::Reset => card.reset(),
                Event::Unplug => card.unplug(),
            }
        }
    }
}
