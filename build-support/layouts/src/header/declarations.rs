// SPDX-License-Identifier: Apache-2.0
//! Structs and their fields.

use super::lines::{is_name, Word};
use super::{Field, NotUnderstood, Struct};

/// The structs in a header's words; it may declare nothing else.
pub(super) fn structs(code: &[Word]) -> Result<Vec<Struct>, NotUnderstood> {
    let mut words = Words { rest: code, line: 1 };
    let mut structs: Vec<Struct> = Vec::new();
    while !words.rest.is_empty() {
        words.expect("struct", "only structs and macros are expected")?;
        let name = words.name("the struct has no tag")?;
        words.expect("{", "the struct has no fields")?;
        let mut fields = Vec::new();
        while !words.accept("}") {
            words.fields(&structs, &mut fields)?;
        }
        words.expect(";", "no attribute and no variable is expected")?;
        structs.push(Struct { name, fields });
    }
    Ok(structs)
}

struct Words<'a> {
    rest: &'a [Word],
    /// Of the word read last.
    line: usize,
}

impl Words<'_> {
    fn peek(&self) -> &str {
        self.rest.first().map_or("the end of the header", |word| &word.text)
    }

    fn next(&mut self) -> String {
        let text = self.peek().to_owned();
        if let [first, rest @ ..] = self.rest {
            self.line = first.line;
            self.rest = rest;
        }
        text
    }

    fn accept(&mut self, word: &str) -> bool {
        let accepted = self.peek() == word && !self.rest.is_empty();
        if accepted {
            self.next();
        }
        accepted
    }

    fn expect(&mut self, word: &str, otherwise: &str) -> Result<(), NotUnderstood> {
        if self.accept(word) {
            return Ok(());
        }
        let found = self.next();
        Err(NotUnderstood::new(self.line, format!("`{found}` instead of `{word}`: {otherwise}")))
    }

    fn name(&mut self, otherwise: &str) -> Result<String, NotUnderstood> {
        let found = self.next();
        if is_name(&found) {
            return Ok(found);
        }
        Err(NotUnderstood::new(self.line, format!("`{found}` instead of a name: {otherwise}")))
    }

    /// One declaration, which may be of several fields.
    fn fields(
        &mut self,
        declared: &[Struct],
        fields: &mut Vec<Field>,
    ) -> Result<(), NotUnderstood> {
        let record = match self.accept("struct") {
            true => Some(self.name("a struct declared inside another has no name of its own")?),
            false => None,
        };
        if let Some(unknown) = record.as_ref().filter(|r| declared.iter().all(|s| s.name != **r)) {
            return Err(NotUnderstood::new(self.line, format!("struct {unknown} is not declared")));
        }
        if ["union", "enum"].contains(&self.peek()) {
            let found = self.next();
            return Err(NotUnderstood::new(self.line, format!("`{found}` in a struct")));
        }
        // Of several names in a row the last is the field's, the others are its type.
        let mut names = Vec::new();
        while is_name(self.peek()) && !self.rest.is_empty() {
            names.push(self.next());
        }
        let of_type = usize::from(record.is_none());
        let name = names.pop().filter(|_| match &record {
            Some(_) => names.is_empty(),
            None => names.len() >= of_type,
        });
        let Some(mut name) = name else {
            let found = self.next();
            return Err(NotUnderstood::new(self.line, format!("`{found}` instead of a field")));
        };
        loop {
            let dimensions = self.dimensions()?;
            fields.push(Field { name, record: record.clone(), dimensions });
            if !self.accept(",") {
                break;
            }
            name = self.name("no field after the comma")?;
        }
        self.expect(";", "no pointer, bit-field or attribute is expected")
    }

    fn dimensions(&mut self) -> Result<usize, NotUnderstood> {
        let mut dimensions = 0;
        while self.accept("[") {
            if self.accept("]") {
                return Err(NotUnderstood::new(self.line, "an array without a length"));
            }
            while !self.accept("]") {
                if self.rest.is_empty() || self.peek() == ";" {
                    self.next();
                    return Err(NotUnderstood::new(self.line, "a `[` without a `]`"));
                }
                self.next();
            }
            dimensions += 1;
        }
        Ok(dimensions)
    }
}
