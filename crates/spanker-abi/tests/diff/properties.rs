// SPDX-License-Identifier: Apache-2.0
//! What holds whatever changed, on facts and edits at random.

use spanker_abi::diff::Class::{self, Additive, Breaking, Neutral};
use spanker_abi::model::{Facts, Field, Record, RecordKind, Type, Value};

use crate::build::{changes, enumeration, integer, request, text, with};

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len())]
    }
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "reserved", "pad", "pad2", "rsvd"];
const TYPES: [(&str, u64); 7] =
    [("u8", 1), ("u16", 2), ("s16", 2), ("u32", 4), ("s32", 4), ("u8[3]", 3), ("u64", 8)];

/// Fields anywhere in few bytes, which often share some.
fn random_record(random: &mut Random) -> Record {
    let mut record = Record {
        kind: RecordKind::Struct,
        size: Some(random.of(&[8, 12, 16])),
        align: random.of(&[4, 8]),
        extensible: random.below(2) == 0,
        fields: Vec::new(),
    };
    let mut at = 0;
    for name in NAMES {
        let (ty, bytes) = random.of(&TYPES);
        at += random.of(&[0, 0, 0, 1, 2]);
        if random.below(2) == 0 && at + bytes <= record.size.unwrap() {
            record.fields.push(field(name, ty, at, bytes));
            at += bytes;
        }
    }
    record
}

fn field(name: &str, ty: &str, at: u64, bytes: u64) -> Field {
    Field {
        name: name.to_owned(),
        offset_bits: at * 8,
        size_bits: bytes * 8,
        ty: Type(ty.to_owned()),
        bit_field: false,
        stride: None,
    }
}

fn edit(record: &mut Record, random: &mut Random) {
    let index = random.below(record.fields.len());
    let (ty, bytes) = random.of(&TYPES);
    let name = random.of(&NAMES);
    let fresh = !record.fields.iter().any(|field| field.name == name);
    let any = !record.fields.is_empty();
    match random.below(9) {
        0 if any => record.fields[index].offset_bits = random.below(16) as u64 * 8,
        1 if any => {
            record.fields[index].ty = Type(ty.to_owned());
            record.fields[index].size_bits = bytes * 8;
        }
        2 if any && fresh => record.fields[index].name = name.to_owned(),
        3 if any => {
            record.fields.remove(index);
        }
        4 if any => {
            let other = random.below(record.fields.len());
            let offset = record.fields[index].offset_bits;
            record.fields[index].offset_bits = record.fields[other].offset_bits;
            record.fields[other].offset_bits = offset;
        }
        5 | 6 if fresh => {
            let at = random.below(20) as u64;
            record.fields.push(field(name, ty, at, bytes));
            record.size = record.size.max(Some((at + bytes).next_multiple_of(4)));
        }
        7 => record.size = Some(random.of(&[8, 12, 16, 24])),
        8 => record.align = random.of(&[4, 8]),
        _ => record.extensible = random.below(2) == 0,
    }
}

fn reserved(field: &&Field) -> bool {
    field.name.len() > 1
}

/// A class worked out byte by byte, in no way as the diff does it.
fn class_by_bytes(old: &Record, new: &Record) -> Class {
    let within = |record: &Record, byte: u64| byte < record.size.unwrap();
    let at = |field: &&Field, byte: u64| {
        field.offset_bits / 8 <= byte && byte < (field.offset_bits + field.size_bits) / 8
    };
    let has = |record: &Record, byte, kept: bool| {
        record.fields.iter().any(|field| reserved(&field) == kept && at(&field, byte))
    };
    let stays = |field: &&Field| new.fields.contains(field);
    if !old.fields.iter().filter(|field| !reserved(field)).all(|field| stays(&field)) {
        return Breaking;
    }
    if old.extensible && !new.extensible || new.size < old.size {
        return Breaking;
    }
    let covered = |byte| has(new, byte, true) || has(new, byte, false);
    for byte in 0..64 {
        if has(old, byte, true) && !has(old, byte, false) && !(within(new, byte) && covered(byte)) {
            return Breaking;
        }
    }
    let mut class = Neutral;
    let fresh: Vec<&Field> = new
        .fields
        .iter()
        .filter(|field| !old.fields.iter().any(|other| other.name == field.name))
        .collect();
    let mut grows = false;
    for field in &fresh {
        let bytes: Vec<u64> = (0..64).filter(|byte| at(field, *byte)).collect();
        let beyond = bytes.iter().any(|byte| !within(old, *byte));
        let shares = bytes.iter().any(|byte| has(old, *byte, false));
        if shares && (beyond || old.size != new.size) {
            return Breaking;
        }
        grows |= beyond;
        if reserved(field) {
            continue;
        }
        let padding =
            |byte: &u64| within(old, *byte) && !has(old, *byte, true) && !has(old, *byte, false);
        if bytes.iter().any(padding) {
            return Breaking;
        }
        class = Additive;
    }
    // Reserved fields may be anywhere, and may grow.
    let beyond = |field: &&Field| (old.size.unwrap()..64).any(|byte| at(field, byte));
    grows |= new.fields.iter().filter(reserved).any(|field| beyond(&field));
    if grows && !(old.extensible && new.extensible) {
        return Breaking;
    }
    if grows {
        class = Additive;
    } else if old.size != new.size || old.align != new.align {
        return Breaking;
    }
    if new.extensible && !old.extensible {
        class = Additive;
    }
    class
}

fn is_sound(record: &Record) -> bool {
    let end = record.fields.iter().map(|field| field.offset_bits + field.size_bits).max();
    end.unwrap_or(0) <= record.size.unwrap() * 8
}

fn sketch(record: &Record) -> String {
    let mut sketch =
        format!("\n{:?} align {} ext {}", record.size, record.align, record.extensible);
    for field in &record.fields {
        let (at, bytes) = (field.offset_bits / 8, field.size_bits / 8);
        sketch += &format!("\n    {at:2}..{:2} {} {}", at + bytes, field.ty.0, field.name);
    }
    sketch
}

fn class_of(old: &Record, new: &Record) -> Class {
    Class::of(&changes(&with(old.clone()), &with(new.clone())))
}

#[test]
fn the_class_of_a_record_is_what_its_bytes_say() {
    let mut random = Random(0x5eed_5eed_5eed);
    let mut seen = [0; 3];
    for _ in 0..30_000 {
        let old = random_record(&mut random);
        let mut new = old.clone();
        for _ in 0..=random.below(3) {
            edit(&mut new, &mut random);
        }
        if old == new {
            continue;
        }
        let expected = class_by_bytes(&old, &new);
        let got = class_of(&old, &new);
        if !is_sound(&new) {
            assert_eq!(got, Breaking, "{}{}", sketch(&old), sketch(&new));
            continue;
        }
        seen[expected as usize] += 1;
        assert_eq!(
            got,
            expected,
            "{}{}{:#?}",
            sketch(&old),
            sketch(&new),
            changes(&with(old.clone()), &with(new.clone()))
        );
    }
    assert!(seen.iter().all(|&count| count > 1000), "each class has to come up: {seen:?}");
}

fn random_facts(random: &mut Random) -> Facts {
    let mut facts = Facts::default();
    for name in ["struct a", "struct b", "x_t"] {
        if random.below(3) > 0 {
            facts.records.insert(name.to_owned(), random_record(random));
        }
    }
    for name in ["A", "B", "C", "x_t"] {
        add_one(&mut facts, name, random);
    }
    facts
}

fn add_one(facts: &mut Facts, name: &str, random: &mut Random) {
    let name = name.to_owned();
    let small = random.below(3);
    let ty = Type((random.of(&["u32", "s32", "struct a", "struct b", "u8[4]"])).to_owned());
    match random.below(7) {
        0 => {
            facts.texts.insert(name, text(random.of(&["x", "y"])));
        }
        1 => {
            facts.typedefs.insert(name, ty);
        }
        2 | 3 => {
            let size = random.of(&[8, 16]);
            let argument = random.of(&["struct a", "struct b", ""]);
            facts.requests.insert(name, request(random.of(&[0, 3]), small as u8, size, argument));
        }
        4 => {
            facts.enums.insert(format!("enum {name}"), enumeration(random.of(&["u32", "s32"])));
        }
        _ => {
            let mut constant = integer(small as i128, random.of(&["s32", "u32", "s64"]));
            constant.of = random.of(&[None, Some("enum A"), Some("enum B")]).map(str::to_owned);
            if random.below(5) == 0 {
                constant.value = Value::Text("word".to_owned());
            }
            facts.constants.insert(name, constant);
        }
    }
}

fn edit_facts(facts: &mut Facts, random: &mut Random) {
    let name = random.of(&["A", "B", "C", "D", "x_t"]);
    match random.below(5) {
        4 => {
            let named = facts.constants.contains_key(name) || facts.requests.contains_key(name);
            if named && !facts.enumerators.remove(name) {
                facts.enumerators.insert(name.to_owned());
            }
        }
        0 => {
            facts.constants.remove(name);
            facts.requests.remove(name);
            facts.enumerators.remove(name);
            facts.texts.remove(name);
            facts.typedefs.remove(name);
        }
        1 => add_one(facts, name, random),
        _ => {
            let record = random.of(&["struct a", "struct b", "struct c", "x_t"]);
            match (facts.records.get_mut(record), random.below(6)) {
                (Some(record), 0) => record.kind = RecordKind::Union,
                (Some(record), 1) => record.size = None,
                (Some(record), _) => edit(record, random),
                (None, _) => {
                    let moved = facts.records.remove("struct a");
                    facts.records.extend(moved.map(|it| (record.to_owned(), it)));
                }
            }
        }
    }
}

#[test]
fn no_difference_goes_unnamed_and_nothing_is_named_without_one() {
    let mut random = Random(0xfac7);
    for _ in 0..20_000 {
        let old = random_facts(&mut random);
        let mut new = old.clone();
        for _ in 0..random.below(4) {
            edit_facts(&mut new, &mut random);
        }
        let changes = changes(&old, &new);
        assert_eq!(changes.is_empty(), old == new, "{old:#?}\n{new:#?}\n{changes:#?}");
        for map in differing_keys(&old, &new) {
            let named = changes.iter().any(|change| {
                let words = [Some(change.item.clone()), change.new.clone(), change.old.clone()];
                let words: String = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
                words.contains(&map) || change.reason.contains(&map)
            });
            assert!(named, "{map}: {old:#?}\n{new:#?}\n{changes:#?}");
        }
    }
}

/// The items that are not the same on both sides.
fn differing_keys(old: &Facts, new: &Facts) -> Vec<String> {
    macro_rules! differing {
        ($($map:ident)*) => {{
            let mut keys = Vec::new();
            $(for key in old.$map.keys().chain(new.$map.keys()) {
                if old.$map.get(key) != new.$map.get(key) {
                    keys.push(key.clone());
                }
            })*
            keys
        }};
    }
    differing!(records enums typedefs constants requests texts)
}
