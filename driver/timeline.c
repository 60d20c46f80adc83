// SPDX-License-Identifier: GPL-2.0-only
/* The timeline of an open: its queue of batches, and WAIT. */

#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "op.h"

/**
 * spanker_batch_alloc() - a batch with room for ops, which has none yet
 * @count: how many there is room for
 *
 * Return: the batch, or NULL.
 */
struct spanker_batch *spanker_batch_alloc(u32 count)
{
	struct spanker_batch *batch;

	batch = kvmalloc(struct_size(batch, ops, count), SPANKER_GFP);
	if (!batch)
		return NULL;
	INIT_LIST_HEAD(&batch->link);
	batch->seqno = 0;
	batch->count = 0;
	batch->done = 0;
	return batch;
}

/* Frees a batch that is in no list, and lets its buffers go. May sleep. */
void spanker_batch_free(struct spanker_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->count; i++)
		spanker_work_release(&batch->ops[i]);
	kvfree(batch);
}

/* Frees a list of batches, which is empty then. May sleep. */
void spanker_batches_free(struct list_head *batches)
{
	struct spanker_batch *batch, *next;

	list_for_each_entry_safe(batch, next, batches, link) {
		list_del(&batch->link);
		spanker_batch_free(batch);
		cond_resched();
	}
}

/**
 * spanker_revoke() - let an open answer -ENODEV from now on
 * @open: an open; its card's lock is held
 * @dropped: gets the batches that were queued, to be freed without the lock
 */
void spanker_revoke(struct spanker_open *open, struct list_head *dropped)
{
	lockdep_assert_held(&open->card->lock);
	open->revoked = true;
	WRITE_ONCE(open->stopping, true);
	list_del_init(&open->link);
	list_del_init(&open->turn);
	list_splice_tail_init(&open->queue, dropped);
	wake_up_all(&open->waiters);
}

/**
 * spanker_may_queue() - whether a batch may be queued
 * @open: an open, whose submit_mutex is held
 * @seqno: gets what the batch will have
 *
 * Return: 0, -ENODEV, -EIO when the open is faulted, -EAGAIN when the queue is
 * full.
 */
int spanker_may_queue(struct spanker_open *open, u64 *seqno)
{
	int err = 0;

	spin_lock(&open->card->lock);
	if (open->revoked)
		err = -ENODEV;
	else if (open->faulted)
		err = -EIO;
	else if (open->submitted - open->completed >= open->card->info.max_inflight)
		err = -EAGAIN;
	*seqno = open->submitted + 1;
	spin_unlock(&open->card->lock);
	return err;
}

/**
 * spanker_queue() - queue a batch after spanker_may_queue() has allowed it
 * @open: the same, with the mutex held all the time
 * @batch: the batch, which is taken over
 *
 * The caller has been told the seqno by now, so this cannot fail. Where the
 * open was revoked or has faulted since, the batch is dropped or cancelled as
 * if it had been queued a moment earlier.
 */
void spanker_queue(struct spanker_open *open, struct spanker_batch *batch)
{
	struct spanker_card *card = open->card;

	spin_lock(&card->lock);
	batch->seqno = ++open->submitted;
	if (!open->revoked && !open->faulted) {
		list_add_tail(&batch->link, &open->queue);
		batch = NULL;
		if (!open->running && list_empty(&open->turn)) {
			list_add_tail(&open->turn, &card->ready);
			wake_up(&card->wake);
		}
	}
	spin_unlock(&card->lock);
	if (batch)
		spanker_batch_free(batch);
}

/* What WAIT answers, or -EINPROGRESS; tells how far the timeline is. */
static int spanker_settled(struct spanker_open *open, u64 seqno, u64 *completed)
{
	int err;

	spin_lock(&open->card->lock);
	*completed = open->completed;
	if (open->revoked)
		err = -ENODEV;
	else if (!seqno || seqno > open->submitted)
		err = -EINVAL;
	else if (seqno <= open->completed)
		err = 0;
	else if (!open->faulted || seqno < open->fault_seqno)
		err = -EINPROGRESS;
	else
		err = seqno == open->fault_seqno ? -EIO : -ECANCELED;
	spin_unlock(&open->card->lock);
	return err;
}

/**
 * spanker_wait_for() - wait until a batch has retired
 * @open: an open
 * @seqno: the batch
 * @deadline_ns: on CLOCK_MONOTONIC
 * @completed: gets how far the timeline was, whatever the answer
 *
 * Return: what WAIT answers, or -ERESTARTSYS.
 */
int spanker_wait_for(struct spanker_open *open, u64 seqno, s64 deadline_ns,
		     u64 *completed)
{
	bool never = deadline_ns == SPANKER_DEADLINE_NEVER;
	ktime_t deadline = ns_to_ktime(max_t(s64, deadline_ns, 0));
	DEFINE_WAIT(wait);
	int err;

	for (;;) {
		prepare_to_wait(&open->waiters, &wait, TASK_INTERRUPTIBLE);
		err = spanker_settled(open, seqno, completed);
		if (err != -EINPROGRESS)
			break;
		if (!never && ktime_compare(ktime_get(), deadline) >= 0) {
			err = -ETIMEDOUT;
			break;
		}
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		if (never)
			schedule();
		else
			schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
	}
	finish_wait(&open->waiters, &wait);
	return err;
}

/* What QUERY of the open answers. */
void spanker_context(struct spanker_open *open,
		     struct spanker_context_info *context)
{
	spin_lock(&open->card->lock);
	*context = (struct spanker_context_info) {
		.submitted = open->submitted,
		.completed = open->completed,
		.fault_seqno = open->fault_seqno,
		.fault_op = open->fault_op,
		.fault_code = open->faulted ? SPANKER_FAULT_ENGINE : 0,
	};
	spin_unlock(&open->card->lock);
}

/* The last batch that succeeded. */
u64 spanker_completed(struct spanker_open *open)
{
	u64 completed;

	spin_lock(&open->card->lock);
	completed = open->completed;
	spin_unlock(&open->card->lock);
	return completed;
}

/* Whether the card is gone, or was reset since. */
bool spanker_is_revoked(struct spanker_open *open)
{
	bool revoked;

	spin_lock(&open->card->lock);
	revoked = open->revoked;
	spin_unlock(&open->card->lock);
	return revoked;
}
