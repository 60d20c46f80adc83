// SPDX-License-Identifier: Apache-2.0
//! Facts as expressions of C that are true if the facts are.

use spanker_abi::model::{Constant, Facts, Field, Record, Request, Value};

/// Conditions on everything with a number: sizes, alignments, offsets, values
/// and their signs, request codes and their parts.
pub(crate) fn of(facts: &Facts) -> Vec<String> {
    let mut all = Vec::new();
    for (name, record) in &facts.records {
        add_record(name, record, &mut all);
    }
    for (name, it) in &facts.enums {
        add_integer(&format!("({name})0"), &it.ty.0, &mut all);
        all.push(format!("sizeof({name}) * 8 == {}", bits(&it.ty.0)));
    }
    for (name, constant) in &facts.constants {
        add_constant(name, constant, &mut all);
    }
    for (name, request) in &facts.requests {
        add_request(name, request, &mut all);
    }
    all
}

fn add_record(name: &str, record: &Record, all: &mut Vec<String>) {
    let Some(size) = record.size else { return };
    all.push(format!("sizeof({name}) == {size}"));
    all.push(format!("_Alignof({name}) == {}", record.align));
    for field in &record.fields {
        // C has no offset of bits.
        if !field.bit_field {
            add_field(name, field, all);
        }
    }
}

fn add_field(record: &str, field: &Field, all: &mut Vec<String>) {
    let path = field.name.replace("[]", "[0]");
    all.push(format!("offsetof({record}, {path}) * 8 == {}", field.offset_bits));
    let place = format!("(({record} *)0)->{path}");
    // A flexible array has no size, or none of its own.
    if field.size_bits > 0 {
        all.push(format!("sizeof({place}) * 8 == {}", field.size_bits));
    }
    add_integer(&place, &field.ty.0, all);
}

/// The sign of an integer, or that an integer it is.
fn add_integer(place: &str, ty: &str, all: &mut Vec<String>) {
    let of_width =
        |ty: &str, first| ty.strip_prefix(first).is_some_and(|bits| bits.parse::<u32>().is_ok());
    let is_unsigned = ["u", "le", "be"].into_iter().any(|first| of_width(ty, first));
    if is_unsigned || of_width(ty, "s") {
        let sign = if is_unsigned { ">" } else { "<" };
        all.push(format!("(__typeof__({place}))-1 {sign} 0"));
    }
}

fn bits(ty: &str) -> u32 {
    ty.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

fn add_constant(name: &str, constant: &Constant, all: &mut Vec<String>) {
    match &constant.value {
        Value::Integer(value) => {
            // `<` and `==` alone would take -1 and its unsigned twin for the same.
            all.push(format!("({name}) == {}", literal(*value)));
            all.push(format!("(({name}) < 0) == {}", u8::from(*value < 0)));
            all.push(format!("sizeof({name}) * 8 == {}", bits(&constant.ty.0)));
        }
        Value::Text(text) => all.push(format!("sizeof({name}) == {}", text.len() + 1)),
        Value::Float(_) => {}
    }
}

fn literal(value: i128) -> String {
    match i64::try_from(value) {
        Ok(i64::MIN) => "(-9223372036854775807LL - 1)".to_owned(),
        Ok(value) => format!("{value}LL"),
        Err(_) => format!("{value}ULL"),
    }
}

fn add_request(name: &str, request: &Request, all: &mut Vec<String>) {
    all.push(format!("(unsigned int)({name}) == {:#x}U", request.code));
    let code = format!("(unsigned int)({name})");
    let direction = match (request.read, request.write) {
        (false, false) => "_IOC_NONE",
        (true, false) => "_IOC_READ",
        (false, true) => "_IOC_WRITE",
        (true, true) => "(_IOC_READ | _IOC_WRITE)",
    };
    all.push(format!("_IOC_DIR({code}) == {direction}"));
    all.push(format!("_IOC_TYPE({code}) == {}", request.magic));
    all.push(format!("_IOC_NR({code}) == {}", request.number));
    all.push(format!("_IOC_SIZE({code}) == {}", request.size));
    let argument = request.argument.as_ref().map(|argument| argument.0.as_str());
    if let Some(record) = argument.filter(|it| it.starts_with("struct ") && !it.contains('[')) {
        all.push(format!("sizeof({record}) == {}", request.size));
    }
}
