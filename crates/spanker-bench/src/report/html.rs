// SPDX-License-Identifier: Apache-2.0
//! One page with everything in it.

use super::chart::{colour, Charts, PALETTE};
use super::sheet::{missing, sheets, Sheet};
use super::{machine, Record};
use crate::Error;
use maud::{html, Markup, PreEscaped, DOCTYPE};

const STYLE: &str = include_str!("html/page.css");

pub(super) fn page(records: &[Record]) -> Result<String, Error> {
    let Charts { names, charts } = Charts::new(records)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Spanker: how fast" }
                style { (PreEscaped(PALETTE)) (PreEscaped(STYLE)) }
            }
            body {
                h1 { "How fast a software Sail is" }
                p { (machine(records)) }
                @if !charts.is_empty() {
                    (legend(&names))
                    div.charts { @for (title, svg) in &charts { (figure(title, svg)) } }
                }
                @for sheet in sheets(records) { (table(&sheet)) }
                @for (peer, reason) in missing(records) {
                    p.missing { strong { "Missing: " (peer) } ": " (reason) }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn legend(names: &[String]) -> Markup {
    html! {
        ul.legend {
            @for (index, name) in names.iter().enumerate() {
                li { span.swatch style=(format!("background:{}", colour(index))) {} (name) }
            }
            li { span.ring {} "weights in no cache" }
            li { span.dashes {} "bounds" }
        }
    }
}

fn figure(title: &str, svg: &str) -> Markup {
    html! {
        figure {
            figcaption { (title) }
            (PreEscaped(svg))
        }
    }
}

fn table(sheet: &Sheet) -> Markup {
    html! {
        h2 { (sheet.title) }
        div.wide {
            table {
                thead { tr { @for name in &sheet.header { th { (name) } } } }
                tbody {
                    @for line in &sheet.lines { tr { @for cell in line { td { (cell) } } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::report::tests::product;
    use crate::report::Record;

    #[test]
    fn a_page_is_whole_in_itself_and_escapes_what_it_shows() {
        let peer = "<b>&\"'".to_owned();
        let records = [
            Record::Compute(product("spanker-avx2", 1, 80.0)),
            Record::Compute(product("spanker-avx2", 512, 200.0)),
            Record::Compute(product("a <peer>", 1, 40.0)),
            Record::Cold(product("spanker-avx2", 1, 30.0)),
            Record::Missing { peer, reason: String::new() },
        ];
        let page = page(&records).unwrap();
        assert!(page.contains("&lt;b&gt;&amp;&quot;'"), "{page}");
        assert!(page.contains("a &lt;peer&gt;"), "{page}");
        for raw in ["<b>", "<peer>", "<link", "<script", "@import", "url("] {
            assert!(!page.contains(raw), "{raw} in {page}");
        }
        assert_eq!(page.matches("<svg").count(), 1, "{page}");
        assert_eq!(page.matches("<table").count(), 2, "{page}");
    }

    #[test]
    fn a_page_of_nothing_is_one() {
        assert!(page(&[]).unwrap().ends_with("</html>"));
    }
}
