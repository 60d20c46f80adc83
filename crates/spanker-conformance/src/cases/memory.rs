// SPDX-License-Identifier: Apache-2.0
//! Card memory: mem_used and ENOSPC.

use nix::errno::Errno;
use spanker_sys::SPANKER_BUF_DEVICE;

use super::refusal::State;
use crate::busy::{assert_unretired, eventually, submit_endless, while_running};
use crate::case::{cases, Context, Need};
use crate::device::{Protection, Sharing};
use crate::open::{Buffer, Open};
use crate::ops::copy_start;
use crate::pages::page_size;

cases! {
    "memory":
    is_counted_in_whole_pages,
    is_counted_for_device_buffers_too,
    is_counted_over_all_opens,
    is_free_after_destroy,
    is_kept_by_a_mapping,
    is_kept_by_a_part_of_a_mapping,
    is_kept_by_work_in_flight,
    is_free_when_the_work_has_retired,
    is_free_when_the_open_has_ended,
    is_kept_by_a_mapping_after_close;
    [Need::MemoryUpTo(1 << 30)]
    is_refused_when_it_is_full,
    is_refused_to_other_opens_when_it_is_full,
    full_is_told_after_too_many_handles,
    that_is_refused_takes_no_handle,
    that_destroyed_buffers_hold_is_still_full,
}

/// mem_used is "bytes of buffers alive, in whole pages".
fn is_counted_in_whole_pages(context: &Context) {
    let open = context.card();
    let page = page_size();
    for (size, pages) in [(1, 1), (page - 1, 1), (page, 1), (page + 1, 2), (5 * page, 5)] {
        let before = used(&open);
        open.create(size);
        assert_eq!(used(&open) - before, (pages * page) as u64, "{size} bytes");
    }
}

/// mem_used is of "buffers alive", mappable or not.
fn is_counted_for_device_buffers_too(context: &Context) {
    let open = context.card();
    let before = used(&open);
    let buffer = open.create_on_device(page_size() + 1);
    assert_eq!(used(&open) - before, 2 * page_size() as u64);
    open.destroy(&buffer);
    assert_eq!(used(&open), before);
}

/// Telemetry is of "This card, over all opens".
fn is_counted_over_all_opens(context: &Context) {
    let (first, second) = (context.card(), context.card());
    let before = used(&second);
    first.create(1);
    second.create(1);
    assert_eq!(used(&first) - before, 2 * page_size() as u64);
    assert_eq!(used(&second) - before, 2 * page_size() as u64);
}

/// The memory of a buffer that nothing holds is free after BUF_DESTROY.
fn is_free_after_destroy(context: &Context) {
    let open = context.card();
    let before = used(&open);
    let buffer = open.create(3 * page_size());
    let mapping = open.map(&buffer);
    open.run(&[copy_start(&buffer, &open.create(16), 16)]);
    drop(mapping);
    open.destroy(&buffer);
    assert_eq!(used(&open) - before, page_size() as u64, "only the 16 bytes are left");
}

/// The memory is free "after [...] its last mapping is gone".
fn is_kept_by_a_mapping(context: &Context) {
    let open = context.card();
    let before = used(&open);
    let buffer = open.create(3 * page_size());
    let (first, second) = (open.map(&buffer), open.map(&buffer));
    open.destroy(&buffer);
    assert_eq!(used(&open) - before, 3 * page_size() as u64);
    drop(first);
    assert_eq!(used(&open) - before, 3 * page_size() as u64);
    drop(second);
    eventually("the memory is free after the last munmap", || used(&open) == before);
}

/// "counted in whole pages": of the buffer, not of what is mapped of it.
fn is_kept_by_a_part_of_a_mapping(context: &Context) {
    let open = context.card();
    let before = used(&open);
    let buffer = open.create(3 * page_size());
    let one_page =
        open.file().mmap(buffer.mmap_offset, page_size(), Protection::READ, Sharing::Shared);
    open.destroy(&buffer);
    assert_eq!(used(&open) - before, 3 * page_size() as u64);
    drop(one_page.expect("mmap of the first page"));
    eventually("the memory is free after the last munmap", || used(&open) == before);
}

/// The memory is free "after the last batch that names it has retired".
fn is_kept_by_work_in_flight(context: &Context) {
    let open = context.card();
    let seqno = submit_endless(&open);
    let buffers: Vec<Buffer> = (0..2).map(|_| open.create(2 * page_size())).collect();
    let before = used(&open);
    open.submit(&[copy_start(&buffers[0], &buffers[1], 16)]);
    open.destroy(&buffers[0]);
    open.destroy(&buffers[1]);
    assert_eq!(used(&open), before);
    assert_unretired(&open, seqno);
}

/// The memory is free "after the last batch that names it has retired".
fn is_free_when_the_work_has_retired(context: &Context) {
    let pages = 2 * page_size();
    let (open, (last, before)) = while_running(context, |open, _| {
        let before = used(open);
        let (from, to) = (open.create(pages), open.create(pages));
        open.submit(&[copy_start(&from, &to, 16)]);
        let last = open.submit(&[copy_start(&from, &to, 16)]);
        open.destroy(&from);
        open.destroy(&to);
        (last, before)
    });
    open.wait(last);
    eventually("the memory is free after the work", || used(&open) == before);
}

/// An open's buffers end with it.
fn is_free_when_the_open_has_ended(context: &Context) {
    let watcher = context.card();
    let before = used(&watcher);
    let open = context.card();
    open.create(page_size());
    open.create_on_device(page_size());
    assert_eq!(used(&watcher) - before, 2 * page_size() as u64);
    drop(open);
    eventually("the memory is free after close", || used(&watcher) == before);
}

/// "A mapping of a buffer pins the open: it ends at the last close *and* the last
/// munmap."
fn is_kept_by_a_mapping_after_close(context: &Context) {
    let watcher = context.card();
    let before = used(&watcher);
    let open = context.card();
    open.create(page_size());
    let mapping = open.map(&open.create(page_size()));
    drop(open);
    assert_eq!(used(&watcher) - before, 2 * page_size() as u64, "the open has not ended");
    drop(mapping);
    eventually("the memory is free after munmap", || used(&watcher) == before);
}

/// "ENOSPC  card memory is full"
fn is_refused_when_it_is_full(context: &Context) {
    let opens = fill(context);
    let open = context.card();
    let before = State::of(&open);
    for flags in [0, SPANKER_BUF_DEVICE] {
        assert_eq!(open.try_create(1, flags).result, Err(Errno::ENOSPC));
    }
    assert_eq!(State::of(&open), before);
    drop(opens);
    eventually("there is room again after close", || open.try_create(1, 0).result.is_ok());
}

/// Card memory is the card's: "ENOSPC  card memory is full"
fn is_refused_to_other_opens_when_it_is_full(context: &Context) {
    let early = context.card();
    let opens = fill(context);
    assert_eq!(early.try_create(1, 0).result, Err(Errno::ENOSPC));
    let freed = opens[0].1[0];
    opens[0].0.destroy(&freed);
    early.create(freed.size as usize);
    assert_eq!(early.try_create(1, 0).result, Err(Errno::ENOSPC));
}

/// EMFILE comes before ENOSPC.
fn full_is_told_after_too_many_handles(context: &Context) {
    let full = context.card();
    for _ in 0..full.device_info().max_bufs {
        full.create(1);
    }
    let _opens = fill(context);
    assert_eq!(full.try_create(1, 0).result, Err(Errno::EMFILE));
}

/// "A request that fails changes nothing": not the next handle either.
fn that_is_refused_takes_no_handle(context: &Context) {
    let (refused, spared) = (context.card(), context.card());
    let before = used(&spared);
    let first = [refused.create(1).handle, spared.create(1).handle];
    let opens = fill(context);
    assert_eq!(refused.try_create(1, 0).result, Err(Errno::ENOSPC));
    drop(opens);
    eventually("the memory is free after close", || {
        used(&spared) == before + 2 * page_size() as u64
    });
    let second = [refused.create(1).handle, spared.create(1).handle];
    assert_eq!(first[0], first[1]);
    assert_eq!(second[0], second[1]);
}

/// A destroyed buffer that is mapped still takes its memory.
fn that_destroyed_buffers_hold_is_still_full(context: &Context) {
    let opens = fill(context);
    let (open, buffers) = &opens[0];
    let mapping = open.map(&buffers[0]);
    open.destroy(&buffers[0]);
    assert_eq!(open.try_create(1, 0).result, Err(Errno::ENOSPC));
    drop(mapping);
    eventually("there is room after munmap", || open.try_create(1, 0).result.is_ok());
}

/// Fills the card to its last page, with as many opens as that takes.
#[track_caller]
fn fill(context: &Context) -> Vec<(Open, Vec<Buffer>)> {
    let watcher = context.card();
    let info = watcher.device_info();
    let page = page_size() as u64;
    let mut opens = Vec::new();
    loop {
        let (open, mut buffers) = (context.card(), Vec::new());
        for _ in 0..info.max_bufs {
            let room = (info.mem_size - used(&watcher)) / page * page;
            if room == 0 {
                if !buffers.is_empty() {
                    opens.push((open, buffers));
                }
                return opens;
            }
            let size = room.min(info.max_buf_size / page * page);
            buffers.push(open.create(size as usize));
        }
        opens.push((open, buffers));
    }
}

#[track_caller]
fn used(open: &Open) -> u64 {
    open.telemetry().mem_used
}
