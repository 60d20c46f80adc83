// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread of a card. Opens with work take turns, one op each.
 */

#include <linux/kthread.h>
#include <linux/timekeeping.h>

#include "op.h"

/* Adds the row bytes that an op reads and writes. */
static void spanker_add_traffic(struct spanker_telemetry *sum,
				const struct spanker_work *work)
{
	u64 out = work->m * spanker_row_bytes(SPANKER_TYPE_F32, work->n);

	if (work->opcode == SPANKER_OPCODE_COPY) {
		sum->bytes_in += (u64)work->m * work->k;
		sum->bytes_out += (u64)work->m * work->k;
		return;
	}
	sum->bytes_in += work->m * spanker_row_bytes(work->a_type, work->k) +
			 work->n * spanker_row_bytes(SPANKER_TYPE_Q4_K, work->k);
	if (work->accumulate)
		sum->bytes_in += out;
	sum->bytes_out += out;
}

/* Takes the batch whose turn it is, and notes that its next op runs. */
static struct spanker_batch *spanker_begin(struct spanker_card *card,
					   struct spanker_open **whose,
					   bool *fail)
{
	struct spanker_batch *batch;
	struct spanker_open *open;

	spin_lock(&card->lock);
	open = list_first_entry_or_null(&card->ready, struct spanker_open, turn);
	if (!open) {
		spin_unlock(&card->lock);
		return NULL;
	}
	list_del_init(&open->turn);
	batch = list_first_entry(&open->queue, struct spanker_batch, link);
	list_del(&batch->link);
	open->running = true;
	kref_get(&open->ref);
	*fail = open->fail_seqno == batch->seqno && open->fail_op == batch->done;
	card->busy_since = ktime_get_ns();
	spin_unlock(&card->lock);
	*whose = open;
	return batch;
}

/* Notes that no op runs any more; under card->lock. */
static void spanker_end_op(struct spanker_card *card, struct spanker_open *open)
{
	card->counters.busy_ns += ktime_get_ns() - card->busy_since;
	card->busy_since = 0;
	open->running = false;
}

/* An op has succeeded and is not the last of its batch: others have a turn. */
static void spanker_postpone(struct spanker_card *card, struct spanker_open *open,
			     struct spanker_batch *batch)
{
	bool revoked;

	spin_lock(&card->lock);
	spanker_end_op(card, open);
	revoked = open->revoked;
	if (!revoked) {
		list_add(&batch->link, &open->queue);
		list_add_tail(&open->turn, &card->ready);
	}
	spin_unlock(&card->lock);
	if (revoked)
		spanker_batch_free(batch);
}

/* All ops of a batch have succeeded. */
static void spanker_complete(struct spanker_card *card, struct spanker_open *open,
			     struct spanker_batch *batch)
{
	struct spanker_telemetry sum = {};
	u32 count = batch->count;
	u64 seqno = batch->seqno;
	u32 i;

	for (i = 0; i < count; i++)
		spanker_add_traffic(&sum, &batch->ops[i]);
	/* Who sees the batch completed sees what it held freed. */
	spanker_batch_free(batch);

	spin_lock(&card->lock);
	spanker_end_op(card, open);
	if (!open->revoked) {
		card->counters.ops += count;
		card->counters.batches++;
		card->counters.bytes_in += sum.bytes_in;
		card->counters.bytes_out += sum.bytes_out;
		open->completed = seqno;
		if (!list_empty(&open->queue))
			list_add_tail(&open->turn, &card->ready);
		wake_up_all(&open->waiters);
	}
	spin_unlock(&card->lock);
}

/* The next op of a batch has failed: so has the batch, and all behind it. */
static void spanker_fault(struct spanker_card *card, struct spanker_open *open,
			  struct spanker_batch *batch)
{
	u64 seqno = batch->seqno;
	u32 op = batch->done;
	LIST_HEAD(cancelled);

	list_add(&batch->link, &cancelled);
	spin_lock(&card->lock);
	list_splice_tail_init(&open->queue, &cancelled);
	/* Who sees a batch cancelled sees what it held freed. */
	while (!list_empty(&cancelled)) {
		spin_unlock(&card->lock);
		spanker_batches_free(&cancelled);
		spin_lock(&card->lock);
		list_splice_tail_init(&open->queue, &cancelled);
	}
	spanker_end_op(card, open);
	if (!open->revoked) {
		card->counters.faults++;
		open->faulted = true;
		open->fault_seqno = seqno;
		open->fault_op = op;
		wake_up_all(&open->waiters);
	}
	spin_unlock(&card->lock);
}

static void spanker_run_op(struct spanker_card *card)
{
	struct spanker_batch *batch;
	struct spanker_open *open;
	bool fail;
	int err;

	batch = spanker_begin(card, &open, &fail);
	if (!batch)
		return;
	if (fail)
		err = -EIO;
	else
		err = card->ops->run(card, &batch->ops[batch->done], open);
	if (err)
		spanker_fault(card, open, batch);
	else if (++batch->done < batch->count)
		spanker_postpone(card, open, batch);
	else
		spanker_complete(card, open, batch);
	spanker_open_put(open);
}

/**
 * spanker_engine_thread() - run what the card's opens have queued
 * @card: the card
 *
 * Return: 0 when it is asked to stop.
 */
int spanker_engine_thread(void *card)
{
	struct spanker_card *own = card;

	while (!kthread_should_stop()) {
		wait_event_interruptible(own->wake,
					 !list_empty_careful(&own->ready) ||
					 kthread_should_stop());
		spanker_run_op(own);
		cond_resched();
	}
	return 0;
}
