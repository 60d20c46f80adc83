// SPDX-License-Identifier: Apache-2.0
//! What else can be done with a mapping than to read and write it: mprotect,
//! mremap, a munmap of a part, fork, and requests whose arguments lie in it.

use std::fs;

use nix::errno::Errno;
use spanker_sys::{
    spanker_query, spanker_version, SPANKER_IOC_GET_VERSION, SPANKER_IOC_QUERY,
    SPANKER_IOC_WORK_SUBMIT, SPANKER_QUERY_DEVICE,
};

use crate::busy::eventually;
use crate::case::{cases, Context, Need};
use crate::device::{Mapping, Protection, Sharing};
use crate::kernel::{Child, KernelMapping};
use crate::open::{batch, Buffer, Open};
use crate::ops::{copy_start, valid_copy};
use crate::pages::page_size;
use crate::wire::{decode, encode};

cases! {
    "mapping": ;
    [Need::Descriptors]
    refuses_execution_by_mprotect,
    of_reading_alone_may_be_written_by_mprotect,
    does_not_grow,
    may_shrink,
    may_move,
    is_not_copied_into_dumps,
    refuses_ranges_that_nothing_can_hold,
    of_a_part_is_unmapped_by_itself,
    a_part_pins_the_open,
    a_moved_one_pins_the_open,
    a_forked_one_pins_the_open,
    a_forked_one_is_of_the_same_memory,
    a_forked_one_keeps_the_memory_of_a_destroyed_buffer,
    may_hold_what_a_request_is_about,
    may_hold_what_is_submitted,
    may_hold_what_is_read,
}

/// "EACCES  PROT_EXEC, here or by mprotect later"
fn refuses_execution_by_mprotect(context: &Context) {
    let open = context.card();
    let buffer = open.create_holding(&[7; 100]);
    for protection in [Protection::READ, Protection::READ_WRITE] {
        let mapping = map_with(context, &open, &buffer, protection);
        for wanted in [
            Protection::READ_EXEC,
            Protection { exec: true, ..Protection::READ_WRITE },
            Protection { read: false, write: false, exec: true },
        ] {
            assert_eq!(mapping.protect(wanted), Err(Errno::EACCES), "{wanted:?}");
        }
        let mut bytes = [0; 100];
        mapping.read(0, &mut bytes);
        assert_eq!(bytes, [7; 100]);
    }
}

/// A descriptor that may be written may be mapped to be written, also later.
fn of_reading_alone_may_be_written_by_mprotect(context: &Context) {
    let open = context.card();
    let buffer = open.create(100);
    let mapping = map_with(context, &open, &buffer, Protection::READ);
    assert_eq!(mapping.protect(Protection::READ_WRITE), Ok(()));
    mapping.write(0, &[7; 100]);
    assert_eq!(open.contents(&buffer), [7; 100]);
}

/// "mmap takes any page-aligned part of a buffer's size": mremap gives no more.
fn does_not_grow(context: &Context) {
    let open = context.card();
    let buffer = open.create_holding(&[7; 100]);
    let _neighbour = open.create(page_size());
    let mut mapping = map(context, &open, &buffer);
    for pages in [2, 16] {
        assert!(mapping.remap(pages * page_size()).is_err(), "{pages} pages of a buffer of one");
    }
    let larger = open.create(4 * page_size());
    let mut part = KernelMapping::new(
        context.descriptor(&open),
        larger.mmap_offset,
        page_size(),
        Protection::READ_WRITE,
        Sharing::Shared,
    )
    .expect("mmap of the first page");
    assert!(part.remap(8 * page_size()).is_err(), "8 pages of a buffer of 4");
    let mut bytes = [0; 100];
    mapping.read(0, &mut bytes);
    assert_eq!(bytes, [7; 100]);
}

/// mremap to less unmaps the end.
fn may_shrink(context: &Context) {
    let open = context.card();
    let before = open.telemetry().mem_used;
    let buffer = open.create_holding(&vec![7; 3 * page_size()]);
    let mut mapping = map(context, &open, &buffer);
    assert_eq!(mapping.remap(page_size()), Ok(()));
    open.destroy(&buffer);
    let mut bytes = vec![0; page_size()];
    mapping.read(0, &mut bytes);
    assert_eq!(bytes, vec![7; page_size()]);
    assert_eq!(open.telemetry().mem_used - before, 3 * page_size() as u64);
    drop(mapping);
    eventually("the memory is free after munmap", || open.telemetry().mem_used == before);
}

/// A mapping that was moved is of the same memory.
fn may_move(context: &Context) {
    let open = context.card();
    let buffer = open.create_holding(&vec![7; 2 * page_size()]);
    let mut mapping = map(context, &open, &buffer);
    let before = mapping.address();
    mapping.relocate().expect("mremap to another address");
    assert_ne!(mapping.address(), before);
    // The second page is touched here for the first time.
    mapping.write(page_size(), &[9]);
    let content = open.contents(&buffer);
    assert_eq!((content[0], content[page_size()]), (7, 9));
}

/// Operand bytes are nothing for a dump, and a mapping does not grow: `dd` and
/// `de` in the flags that the kernel tells.
fn is_not_copied_into_dumps(context: &Context) {
    let open = context.card();
    let mapping = map(context, &open, &open.create(page_size()));
    let flags = flags_of(&mapping);
    for flag in ["dd", "de", "sh"] {
        assert!(flags.iter().any(|has| has == flag), "{flag} is not among {flags:?}");
    }
    for flag in ["ex", "me"] {
        assert!(!flags.iter().any(|has| has == flag), "{flag} is among {flags:?}");
    }
}

/// "a range that is not wholly inside one live buffer": whoever refuses it
/// first.
fn refuses_ranges_that_nothing_can_hold(context: &Context) {
    let open = context.card();
    let buffer = open.create(page_size());
    let page = page_size() as u64;
    let map = |offset, len| {
        let fd = context.descriptor(&open);
        KernelMapping::new(fd, offset, len, Protection::READ_WRITE, Sharing::Shared)
    };
    for offset in [u64::MAX - page + 1, (1 << 63) - page, 1 << 63] {
        for pages in [1, 2, 1 << 10] {
            assert!(map(offset, pages * page_size()).is_err(), "{pages} pages at {offset:#x}");
        }
    }
    let half = usize::MAX / 2 / page_size() * page_size();
    for len in [half, half / 256, usize::MAX / page_size() * page_size()] {
        assert!(map(buffer.mmap_offset, len).is_err(), "{len} bytes");
    }
    assert!(map(buffer.mmap_offset, page_size()).is_ok());
}

/// "the memory [...] after [...] its last mapping is gone": a part is one.
fn of_a_part_is_unmapped_by_itself(context: &Context) {
    let open = context.card();
    let before = open.telemetry().mem_used;
    let content: Vec<u8> = (0..4 * page_size()).map(|at| (at / page_size()) as u8 + 1).collect();
    let buffer = open.create_holding(&content);
    let (first, rest) = map(context, &open, &buffer).split(page_size());
    let (middle, last) = rest.split(2 * page_size());
    open.destroy(&buffer);
    let held = || open.telemetry().mem_used - before;
    drop(middle);
    assert_eq!(held(), 4 * page_size() as u64, "of the buffer, not of what is mapped of it");
    let mut bytes = [0; 2];
    first.read(0, &mut bytes[..1]);
    last.read(page_size() - 1, &mut bytes[1..]);
    assert_eq!(bytes, [1, 4]);
    drop(first);
    assert_eq!(held(), 4 * page_size() as u64);
    drop(last);
    eventually("the memory is free after the last munmap", || held() == 0);
}

/// "it ends at the last close *and* the last munmap": a part that is left is
/// mapped.
fn a_part_pins_the_open(context: &Context) {
    let (watcher, before) = watched(context);
    let open = context.card();
    let mapping = map(context, &open, &open.create(3 * page_size()));
    drop(open);
    let (first, rest) = mapping.split(page_size());
    drop(first);
    let (middle, last) = rest.split(page_size());
    drop(last);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    middle.write(0, &[1]);
    drop(middle);
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// "the last munmap", wherever the mapping has gone.
fn a_moved_one_pins_the_open(context: &Context) {
    let (watcher, before) = watched(context);
    let open = context.card();
    let mut mapping = map(context, &open, &open.create(page_size()));
    drop(open);
    mapping.relocate().expect("mremap to another address");
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    mapping.write(0, &[1]);
    drop(mapping);
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// "the last munmap": that of a child, which has a copy of the mapping.
fn a_forked_one_pins_the_open(context: &Context) {
    let (watcher, before) = watched(context);
    let open = context.card();
    let buffer = open.create(page_size());
    // The descriptor is closed before the fork: the mapping alone is left.
    let mapping = map(context, &open, &buffer);
    drop(open);
    let child = Child::that_sleeps();
    drop(mapping);
    assert_ne!(watcher.telemetry().mem_used, before, "the open has not ended");
    child.kill();
    eventually("the open has ended", || watcher.telemetry().mem_used == before);
}

/// A mapping is shared, also with a child.
fn a_forked_one_is_of_the_same_memory(context: &Context) {
    let open = context.card();
    let buffer = open.create(2 * page_size());
    let mapping = map(context, &open, &buffer);
    mapping.write(0, &[1]);
    let child = || {
        let mut byte = [0];
        mapping.read(0, &mut byte);
        // The parent has not touched the second page.
        mapping.write(page_size(), &[byte[0] + 1]);
        true
    };
    Child::that(child).ends_well();
    let mut byte = [0];
    mapping.read(page_size(), &mut byte);
    assert_eq!(byte, [2]);
}

/// "its last mapping is gone": the child's is one.
fn a_forked_one_keeps_the_memory_of_a_destroyed_buffer(context: &Context) {
    let open = context.card();
    let before = open.telemetry().mem_used;
    let buffer = open.create(page_size());
    let mapping = map(context, &open, &buffer);
    let child = Child::that_sleeps();
    open.destroy(&buffer);
    drop(mapping);
    assert_eq!(open.telemetry().mem_used - before, page_size() as u64);
    child.kill();
    eventually("the memory is free after the child", || open.telemetry().mem_used == before);
}

/// A caller's memory may be a buffer of the very device, which the kernel comes
/// by while it serves the request; none of it was touched before.
fn may_hold_what_a_request_is_about(context: &Context) {
    let open = context.card();
    let mapping = map(context, &open, &open.create(2 * page_size()));
    let answer = open.file().request(SPANKER_IOC_GET_VERSION, mapping.address());
    assert_eq!(answer, Ok(()));
    let room = mapping.address() + page_size() as u64;
    let query = spanker_query { type_: SPANKER_QUERY_DEVICE, size: 128, ptr: room };
    let version = bytes(&mapping, 0, 8);
    mapping.write(64, &encode(&query));
    assert_eq!(open.file().request(SPANKER_IOC_QUERY, mapping.address() + 64), Ok(()));
    assert_eq!(decode::<spanker_version>(&version).major, 0);
    assert_eq!(bytes(&mapping, page_size(), 128), encode(&open.device_info()));
}

/// Ops that lie in a buffer that they name.
fn may_hold_what_is_submitted(context: &Context) {
    let open = context.card();
    let (from, to) = (open.create(page_size()), open.create(page_size()));
    let array = map(context, &open, &from);
    array.write(0, &encode(&copy_start(&from, &to, 96)));
    drop(array);
    // A mapping of which no page is there yet.
    let array = map(context, &open, &from);
    let submit = map(context, &open, &open.create(page_size()));
    submit.write(0, &encode(&batch(array.address(), 1)));
    assert_eq!(open.file().request(SPANKER_IOC_WORK_SUBMIT, submit.address()), Ok(()));
    open.wait(1);
    assert_eq!(open.contents(&to)[..96], bytes(&array, 0, 96));
}

/// read into a buffer's page that is not there yet.
fn may_hold_what_is_read(context: &Context) {
    let open = context.card();
    let mapping = map(context, &open, &open.create(page_size()));
    open.run(&[valid_copy(&open).op]);
    assert_eq!(open.file().read(mapping.address() + 1, 8), Ok(8));
    assert_eq!(decode::<u64>(&bytes(&mapping, 1, 8)), 1);
}

#[track_caller]
fn map(context: &Context, open: &Open, buffer: &Buffer) -> KernelMapping {
    map_with(context, open, buffer, Protection::READ_WRITE)
}

#[track_caller]
fn map_with(
    context: &Context,
    open: &Open,
    buffer: &Buffer,
    protection: Protection,
) -> KernelMapping {
    let len = (buffer.size as usize).div_ceil(page_size()) * page_size();
    let fd = context.descriptor(open);
    KernelMapping::new(fd, buffer.mmap_offset, len, protection, Sharing::Shared)
        .unwrap_or_else(|errno| panic!("mmap of buffer {}: {errno}", buffer.handle))
}

#[track_caller]
fn watched(context: &Context) -> (Open, u64) {
    let watcher = context.card();
    let mem_used = watcher.telemetry().mem_used;
    (watcher, mem_used)
}

fn bytes(mapping: &KernelMapping, offset: usize, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    mapping.read(offset, &mut bytes);
    bytes
}

/// The VmFlags of a mapping.
#[track_caller]
fn flags_of(mapping: &KernelMapping) -> Vec<String> {
    let smaps = fs::read_to_string("/proc/self/smaps").expect("/proc/self/smaps");
    let begins = |line: &str| {
        line.split_once('-').is_some_and(|(start, _)| {
            u64::from_str_radix(start, 16).is_ok_and(|start| start == mapping.address())
        })
    };
    let flags = smaps.lines().skip_while(|line| !begins(line)).find_map(|line| {
        let flags = line.strip_prefix("VmFlags:")?;
        Some(flags.split_whitespace().map(str::to_owned).collect())
    });
    flags.unwrap_or_else(|| panic!("no VmFlags of the mapping in smaps"))
}
