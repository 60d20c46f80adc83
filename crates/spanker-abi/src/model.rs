// SPDX-License-Identifier: Apache-2.0
//! The facts of a header: what the compiler of each target makes of it.
//!
//! Only what a program can see of the ABI is here. Comments, the order of
//! declarations and where they stand are not, so two headers with equal facts
//! have the same ABI.

use std::collections::{BTreeMap, BTreeSet};

/// The facts of one header on every target that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abi {
    /// The header's file name, for messages.
    pub header: String,
    /// The facts by the name of the target, such as `x86_64`.
    pub targets: BTreeMap<String, Facts>,
}

/// The facts of one header on one target. The keys are what an item is called
/// in C: `struct gpio_v2_line_info`, `enum kvm_device_type`, `KVM_RUN`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Structs and unions: `struct NAME`, `union NAME`, or the name of the
    /// typedef of one that has no tag.
    pub records: BTreeMap<String, Record>,
    /// Enums with a name: `enum NAME`, or a typedef's name.
    pub enums: BTreeMap<String, Enum>,
    /// Typedefs, by name, and what they stand for.
    pub typedefs: BTreeMap<String, Type>,
    /// Macros and enumerators that have a value and are no request code.
    pub constants: BTreeMap<String, Constant>,
    /// Macros and enumerators that are request codes.
    pub requests: BTreeMap<String, Request>,
    /// Those of the constants and requests that are enumerators and no macros, so
    /// that `#ifdef` does not see them.
    pub enumerators: BTreeSet<String>,
    /// What has no value that could be judged: macros with parameters, macros
    /// that stand for other text, inline functions.
    pub texts: BTreeMap<String, Text>,
}

/// A struct or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// Size in bytes; `None` when the header only declares it.
    pub size: Option<u64>,
    /// Alignment in bytes; 0 when the header only declares it.
    pub align: u64,
    /// Its declaration says `abi: extensible`: it may grow at its end.
    pub extensible: bool,
    /// Its fields in the order of their offsets. Members of structs and unions
    /// that are declared inside and have no tag of their own are fields of this
    /// one, under a path: `x` for an unnamed member's, `u.x` and `list[].x` for a
    /// named one's.
    pub fields: Vec<Field>,
}

impl Record {
    /// Bytes and bits that no field covers, as offset and size in bits: what the
    /// compiler put there, and nobody sets.
    pub fn holes(&self) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let mut covered = 0;
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by_key(|field| field.offset_bits);
        for field in fields {
            if field.offset_bits > covered {
                holes.push((covered, field.offset_bits - covered));
            }
            covered = covered.max(field.offset_bits.saturating_add(field.size_bits));
        }
        let end = self.size.unwrap_or(0).saturating_mul(8);
        if end > covered {
            holes.push((covered, end - covered));
        }
        holes
    }

    /// Brings the fields into the order that the facts have, whoever made them.
    pub(crate) fn sort_fields(&mut self) {
        self.fields.sort_by(|a, b| (a.offset_bits, &a.name).cmp(&(b.offset_bits, &b.name)));
    }
}

/// Struct or union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A struct.
    Struct,
    /// A union.
    Union,
}

/// A field of a struct or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, or the path to it.
    pub name: String,
    /// Where it begins, in bits from the beginning of the outermost record. On
    /// big-endian targets too, bits are counted as the compiler does.
    pub offset_bits: u64,
    /// How many bits it takes: 0 for a flexible array.
    pub size_bits: u64,
    /// Its type.
    pub ty: Type,
    /// It is a bit-field.
    pub bit_field: bool,
    /// Bytes from one element to the next, of an array that does not tell its
    /// length: its own size does not show when they change.
    pub stride: Option<u64>,
}

/// A type by what it is on the target and not by how it is spelt, so that
/// `__u64` and `unsigned long` are equal where they are the same:
/// `u8` … `u64`, `s8` … `s64` (`char` is one of them), `le16` … `be64`, `bool`,
/// `f32`, `f64`, `struct NAME`, `union NAME`, `enum NAME`, arrays of these
/// (`u8[16]`, `u8[4][2]`, `u8[]` with a flexible end), and pointers with what
/// they point to: `u8*`, `struct NAME*`, `(u8[4])*`; of functions as C has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type(pub String);

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// The integer that holds it.
    pub ty: Type,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// What it is.
    pub value: Value,
    /// The C type of the expression; of a string, `string`.
    pub ty: Type,
    /// The name of the enum (`enum NAME`) it is an enumerator of, if that has one.
    pub of: Option<String>,
}

/// A constant's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer of any type.
    Integer(i128),
    /// A floating-point number, as its shortest decimal.
    Float(String),
    /// A string literal.
    Text(String),
}

/// A request code taken apart, as `<linux/ioctl.h>` puts it together on this
/// target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The number that a program passes to ioctl.
    pub code: u32,
    /// It carries data out to the caller (`_IOC_READ`).
    pub read: bool,
    /// It carries data in to the device (`_IOC_WRITE`).
    pub write: bool,
    /// The magic, `_IOC_TYPE`.
    pub magic: u8,
    /// `_IOC_NR`.
    pub number: u8,
    /// `_IOC_SIZE`: bytes.
    pub size: u32,
    /// The type that the size was taken of, where that is known.
    pub argument: Option<Type>,
}

/// Something that has no value to judge by, only its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it is: `macro`, `macro with parameters`, `function`, `variable`.
    pub what: String,
    /// Its tokens with a space between each two.
    pub tokens: String,
}
