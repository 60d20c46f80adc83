// SPDX-License-Identifier: Apache-2.0
//! The first look: which files count, and what names they give to values.

use super::guard::guard;
use super::Place;
use clang::source::SourceLocation;
use clang::token::{Token, TokenKind};
use clang::{Entity, EntityKind, TranslationUnit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a header defines that is no type.
pub(super) struct Inventory {
    /// The header, and what it includes in quotes.
    files: BTreeSet<PathBuf>,
    /// By name; of several definitions, the last.
    pub(super) macros: BTreeMap<String, Macro>,
    /// Enumerators, and the tokens of what they are set to, if they are.
    pub(super) enumerators: BTreeMap<String, Enumerator>,
}

pub(super) struct Macro {
    pub(super) has_parameters: bool,
    /// Without the name.
    pub(super) tokens: Vec<String>,
    /// Whether it can be made part of an expression without taking what stands
    /// behind it apart.
    pub(super) is_expression_like: bool,
    pub(super) place: Place,
}

pub(super) struct Enumerator {
    pub(super) tokens: Vec<String>,
    pub(super) of: Option<String>,
    pub(super) place: Place,
}

impl Inventory {
    pub(super) fn take(unit: &TranslationUnit<'_>, header: &Path) -> Self {
        let mut inventory = Self {
            files: BTreeSet::from([header.to_owned()]),
            macros: BTreeMap::new(),
            enumerators: BTreeMap::new(),
        };
        let children = unit.get_entity().get_children();
        // Directives come in the order in which they are met.
        for child in &children {
            inventory.follow(child, &children);
        }
        let mut elsewhere = BTreeMap::new();
        for child in &children {
            match child.get_kind() {
                EntityKind::MacroDefinition => inventory.add_macro(child, &mut elsewhere),
                _ => inventory.add_enums(child),
            }
        }
        inventory.judge_expressions(&elsewhere);
        inventory.drop_guards();
        inventory
    }

    /// Whether an entity is declared in a file that counts.
    pub(super) fn declares(&self, entity: &Entity<'_>) -> bool {
        place(entity).is_some_and(|place| self.files.contains(&place.file))
    }

    fn follow(&mut self, directive: &Entity<'_>, all: &[Entity<'_>]) {
        if directive.get_kind() != EntityKind::InclusionDirective || !self.declares(directive) {
            return;
        }
        let Some(range) = directive.get_range() else { return };
        let mut words = spellings(&range.tokenize());
        // `#include MACRO`: what that stands for.
        if let Some(made) = words.get(2).and_then(|word| definition(word, all)) {
            words = spellings(&made.get_range().map(|it| it.tokenize()).unwrap_or_default());
        }
        let in_quotes = words.iter().any(|word| word.starts_with('"'));
        if let (true, Some(file)) = (in_quotes, directive.get_file()) {
            self.files.insert(file.get_path());
        }
    }

    fn add_macro(
        &mut self,
        definition: &Entity<'_>,
        elsewhere: &mut BTreeMap<String, Vec<String>>,
    ) {
        let Some(name) = definition.get_name() else { return };
        let tokens = definition.get_range().map(|range| spellings(&range.tokenize()));
        let tokens: Vec<String> = tokens.unwrap_or_default().into_iter().skip(1).collect();
        match place(definition) {
            Some(place) if self.files.contains(&place.file) => {
                let made = Macro {
                    has_parameters: definition.is_function_like_macro(),
                    tokens,
                    is_expression_like: false,
                    place,
                };
                self.macros.insert(name, made);
            }
            _ => {
                elsewhere.insert(name, tokens);
            }
        }
    }

    /// Enums may be declared inside structs, and are visible outside.
    fn add_enums(&mut self, declaration: &Entity<'_>) {
        match declaration.get_kind() {
            EntityKind::EnumDecl if self.declares(declaration) => self.add_enum(declaration),
            EntityKind::StructDecl | EntityKind::UnionDecl if self.declares(declaration) => {
                declaration.get_children().iter().for_each(|child| self.add_enums(child));
            }
            _ => {}
        }
    }

    fn add_enum(&mut self, declaration: &Entity<'_>) {
        let of = declaration.get_type().map(|ty| ty.get_display_name());
        let of = of.filter(|name| !name.contains('('));
        let tokens = declaration.get_range().map(|range| spellings(&range.tokenize()));
        let tokens = tokens.unwrap_or_default();
        for constant in declaration.get_children() {
            let (Some(name), Some(place)) = (constant.get_name(), place(&constant)) else {
                continue;
            };
            if constant.get_kind() == EntityKind::EnumConstantDecl {
                let tokens = value_of(&name, &tokens);
                self.enumerators.insert(name, Enumerator { tokens, of: of.clone(), place });
            }
        }
    }

    /// A macro such as `{` or `; }` cannot be asked for its value: it would
    /// swallow the next question.
    fn judge_expressions(&mut self, elsewhere: &BTreeMap<String, Vec<String>>) {
        let mut judged = BTreeMap::new();
        for name in self.macros.keys() {
            let tokens_of = |name: &str| {
                self.macros.get(name).map(|made| &made.tokens).or_else(|| elsewhere.get(name))
            };
            let mut seen = BTreeSet::new();
            let mut open = vec![name.as_str()];
            let mut fits = true;
            while let Some(name) = open.pop() {
                let Some(tokens) = tokens_of(name) else { continue };
                fits &= is_balanced(tokens);
                open.extend(tokens.iter().map(String::as_str).filter(|token| seen.insert(*token)));
            }
            judged.insert(name.clone(), fits);
        }
        for (name, made) in &mut self.macros {
            made.is_expression_like = judged[name];
        }
    }

    /// The macro that keeps a file from being read twice is no part of the ABI.
    fn drop_guards(&mut self) {
        for file in &self.files {
            let Ok(text) = fs::read(file) else { continue };
            if let Some(guard) = guard(&String::from_utf8_lossy(&text)) {
                self.macros.remove(&guard);
            }
        }
    }
}

fn definition<'a, 'tu>(name: &str, all: &'a [Entity<'tu>]) -> Option<&'a Entity<'tu>> {
    all.iter().find(|it| {
        it.get_kind() == EntityKind::MacroDefinition && it.get_name().as_deref() == Some(name)
    })
}

/// The file and line of a declaration or definition.
pub(super) fn place(entity: &Entity<'_>) -> Option<Place> {
    entity.get_location().as_ref().and_then(place_of)
}

fn place_of(location: &SourceLocation<'_>) -> Option<Place> {
    let location = location.get_expansion_location();
    Some(Place { file: location.file?.get_path(), line: location.line })
}

/// The text of tokens, without comments and without breaks of lines in them.
pub(super) fn spellings(tokens: &[Token<'_>]) -> Vec<String> {
    let code = tokens.iter().filter(|token| token.get_kind() != TokenKind::Comment);
    let whole = |token: &Token<'_>| token.get_spelling().replace("\\\r\n", "").replace("\\\n", "");
    code.map(whole).collect()
}

/// What stands between `NAME =` and the next comma among an enum's tokens.
fn value_of(name: &str, tokens: &[String]) -> Vec<String> {
    let Some(at) = tokens.windows(2).position(|pair| pair[0] == name && pair[1] == "=") else {
        return Vec::new();
    };
    let mut depth = 0;
    let value = tokens[at + 2..].iter().take_while(|token| {
        match token.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "," | "}" if depth == 0 => return false,
            _ => {}
        }
        true
    });
    value.cloned().collect()
}

fn is_balanced(tokens: &[String]) -> bool {
    let mut depth = 0;
    for token in tokens {
        match token.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" | "}" | ";" | "#" => return false,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}
