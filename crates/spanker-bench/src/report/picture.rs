// SPDX-License-Identifier: Apache-2.0
//! The curves as one picture.

use super::chart::{colour, Charts, PALETTE, SIZE};
use super::Record;
use crate::Error;
use maud::{html, PreEscaped};

/// Charts beside each other.
const ACROSS: usize = 2;
/// Of a line of text, and of what is left free around things.
const LINE: usize = 28;

pub(super) fn svg(records: &[Record]) -> Result<String, Error> {
    let Charts { names, charts } = Charts::new(records)?;
    if charts.is_empty() {
        return Err("there are no curves to draw: only `compute` measures some".into());
    }
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize + LINE);
    let across = charts.len().clamp(1, ACROSS);
    let legend = (names.len() + 1).div_ceil(2 * across);
    let top = LINE * (legend + 1);
    let all = (width * across, top + height * charts.len().div_ceil(across));
    // Two of the legend's entries for each chart.
    let entry = |index: usize| (index % (2 * across) * width / 2 + LINE, index / (2 * across));
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(all.0) height=(all.1)
            viewBox=(format!("0 0 {} {}", all.0, all.1))
            font-family="system-ui, sans-serif" font-size="15" fill="var(--text)"
        {
            style { (PreEscaped(PALETTE)) }
            rect width="100%" height="100%" fill="var(--page)" {}
            @for (index, name) in names.iter().enumerate() {
                @let (x, line) = entry(index);
                @let y = LINE * (line + 1);
                rect x=(x) y=(y - 6) width="20" height="4" rx="2" fill=(colour(index)) {}
                text x=(x + LINE) y=(y) { (name) }
            }
            @let (x, line) = entry(names.len());
            text x=(x) y=(LINE * (line + 1)) { "○ weights in no cache, - - bounds" }
            @for (index, (title, chart)) in charts.iter().enumerate() {
                @let (x, y) = (index % across * width, top + index / across * height);
                g transform=(format!("translate({x} {y})")) {
                    text x=(LINE) y="15" font-weight="600" { (title) }
                    g transform=(format!("translate(0 {LINE})")) { (PreEscaped(chart)) }
                }
            }
        }
    };
    Ok(picture.into_string())
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::report::tests::product;
    use crate::report::Record;

    #[test]
    fn a_picture_has_all_charts_and_names_and_needs_nothing_else() {
        let mut records = Vec::new();
        for weights in ["1x256", "2x256", "3x256"] {
            for kernel in ["spanker-avx2", "a <peer>"] {
                let mut product = product(kernel, 8, 80.0);
                product.weights = weights.to_owned();
                records.push(Record::Compute(product));
            }
        }
        assert!(svg(&[]).is_err());
        let picture = svg(&records).unwrap();
        assert!(picture.starts_with("<svg"), "{picture}");
        assert_eq!(picture.matches("<svg").count(), 1 + 3, "{picture}");
        assert_eq!(picture.matches("a &lt;peer&gt;").count(), 1, "{picture}");
        for elsewhere in ["<link", "<image", "@import", "url(", "href"] {
            assert!(!picture.contains(elsewhere), "{elsewhere} in {picture}");
        }
    }
}
