// SPDX-License-Identifier: GPL-2.0-only
/* WORK_SUBMIT. */

#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "op.h"
#include "submit.h"

/**
 * struct spanker_op_array - the ops of a request, copied
 * @ops: what the driver knows of each
 * @too_big: the first whose tail is not zero, or SPANKER_NO_OP
 */
struct spanker_op_array {
	struct spanker_op *ops;
	u32 too_big;
};

static int spanker_op_array_copy(const struct spanker_work_submit *submit,
				 struct spanker_op_array *array)
{
	size_t stride = submit->op_stride;
	size_t size = sizeof(*array->ops);
	void __user *from;
	bool tail_is_zero;
	u64 last;
	u32 i;

	if (check_add_overflow(submit->ops, (u64)stride * submit->op_count - 1, &last) ||
	    spanker_user_pointer(last, &from) || spanker_user_pointer(submit->ops, &from))
		return -EFAULT;
	for (i = 0; i < submit->op_count; i++, from += stride) {
		if (copy_from_user(&array->ops[i], from, size) ||
		    spanker_read_tail(from + size, stride - size, &tail_is_zero))
			return -EFAULT;
		if (!tail_is_zero && array->too_big == SPANKER_NO_OP)
			array->too_big = i;
		cond_resched();
	}
	return 0;
}

static int spanker_batch_fill(struct spanker_open *open, u32 count,
			      const struct spanker_op_array *array,
			      struct spanker_batch *batch, u32 *bad_op)
{
	int err;
	u32 i;

	for (i = 0; i < count; i++) {
		if (i == array->too_big)
			err = -E2BIG;
		else
			err = spanker_op_validate(open, &array->ops[i], &batch->ops[i]);
		if (err) {
			*bad_op = i;
			return err;
		}
		batch->count++;
		cond_resched();
	}
	return 0;
}

/* A batch that has been validated whole, or the errno and the op at fault. */
static struct spanker_batch *spanker_batch_read(struct spanker_open *open,
						struct spanker_work_submit *submit)
{
	struct spanker_op_array array = { .too_big = SPANKER_NO_OP };
	struct spanker_batch *batch;
	int err;

	if (submit->flags || !submit->op_count ||
	    submit->op_count > open->card->info.max_ops ||
	    submit->op_stride % sizeof(u64) ||
	    submit->op_stride < sizeof(struct spanker_op) ||
	    submit->op_stride > SPANKER_OP_STRIDE_MAX)
		return ERR_PTR(-EINVAL);
	array.ops = kvmalloc_array(submit->op_count, sizeof(*array.ops), SPANKER_GFP);
	batch = spanker_batch_alloc(submit->op_count);
	err = array.ops && batch ? 0 : -ENOMEM;
	err = err ?: spanker_op_array_copy(submit, &array);
	err = err ?: spanker_batch_fill(open, submit->op_count, &array, batch,
					&submit->bad_op);
	kvfree(array.ops);
	if (!err)
		return batch;
	if (batch)
		spanker_batch_free(batch);
	return ERR_PTR(err);
}

/* Tells the caller the seqno and queues the batch, or neither. */
static int spanker_batch_commit(struct spanker_open *open,
				const struct spanker_argument *argument,
				struct spanker_work_submit *submit,
				struct spanker_batch *batch)
{
	int err;

	/* WORK_SUBMIT does not block, so that no signal but a deadly one ends it. */
	if (mutex_lock_killable(&open->submit_mutex)) {
		spanker_batch_free(batch);
		return -EINTR;
	}
	err = spanker_may_queue(open, &submit->seqno);
	err = err ?: spanker_argument_write(argument, 0, submit, sizeof(*submit));
	if (!err)
		spanker_queue(open, batch);
	mutex_unlock(&open->submit_mutex);
	if (err)
		spanker_batch_free(batch);
	return err;
}

int spanker_submit(struct spanker_open *open,
		   const struct spanker_argument *argument)
{
	struct spanker_work_submit submit;
	struct spanker_batch *batch;
	bool tail_is_zero;
	int err;

	err = spanker_argument_read(argument, &submit, sizeof(submit), &tail_is_zero);
	if (err)
		return err;
	submit.bad_op = SPANKER_NO_OP;
	batch = tail_is_zero ? spanker_batch_read(open, &submit) : ERR_PTR(-E2BIG);
	err = PTR_ERR_OR_ZERO(batch);
	err = err ?: spanker_batch_commit(open, argument, &submit, batch);
	/* On success it was written together with the seqno. */
	if (err && spanker_argument_write(argument,
					  offsetof(struct spanker_work_submit, bad_op),
					  &submit.bad_op, sizeof(submit.bad_op)))
		return -EFAULT;
	return err;
}
