// SPDX-License-Identifier: Apache-2.0
//! Types and layouts, of what the header declares and of what that uses.

use super::inventory::{place, Inventory};
use super::marker;
use super::Place;
use crate::model::{Constant, Enum, Facts, Field, Record, RecordKind, Text, Type, Value};
use clang::{Entity, EntityKind, Type as ClangType, TypeKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) struct Layouts<'tu, 'p> {
    facts: Facts,
    /// Types that something refers to and that are not described yet.
    open: Vec<ClangType<'tu>>,
    places: &'p mut BTreeMap<String, Place>,
    texts: BTreeMap<PathBuf, Vec<u8>>,
}

impl<'tu, 'p> Layouts<'tu, 'p> {
    pub(super) fn new(places: &'p mut BTreeMap<String, Place>) -> Self {
        Self { facts: Facts::default(), open: Vec::new(), places, texts: BTreeMap::new() }
    }

    /// Takes what a unit declares in files that count.
    pub(super) fn declared_in(
        &mut self,
        unit: &'tu clang::TranslationUnit<'tu>,
        inventory: &Inventory,
    ) {
        for entity in unit.get_entity().get_children() {
            if !inventory.declares(&entity) {
                continue;
            }
            match entity.get_kind() {
                EntityKind::StructDecl | EntityKind::UnionDecl | EntityKind::EnumDecl => {
                    self.open.extend(entity.get_type());
                }
                EntityKind::TypedefDecl => self.add_typedef(&entity),
                EntityKind::FunctionDecl => self.add_text(&entity, "function"),
                EntityKind::VarDecl => self.add_text(&entity, "variable"),
                _ => {}
            }
        }
    }

    /// The facts, once every type that was referred to is described.
    pub(super) fn finish(mut self) -> Facts {
        while let Some(ty) = self.open.pop() {
            let name = tag(ty);
            if is_anonymous(&name) {
                continue;
            }
            let ty = ty.get_canonical_type();
            match ty.get_kind() {
                TypeKind::Record if !self.facts.records.contains_key(&name) => {
                    self.add_record(name, ty);
                }
                TypeKind::Enum if !self.facts.enums.contains_key(&name) => self.add_enum(name, ty),
                _ => {}
            }
        }
        self.facts
    }

    /// What a type is, whatever it is called.
    pub(super) fn describe(&mut self, ty: ClangType<'tu>) -> Type {
        let (base, dimensions) = self.base(ty);
        Type(base + &dimensions)
    }

    /// The type of an array's elements, and the array's dimensions.
    fn base(&mut self, ty: ClangType<'tu>) -> (String, String) {
        let of_elements = |this: &mut Self, length: String| {
            let element = ty.get_element_type().map(|element| this.base(element));
            let (base, dimensions) = element.unwrap_or_default();
            (base, format!("[{length}]{dimensions}"))
        };
        let named = |next: Option<ClangType<'tu>>| next.unwrap_or(ty.get_canonical_type());
        match ty.get_kind() {
            TypeKind::ConstantArray => {
                // `[0]` is how a flexible array was written before there were any.
                let length = ty.get_size().filter(|length| *length > 0);
                of_elements(self, length.map(|length| length.to_string()).unwrap_or_default())
            }
            TypeKind::IncompleteArray => of_elements(self, String::new()),
            TypeKind::Elaborated => self.base(named(ty.get_elaborated_type())),
            TypeKind::Attributed => self.base(named(ty.get_modified_type())),
            TypeKind::Typedef => {
                let declaration = ty.get_declaration();
                let name = declaration.and_then(|it| it.get_name()).unwrap_or_default();
                match byte_order(&name) {
                    Some(ordered) => (ordered, String::new()),
                    None => self
                        .base(named(declaration.and_then(|it| it.get_typedef_underlying_type()))),
                }
            }
            _ => (self.scalar(ty), String::new()),
        }
    }

    fn scalar(&mut self, ty: ClangType<'tu>) -> String {
        let canonical = ty.get_canonical_type();
        let bits = canonical.get_sizeof().unwrap_or(0) * 8;
        match canonical.get_kind() {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Void => "void".to_owned(),
            TypeKind::Half
            | TypeKind::Float16
            | TypeKind::Float
            | TypeKind::Double
            | TypeKind::LongDouble
            | TypeKind::Float128 => format!("f{bits}"),
            TypeKind::Pointer | TypeKind::BlockPointer => self.pointer(canonical),
            TypeKind::ConstantArray | TypeKind::IncompleteArray => self.describe(canonical).0,
            TypeKind::Record => {
                self.open.push(canonical);
                shown_tag(canonical)
            }
            TypeKind::Enum => {
                self.open.push(canonical);
                let name = tag(canonical);
                if is_anonymous(&name) {
                    return self.integer_of(canonical).0;
                }
                name
            }
            _ if canonical.is_signed_integer() => format!("s{bits}"),
            _ if canonical.is_unsigned_integer() => format!("u{bits}"),
            _ => canonical.get_display_name(),
        }
    }

    fn pointer(&mut self, ty: ClangType<'tu>) -> String {
        let Some(to) = ty.get_pointee_type() else { return "void*".to_owned() };
        match to.get_canonical_type().get_kind() {
            TypeKind::FunctionPrototype | TypeKind::FunctionNoPrototype => {
                ty.get_canonical_type().get_display_name()
            }
            _ => match self.describe(to).0 {
                array if array.ends_with(']') => format!("({array})*"),
                name => format!("{name}*"),
            },
        }
    }

    fn integer_of(&mut self, ty: ClangType<'tu>) -> Type {
        let declaration = ty.get_declaration().map(|it| it.get_definition().unwrap_or(it));
        match declaration.and_then(|it| it.get_enum_underlying_type()) {
            Some(integer) => self.describe(integer),
            None => Type("s32".to_owned()),
        }
    }

    fn add_record(&mut self, name: String, ty: ClangType<'tu>) {
        let Some(declaration) = ty.get_declaration() else { return };
        let definition = declaration.get_definition();
        let declaration = definition.unwrap_or(declaration);
        let mut record = Record {
            kind: match declaration.get_kind() {
                EntityKind::UnionDecl => RecordKind::Union,
                _ => RecordKind::Struct,
            },
            size: None,
            align: 0,
            extensible: self.is_extensible(&declaration),
            fields: Vec::new(),
        };
        self.note(&name, &declaration);
        if definition.is_some() {
            record.size = ty.get_sizeof().ok().map(|bytes| bytes as u64);
            record.align = ty.get_alignof().unwrap_or(0) as u64;
            self.add_fields(ty, &name, "", 0, &mut record.fields);
            record.sort_fields();
        }
        self.facts.records.insert(name, record);
    }

    fn add_fields(
        &mut self,
        ty: ClangType<'tu>,
        record: &str,
        prefix: &str,
        base: u64,
        fields: &mut Vec<Field>,
    ) {
        for entity in ty.get_fields().unwrap_or_default() {
            let Some(ty) = entity.get_type() else { continue };
            let name = entity.get_name().filter(|name| !name.is_empty() && !is_anonymous(name));
            let offset_bits = base + entity.get_offset_of_field().unwrap_or(0) as u64;
            let inner = innermost(ty);
            if inner.get_kind() == TypeKind::Record && is_anonymous(&tag(inner)) {
                let described = self.describe(ty);
                let is_array = described.0.contains('[');
                let path = match &name {
                    Some(name) if is_array => format!("{prefix}{name}[]."),
                    Some(name) => format!("{prefix}{name}."),
                    None => prefix.to_owned(),
                };
                if let (Some(name), true) = (&name, is_array) {
                    let name = format!("{prefix}{name}");
                    self.note(&format!("{record}.{name}"), &entity);
                    let (size_bits, stride) = (bits(ty), stride(ty));
                    fields.push(Field {
                        name,
                        offset_bits,
                        size_bits,
                        ty: described,
                        bit_field: false,
                        stride,
                    });
                }
                self.add_fields(inner, record, &path, offset_bits, fields);
                continue;
            }
            // Bits without a name are padding.
            let Some(name) = name else { continue };
            let name = format!("{prefix}{name}");
            self.note(&format!("{record}.{name}"), &entity);
            let width = entity.get_bit_field_width().filter(|_| entity.is_bit_field());
            fields.push(Field {
                name,
                offset_bits,
                size_bits: width.map_or_else(|| bits(ty), |width| width as u64),
                ty: self.describe(ty),
                bit_field: width.is_some(),
                stride: stride(ty),
            });
        }
    }

    fn add_enum(&mut self, name: String, ty: ClangType<'tu>) {
        let declaration = ty.get_declaration().map(|it| it.get_definition().unwrap_or(it));
        let integer = self.integer_of(ty);
        if let Some(declaration) = declaration {
            self.note(&name, &declaration);
            for constant in declaration.get_children() {
                self.add_enumerator(&name, &integer, &constant);
            }
        }
        self.facts.enums.insert(name, Enum { ty: integer });
    }

    /// Of an enum that is used here, wherever it is declared. Those of this header
    /// are asked for, and then said, more exactly.
    fn add_enumerator(&mut self, of: &str, integer: &Type, constant: &Entity<'_>) {
        let (Some(name), Some((signed, unsigned))) =
            (constant.get_name(), constant.get_enum_constant_value())
        else {
            return;
        };
        let value = if integer.0.starts_with('u') { unsigned.into() } else { signed.into() };
        let constant =
            Constant { value: Value::Integer(value), ty: integer.clone(), of: Some(of.to_owned()) };
        self.facts.enumerators.insert(name.clone());
        self.facts.constants.insert(name, constant);
    }

    fn add_typedef(&mut self, declaration: &Entity<'tu>) {
        let (Some(name), Some(ty)) =
            (declaration.get_name(), declaration.get_typedef_underlying_type())
        else {
            return;
        };
        let described = self.describe(ty);
        self.note(&name, declaration);
        // A record without a tag is known by this very name.
        if tag(innermost(ty)) != name {
            self.facts.typedefs.insert(name, described);
        }
    }

    fn add_text(&mut self, declaration: &Entity<'_>, what: &str) {
        let (Some(name), Some(range)) = (declaration.get_name(), declaration.get_range()) else {
            return;
        };
        self.note(&name, declaration);
        let tokens = super::inventory::spellings(&range.tokenize()).join(" ");
        self.facts.texts.insert(name, Text { what: what.to_owned(), tokens });
    }

    fn note(&mut self, item: &str, declaration: &Entity<'_>) {
        if let Some(place) = place(declaration) {
            self.places.entry(item.to_owned()).or_insert(place);
        }
    }

    fn is_extensible(&mut self, declaration: &Entity<'_>) -> bool {
        let Some(range) = declaration.get_range() else { return false };
        let begin = range.get_start().get_expansion_location();
        let end = range.get_end().get_expansion_location();
        let Some(file) = begin.file.map(|file| file.get_path()) else { return false };
        let text = self
            .texts
            .entry(file)
            .or_insert_with_key(|file| std::fs::read(file).unwrap_or_default());
        marker::is_extensible(text, begin.offset as usize, end.offset as usize)
    }
}

fn bits(ty: ClangType<'_>) -> u64 {
    ty.get_sizeof().unwrap_or(0) as u64 * 8
}

/// Bytes from one element to the next, of an array without a length.
fn stride(ty: ClangType<'_>) -> Option<u64> {
    let array = ty.get_canonical_type();
    let open = match array.get_kind() {
        TypeKind::IncompleteArray => true,
        TypeKind::ConstantArray => array.get_size() == Some(0),
        _ => false,
    };
    let element = array.get_element_type().filter(|_| open)?;
    element.get_sizeof().ok().map(|bytes| bytes as u64)
}

/// The elements of an array, of whatever depth, or the type itself.
fn innermost(ty: ClangType<'_>) -> ClangType<'_> {
    let canonical = ty.get_canonical_type();
    match canonical.get_kind() {
        TypeKind::ConstantArray | TypeKind::IncompleteArray => {
            canonical.get_element_type().map_or(canonical, innermost)
        }
        _ => canonical,
    }
}

/// What a struct, union or enum is called: with its tag, or by the typedef that
/// names one without.
fn tag(ty: ClangType<'_>) -> String {
    let mut name = ty.get_canonical_type().get_display_name();
    for qualifier in ["const ", "volatile "] {
        while let Some(rest) = name.strip_prefix(qualifier) {
            name = rest.to_owned();
        }
    }
    name
}

fn shown_tag(ty: ClangType<'_>) -> String {
    let name = tag(ty);
    if !is_anonymous(&name) {
        return name;
    }
    let union = name.starts_with("union");
    if union { "union" } else { "struct" }.to_owned()
}

/// clang calls what has no name `(unnamed struct at …)`, or similar.
fn is_anonymous(name: &str) -> bool {
    name.contains('(')
}

/// The types of <linux/types.h> that have a byte order of their own.
fn byte_order(typedef: &str) -> Option<String> {
    let name = typedef.strip_prefix("__")?;
    ["le16", "le32", "le64", "be16", "be32", "be64"].contains(&name).then(|| name.to_owned())
}
