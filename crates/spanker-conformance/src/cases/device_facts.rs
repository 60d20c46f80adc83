// SPDX-License-Identifier: Apache-2.0
//! What a card says of itself.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use spanker_sys::{
    spanker_matmul_cap, SPANKER_DEVICE_VIRTUAL, SPANKER_MATMUL_CAP_BIT_EXACT, SPANKER_TYPE_F32,
    SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q8_K,
};

use super::refusal::refuses_op;
use crate::case::{cases, Context, Need};
use crate::ops::{valid_matmul, valid_matmul_of};

cases! {
    "device":
    is_the_same_for_every_open,
    has_a_printable_name_with_padding,
    has_nothing_in_what_is_reserved,
    has_limits_that_let_work_through,
    is_virtual_without_pci_identifiers,
    offers_only_defined_combinations,
    offers_every_combination_once,
    offers_exact_bits_where_it_is_virtual,
    takes_the_combinations_that_it_offers,
    refuses_the_combinations_that_it_does_not_offer;
    [Need::Descriptors]
    has_the_index_of_its_node
}

/// "/dev/spankerN is the Sail with index N."
fn has_the_index_of_its_node(context: &Context) {
    let open = context.card();
    let fd = context.descriptor(&open).as_raw_fd();
    let node = fs::read_link(format!("/proc/self/fd/{fd}")).expect("the node of a descriptor");
    let name = node.file_name().and_then(OsStr::to_str).expect("a node has a name");
    assert_eq!(name, format!("spanker{}", open.device_info().card_index));
}

/// DEVICE is about the card, not about the open.
fn is_the_same_for_every_open(context: &Context) {
    let (first, second) = (context.card(), context.card());
    assert_eq!(first.device_info(), second.device_info());
    assert_eq!(first.matmul_caps(), second.matmul_caps());
}

/// "UTF-8, NUL-padded, at least one NUL"
fn has_a_printable_name_with_padding(context: &Context) {
    let name = context.card().device_info().name;
    let len = name.iter().position(|&byte| byte == 0).expect("at least one NUL");
    assert!(len > 0, "the name is empty");
    assert!(std::str::from_utf8(&name[..len]).is_ok(), "{name:?}");
    assert!(name[len..].iter().all(|&byte| byte == 0), "padding of {name:?}");
}

/// "fields named reserved must be zero"; "SPANKER_FEATURE_*: none is defined
/// yet".
fn has_nothing_in_what_is_reserved(context: &Context) {
    let info = context.card().device_info();
    assert_eq!(info.reserved, 0);
    assert_eq!(info.features, 0);
    assert_eq!(info.flags & !SPANKER_DEVICE_VIRTUAL, 0);
}

/// Something can be done within the limits: a product of one superblock, a
/// buffer, a batch.
fn has_limits_that_let_work_through(context: &Context) {
    let info = context.card().device_info();
    assert!(info.max_m >= 1 && info.max_n >= 1 && info.max_k >= 256, "{info:?}");
    assert!(info.max_ops >= 1 && info.max_inflight >= 1 && info.max_bufs >= 1, "{info:?}");
    assert!(info.max_buf_size >= 1 && info.mem_size >= 1, "{info:?}");
}

/// "the four PCI identifiers: 0 when virtual"
fn is_virtual_without_pci_identifiers(context: &Context) {
    let info = context.card().device_info();
    if info.flags & SPANKER_DEVICE_VIRTUAL != 0 {
        let identifiers =
            [info.pci_vendor, info.pci_device, info.pci_subvendor, info.pci_subdevice];
        assert_eq!(identifiers, [0; 4]);
    }
}

/// "defined are F32 x Q4_K, Q8_K x Q4_K and Q4_K x Q4_K, each to F32"
fn offers_only_defined_combinations(context: &Context) {
    for cap in context.card().matmul_caps() {
        assert!(
            [SPANKER_TYPE_F32, SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K].contains(&cap.a_type)
                && cap.b_type == SPANKER_TYPE_Q4_K
                && cap.out_type == SPANKER_TYPE_F32
                && cap.flags & !SPANKER_MATMUL_CAP_BIT_EXACT == 0,
            "{cap:?}",
        );
    }
}

/// "A combination of operand types that MATMUL takes": each has one element.
fn offers_every_combination_once(context: &Context) {
    let caps = context.card().matmul_caps();
    assert!(!caps.is_empty());
    for (index, cap) in caps.iter().enumerate() {
        let same = |other: &&spanker_matmul_cap| {
            (other.a_type, other.b_type, other.out_type) == (cap.a_type, cap.b_type, cap.out_type)
        };
        assert_eq!(caps[index..].iter().filter(same).count(), 1, "{cap:?}");
    }
}

/// "All virtual Sails do."
fn offers_exact_bits_where_it_is_virtual(context: &Context) {
    let open = context.card();
    if open.device_info().flags & SPANKER_DEVICE_VIRTUAL != 0 {
        for cap in open.matmul_caps() {
            assert_ne!(cap.flags & SPANKER_MATMUL_CAP_BIT_EXACT, 0, "{cap:?}");
        }
    }
}

/// "Which types go together is asked with SPANKER_QUERY_MATMUL_CAPS".
fn takes_the_combinations_that_it_offers(context: &Context) {
    let open = context.card();
    for cap in open.matmul_caps() {
        let valid = valid_matmul_of(&open, cap.a_type, (2, 3, 256));
        open.run(&[valid.op]);
    }
}

/// "EOPNOTSUPP  MATMUL: the card does not take these types together"
fn refuses_the_combinations_that_it_does_not_offer(context: &Context) {
    let open = context.card();
    let valid = valid_matmul(&open);
    let types = [0, 1, 8, 12, 15, u32::MAX];
    let offered: Vec<[u32; 3]> =
        open.matmul_caps().iter().map(|cap| [cap.a_type, cap.b_type, cap.out_type]).collect();
    for a in types {
        for b in types {
            for out in types {
                if offered.contains(&[a, b, out]) {
                    continue;
                }
                let mut op = valid.op;
                (op.a.type_, op.b.type_, op.out.type_) = (a, b, out);
                refuses_op(&open, &valid.op, &op, Errno::EOPNOTSUPP);
            }
        }
    }
}
