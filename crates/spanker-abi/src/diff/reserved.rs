// SPDX-License-Identifier: Apache-2.0
//! Which fields are kept for later: a name is all that a header says of it.

const WORDS: [&str; 12] = [
    "reserved", "rsvd", "resvd", "resv", "rsv", "pad", "padding", "unused", "spare", "mbz",
    "dummy", "filler",
];

/// Whether a field of this name must be zero and means nothing: each word of the
/// last part of the path says so. A single letter or a number tells several of
/// them apart and says nothing. `mem_reserved` and `pad_count` are live.
pub(super) fn is_reserved(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    let mut said = false;
    for word in name.split(['_', '[', ']']) {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase();
        if word.len() <= 1 {
            continue;
        }
        if !WORDS.contains(&word.as_str()) {
            return false;
        }
        said = true;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn a_name_is_reserved_when_all_its_words_are() {
        for name in ["reserved", "reserved2", "__pad", "pad_3", "_rsvd", "reserved_a", "u.padding"]
        {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["mem_reserved", "pad_count", "padded", "a", "", "_", "pad.x", "reserve", "x2"]
        {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
