// SPDX-License-Identifier: Apache-2.0
//! Which Sails are meant.

use spanker::{Error, SailName, SpankerControl, SAIL_VARIABLE};
use std::env;
use std::io;

/// The environment variable with several names of Sails, separated by commas.
const SAILS_VARIABLE: &str = "SPANKER_SAILS";

/// The Sails that `SPANKER_SAILS` names, or the one that `SPANKER_SAIL` does;
/// without these all cards there are, and without a card the software Sail.
pub(super) fn from_environment() -> Result<Vec<SailName>, Error> {
    let value = |variable| env::var_os(variable).map(|value| value.to_string_lossy().into_owned());
    named(value(SAILS_VARIABLE), value(SAIL_VARIABLE)).unwrap_or_else(cards)
}

/// What the variables say, if anything.
fn named(sails: Option<String>, sail: Option<String>) -> Option<Result<Vec<SailName>, Error>> {
    let sails = sails.filter(|names| !names.is_empty());
    let names = sails.or_else(|| sail.filter(|name| !name.is_empty()))?;
    // A comma at the end is no mistake.
    let names = names.strip_suffix(',').unwrap_or(&names);
    Some(names.split(',').map(|name| name.trim().parse()).collect())
}

fn cards() -> Result<Vec<SailName>, Error> {
    let cards = match SpankerControl::open() {
        Err(Error::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
        control => control?.sails()?,
    };
    if cards.is_empty() {
        return Ok(vec![SailName::Software]);
    }
    Ok(cards.into_iter().map(SailName::Index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_names_go_before_one() {
        let named = |sails: &str, sail: &str| {
            named(Some(sails.to_owned()), Some(sail.to_owned()))
                .map(|names| names.map_err(|error| error.to_string()))
        };
        let (soft, one) = (SailName::Software, SailName::Index(1));
        assert_eq!(named("soft, 1,soft", "2"), Some(Ok(vec![soft.clone(), one.clone(), soft])));
        assert_eq!(named("", "1"), Some(Ok(vec![one])));
        assert_eq!(named("soft,", ""), Some(Ok(vec![SailName::Software])));
        assert_eq!(named("", ""), None);
        assert!(named("soft,sfot", "").is_some_and(|names| names.is_err()));
    }
}
