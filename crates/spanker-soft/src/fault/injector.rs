// SPDX-License-Identifier: Apache-2.0
//! A plan being carried out: how often what was asked, and what has come already.

use super::when::Trigger;
use super::{Call, FaultPlan, Timer};
use crate::engine::Stop;
use crate::op::Op;
use crate::open::Open;
use nix::errno::Errno;
use spanker_sys::spanker_version;
use std::sync::Arc;
use std::time::Duration;

/// Belongs to the cards of a machine, and lives as long as one of them.
#[derive(Debug)]
pub(crate) struct Injector {
    answers: Vec<(Call, Trigger, Errno)>,
    batches: Vec<(Trigger, u32)>,
    slow: Option<Duration>,
    version: Option<[u16; 3]>,
    timer: Option<Arc<Timer>>,
}

impl Injector {
    /// None if there is nothing to do.
    pub(crate) fn new(plan: &FaultPlan) -> Option<Self> {
        if plan.is_empty() {
            return None;
        }
        let answers = plan.answers.iter().map(|rule| {
            (rule.call, Trigger::new(rule.when, plan.seed, &rule.to_string()), rule.errno)
        });
        let batches = plan
            .batches
            .iter()
            .map(|rule| (Trigger::new(rule.when, plan.seed, &rule.to_string()), rule.op));
        Some(Self {
            answers: answers.collect(),
            batches: batches.collect(),
            slow: plan.slow,
            version: plan.version,
            timer: Timer::new(plan).map(Arc::new),
        })
    }

    pub(crate) fn timer(&self) -> Option<&Arc<Timer>> {
        self.timer.as_ref()
    }

    /// A card has been opened: time begins.
    pub(crate) fn opened(&self) {
        if let Some(timer) = &self.timer {
            timer.begin();
        }
    }

    /// # Errors
    /// What this call is to answer in place of what it would do.
    pub(crate) fn answer(&self, call: Call) -> Result<(), Errno> {
        let mut answer = Ok(());
        for (about, trigger, errno) in &self.answers {
            // Each counts what it is about, also if another has answered.
            if about.includes(call) && trigger.at_next_call() && answer.is_ok() {
                answer = Err(*errno);
            }
        }
        answer
    }

    /// Takes the time that an op is to take longer, and tells if it is to fail.
    ///
    /// # Errors
    /// [`Stop::Failed`] if so, [`Stop::Cancelled`] if the open has ended.
    pub(crate) fn before_op(&self, open: &Open, op: &Op) -> Result<(), Stop> {
        if let Some(time) = self.slow {
            open.pause(time);
            if open.is_stopping() {
                return Err(Stop::Cancelled);
            }
        }
        let mut result = Ok(());
        for (trigger, index) in &self.batches {
            if op.index() == *index && trigger.at_batch(op.seqno()) {
                result = Err(Stop::Failed);
            }
        }
        result
    }

    /// What GET_VERSION answers, given what it would.
    pub(crate) fn version(&self, version: spanker_version) -> spanker_version {
        match self.version {
            Some([major, minor, patch]) => spanker_version { major, minor, patch, ..version },
            None => version,
        }
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            timer.stop();
        }
    }
}
