// SPDX-License-Identifier: Apache-2.0
//! "When a card is unplugged".

use nix::errno::Errno;
use spanker_sys::{spanker_query, SPANKER_IOC_PING, SPANKER_IOC_QUERY, SPANKER_QUERY_CARDS};

use super::gone;
use crate::case::{Case, Context, Need};
use crate::ops::valid_copy;
use crate::wire::decode_all;

/// Gives what is so of every open that is gone to opens of an unplugged card.
macro_rules! cases_of_the_gone {
    ($($name:ident),*; $($own:ident),*) => {
        pub(super) const CASES: &[Case] = &[
            $(Case::new("unplug", stringify!($name), |context| gone::$name(context, unplug))
                .needing(&[Need::Plug]),)*
            $(Case::new("unplug", stringify!($own), $own).needing(&[Need::Plug]),)*
        ];
    };
}

cases_of_the_gone! {
    requests_answer_enodev,
    enodev_goes_before_everything,
    read_answers_enodev,
    mmap_answers_enodev,
    poll_tells_of_hangup,
    mappings_stay,
    mappings_stay_where_they_were_never_touched,
    who_is_blocked_is_woken,
    who_is_woken_is_told_completed,
    opens_end_quickly,
    no_request_succeeds_afterwards;
    the_card_is_listed_no_more,
    the_card_cannot_be_opened,
    of_the_only_card_leaves_nothing_to_list,
    the_control_node_goes_on
}

fn unplug(context: &Context) {
    context.plug().unplug();
}

/// CARDS are those that there are.
fn the_card_is_listed_no_more(context: &Context) {
    let control = context.control();
    let index = context.card().device_info().card_index;
    let before: Vec<u32> = decode_all(&control.query(SPANKER_QUERY_CARDS));
    unplug(context);
    let after: Vec<u32> = decode_all(&control.query(SPANKER_QUERY_CARDS));
    assert!(before.contains(&index));
    let others: Vec<u32> = before.into_iter().filter(|&card| card != index).collect();
    assert_eq!(after, others);
}

/// "min(room, full length) bytes are copied, and nothing is read or written at
/// ptr when that is 0."
fn of_the_only_card_leaves_nothing_to_list(context: &Context) {
    let control = context.control();
    unplug(context);
    let others = control.query(SPANKER_QUERY_CARDS);
    if others.is_empty() {
        let query = spanker_query { type_: SPANKER_QUERY_CARDS, size: 4, ptr: 8 };
        let answer = control.request(SPANKER_IOC_QUERY, &query);
        assert_eq!((answer.result, answer.after.size), (Ok(()), 0));
    }
}

/// There is nothing to open, whatever open answers.
fn the_card_cannot_be_opened(context: &Context) {
    let open = context.card();
    open.run(&[valid_copy(&open).op]);
    unplug(context);
    let answer = context.device().open_card().err();
    assert!(
        matches!(answer, Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO)),
        "open of an unplugged card: {answer:?}",
    );
}

/// "/dev/spankerctl is there whenever the driver is loaded."
fn the_control_node_goes_on(context: &Context) {
    let before = context.control();
    unplug(context);
    for control in [before, context.control()] {
        assert_eq!(control.file().request(SPANKER_IOC_PING, 0), Ok(()));
    }
}
