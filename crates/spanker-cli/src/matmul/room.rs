// SPDX-License-Identifier: Apache-2.0
//! Whether a Sail has room for a product, asked before anything large is read.

use crate::exit::{Code, Failure};
use crate::quantity::bytes;
use spanker::DeviceInfo;

/// # Errors
/// If a product of this shape (rows of x, rows of weights, columns) is beyond
/// the card's limits or memory. Other users of the card are not counted.
pub(super) fn require(
    card: &DeviceInfo,
    [m, n, k]: [usize; 3],
    weight_bytes: usize,
) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::new(Code::Device, text));
    for (what, given, most, remedy) in [
        ("rows of input", m, card.max_m, "split the input"),
        ("rows of weights", n, card.max_n, "use another Sail"),
        ("columns (k)", k, card.max_k, "use another Sail"),
    ] {
        if given as u64 > u64::from(most) {
            return refuse(format!(
                "the product has {given} {what}, {} takes {most} at most: {remedy}",
                card.name
            ));
        }
    }
    let floats = |rows: usize, cols: usize| (rows as u64).saturating_mul(cols as u64 * 4);
    let operands = [
        ("b (the weights)", weight_bytes as u64),
        ("a (the input)", floats(m, k)),
        ("out", floats(m, n)),
    ];
    for (what, size) in operands {
        if size > card.max_buffer_bytes {
            return refuse(format!(
                "operand {what} has {}, and a buffer of {} holds {} at most: split the input, or \
                 use another Sail",
                bytes(size),
                card.name,
                bytes(card.max_buffer_bytes)
            ));
        }
    }
    let total = operands.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
    if total > card.memory_bytes {
        return refuse(format!(
            "the product takes {}, and {} has {}: split the input, or use another Sail",
            bytes(total),
            card.name,
            bytes(card.memory_bytes)
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanker::Sail;
    use spanker_soft::{CardConfig, Config, Machine};

    fn refusal(shape: [usize; 3]) -> Option<String> {
        let card = CardConfig {
            mem_size: 1 << 20,
            max_buf_size: 1 << 19,
            max_m: 1024,
            max_n: 2048,
            max_k: 4096,
            ..CardConfig::default()
        };
        let machine = Machine::new(Config { cards: vec![card], ..Config::default() });
        let sail = Sail::on_machine(&machine.unwrap(), 0).unwrap();
        let [_, n, k] = shape;
        let answer = require(sail.info(), shape, n * (k / 256 * 144));
        answer.err().map(|failure| format!("{failure:?}"))
    }

    #[test]
    fn what_fits_is_not_refused() {
        assert_eq!(refusal([16, 512, 256]), None);
        assert_eq!(refusal([1, 128, 4096]), None);
    }

    #[test]
    fn each_limit_is_named_with_what_was_asked_for() {
        for (shape, expected) in [
            ([1025, 1, 256], "has 1025 rows of input, software Sail takes 1024 at most: split"),
            ([1, 2049, 256], "has 2049 rows of weights, software Sail takes 2048 at most"),
            ([1, 1, 4352], "has 4352 columns (k), software Sail takes 4096 at most"),
            ([1, 1024, 4096], "operand b (the weights) has 2.25 MiB, and a buffer"),
            ([1024, 1, 256], "operand a (the input) has 1.00 MiB, and a buffer"),
            ([1024, 256, 256], "operand a (the input) has 1.00 MiB, and a buffer"),
            ([128, 2048, 256], "operand out has 1.00 MiB"),
            ([120, 900, 1024], "the product takes 1.38 MiB, and software Sail has 1.00 MiB"),
        ] {
            let message = refusal(shape).unwrap_or_default();
            assert!(message.contains(expected), "{shape:?}: {message}");
        }
    }
}
