// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops: from what a caller sent to what an engine can run without a further
 * check. The checks are in the order of the header's section 7.
 */

#include <linux/overflow.h>
#include <linux/string.h>

#include "op.h"

/* Bytes in a row; for block types, of a multiple of SPANKER_QK_K elements. */
u64 spanker_row_bytes(u32 type, u32 elements)
{
	switch (type) {
	case SPANKER_TYPE_Q4_K:
		return (u64)(elements / SPANKER_QK_K) * sizeof(struct spanker_block_q4_k);
	case SPANKER_TYPE_Q8_K:
		return (u64)(elements / SPANKER_QK_K) * sizeof(struct spanker_block_q8_k);
	default:
		return (u64)elements * sizeof(__le32);
	}
}

/* Lets go of the buffers of an op that does not run any more. */
void spanker_work_release(struct spanker_work *work)
{
	spanker_buf_put(work->a.buf);
	spanker_buf_put(work->b.buf);
	spanker_buf_put(work->out.buf);
}

static bool spanker_in_range(u32 value, u32 max)
{
	return value && value <= max;
}

static bool spanker_is_offered(struct spanker_card *card, const struct spanker_op *op)
{
	unsigned int i;

	for (i = 0; i < card->ops->cap_count; i++)
		if (card->ops->caps[i].a_type == op->a.type &&
		    card->ops->caps[i].b_type == op->b.type &&
		    card->ops->caps[i].out_type == op->out.type)
			return true;
	return false;
}

/* Whether the rows do not run into each other, and words are aligned. */
static bool spanker_is_laid_out(const struct spanker_operand *operand, u64 row_bytes)
{
	return operand->row_stride >= row_bytes &&
	       !(operand->offset % sizeof(__le32)) &&
	       !(operand->row_stride % sizeof(__le32));
}

static int spanker_find_rows(struct spanker_open *open,
			     const struct spanker_operand *operand,
			     struct spanker_rows *rows)
{
	rows->buf = spanker_buf_get(open, operand->handle);
	rows->offset = operand->offset;
	rows->stride = operand->row_stride;
	return rows->buf ? 0 : -ENOENT;
}

/* Where the footprint of some rows ends, if it does not leave the buffer. */
static int spanker_footprint(const struct spanker_rows *rows, u32 count,
			     u64 row_bytes, u64 *end)
{
	if (check_mul_overflow((u64)(count - 1), rows->stride, end) ||
	    check_add_overflow(*end, row_bytes, end) ||
	    check_add_overflow(*end, rows->offset, end) ||
	    *end > rows->buf->size)
		return -ERANGE;
	return 0;
}

static bool spanker_overlap(const struct spanker_operand *a, u64 a_end,
			    const struct spanker_operand *b, u64 b_end)
{
	return a->handle == b->handle && a->offset < b_end && b->offset < a_end;
}

static int spanker_validate_matmul(struct spanker_open *open,
				   const struct spanker_op *op,
				   struct spanker_work *work)
{
	const struct spanker_device_info *limits = &open->card->info;
	u64 a_bytes, b_bytes, out_bytes;
	u64 a_end, b_end, out_end;
	int err;

	if (op->flags & ~SPANKER_OP_ACCUMULATE || op->reserved)
		return -EINVAL;
	if (!spanker_is_offered(open->card, op))
		return -EOPNOTSUPP;
	if (!spanker_in_range(op->m, limits->max_m) ||
	    !spanker_in_range(op->n, limits->max_n) ||
	    !spanker_in_range(op->k, limits->max_k) || op->k % SPANKER_QK_K)
		return -EINVAL;
	a_bytes = spanker_row_bytes(op->a.type, op->k);
	b_bytes = spanker_row_bytes(op->b.type, op->k);
	out_bytes = spanker_row_bytes(op->out.type, op->n);
	if (!spanker_is_laid_out(&op->a, a_bytes) ||
	    !spanker_is_laid_out(&op->b, b_bytes) ||
	    !spanker_is_laid_out(&op->out, out_bytes))
		return -EINVAL;

	err = spanker_find_rows(open, &op->a, &work->a);
	err = err ?: spanker_find_rows(open, &op->b, &work->b);
	err = err ?: spanker_find_rows(open, &op->out, &work->out);
	err = err ?: spanker_footprint(&work->a, op->m, a_bytes, &a_end);
	err = err ?: spanker_footprint(&work->b, op->n, b_bytes, &b_end);
	err = err ?: spanker_footprint(&work->out, op->m, out_bytes, &out_end);
	if (err)
		return err;
	if (spanker_overlap(&op->out, out_end, &op->a, a_end) ||
	    spanker_overlap(&op->out, out_end, &op->b, b_end))
		return -EINVAL;
	return 0;
}

static int spanker_validate_copy(struct spanker_open *open,
				 const struct spanker_op *op,
				 struct spanker_work *work)
{
	u64 a_end, out_end;
	int err;

	if (op->flags || op->reserved || op->a.type || op->out.type ||
	    memchr_inv(&op->b, 0, sizeof(op->b)))
		return -EINVAL;
	if (!spanker_in_range(op->m, open->card->info.max_m) || !op->k || op->n)
		return -EINVAL;
	if (op->a.row_stride < op->k || op->out.row_stride < op->k)
		return -EINVAL;

	err = spanker_find_rows(open, &op->a, &work->a);
	err = err ?: spanker_find_rows(open, &op->out, &work->out);
	err = err ?: spanker_footprint(&work->a, op->m, op->k, &a_end);
	err = err ?: spanker_footprint(&work->out, op->m, op->k, &out_end);
	if (err)
		return err;
	if (spanker_overlap(&op->out, out_end, &op->a, a_end))
		return -EINVAL;
	return 0;
}

/**
 * spanker_op_validate() - check an op, and find its buffers
 * @open: whose it is
 * @op: what the caller sent
 * @work: gets what is to be run, to be given to spanker_work_release(); nothing
 *	on error
 *
 * Return: 0, or the errno of the first thing that is wrong.
 */
int spanker_op_validate(struct spanker_open *open, const struct spanker_op *op,
			struct spanker_work *work)
{
	int err;

	*work = (struct spanker_work) {
		.opcode = op->opcode,
		.a_type = op->a.type,
		.accumulate = op->flags & SPANKER_OP_ACCUMULATE,
		.m = op->m,
		.n = op->n,
		.k = op->k,
	};
	switch (op->opcode) {
	case SPANKER_OPCODE_MATMUL:
		err = spanker_validate_matmul(open, op, work);
		break;
	case SPANKER_OPCODE_COPY:
		err = spanker_validate_copy(open, op, work);
		break;
	default:
		err = -EINVAL;
	}
	if (err)
		spanker_work_release(work);
	return err;
}
