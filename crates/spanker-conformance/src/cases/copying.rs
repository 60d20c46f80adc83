// SPDX-License-Identifier: Apache-2.0
//! COPY: "m rows of k *bytes*, from a to out, at any alignment."

use crate::case::{cases, Context};
use crate::ops::{bytes, copy, copy_start};
use crate::random::Random;

cases! {
    "copying":
    takes_every_alignment,
    keeps_the_gaps_of_out,
    leaves_a_as_it_was,
    takes_strides_of_either_side,
    takes_more_than_a_page,
    works_within_one_buffer,
    sees_what_the_op_before_wrote,
    later_stays_where_two_ops_write,
    copies_the_same_as_row_by_row,
}

/// "at any alignment"
fn takes_every_alignment(context: &Context) {
    let open = context.card();
    let content = Random::new(31).bytes(100);
    let (from, to) = (open.create_holding(&content), open.create(100));
    for a in 0..9 {
        for out in 0..9 {
            for len in [1, 2, 3, 7, 8, 31, 64] {
                open.fill(&to, &[0xee; 100]);
                open.run(&[copy((1, len), bytes(&from, a, len), bytes(&to, out, len))]);
                let mut expected = [0xee; 100];
                expected[out..out + len].copy_from_slice(&content[a..a + len]);
                assert_eq!(open.contents(&to), expected, "{len} bytes from {a} to {out}");
            }
        }
    }
}

/// "Only row_bytes of each row of out are written; the gaps keep what they held."
fn keeps_the_gaps_of_out(context: &Context) {
    let open = context.card();
    let from = open.create_holding(&[1; 60]);
    let to = open.create_holding(&[0xee; 300]);
    open.run(&[copy((6, 10), bytes(&from, 0, 10), bytes(&to, 5, 47))]);
    let mut expected = [0xee; 300];
    for row in 0..6 {
        expected[5 + 47 * row..][..10].fill(1);
    }
    assert_eq!(open.contents(&to), expected);
}

/// An op writes its out and nothing else.
fn leaves_a_as_it_was(context: &Context) {
    let open = context.card();
    let content = Random::new(32).bytes(5000);
    let (from, to) = (open.create_holding(&content), open.create(5000));
    open.run(&[copy_start(&from, &to, 5000)]);
    assert!(open.contents(&from) == content);
    assert!(open.contents(&to) == content);
}

/// Strides are each operand's own: rows are gathered and spread.
fn takes_strides_of_either_side(context: &Context) {
    let open = context.card();
    let content: Vec<u8> = (0..=255).collect();
    let from = open.create_holding(&content);
    let (gathered, spread) = (open.create(24), open.create_holding(&[0xee; 256]));
    open.run(&[copy((8, 3), bytes(&from, 1, 32), bytes(&gathered, 0, 3))]);
    let expected: Vec<u8> = (0..8).flat_map(|row| [1, 2, 3].map(|at| row * 32 + at)).collect();
    assert_eq!(open.contents(&gathered), expected);
    open.run(&[copy((8, 3), bytes(&gathered, 0, 3), bytes(&spread, 1, 32))]);
    for (at, byte) in open.contents(&spread).into_iter().enumerate() {
        let copied = (1..4).contains(&(at % 32));
        assert_eq!(byte, if copied { at as u8 } else { 0xee }, "byte {at}");
    }
}

/// Bytes are bytes, however many: k is "not limited".
fn takes_more_than_a_page(context: &Context) {
    let open = context.card();
    let len = 3_000_001.min(open.device_info().max_buf_size as usize);
    let content = Random::new(33).bytes(len);
    let (from, to) = (open.create_holding(&content), open.create(len));
    open.run(&[copy_start(&from, &to, len)]);
    assert!(open.contents(&to) == content);
    open.fill(&to, &vec![0; len]);
    let row = len / 3;
    open.run(&[copy((3, row), bytes(&from, 0, row), bytes(&to, 0, row))]);
    assert!(open.contents(&to)[..3 * row] == content[..3 * row]);
}

/// Only footprints that overlap are refused.
fn works_within_one_buffer(context: &Context) {
    let open = context.card();
    let content = Random::new(34).bytes(400);
    let buffer = open.create_holding(&content);
    open.run(&[copy((4, 25), bytes(&buffer, 0, 50), bytes(&buffer, 200, 50))]);
    let mut expected = content.clone();
    for row in 0..4 {
        expected[200 + 50 * row..][..25].copy_from_slice(&content[50 * row..][..25]);
    }
    assert_eq!(open.contents(&buffer), expected);
}

/// "Its ops behave as if run one after another in the order of the array".
fn sees_what_the_op_before_wrote(context: &Context) {
    let open = context.card();
    let len = 64;
    let ops = (open.device_info().max_ops as usize).min(200);
    let buffer = open.create_holding(&Random::new(35).bytes((ops + 1) * len));
    let first = open.contents(&buffer)[..len].to_vec();
    let chain: Vec<_> = (0..ops)
        .map(|op| {
            copy((1, len), bytes(&buffer, op * len, len), bytes(&buffer, (op + 1) * len, len))
        })
        .collect();
    open.run(&chain);
    assert!(open.contents(&buffer) == first.repeat(ops + 1));
}

/// "as if run one after another": the last to write wins, within a batch and
/// between batches.
fn later_stays_where_two_ops_write(context: &Context) {
    let open = context.card();
    let len = 100_000;
    let (first, second) = (open.create_holding(&vec![1; len]), open.create_holding(&vec![2; len]));
    let out = open.create(len);
    for _ in 0..20 {
        open.run(&[copy_start(&first, &out, len), copy_start(&second, &out, len / 2)]);
        let content = open.contents(&out);
        assert!(content[..len / 2].iter().all(|&byte| byte == 2), "the second op came later");
        assert!(content[len / 2..].iter().all(|&byte| byte == 1), "the first op wrote here");
        open.submit(&[copy_start(&second, &out, len)]);
        open.run(&[copy_start(&first, &out, len)]);
        assert!(open.contents(&out).iter().all(|&byte| byte == 1), "the second batch came later");
    }
}

/// Random rows, offsets and strides.
fn copies_the_same_as_row_by_row(context: &Context) {
    let open = context.card();
    let max_rows = (open.device_info().max_m as usize).min(20);
    let mut random = Random::new(36);
    for round in 0..200 {
        let (rows, len) = (random.between(1, max_rows), random.between(1, 300));
        let mut place = || (random.below(70), len + random.below(90));
        let ((a, a_stride), (out, out_stride)) = (place(), place());
        let size = |offset: usize, stride: usize| offset + (rows - 1) * stride + len;
        let content = random.bytes(size(a, a_stride));
        let behind = random.below(40);
        let before = random.bytes(size(out, out_stride) + behind);
        let (from, to) = (open.create_holding(&content), open.create_holding(&before));
        open.run(&[copy((rows, len), bytes(&from, a, a_stride), bytes(&to, out, out_stride))]);
        let mut expected = before;
        for row in 0..rows {
            expected[out + row * out_stride..][..len]
                .copy_from_slice(&content[a + row * a_stride..][..len]);
        }
        assert!(
            open.contents(&to) == expected,
            "round {round}: {rows} rows of {len} from {a} + {a_stride} to {out} + {out_stride}",
        );
        open.destroy(&from);
        open.destroy(&to);
    }
}
