// SPDX-License-Identifier: GPL-2.0-only
/* ioctl: recognising requests, and the small ones of them. */

#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "argument.h"
#include "spanker.h"
#include "submit.h"

/*
 * Whether @code is a request, which it is by type, number and direction. The
 * size in it is the caller's; @expected has that of the first version.
 */
static int spanker_recognise(unsigned int code, unsigned int expected)
{
	if (_IOC_TYPE(code) != _IOC_TYPE(expected) ||
	    _IOC_NR(code) != _IOC_NR(expected) ||
	    _IOC_DIR(code) != _IOC_DIR(expected))
		return -ENOTTY;
	if (_IOC_SIZE(code) < _IOC_SIZE(expected))
		return -EINVAL;
	return 0;
}

static int spanker_get_version(const struct spanker_argument *argument)
{
	static const struct spanker_version version = {
		.major = SPANKER_ABI_VERSION_MAJOR,
		.minor = SPANKER_ABI_VERSION_MINOR,
		.patch = SPANKER_ABI_VERSION_PATCH,
	};

	if (spanker_argument_write(argument, 0, &version, sizeof(version)) ||
	    clear_user(argument->user + sizeof(version),
		       argument->size - sizeof(version)))
		return -EFAULT;
	return 0;
}

/* Copies a struct in of which the driver knows all, or the rest is zero. */
static int spanker_read_known(const struct spanker_argument *argument,
			      void *known, size_t size)
{
	bool tail_is_zero;
	int err;

	err = spanker_argument_read(argument, known, size, &tail_is_zero);
	if (!err && !tail_is_zero)
		err = -E2BIG;
	return err;
}

static int spanker_query_answer(const struct spanker_argument *argument,
				struct spanker_query *query,
				const void *answer, size_t size)
{
	size_t part = min_t(size_t, query->size, size);
	void __user *to;

	if (part) {
		if (spanker_user_pointer(query->ptr, &to) ||
		    copy_to_user(to, answer, part))
			return -EFAULT;
	}
	query->size = size;
	return spanker_argument_write(argument, 0, query, sizeof(*query));
}

static int spanker_query_cards(const struct spanker_argument *argument)
{
	struct spanker_query query;
	u32 *indices;
	int err;

	err = spanker_read_known(argument, &query, sizeof(query));
	if (err)
		return err;
	if (query.type != SPANKER_QUERY_CARDS)
		return -EINVAL;
	indices = kcalloc(SPANKER_MAX_CARDS, sizeof(*indices), GFP_KERNEL);
	if (!indices)
		return -ENOMEM;
	err = spanker_query_answer(argument, &query, indices,
				   spanker_card_indices(indices) * sizeof(*indices));
	kfree(indices);
	return err;
}

static int spanker_query_card(struct spanker_open *open,
			      const struct spanker_argument *argument)
{
	struct spanker_card *card = open->card;
	struct spanker_context_info context;
	struct spanker_telemetry telemetry;
	struct spanker_query query;
	int err;

	err = spanker_read_known(argument, &query, sizeof(query));
	if (err)
		return err;
	switch (query.type) {
	case SPANKER_QUERY_DEVICE:
		return spanker_query_answer(argument, &query, &card->info,
					    sizeof(card->info));
	case SPANKER_QUERY_MATMUL_CAPS:
		return spanker_query_answer(argument, &query, card->ops->caps,
					    card->ops->cap_count *
					    sizeof(*card->ops->caps));
	case SPANKER_QUERY_CONTEXT:
		spanker_context(open, &context);
		return spanker_query_answer(argument, &query, &context,
					    sizeof(context));
	case SPANKER_QUERY_TELEMETRY:
		spanker_card_telemetry(card, &telemetry);
		return spanker_query_answer(argument, &query, &telemetry,
					    sizeof(telemetry));
	default:
		return -EINVAL;
	}
}

static int spanker_create(struct spanker_open *open,
			  const struct spanker_argument *argument)
{
	struct spanker_buf_create create;
	struct spanker_buf *buf;
	int err;

	err = spanker_read_known(argument, &create, sizeof(create));
	if (err)
		return err;
	if (create.flags & ~SPANKER_BUF_DEVICE || !create.size ||
	    create.size > open->card->info.max_buf_size)
		return -EINVAL;
	buf = spanker_buf_prepare(open, &create);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	/* Without a lock: whoever guesses the handle finds nothing yet. */
	err = spanker_argument_write(argument, 0, &create, sizeof(create));
	if (err)
		spanker_buf_abandon(open, &create, buf);
	else
		spanker_buf_publish(open, &create, buf);
	return err;
}

static int spanker_destroy(struct spanker_open *open,
			   const struct spanker_argument *argument)
{
	struct spanker_buf_destroy destroy;
	int err;

	err = spanker_read_known(argument, &destroy, sizeof(destroy));
	if (err)
		return err;
	if (destroy.flags)
		return -EINVAL;
	return spanker_buf_destroy(open, destroy.handle);
}

static int spanker_wait(struct spanker_open *open,
			const struct spanker_argument *argument)
{
	struct spanker_wait wait;
	bool tail_is_zero;
	u64 completed;
	int err;

	err = spanker_argument_read(argument, &wait, sizeof(wait), &tail_is_zero);
	if (err)
		return err;
	if (!tail_is_zero)
		err = -E2BIG;
	else if (wait.flags || wait.reserved)
		err = -EINVAL;
	if (err)
		completed = spanker_completed(open);
	else
		err = spanker_wait_for(open, wait.seqno, wait.deadline_ns, &completed);
	/* Whatever the answer is. */
	if (spanker_argument_write(argument, offsetof(struct spanker_wait, completed),
				   &completed, sizeof(completed)))
		return -EFAULT;
	return err;
}

static int spanker_card_request(struct spanker_open *open, unsigned int code,
				const struct spanker_argument *argument)
{
	int err;

	switch (_IOC_NR(code)) {
	case _IOC_NR(SPANKER_IOC_PING):
		return spanker_recognise(code, SPANKER_IOC_PING);
	case _IOC_NR(SPANKER_IOC_GET_VERSION):
		err = spanker_recognise(code, SPANKER_IOC_GET_VERSION);
		return err ?: spanker_get_version(argument);
	case _IOC_NR(SPANKER_IOC_QUERY):
		err = spanker_recognise(code, SPANKER_IOC_QUERY);
		return err ?: spanker_query_card(open, argument);
	case _IOC_NR(SPANKER_IOC_BUF_CREATE):
		err = spanker_recognise(code, SPANKER_IOC_BUF_CREATE);
		return err ?: spanker_create(open, argument);
	case _IOC_NR(SPANKER_IOC_BUF_DESTROY):
		err = spanker_recognise(code, SPANKER_IOC_BUF_DESTROY);
		return err ?: spanker_destroy(open, argument);
	case _IOC_NR(SPANKER_IOC_WORK_SUBMIT):
		err = spanker_recognise(code, SPANKER_IOC_WORK_SUBMIT);
		return err ?: spanker_submit(open, argument);
	case _IOC_NR(SPANKER_IOC_WAIT):
		err = spanker_recognise(code, SPANKER_IOC_WAIT);
		return err ?: spanker_wait(open, argument);
	default:
		return -ENOTTY;
	}
}

/* ioctl of a card's node. */
long spanker_card_ioctl(struct file *file, unsigned int code,
			unsigned long address)
{
	const struct spanker_argument argument = {
		.user = (void __user *)address,
		.size = _IOC_SIZE(code),
	};
	struct spanker_open *open = file->private_data;

	if (spanker_is_revoked(open))
		return -ENODEV;
	return spanker_card_request(open, code, &argument);
}

/* ioctl of the control node. */
long spanker_control_ioctl(struct file *file, unsigned int code,
			   unsigned long address)
{
	const struct spanker_argument argument = {
		.user = (void __user *)address,
		.size = _IOC_SIZE(code),
	};
	int err;

	switch (_IOC_NR(code)) {
	case _IOC_NR(SPANKER_IOC_PING):
		return spanker_recognise(code, SPANKER_IOC_PING);
	case _IOC_NR(SPANKER_IOC_GET_VERSION):
		err = spanker_recognise(code, SPANKER_IOC_GET_VERSION);
		return err ?: spanker_get_version(&argument);
	case _IOC_NR(SPANKER_IOC_QUERY):
		err = spanker_recognise(code, SPANKER_IOC_QUERY);
		return err ?: spanker_query_cards(&argument);
	default:
		return -ENOTTY;
	}
}
