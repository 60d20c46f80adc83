// SPDX-License-Identifier: Apache-2.0
//! What somebody says about a header, and where two of them differ.

use crate::question::Question;
use std::collections::BTreeMap;

/// The answers of one who was asked.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Who it was, as in `8 bytes for WHO`.
    pub who: String,
    /// What was answered.
    pub numbers: BTreeMap<Question, u64>,
}

impl Answers {
    /// Answers in the order of the questions.
    ///
    /// # Errors
    /// There are not as many.
    pub fn new(
        who: impl Into<String>,
        questions: &[Question],
        numbers: &[u64],
    ) -> Result<Self, String> {
        let who = who.into();
        if questions.len() == numbers.len() {
            let numbers = questions.iter().cloned().zip(numbers.iter().copied()).collect();
            return Ok(Self { who, numbers });
        }
        Err(format!("{} questions, and {} answers of {who}", questions.len(), numbers.len()))
    }

    /// Every question that both were asked and answered differently, in words.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        self.numbers
            .iter()
            .filter_map(|(question, own)| Some((question, own, other.numbers.get(question)?)))
            .filter(|(_, own, others)| own != others)
            .map(|(Question { subject, fact }, own, others)| {
                let (own, others) = (fact.in_words(*own), fact.in_words(*others));
                format!("{subject}: {own} for {}, {others} for {}", self.who, other.who)
            })
            .collect()
    }

    /// The questions that were answered here and not there.
    pub fn unanswered_by(&self, other: &Self) -> Vec<&Question> {
        self.numbers.keys().filter(|question| !other.numbers.contains_key(question)).collect()
    }
}
