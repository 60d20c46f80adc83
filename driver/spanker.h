/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the driver know of each other.
 *
 *   main.c      the module, the control node
 *   card.c      cards: registration, unplug, reset, telemetry
 *   engine.c    the thread of a card, which runs what its opens have queued
 *   open.c      one open of a card: open, close, read, poll
 *   timeline.c  its queue of batches, and WAIT
 *   request.c   ioctl: recognising requests, and the small ones of them
 *   argument.c  copying the structs of requests
 *   submit.c    WORK_SUBMIT
 *   op.c        validating an op
 *   buffer.c    BUF_CREATE, BUF_DESTROY, mmap
 *   virtual.c   cards without hardware, as an implementation of
 *               struct spanker_card_ops; virtual_*.c is their engine
 *
 * Locks, the outer first. Only the two mutexes marked so are held across access
 * to user memory, and neither is taken below mmap_lock, in mmap or a fault.
 *
 *   open->submit_mutex   user access   one WORK_SUBMIT at a time publishes
 *   open->read_mutex     user access   one read at a time moves the cursor
 *   open->handles_mutex                handles of buffers
 *   card->lock           spin          counters, list of opens, what runs next,
 *                                      and the timelines of all its opens
 */
#ifndef _SPANKER_H
#define _SPANKER_H

#include <linux/cdev.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/linux/spanker_ioctl.h>

#define SPANKER_NAME		"spanker"
/* Cards that there can be at a time. */
#define SPANKER_MAX_CARDS	256
/*
 * How memory is allocated that a caller can ask for: charged to its cgroup, and
 * refused, rather than making room by killing somebody.
 */
#define SPANKER_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

struct spanker_card;
struct spanker_open;

/**
 * struct spanker_buf - memory of a card
 * @ref: one for the handle, for each op that names it, for each mapping
 * @card: whose memory it is; the buffer keeps it
 * @size: bytes that were asked for, which operands are checked against
 * @pages: whole pages that it takes
 * @flags: SPANKER_BUF_*
 * @memory: what the card's engine has made of it
 */
struct spanker_buf {
	struct kref ref;
	struct spanker_card *card;
	u64 size;
	unsigned long pages;
	u32 flags;
	void *memory;
};

/**
 * struct spanker_rows - rows of bytes in a buffer, known to be inside it
 * @buf: the buffer, held
 * @offset: of row 0, in bytes
 * @stride: from one row to the next, in bytes
 */
struct spanker_rows {
	struct spanker_buf *buf;
	u64 offset;
	u64 stride;
};

/**
 * struct spanker_work - an op that has been validated
 * @opcode: SPANKER_OPCODE_*
 * @a_type: SPANKER_TYPE_* of @a, in MATMUL
 * @accumulate: whether the sums start from what @out holds
 * @m: rows of @a and @out
 * @n: rows of @b, elements in a row of @out
 * @k: elements in a row of @a and @b, or bytes in a row of COPY
 * @a: left operand, or source
 * @b: right operand of MATMUL, always Q4_K; without buffer in COPY
 * @out: result, F32 in MATMUL
 */
struct spanker_work {
	u32 opcode;
	u32 a_type;
	bool accumulate;
	u32 m;
	u32 n;
	u32 k;
	struct spanker_rows a;
	struct spanker_rows b;
	struct spanker_rows out;
};

/**
 * struct spanker_batch - what one WORK_SUBMIT carried
 * @link: in the queue of its open
 * @seqno: on the timeline of its open
 * @count: ops
 * @done: how many of them have run
 * @ops: the ops
 */
struct spanker_batch {
	struct list_head link;
	u64 seqno;
	u32 count;
	u32 done;
	struct spanker_work ops[];
};

/**
 * struct spanker_card_ops - what is behind a card
 * @caps: the combinations of operand types that MATMUL takes
 * @cap_count: how many
 * @run: run an op to its end; called on the card's thread, which may sleep, for
 *	one op at a time. Between two steps of bounded length it asks
 *	spanker_cancelled(@open), of which nothing else tells it: who waits for
 *	an interrupt waits in slices. Returns 0, -ECANCELED when that was so, or
 *	-EIO, which makes the op the fault of its open.
 * @buf_alloc: zeroed memory of that many pages for buf->memory, charged to the
 *	caller's cgroup; NULL when there is none. @flags are SPANKER_BUF_*:
 *	SPANKER_BUF_DEVICE is never mapped.
 * @buf_free: gives it back; may be called from any thread, never in atomic
 *	context
 * @buf_page: page @index of it, for a mapping, which takes a reference on it. A
 *	BAR has no such pages: memory behind one takes vmf_insert_pfn() in
 *	buffer.c instead.
 * @release: the card is going to be freed
 *
 * After spanker_card_unregister(), @run is not called any more, but the others
 * are: mappings stay valid, and buffers live as long as they do. So what they
 * need lives until @release, longer than the device that the card was on.
 */
struct spanker_card_ops {
	const struct spanker_matmul_cap *caps;
	unsigned int cap_count;
	int (*run)(struct spanker_card *card, const struct spanker_work *work,
		   struct spanker_open *open);
	void *(*buf_alloc)(struct spanker_card *card, unsigned long pages,
			   u32 flags);
	void (*buf_free)(struct spanker_card *card, void *memory);
	struct page *(*buf_page)(struct spanker_card *card, void *memory,
				 unsigned long index);
	void (*release)(struct spanker_card *card);
};

/**
 * struct spanker_card - a Sail
 * @dev: its device of class spanker, which counts references
 * @cdev: /dev/spankerN
 * @ops: what is behind it
 * @private: for @ops
 * @info: what QUERY of the device answers; limits do not change
 * @slot_pages: offsets for mmap are handed out in steps of so many pages
 * @last_handle: the highest handle of a buffer
 * @thread: runs ops
 * @wake: wakes it
 * @lock: protects what follows, and the timelines of the card's opens; never
 *	taken in an interrupt
 * @unplugged: no request is answered any more
 * @opens: all opens that are neither revoked nor ended
 * @ready: opens with work to do, in the order of their turns
 * @counters: telemetry
 * @busy_since: when the op that runs began, in ns; 0 when none runs
 * @fail_seqno: batch of the next open that is to fail, 0 for none
 * @fail_op: op of it
 */
struct spanker_card {
	struct device dev;
	struct cdev cdev;
	const struct spanker_card_ops *ops;
	void *private;
	struct spanker_device_info info;
	unsigned long slot_pages;
	u32 last_handle;
	struct task_struct *thread;
	wait_queue_head_t wake;

	/* Protects what follows, and the timelines of the card's opens. */
	spinlock_t lock;
	bool unplugged;
	struct list_head opens;
	struct list_head ready;
	struct spanker_telemetry counters;
	u64 busy_since;
	u64 fail_seqno;
	u32 fail_op;
};

/**
 * struct spanker_open - an open of a card
 * @ref: one for the file, one for the card's thread while it runs its work
 * @card: the card, held
 * @handles_mutex: protects @handles
 * @handles: buffers by handle
 * @handle_count: how many
 * @submit_mutex: see above
 * @read_mutex: see above
 * @waiters: woken whenever the timeline changes
 * @stopping: the running op stops at its next step; written under card->lock
 * @link: in card->opens
 * @turn: in card->ready
 * @revoked: the card is gone or was reset
 * @faulted: a batch failed
 * @running: the card's thread has the batch at the front of @queue
 * @submitted: seqno of the last batch
 * @completed: seqno of the last that succeeded
 * @cursor: what read has given
 * @fault_seqno: the batch that failed
 * @fault_op: op of it
 * @queue: batches that have not retired
 * @fail_seqno: batch that is to fail, 0 for none
 * @fail_op: op of it
 */
struct spanker_open {
	struct kref ref;
	struct spanker_card *card;

	/* Protects the handles. */
	struct mutex handles_mutex;
	struct idr handles;
	u32 handle_count;

	/* Held while a WORK_SUBMIT is told its seqno. */
	struct mutex submit_mutex;
	/* Held while a read is given its number. */
	struct mutex read_mutex;
	wait_queue_head_t waiters;
	bool stopping;

	/* Under card->lock. */
	struct list_head link;
	struct list_head turn;
	bool revoked;
	bool faulted;
	bool running;
	u64 submitted;
	u64 completed;
	u64 cursor;
	u64 fault_seqno;
	u32 fault_op;
	struct list_head queue;
	u64 fail_seqno;
	u32 fail_op;
};

/**
 * spanker_cancelled() - whether nobody wants the result of the running op
 * @open: whose op it is
 */
static inline bool spanker_cancelled(const struct spanker_open *open)
{
	return READ_ONCE(open->stopping);
}

/* main.c */
extern struct class spanker_class;
dev_t spanker_card_devt(u32 index);
void spanker_object_begins(void);
void spanker_object_ends(void);

/* card.c */
struct spanker_card *spanker_card_alloc(struct device *parent, int index,
					const struct spanker_device_info *info,
					const struct spanker_card_ops *ops,
					void *private);
void spanker_card_abandon(struct spanker_card *card);
int spanker_card_register(struct spanker_card *card);
void spanker_card_unregister(struct spanker_card *card);
void spanker_card_reset(struct spanker_card *card);
void spanker_card_fail_next_open(struct spanker_card *card, u64 seqno, u32 op);
void spanker_card_telemetry(struct spanker_card *card,
			    struct spanker_telemetry *telemetry);
int spanker_card_reserve(struct spanker_card *card, unsigned long pages);
void spanker_card_give_back(struct spanker_card *card, unsigned long pages);
unsigned int spanker_card_indices(u32 *indices);

/* engine.c */
int spanker_engine_thread(void *card);

/* open.c */
extern const struct file_operations spanker_card_fops;
void spanker_open_put(struct spanker_open *open);

/* timeline.c */
void spanker_revoke(struct spanker_open *open, struct list_head *dropped);
int spanker_may_queue(struct spanker_open *open, u64 *seqno);
void spanker_queue(struct spanker_open *open, struct spanker_batch *batch);
int spanker_wait_for(struct spanker_open *open, u64 seqno, s64 deadline_ns,
		     u64 *completed);
void spanker_context(struct spanker_open *open,
		     struct spanker_context_info *context);
u64 spanker_completed(struct spanker_open *open);
bool spanker_is_revoked(struct spanker_open *open);
struct spanker_batch *spanker_batch_alloc(u32 count);
void spanker_batch_free(struct spanker_batch *batch);
void spanker_batches_free(struct list_head *batches);

/* request.c */
long spanker_card_ioctl(struct file *file, unsigned int code,
			unsigned long address);
long spanker_control_ioctl(struct file *file, unsigned int code,
			   unsigned long address);

/* buffer.c */
struct spanker_buf *spanker_buf_prepare(struct spanker_open *open,
					struct spanker_buf_create *create);
void spanker_buf_publish(struct spanker_open *open,
			 const struct spanker_buf_create *create,
			 struct spanker_buf *buf);
void spanker_buf_abandon(struct spanker_open *open,
			 const struct spanker_buf_create *create,
			 struct spanker_buf *buf);
int spanker_buf_destroy(struct spanker_open *open, u32 handle);
struct spanker_buf *spanker_buf_get(struct spanker_open *open, u32 handle);
void spanker_buf_put(struct spanker_buf *buf);
int spanker_mmap(struct file *file, struct vm_area_struct *vma);

/* virtual.c */
int spanker_virtual_init(void);
void spanker_virtual_create_first(void);
void spanker_virtual_exit(void);

#endif
