// SPDX-License-Identifier: Apache-2.0
//! Changes for readers: people at a terminal or a pull request, and programs.

mod github;

use crate::check::Verdict;
use crate::diff::{Change, Class};
use crate::version::{Bump, Version};
use serde_json::{json, Value as Json};
use std::collections::BTreeSet;

pub use github::{annotations, failure};

/// The changes from one ABI to another, and what they demand.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What the old side is called.
    pub old: &'a str,
    /// What the new side is called.
    pub new: &'a str,
    /// The changes.
    pub changes: &'a [Change],
    /// The targets that were compared.
    pub targets: &'a BTreeSet<String>,
    /// The old side's version, where it is known.
    pub version: Option<Version>,
    /// What the gate says, where there is one.
    pub verdict: Option<&'a Verdict>,
}

impl Report<'_> {
    /// The worst class of the changes.
    pub fn class(&self) -> Class {
        Class::of(self.changes)
    }

    fn bump(&self, class: Class) -> Bump {
        Bump::demanded(class, self.version)
    }

    /// The bump, in words that are true whether or not the version is known.
    fn demanded(&self, class: Class) -> &'static str {
        match (class, self.bump(class), self.version) {
            (Class::Breaking, Bump::Major, None) => "major (minor while the major is 0)",
            (_, bump, _) => bump.name(),
        }
    }

    fn on(&self, change: &Change) -> String {
        let everywhere = change.targets.len() == self.targets.len();
        if everywhere {
            "all targets".to_owned()
        } else {
            change.targets.join(", ")
        }
    }

    fn summary(&self) -> String {
        if self.changes.is_empty() {
            return "neutral: no change of the ABI".to_owned();
        }
        let count = |class: Class| {
            let count = self.changes.iter().filter(|change| change.class == class).count();
            (count > 0).then(|| format!("{count} {class}"))
        };
        let classes = [Class::Breaking, Class::Additive, Class::Neutral];
        let counts: Vec<String> = classes.into_iter().filter_map(count).collect();
        let class = self.class();
        format!("{class}: {}; bump demanded: {}", counts.join(", "), self.demanded(class))
    }

    /// Plain text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for change in self.changes {
            let (old, new) = (change.old.as_deref(), change.new.as_deref());
            text += &format!(
                "{:9} {} ({}, {})\n",
                change.class.name(),
                on_a_line(&change.item),
                change.kind,
                self.on(change)
            );
            match (old.map(on_a_line), new.map(on_a_line)) {
                (Some(old), Some(new)) => text += &format!("          {old} → {new}\n"),
                (Some(old), None) => text += &format!("          was: {old}\n"),
                (None, Some(new)) => text += &format!("          new: {new}\n"),
                (None, None) => {}
            }
            text += &format!("          {}\n", on_a_line(&change.reason));
            let bump = self.demanded(change.class);
            if change.class != Class::Neutral {
                text += &format!("          bump demanded: {bump}\n");
            }
            text.push('\n');
        }
        text += &format!("{} → {}: {}\n", self.old, self.new, self.summary());
        if let Some(verdict) = self.verdict {
            text += &format!("{}: {}\n", passed(verdict), verdict.message);
        }
        text
    }

    /// JSON: `class`, `bump`, `changes`, and what was compared.
    pub fn json(&self) -> Json {
        let change = |change: &Change| {
            json!({
                "class": change.class.name(),
                "kind": change.kind,
                "item": change.item,
                "targets": change.targets,
                "old": change.old,
                "new": change.new,
                "reason": change.reason,
                "bump": self.bump(change.class).name(),
            })
        };
        let mut report = json!({
            "class": self.class().name(),
            "bump": self.bump(self.class()).name(),
            "old": self.old,
            "new": self.new,
            "targets": self.targets,
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
        });
        if let Some(verdict) = self.verdict {
            report["verdict"] = json!({
                "passed": verdict.exit == 0,
                "exit": verdict.exit,
                "message": verdict.message,
            });
        }
        report
    }

    /// Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("### ABI of {}: {}\n\n", cell(self.new), self.class());
        if let Some(verdict) = self.verdict {
            text += &format!("**{}**: {}\n\n", passed(verdict), cell(&verdict.message));
        }
        text += &format!("Against {}. {}.\n", cell(self.old), self.summary());
        if self.changes.is_empty() {
            return text;
        }
        text += "\n| class | what | old | new | why | targets | bump |\n|---|---|---|---|---|---|---|\n";
        for change in self.changes {
            let side = |side: &Option<String>| side.as_deref().map(cell).unwrap_or_default();
            text += &format!(
                "| {} | {} ({}) | {} | {} | {} | {} | {} |\n",
                change.class,
                cell(&change.item),
                change.kind,
                side(&change.old),
                side(&change.new),
                cell(&change.reason),
                self.on(change),
                self.demanded(change.class),
            );
        }
        text
    }
}

/// Text without control characters that would begin a line or worse; lines stay.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// On one line.
fn on_a_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn passed(verdict: &Verdict) -> &'static str {
    if verdict.exit == 0 {
        "passed"
    } else {
        "FAILED"
    }
}

/// Text that stays in its cell of a table and is no markup.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => cell.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' => {
                cell.push('\\');
                cell.push(c);
            }
            c => cell.push(c),
        }
    }
    cell
}
