// SPDX-License-Identifier: Apache-2.0
//! Request codes.

use crate::mutation::{additive, breaking, nothing, Mutation};

const PING: &str = "#define SPANKER_IOC_PING";
const GET_VERSION: &str = "#define SPANKER_IOC_GET_VERSION";
const QUERY: &str = "#define SPANKER_IOC_QUERY";
const DESTROY: &str = "#define SPANKER_IOC_BUF_DESTROY";
const SUBMIT: &str = "#define SPANKER_IOC_WORK_SUBMIT";
const WAIT: &str = "#define SPANKER_IOC_WAIT";

pub(crate) const ALL: &[Mutation] = &[
    breaking(
        "a number is another",
        ("request-code", "SPANKER_IOC_QUERY"),
        &[(QUERY, "0x10", "0x11")],
    ),
    breaking(
        "a number without data is another",
        ("request-code", "SPANKER_IOC_PING"),
        &[(PING, "0x01", "0x03")],
    ),
    breaking(
        "a magic is another",
        ("request-code", "SPANKER_IOC_WAIT"),
        &[(WAIT, "SPANKER_IOC_MAGIC", "'S'")],
    ),
    breaking(
        "a direction turns",
        ("request-code", "SPANKER_IOC_GET_VERSION"),
        &[(GET_VERSION, "_IOR", "_IOW")],
    ),
    breaking(
        "a direction is added",
        ("request-code", "SPANKER_IOC_BUF_DESTROY"),
        &[(DESTROY, "_IOW", "_IOWR")],
    ),
    breaking(
        "a direction is taken away",
        ("request-code", "SPANKER_IOC_WAIT"),
        &[(WAIT, "_IOWR", "_IOW")],
    ),
    breaking(
        "a request gets data",
        ("request-code", "SPANKER_IOC_PING"),
        &[(PING, "_IO(SPANKER_IOC_MAGIC, 0x01)", "_IOR(SPANKER_IOC_MAGIC, 0x01, __u32)")],
    ),
    breaking(
        "an argument has another size",
        ("request-code", "SPANKER_IOC_WAIT"),
        &[(WAIT, "struct spanker_wait", "__u64")],
    ),
    breaking(
        "an argument is another of equal size",
        ("request-argument", "SPANKER_IOC_WORK_SUBMIT"),
        &[(SUBMIT, "struct spanker_work_submit", "struct spanker_wait")],
    ),
    breaking(
        "an argument is an integer of equal size",
        ("request-argument", "SPANKER_IOC_GET_VERSION"),
        &[(GET_VERSION, "struct spanker_version", "__u64")],
    ),
    breaking(
        "a request is renamed",
        ("request-renamed", "SPANKER_IOC_PING"),
        &[(PING, "SPANKER_IOC_PING", "SPANKER_IOC_NOOP")],
    ),
    breaking(
        "a request goes",
        ("request-removed", "SPANKER_IOC_PING"),
        &[(PING, "#define", "#undef")],
    ),
    additive(
        "a request comes",
        ("request-added", "SPANKER_IOC_RESET"),
        &[(WAIT, "#define", "#define SPANKER_IOC_RESET _IO(SPANKER_IOC_MAGIC, 0x40)\n#define")],
    ),
    breaking(
        "a new request has a number that is taken",
        ("request-number-taken", "SPANKER_IOC_RESET"),
        &[(
            WAIT,
            "#define",
            "#define SPANKER_IOC_RESET _IOWR(SPANKER_IOC_MAGIC, 0x10, __u32)\n#define",
        )],
    ),
    breaking(
        "a new request has the code of another",
        ("unjudged", "SPANKER_IOC_RESET"),
        &[(WAIT, "#define", "#define SPANKER_IOC_RESET _IO(SPANKER_IOC_MAGIC, 0x01)\n#define")],
    ),
    breaking(
        "a request becomes a number",
        ("kind-changed", "SPANKER_IOC_PING"),
        &[(PING, "_IO(SPANKER_IOC_MAGIC, 0x01)", "17")],
    ),
    breaking(
        "a request becomes an enumerator",
        ("macro-removed", "SPANKER_IOC_PING"),
        &[
            (PING, "#define SPANKER_IOC_PING", "enum { SPANKER_IOC_PING = "),
            ("enum { SPANKER_IOC_PING = ", ")", ") };"),
        ],
    ),
    breaking(
        "two new requests have one code",
        ("unjudged", "SPANKER_IOC_TWICE"),
        &[(
            PING,
            "#define",
            "#define SPANKER_IOC_ONCE _IO(SPANKER_IOC_MAGIC, 0x7f)\n\
             #define SPANKER_IOC_TWICE _IO(SPANKER_IOC_MAGIC, 0x7f)\n#define",
        )],
    ),
    nothing(
        "a code is put together by hand",
        &[(PING, "_IO(SPANKER_IOC_MAGIC, 0x01)", "_IOC(_IOC_NONE, SPANKER_IOC_MAGIC, 0x01, 0)")],
    ),
];
