// SPDX-License-Identifier: GPL-2.0-only
/* One open of a card: open, close, read, poll. */

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "spanker.h"

static void spanker_open_free(struct kref *ref)
{
	struct spanker_open *open = container_of(ref, struct spanker_open, ref);

	put_device(&open->card->dev);
	kfree(open);
}

/* Gives a reference back; never the last one of the card as well. */
void spanker_open_put(struct spanker_open *open)
{
	kref_put(&open->ref, spanker_open_free);
}

/* Makes the open one of the card's, which fails if that is gone. */
static int spanker_attach(struct spanker_open *open)
{
	struct spanker_card *card = open->card;
	int err = 0;

	spin_lock(&card->lock);
	if (card->unplugged) {
		err = -ENODEV;
	} else {
		list_add_tail(&open->link, &card->opens);
		open->fail_seqno = card->fail_seqno;
		open->fail_op = card->fail_op;
		card->fail_seqno = 0;
	}
	spin_unlock(&card->lock);
	return err;
}

static int spanker_card_open(struct inode *inode, struct file *file)
{
	struct spanker_card *card;
	struct spanker_open *open;
	int err;

	card = container_of(inode->i_cdev, struct spanker_card, cdev);
	open = kzalloc(sizeof(*open), SPANKER_GFP);
	if (!open)
		return -ENOMEM;
	kref_init(&open->ref);
	/* The inode's reference on the cdev keeps the card for now. */
	get_device(&card->dev);
	open->card = card;
	mutex_init(&open->handles_mutex);
	idr_init(&open->handles);
	mutex_init(&open->submit_mutex);
	mutex_init(&open->read_mutex);
	init_waitqueue_head(&open->waiters);
	INIT_LIST_HEAD(&open->link);
	INIT_LIST_HEAD(&open->turn);
	INIT_LIST_HEAD(&open->queue);
	err = spanker_attach(open);
	if (err) {
		spanker_open_put(open);
		return err;
	}
	file->private_data = open;
	/* No offset, so that neither lseek nor pread has a meaning. */
	return stream_open(inode, file);
}

/*
 * The last descriptor and the last mapping are gone. An op that runs holds its
 * buffers and the open until its next step; nobody waits for it.
 */
static int spanker_card_close(struct inode *inode, struct file *file)
{
	struct spanker_open *open = file->private_data;
	struct spanker_buf *buf;
	LIST_HEAD(dropped);
	int handle;

	spin_lock(&open->card->lock);
	spanker_revoke(open, &dropped);
	spin_unlock(&open->card->lock);
	spanker_batches_free(&dropped);
	idr_for_each_entry(&open->handles, buf, handle)
		spanker_buf_put(buf);
	idr_destroy(&open->handles);
	spanker_open_put(open);
	return 0;
}

/*
 * What read has to say: a counter to deliver, an error, or, as -EAGAIN, nothing
 * yet.
 */
static int spanker_readable(struct spanker_open *open, size_t room, u64 *completed)
{
	int err;

	spin_lock(&open->card->lock);
	if (open->revoked)
		err = -ENODEV;
	else if (room < sizeof(*completed))
		err = -EINVAL;
	else if (open->completed > open->cursor)
		err = 0;
	else if (open->faulted)
		err = -EIO;
	else
		err = -EAGAIN;
	*completed = open->completed;
	spin_unlock(&open->card->lock);
	return err;
}

static int spanker_deliver(struct spanker_open *open, struct iov_iter *to)
{
	u64 completed;
	int err;

	/* So that the number that was delivered is where the cursor stands. */
	if (mutex_lock_interruptible(&open->read_mutex))
		return -ERESTARTSYS;
	err = spanker_readable(open, iov_iter_count(to), &completed);
	if (!err && copy_to_iter(&completed, sizeof(completed), to) < sizeof(completed))
		err = -EFAULT;
	if (!err) {
		spin_lock(&open->card->lock);
		open->cursor = completed;
		spin_unlock(&open->card->lock);
	}
	mutex_unlock(&open->read_mutex);
	return err;
}

/* By iterator, since the eight bytes may go to several places. */
static ssize_t spanker_card_read(struct kiocb *call, struct iov_iter *to)
{
	struct spanker_open *open = call->ki_filp->private_data;
	size_t room = iov_iter_count(to);
	u64 completed;
	int err;

	for (;;) {
		err = spanker_deliver(open, to);
		if (!err)
			return sizeof(completed);
		if (err != -EAGAIN || call->ki_filp->f_flags & O_NONBLOCK)
			return err;
		err = wait_event_interruptible(open->waiters,
					       spanker_readable(open, room, &completed) != -EAGAIN);
		if (err)
			return err;
	}
}

static __poll_t spanker_card_poll(struct file *file, poll_table *table)
{
	struct spanker_open *open = file->private_data;
	__poll_t bits = 0;

	poll_wait(file, &open->waiters, table);
	spin_lock(&open->card->lock);
	if (open->revoked || open->faulted || open->completed > open->cursor)
		bits |= EPOLLIN | EPOLLRDNORM;
	if (!open->revoked && !open->faulted &&
	    open->submitted - open->completed < open->card->info.max_inflight)
		bits |= EPOLLOUT | EPOLLWRNORM;
	if (open->faulted)
		bits |= EPOLLERR;
	if (open->revoked)
		bits |= EPOLLHUP;
	spin_unlock(&open->card->lock);
	return bits;
}

const struct file_operations spanker_card_fops = {
	.owner = THIS_MODULE,
	.open = spanker_card_open,
	.release = spanker_card_close,
	.read_iter = spanker_card_read,
	.poll = spanker_card_poll,
	.unlocked_ioctl = spanker_card_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = spanker_mmap,
};
