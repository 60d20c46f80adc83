// SPDX-License-Identifier: Apache-2.0
//! mmap of buffers.

use nix::errno::Errno;

use crate::case::{cases, Context};
use crate::device::{Mapping, Protection, Sharing};
use crate::open::Open;
use crate::ops::copy_start;
use crate::pages::page_size;

cases! {
    "mmap":
    shows_what_ops_write,
    shows_the_same_bytes_in_every_mapping,
    takes_any_pages_of_a_buffer,
    takes_the_rest_of_the_last_page,
    takes_reading_alone,
    refuses_execution,
    refuses_execution_before_private,
    refuses_execution_before_a_bad_range,
    refuses_private,
    refuses_more_than_the_buffer_has_pages,
    refuses_offsets_of_no_buffer,
    refuses_a_range_over_two_buffers,
    refuses_offsets_of_another_open,
    refuses_offsets_within_a_page,
    refuses_a_destroyed_buffer,
    refuses_the_control_node,
    mappings_outlive_their_buffer,
    mappings_outlive_their_descriptor,
}

/// "an op names its buffers and their direction, and the device does it"
fn shows_what_ops_write(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create(9000), open.create(9000));
    let (input, output) = (open.map(&from), open.map(&to));
    for byte in 1..20 {
        input.write(0, &[byte; 9000]);
        open.run(&[copy_start(&from, &to, 9000)]);
        assert_eq!(bytes(&*output, 0, 9000), [byte; 9000]);
    }
}

/// Mappings of one buffer are of one memory.
fn shows_the_same_bytes_in_every_mapping(context: &Context) {
    let open = context.card();
    let buffer = open.create(2 * page_size());
    let (first, second) = (open.map(&buffer), open.map(&buffer));
    first.write(page_size() - 1, &[1, 2]);
    assert_eq!(bytes(&*second, page_size() - 1, 2), [1, 2]);
}

/// "mmap takes any page-aligned part of a buffer's size".
fn takes_any_pages_of_a_buffer(context: &Context) {
    let open = context.card();
    let page = page_size();
    let content: Vec<u8> = (0..4 * page).map(|at| (at / page) as u8 + 1).collect();
    let buffer = open.create_holding(&content);
    for start in 0..4 {
        for end in start + 1..=4 {
            let offset = buffer.mmap_offset + (start * page) as u64;
            let len = (end - start) * page;
            let mapping = open
                .file()
                .mmap(offset, len, Protection::READ_WRITE, Sharing::Shared)
                .unwrap_or_else(|errno| panic!("pages {start}..{end}: {errno}"));
            assert_eq!(mapping.len(), len);
            assert!(bytes(&*mapping, 0, len) == content[start * page..end * page]);
        }
    }
}

/// "a buffer's size rounded up to whole pages"
fn takes_the_rest_of_the_last_page(context: &Context) {
    let open = context.card();
    let buffer = open.create(page_size() + 1);
    let mapping = open.map(&buffer);
    assert_eq!(mapping.len(), 2 * page_size());
    mapping.write(2 * page_size() - 1, &[1]);
    assert_eq!(bytes(&*mapping, 2 * page_size() - 1, 1), [1]);
}

/// PROT_READ alone is nothing that mmap refuses.
fn takes_reading_alone(context: &Context) {
    let open = context.card();
    let buffer = open.create_holding(&[7; 100]);
    let mapping = open
        .file()
        .mmap(buffer.mmap_offset, page_size(), Protection::READ, Sharing::Shared)
        .expect("mmap to read");
    assert_eq!(bytes(&*mapping, 0, 100), [7; 100]);
}

/// "EACCES  PROT_EXEC"
fn refuses_execution(context: &Context) {
    let open = context.card();
    let offset = open.create(1).mmap_offset;
    refuses(&open, offset, 1, Protection::READ_EXEC, Sharing::Shared, Errno::EACCES);
    let all = Protection { exec: true, ..Protection::READ_WRITE };
    refuses(&open, offset, 1, all, Sharing::Shared, Errno::EACCES);
}

/// EACCES comes before "EINVAL  MAP_PRIVATE".
fn refuses_execution_before_private(context: &Context) {
    let open = context.card();
    let offset = open.create(1).mmap_offset;
    refuses(&open, offset, 1, Protection::READ_EXEC, Sharing::Private, Errno::EACCES);
}

/// EACCES comes before "EINVAL  [...] a range that is not wholly inside one live
/// buffer".
fn refuses_execution_before_a_bad_range(context: &Context) {
    let open = context.card();
    let offset = open.create(1).mmap_offset;
    refuses(&open, offset, 2, Protection::READ_EXEC, Sharing::Shared, Errno::EACCES);
    refuses(&open, 0, 1, Protection::READ_EXEC, Sharing::Shared, Errno::EACCES);
}

/// "EINVAL  MAP_PRIVATE"
fn refuses_private(context: &Context) {
    let open = context.card();
    let offset = open.create(1).mmap_offset;
    refuses(&open, offset, 1, Protection::READ, Sharing::Private, Errno::EINVAL);
    refuses(&open, offset, 1, Protection::READ_WRITE, Sharing::Private, Errno::EINVAL);
}

/// "EINVAL  [...] a range that is not wholly inside one live buffer"
fn refuses_more_than_the_buffer_has_pages(context: &Context) {
    let open = context.card();
    let page = page_size() as u64;
    let buffer = open.create(page_size() + 1);
    refuses_range(&open, buffer.mmap_offset, 3);
    refuses_range(&open, buffer.mmap_offset + page, 2);
    refuses_range(&open, buffer.mmap_offset + 2 * page, 1);
    refuses_range(&open, buffer.mmap_offset, 1 << 14);
    refuses_range(&open, buffer.mmap_offset.wrapping_sub(page), 2);
}

/// "EINVAL  [...] a range that is not wholly inside one live buffer"
fn refuses_offsets_of_no_buffer(context: &Context) {
    let open = context.card();
    let buffer = open.create(1);
    let page = page_size() as u64;
    for offset in [0, buffer.mmap_offset + (1 << 40), (1 << 62) - page] {
        refuses_range(&open, offset / page * page, 1);
    }
}

/// "inside one live buffer"
fn refuses_a_range_over_two_buffers(context: &Context) {
    let open = context.card();
    let buffers = [open.create(page_size()), open.create(page_size()), open.create(page_size())];
    for buffer in buffers {
        refuses_range(&open, buffer.mmap_offset, 2);
    }
}

/// mmap_offset is "the offset to give to mmap on the same open".
fn refuses_offsets_of_another_open(context: &Context) {
    let (owner, other) = (context.card(), context.card());
    let buffer = owner.create(1);
    refuses_range(&other, buffer.mmap_offset, 1);
}

/// "any page-aligned part"
fn refuses_offsets_within_a_page(context: &Context) {
    let open = context.card();
    let buffer = open.create(3 * page_size());
    for shift in [1, 8, page_size() as u64 / 2] {
        refuses_range(&open, buffer.mmap_offset + shift, 1);
    }
}

/// "inside one live buffer": a destroyed one is not.
fn refuses_a_destroyed_buffer(context: &Context) {
    let open = context.card();
    let buffer = open.create(1);
    let mapping = open.map(&buffer);
    open.destroy(&buffer);
    refuses_range(&open, buffer.mmap_offset, 1);
    drop(mapping);
    refuses_range(&open, buffer.mmap_offset, 1);
}

/// The control node "has no mmap (ENODEV)".
fn refuses_the_control_node(context: &Context) {
    let control = context.control();
    for protection in [Protection::READ_WRITE, Protection::READ_EXEC] {
        for sharing in [Sharing::Shared, Sharing::Private] {
            refuses(&control, 0, 1, protection, sharing, Errno::ENODEV);
        }
    }
}

/// "Mappings stay valid after BUF_DESTROY".
fn mappings_outlive_their_buffer(context: &Context) {
    let open = context.card();
    let buffer = open.create(page_size());
    let mapping = open.map(&buffer);
    mapping.write(0, &[1]);
    open.destroy(&buffer);
    // Another buffer does not come by this memory.
    let next = open.create_holding(&vec![9; page_size()]);
    assert_eq!(bytes(&*mapping, 0, 1), [1]);
    mapping.write(1, &[2]);
    assert_eq!(bytes(&*mapping, 0, 2), [1, 2]);
    assert_eq!(open.contents(&next), vec![9; page_size()]);
}

/// "A mapping of a buffer pins the open".
fn mappings_outlive_their_descriptor(context: &Context) {
    let open = context.card();
    let mapping = open.map(&open.create(page_size()));
    mapping.write(0, &[1]);
    drop(open);
    let other = context.card();
    other.create_holding(&vec![9; page_size()]);
    mapping.write(1, &[2]);
    assert_eq!(bytes(&*mapping, 0, 2), [1, 2]);
}

#[track_caller]
fn refuses_range(open: &Open, offset: u64, pages: usize) {
    refuses(open, offset, pages, Protection::READ_WRITE, Sharing::Shared, Errno::EINVAL);
}

#[track_caller]
fn refuses(
    open: &Open,
    offset: u64,
    pages: usize,
    protection: Protection,
    sharing: Sharing,
    errno: Errno,
) {
    let mapped = open.file().mmap(offset, pages * page_size(), protection, sharing);
    assert_eq!(mapped.err(), Some(errno), "{pages} pages at {offset:#x}");
}

fn bytes(mapping: &dyn Mapping, offset: usize, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    mapping.read(offset, &mut bytes);
    bytes
}
