// SPDX-License-Identifier: GPL-2.0-only
/* Cards: registration, unplug, reset, telemetry. */

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "spanker.h"

/* Cards by index; one that is not registered (yet) has only its place. */
static DEFINE_IDR(spanker_cards);
static DEFINE_MUTEX(spanker_cards_mutex);

/*
 * The highest offset of a page that mmap takes of a 32-bit caller, whose
 * mmap2() counts in units of 4096 bytes whatever the size of a page.
 */
#define SPANKER_LAST_PGOFF	(U32_MAX >> (PAGE_SHIFT - 12))

static void spanker_card_release(struct device *dev)
{
	struct spanker_card *card = container_of(dev, struct spanker_card, dev);

	card->ops->release(card);
	kfree(card);
	spanker_object_ends();
}

static int spanker_card_take_index(int index)
{
	int end = index < 0 ? SPANKER_MAX_CARDS : index + 1;
	int taken;

	mutex_lock(&spanker_cards_mutex);
	taken = idr_alloc(&spanker_cards, NULL, max(index, 0), end, GFP_KERNEL);
	mutex_unlock(&spanker_cards_mutex);
	return taken == -ENOSPC && index >= 0 ? -EEXIST : taken;
}

static void spanker_card_free_index(u32 index)
{
	mutex_lock(&spanker_cards_mutex);
	idr_remove(&spanker_cards, index);
	mutex_unlock(&spanker_cards_mutex);
}

static void spanker_card_set_listed(struct spanker_card *card, bool listed)
{
	mutex_lock(&spanker_cards_mutex);
	idr_replace(&spanker_cards, listed ? card : NULL, card->info.card_index);
	mutex_unlock(&spanker_cards_mutex);
}

/**
 * spanker_card_indices() - the indices of the cards that there are
 * @indices: room for SPANKER_MAX_CARDS of them
 *
 * Return: how many there are. They ascend.
 */
unsigned int spanker_card_indices(u32 *indices)
{
	struct spanker_card *card;
	unsigned int count = 0;
	int index;

	mutex_lock(&spanker_cards_mutex);
	idr_for_each_entry(&spanker_cards, card, index)
		indices[count++] = index;
	mutex_unlock(&spanker_cards_mutex);
	return count;
}

/**
 * spanker_card_alloc() - a card that nobody can see yet
 * @parent: the device it is on
 * @index: the N of /dev/spankerN, or negative for the lowest that is free
 * @info: what it is and its limits; the index in it is ignored
 * @ops: what is behind it
 * @private: for @ops
 *
 * Undone by put_device(&card->dev), which calls ops->release().
 *
 * Return: the card, or an error with which ops->release() is not called:
 * -EINVAL for limits that cannot be held, -EEXIST, -ENOSPC, -ENOMEM.
 */
struct spanker_card *spanker_card_alloc(struct device *parent, int index,
					const struct spanker_device_info *info,
					const struct spanker_card_ops *ops,
					void *private)
{
	struct spanker_card *card;
	unsigned long slot_pages;
	u32 last_handle;

	if (!info->max_buf_size || !info->max_bufs || index >= SPANKER_MAX_CARDS ||
	    info->max_buf_size > (u64)SPANKER_LAST_PGOFF << PAGE_SHIFT)
		return ERR_PTR(-EINVAL);
	/* Twice as many handles as can be live, so that they can go round. */
	slot_pages = DIV_ROUND_UP_ULL(info->max_buf_size, PAGE_SIZE);
	last_handle = min_t(u32, SPANKER_LAST_PGOFF / slot_pages, INT_MAX) - 1;
	if (last_handle / 2 < info->max_bufs)
		return ERR_PTR(-EINVAL);
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return ERR_PTR(-ENOMEM);
	index = spanker_card_take_index(index);
	if (index < 0) {
		kfree(card);
		return ERR_PTR(index);
	}
	card->ops = ops;
	card->private = private;
	card->info = *info;
	card->info.card_index = index;
	card->slot_pages = slot_pages;
	card->last_handle = last_handle;
	init_waitqueue_head(&card->wake);
	spin_lock_init(&card->lock);
	INIT_LIST_HEAD(&card->opens);
	INIT_LIST_HEAD(&card->ready);

	device_initialize(&card->dev);
	card->dev.class = &spanker_class;
	card->dev.parent = parent;
	card->dev.devt = spanker_card_devt(index);
	card->dev.release = spanker_card_release;
	cdev_init(&card->cdev, &spanker_card_fops);
	card->cdev.owner = THIS_MODULE;
	spanker_object_begins();
	return card;
}

/**
 * spanker_card_abandon() - give up a card that was never registered
 * @card: of spanker_card_alloc(); it is only good for put_device() then
 */
void spanker_card_abandon(struct spanker_card *card)
{
	spanker_card_free_index(card->info.card_index);
}

/* Every open of the card is lost; what they had queued is dropped. */
static void spanker_card_revoke_opens(struct spanker_card *card)
{
	struct spanker_open *open, *next;
	LIST_HEAD(dropped);

	spin_lock(&card->lock);
	list_for_each_entry_safe(open, next, &card->opens, link)
		spanker_revoke(open, &dropped);
	spin_unlock(&card->lock);
	spanker_batches_free(&dropped);
}

/* Nothing is left for the card's thread, and nothing comes. */
static void spanker_card_stop(struct spanker_card *card)
{
	spin_lock(&card->lock);
	card->unplugged = true;
	spin_unlock(&card->lock);
	spanker_card_revoke_opens(card);
	kthread_stop(card->thread);
}

/**
 * spanker_card_register() - let the card be opened
 * @card: of spanker_card_alloc()
 *
 * Return: 0, after which spanker_card_unregister() has to be called, or an
 * error, after which the card is only good for put_device() and its index free.
 */
int spanker_card_register(struct spanker_card *card)
{
	u32 index = card->info.card_index;
	struct task_struct *thread;
	int err;

	err = dev_set_name(&card->dev, SPANKER_NAME "%u", index);
	if (err)
		goto free_index;
	thread = kthread_run(spanker_engine_thread, card, SPANKER_NAME "/%u", index);
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto free_index;
	}
	card->thread = thread;
	err = cdev_device_add(&card->cdev, &card->dev);
	if (err) {
		/* Through a node that was there before, it may have been opened. */
		spanker_card_stop(card);
		goto free_index;
	}
	spanker_card_set_listed(card, true);
	return 0;

free_index:
	spanker_card_free_index(index);
	return err;
}

/**
 * spanker_card_unregister() - unplug the card
 * @card: of spanker_card_register(); its owner's reference is used up
 *
 * Waits for a step of the op that runs, not for the op, and not for those who
 * have the card open.
 */
void spanker_card_unregister(struct spanker_card *card)
{
	spanker_card_set_listed(card, false);
	cdev_device_del(&card->cdev, &card->dev);
	spanker_card_stop(card);
	spanker_card_free_index(card->info.card_index);
	put_device(&card->dev);
}

/**
 * spanker_card_reset() - lose every open; later ones work
 * @card: a card, unplugged or not
 */
void spanker_card_reset(struct spanker_card *card)
{
	spin_lock(&card->lock);
	card->counters.resets++;
	spin_unlock(&card->lock);
	spanker_card_revoke_opens(card);
}

/**
 * spanker_card_fail_next_open() - let an op fail that would succeed
 * @card: a card
 * @seqno: of the batch, on the timeline of the next open; 0 for none
 * @op: index in it
 */
void spanker_card_fail_next_open(struct spanker_card *card, u64 seqno, u32 op)
{
	spin_lock(&card->lock);
	card->fail_seqno = seqno;
	card->fail_op = op;
	spin_unlock(&card->lock);
}

/* The counters as they are now. */
void spanker_card_telemetry(struct spanker_card *card,
			    struct spanker_telemetry *telemetry)
{
	spin_lock(&card->lock);
	*telemetry = card->counters;
	telemetry->time_ns = ktime_get_ns();
	if (card->busy_since)
		telemetry->busy_ns += telemetry->time_ns - card->busy_since;
	spin_unlock(&card->lock);
}

/**
 * spanker_card_reserve() - take pages of the card's memory
 * @card: a card
 * @pages: how many
 *
 * Return: 0, or -ENOSPC.
 */
int spanker_card_reserve(struct spanker_card *card, unsigned long pages)
{
	u64 bytes = (u64)pages << PAGE_SHIFT;
	int err = 0;

	spin_lock(&card->lock);
	if (bytes > card->info.mem_size ||
	    card->counters.mem_used > card->info.mem_size - bytes)
		err = -ENOSPC;
	else
		card->counters.mem_used += bytes;
	spin_unlock(&card->lock);
	return err;
}

/* Gives back what spanker_card_reserve() has taken. */
void spanker_card_give_back(struct spanker_card *card, unsigned long pages)
{
	spin_lock(&card->lock);
	card->counters.mem_used -= (u64)pages << PAGE_SHIFT;
	spin_unlock(&card->lock);
}
