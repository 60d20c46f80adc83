// SPDX-License-Identifier: Apache-2.0
//! QUERY.

use nix::errno::Errno;
use spanker_sys::{
    spanker_query, SPANKER_IOC_QUERY, SPANKER_QUERY_CARDS, SPANKER_QUERY_CONTEXT,
    SPANKER_QUERY_DEVICE, SPANKER_QUERY_MATMUL_CAPS, SPANKER_QUERY_TELEMETRY,
};

use crate::case::{cases, Context};
use crate::open::Open;
use crate::user_bytes::UserBytes;
use crate::wire::{decode_all, encode};

cases! {
    "query":
    gives_the_lengths_of_the_header,
    copies_as_much_as_there_is_room_for,
    gives_the_full_length_where_there_is_less_room,
    leaves_room_beyond_the_answer_alone,
    looks_at_no_pointer_where_there_is_no_room,
    refuses_unknown_types,
    refuses_cards_on_a_card,
    refuses_everything_but_cards_on_the_control_node,
    refuses_an_unknown_type_before_its_pointer,
    refuses_a_pointer_that_cannot_be_written,
    refuses_room_that_ends_before_the_answer,
    needs_no_more_memory_than_the_answer,
    leaves_the_struct_alone_when_it_fails,
    lists_the_cards_in_ascending_order,
}

const OF_A_CARD: [u32; 4] = [
    SPANKER_QUERY_DEVICE,
    SPANKER_QUERY_MATMUL_CAPS,
    SPANKER_QUERY_CONTEXT,
    SPANKER_QUERY_TELEMETRY,
];

/// "the full length of the answer on output": first versions of 128, 32 and 72
/// bytes, and arrays.
fn gives_the_lengths_of_the_header(context: &Context) {
    let open = context.card();
    assert_eq!(open.query(SPANKER_QUERY_DEVICE).len(), 128);
    assert_eq!(open.query(SPANKER_QUERY_CONTEXT).len(), 32);
    assert_eq!(open.query(SPANKER_QUERY_TELEMETRY).len(), 72);
    assert_eq!(open.query(SPANKER_QUERY_MATMUL_CAPS).len() % 16, 0);
    assert_eq!(context.control().query(SPANKER_QUERY_CARDS).len() % 4, 0);
}

/// "min(room, full length) bytes are copied".
fn copies_as_much_as_there_is_room_for(context: &Context) {
    let open = context.card();
    let whole = open.query(SPANKER_QUERY_DEVICE);
    for size in 1..whole.len() {
        let room = UserBytes::new(&[0xee; 128]);
        let query =
            spanker_query { type_: SPANKER_QUERY_DEVICE, size: size as u32, ptr: room.address() };
        assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Ok(()));
        assert_eq!(room.bytes()[..size], whole[..size]);
        assert!(room.bytes()[size..].iter().all(|&byte| byte == 0xee), "beyond {size} bytes");
    }
}

/// "size is the room at ptr in bytes on input, and the full length of the answer
/// on output".
fn gives_the_full_length_where_there_is_less_room(context: &Context) {
    let open = context.card();
    for type_ in OF_A_CARD {
        let full = open.query(type_).len() as u32;
        for size in [0, 1, full - 1, full, full + 1, u32::MAX] {
            let room = UserBytes::room(full as usize);
            let query = spanker_query { type_, size, ptr: room.address() };
            let answer = open.request(SPANKER_IOC_QUERY, &query);
            assert_eq!(answer.result, Ok(()), "type {type_}, room {size}");
            assert_eq!(answer.after, spanker_query { size: full, ..query });
        }
    }
}

/// "min(room, full length) bytes are copied" and no more.
fn leaves_room_beyond_the_answer_alone(context: &Context) {
    let open = context.card();
    for type_ in OF_A_CARD {
        let full = open.query(type_).len();
        let room = UserBytes::new(&vec![0xee; full + 100]);
        let query = spanker_query { type_, size: full as u32 + 100, ptr: room.address() };
        assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Ok(()));
        assert_eq!(room.bytes()[full..], [0xee; 100], "type {type_}");
    }
}

/// "nothing is read or written at ptr when that is 0".
fn looks_at_no_pointer_where_there_is_no_room(context: &Context) {
    let (card, control) = (context.card(), context.control());
    for ptr in [0, 8, 0xffff_8000_0000_0000, u64::MAX] {
        for type_ in OF_A_CARD {
            let query = spanker_query { type_, size: 0, ptr };
            assert_eq!(card.request(SPANKER_IOC_QUERY, &query).result, Ok(()));
        }
        let query = spanker_query { type_: SPANKER_QUERY_CARDS, size: 0, ptr };
        assert_eq!(control.request(SPANKER_IOC_QUERY, &query).result, Ok(()));
    }
}

/// "EINVAL  unknown type"
fn refuses_unknown_types(context: &Context) {
    for open in [context.card(), context.control()] {
        for type_ in [0, 6, 7, 0x8000_0002, u32::MAX] {
            refuses(&open, type_);
        }
    }
}

/// "EINVAL  [...] SPANKER_QUERY_CARDS on a card"
fn refuses_cards_on_a_card(context: &Context) {
    refuses(&context.card(), SPANKER_QUERY_CARDS);
}

/// "EINVAL  [...] another on the control node"
fn refuses_everything_but_cards_on_the_control_node(context: &Context) {
    for type_ in OF_A_CARD {
        refuses(&context.control(), type_);
    }
}

/// EINVAL comes before EFAULT.
fn refuses_an_unknown_type_before_its_pointer(context: &Context) {
    for open in [context.card(), context.control()] {
        let query = spanker_query { type_: 6, size: 8, ptr: 8 };
        assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Err(Errno::EINVAL));
    }
}

/// "EFAULT  ptr [...] cannot be written"
fn refuses_a_pointer_that_cannot_be_written(context: &Context) {
    let open = context.card();
    let read_only = UserBytes::read_only(&[0; 128]);
    for type_ in OF_A_CARD {
        for ptr in [0, 8, 0xffff_8000_0000_0000, u64::MAX, read_only.address()] {
            for size in [1, 4096] {
                let query = spanker_query { type_, size, ptr };
                let answer = open.request(SPANKER_IOC_QUERY, &query);
                assert_eq!(answer.result, Err(Errno::EFAULT), "type {type_} at {ptr:#x}");
            }
        }
    }
    let query = spanker_query { type_: SPANKER_QUERY_CARDS, size: 4, ptr: 8 };
    assert_eq!(context.control().request(SPANKER_IOC_QUERY, &query).result, Err(Errno::EFAULT));
}

/// "EFAULT  ptr [...] cannot be written", the last byte of it included.
fn refuses_room_that_ends_before_the_answer(context: &Context) {
    let open = context.card();
    for type_ in OF_A_CARD {
        let full = open.query(type_).len();
        for reachable in [0, 1, full / 2, full - 1] {
            let room = UserBytes::unreadable_from(&vec![0; full], reachable);
            let query = spanker_query { type_, size: full as u32, ptr: room.address() };
            assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Err(Errno::EFAULT));
        }
    }
}

/// "min(room, full length) bytes are copied": room that is only claimed is not
/// touched.
fn needs_no_more_memory_than_the_answer(context: &Context) {
    let open = context.card();
    for type_ in OF_A_CARD {
        let room = UserBytes::room(open.query(type_).len());
        let query = spanker_query { type_, size: 1 << 20, ptr: room.address() };
        assert_eq!(open.request(SPANKER_IOC_QUERY, &query).result, Ok(()), "type {type_}");
    }
}

/// "A request that fails changes nothing".
fn leaves_the_struct_alone_when_it_fails(context: &Context) {
    let open = context.card();
    let query = spanker_query { type_: SPANKER_QUERY_DEVICE, size: 500, ptr: 8 };
    let answer = open.request(SPANKER_IOC_QUERY, &query);
    assert_eq!(answer.result, Err(Errno::EFAULT));
    assert_eq!(answer.after, query);
    let unwritable = UserBytes::read_only(&encode(&spanker_query { size: 0, ptr: 0, ..query }));
    let result = open.file().request(SPANKER_IOC_QUERY, unwritable.address());
    assert_eq!(result, Err(Errno::EFAULT), "\"or the struct, cannot be written\"");
}

/// "SPANKER_QUERY_CARDS: indices, ascending"
fn lists_the_cards_in_ascending_order(context: &Context) {
    let cards: Vec<u32> = decode_all(&context.control().query(SPANKER_QUERY_CARDS));
    assert!(cards.windows(2).all(|pair| pair[0] < pair[1]), "{cards:?}");
    let index = context.card().device_info().card_index;
    assert!(cards.contains(&index), "{cards:?} lacks the card under test, {index}");
}

#[track_caller]
fn refuses(open: &Open, type_: u32) {
    for size in [0, 256] {
        let room = UserBytes::new(&[0xee; 256]);
        let query = spanker_query { type_, size, ptr: room.address() };
        let answer = open.request(SPANKER_IOC_QUERY, &query);
        assert_eq!(answer.result, Err(Errno::EINVAL), "type {type_}, room {size}");
        assert_eq!(answer.after, query);
        assert_eq!(room.bytes(), [0xee; 256]);
    }
}
