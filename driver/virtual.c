// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards without hardware. They are devices of a bus of their own, made by the
 * module's parameter `cards` or by writing to new_device:
 *
 *   echo mem_size=1G >/sys/bus/spanker_virtual/new_device
 *   echo 0 >/sys/bus/spanker_virtual/del_device
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "versions.h"
#include "virtual.h"

static char *cards = "1G";
module_param(cards, charp, 0444);
MODULE_PARM_DESC(cards,
		 "virtual cards to begin with, by the size of their memory: SIZE[,SIZE...], default 1G, none if empty");

/**
 * struct spanker_virtual - a virtual card, as a device of the bus
 * @dev: parent of the card's
 * @link: in spanker_virtuals
 * @card: the card, held; its engine is freed with it
 */
struct spanker_virtual {
	struct device dev;
	struct list_head link;
	struct spanker_card *card;
};

static LIST_HEAD(spanker_virtuals);
static DEFINE_MUTEX(spanker_virtuals_mutex);
/* Cards can be made: the module is not going, nor can its init still fail. */
static bool spanker_virtuals_enabled;

static const struct spanker_matmul_cap spanker_virtual_caps[] = {
	{ SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32,
	  SPANKER_MATMUL_CAP_BIT_EXACT },
	{ SPANKER_TYPE_Q8_K, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32,
	  SPANKER_MATMUL_CAP_BIT_EXACT },
	{ SPANKER_TYPE_Q4_K, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32,
	  SPANKER_MATMUL_CAP_BIT_EXACT },
};

static int spanker_virtual_run_op(struct spanker_card *card,
				  const struct spanker_work *work,
				  struct spanker_open *open)
{
	return spanker_virtual_run(card->private, work, open);
}

static void *spanker_virtual_buf_alloc(struct spanker_card *card,
				       unsigned long pages, u32 flags)
{
	if (pages > ULONG_MAX >> PAGE_SHIFT)
		return NULL;
	return __vmalloc(pages << PAGE_SHIFT, SPANKER_GFP | __GFP_ZERO);
}

static void spanker_virtual_buf_free(struct spanker_card *card, void *memory)
{
	vfree(memory);
}

static struct page *spanker_virtual_buf_page(struct spanker_card *card,
					     void *memory, unsigned long index)
{
	return vmalloc_to_page(memory + (index << PAGE_SHIFT));
}

static void spanker_virtual_release_card(struct spanker_card *card)
{
	spanker_virtual_engine_free(card->private);
}

static const struct spanker_card_ops spanker_virtual_ops = {
	.caps = spanker_virtual_caps,
	.cap_count = ARRAY_SIZE(spanker_virtual_caps),
	.run = spanker_virtual_run_op,
	.buf_alloc = spanker_virtual_buf_alloc,
	.buf_free = spanker_virtual_buf_free,
	.buf_page = spanker_virtual_buf_page,
	.release = spanker_virtual_release_card,
};

/* What is to be made. */
struct spanker_virtual_config {
	int index;
	struct spanker_device_info info;
};

static const struct spanker_virtual_config spanker_virtual_default = {
	.index = -1,
	.info = {
		.flags = SPANKER_DEVICE_VIRTUAL,
		.uuid = "spanker-virt",
		.name = "virtual Sail",
		.max_ops = 1024,
		.max_inflight = 64,
		.operand_align = 64,
		.max_m = 1 << 24,
		.max_n = 1 << 24,
		.max_k = SPANKER_QK_K << 16,
	},
};

/* A buffer is no larger unless asked for, so that handles can go round. */
#define SPANKER_VIRTUAL_MAX_BUF_SIZE	SZ_4G
#define SPANKER_VIRTUAL_MAX_BUFS	1024
/* So that the ops of a batch are no more than some megabytes. */
#define SPANKER_VIRTUAL_MAX_OPS		65536

/* Fills in what was not said. */
static int spanker_virtual_complete(struct spanker_virtual_config *config)
{
	struct spanker_device_info *info = &config->info;

	if (!info->max_buf_size)
		info->max_buf_size = min_t(u64, info->mem_size,
					   SPANKER_VIRTUAL_MAX_BUF_SIZE);
	if (!info->max_bufs)
		info->max_bufs = SPANKER_VIRTUAL_MAX_BUFS;
	if (!info->mem_size || info->max_k < SPANKER_QK_K ||
	    info->max_ops > SPANKER_VIRTUAL_MAX_OPS)
		return -EINVAL;
	return 0;
}

static void spanker_virtual_dev_release(struct device *dev)
{
	struct spanker_virtual *virtual =
		container_of(dev, struct spanker_virtual, dev);

	put_device(&virtual->card->dev);
	kfree(virtual);
	spanker_object_ends();
}

static ssize_t reset_store(struct device *dev, struct device_attribute *attr,
			   const char *text, size_t size)
{
	struct spanker_virtual *virtual =
		container_of(dev, struct spanker_virtual, dev);
	bool yes;
	int err;

	err = kstrtobool(text, &yes);
	if (err)
		return err;
	if (!yes)
		return -EINVAL;
	spanker_card_reset(virtual->card);
	return size;
}
static DEVICE_ATTR_WO(reset);

static ssize_t fail_next_open_store(struct device *dev,
				    struct device_attribute *attr,
				    const char *text, size_t size)
{
	struct spanker_virtual *virtual =
		container_of(dev, struct spanker_virtual, dev);
	int end = 0;
	u64 seqno;
	u32 op;

	if (sscanf(text, "%llu %u %n", &seqno, &op, &end) != 2 || text[end])
		return -EINVAL;
	spanker_card_fail_next_open(virtual->card, seqno, op);
	return size;
}
static DEVICE_ATTR_WO(fail_next_open);

static struct attribute *spanker_virtual_attrs[] = {
	&dev_attr_reset.attr,
	&dev_attr_fail_next_open.attr,
	NULL
};
ATTRIBUTE_GROUPS(spanker_virtual);

static struct bus_type spanker_virtual_bus;

/* The device on the bus, with a card that nobody can see yet. */
static struct spanker_virtual *spanker_virtual_alloc(const struct spanker_virtual_config *config)
{
	struct spanker_virtual_engine *engine;
	struct spanker_virtual *virtual;
	struct spanker_card *card;

	virtual = kzalloc(sizeof(*virtual), GFP_KERNEL);
	if (!virtual)
		return ERR_PTR(-ENOMEM);
	engine = spanker_virtual_engine_alloc();
	if (!engine) {
		kfree(virtual);
		return ERR_PTR(-ENOMEM);
	}
	card = spanker_card_alloc(&virtual->dev, config->index, &config->info,
				  &spanker_virtual_ops, engine);
	if (IS_ERR(card)) {
		spanker_virtual_engine_free(engine);
		kfree(virtual);
		return ERR_CAST(card);
	}
	/* The last byte tells cards apart. */
	static_assert(SPANKER_MAX_CARDS - 1 <= U8_MAX);
	card->info.uuid[15] = card->info.card_index;
	virtual->card = card;
	return virtual;
}

static int spanker_virtual_create(struct spanker_virtual_config *config)
{
	struct spanker_virtual *virtual;
	int err;

	if (!spanker_virtuals_enabled)
		return -ENODEV;
	err = spanker_virtual_complete(config);
	if (err)
		return err;
	virtual = spanker_virtual_alloc(config);
	if (IS_ERR(virtual))
		return PTR_ERR(virtual);
	spanker_object_begins();
	device_initialize(&virtual->dev);
	virtual->dev.bus = &spanker_virtual_bus;
	virtual->dev.groups = spanker_virtual_groups;
	virtual->dev.release = spanker_virtual_dev_release;
	err = dev_set_name(&virtual->dev, "virtual%u",
			   virtual->card->info.card_index);
	err = err ?: device_add(&virtual->dev);
	if (err) {
		spanker_card_abandon(virtual->card);
		put_device(&virtual->dev);
		return err;
	}
	/* The device keeps a reference of its own. */
	get_device(&virtual->card->dev);
	err = spanker_card_register(virtual->card);
	if (err) {
		put_device(&virtual->card->dev);
		device_unregister(&virtual->dev);
		return err;
	}
	list_add_tail(&virtual->link, &spanker_virtuals);
	return 0;
}

static void spanker_virtual_destroy(struct spanker_virtual *virtual)
{
	list_del(&virtual->link);
	spanker_card_unregister(virtual->card);
	device_unregister(&virtual->dev);
}

/* "NAME=NUMBER", never 0 but for the index; sizes may end in K, M, G. */
static int spanker_virtual_set(struct spanker_virtual_config *config, char *word)
{
	struct spanker_device_info *info = &config->info;
	const struct {
		const char *name;
		u32 *limit;
	} limits[] = {
		{ "max_ops", &info->max_ops },
		{ "max_inflight", &info->max_inflight },
		{ "max_bufs", &info->max_bufs },
		{ "max_m", &info->max_m },
		{ "max_n", &info->max_n },
		{ "max_k", &info->max_k },
	};
	char *text = strchr(word, '=');
	unsigned int i;
	char *end;
	u64 size;

	if (!text)
		return -EINVAL;
	*text++ = '\0';
	if (!strcmp(word, "index"))
		return kstrtoint(text, 0, &config->index) ?: config->index < 0 ? -EINVAL : 0;
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (!strcmp(word, limits[i].name))
			return kstrtou32(text, 0, limits[i].limit) ?:
			       *limits[i].limit ? 0 : -EINVAL;
	size = memparse(text, &end);
	if (end == text || *end || !size)
		return -EINVAL;
	if (!strcmp(word, "mem_size"))
		info->mem_size = size;
	else if (!strcmp(word, "max_buf_size"))
		info->max_buf_size = size;
	else
		return -EINVAL;
	return 0;
}

static ssize_t new_device_store(SPANKER_BUS_CONST struct bus_type *bus,
				const char *text, size_t size)
{
	struct spanker_virtual_config config = spanker_virtual_default;
	char *copy, *rest, *word;
	int err = 0;

	copy = kstrndup(text, size, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (!err && (word = strsep(&rest, " \t\n")))
		if (*word)
			err = spanker_virtual_set(&config, word);
	if (err)
		pr_info("new_device: %s: no such word, or no such number\n", word);
	kfree(copy);
	if (err)
		return err;
	mutex_lock(&spanker_virtuals_mutex);
	err = spanker_virtual_create(&config);
	mutex_unlock(&spanker_virtuals_mutex);
	if (err)
		pr_info("new_device: no card of %llu bytes: %d\n",
			config.info.mem_size, err);
	return err ?: size;
}
static BUS_ATTR_WO(new_device);

static ssize_t del_device_store(SPANKER_BUS_CONST struct bus_type *bus,
				const char *text, size_t size)
{
	struct spanker_virtual *virtual;
	int err;
	u32 index;

	err = kstrtou32(text, 0, &index);
	if (err)
		return err;
	err = -ENOENT;
	mutex_lock(&spanker_virtuals_mutex);
	list_for_each_entry(virtual, &spanker_virtuals, link) {
		if (virtual->card->info.card_index != index)
			continue;
		spanker_virtual_destroy(virtual);
		err = 0;
		break;
	}
	mutex_unlock(&spanker_virtuals_mutex);
	return err ?: size;
}
static BUS_ATTR_WO(del_device);

static struct attribute *spanker_virtual_bus_attrs[] = {
	&bus_attr_new_device.attr,
	&bus_attr_del_device.attr,
	NULL
};
ATTRIBUTE_GROUPS(spanker_virtual_bus);

static struct bus_type spanker_virtual_bus = {
	.name = "spanker_virtual",
	.bus_groups = spanker_virtual_bus_groups,
};

static void spanker_virtual_destroy_all(void)
{
	struct spanker_virtual *virtual, *next;

	mutex_lock(&spanker_virtuals_mutex);
	spanker_virtuals_enabled = false;
	list_for_each_entry_safe(virtual, next, &spanker_virtuals, link)
		spanker_virtual_destroy(virtual);
	mutex_unlock(&spanker_virtuals_mutex);
}

/* The size in a word of the parameter; it is separated by commas. */
static int spanker_virtual_next_size(const char **rest, u64 *size)
{
	char *end;

	*size = memparse(*rest, &end);
	if (end == *rest || !*size || (*end && *end != ','))
		return -EINVAL;
	*rest = *end ? end + 1 : end;
	return *end && !end[1] ? -EINVAL : 0;
}

/*
 * Lets cards be made, and makes those of the parameter, which
 * spanker_virtual_init() has checked.
 */
void __init spanker_virtual_create_first(void)
{
	const char *rest = cards;
	int err;

	mutex_lock(&spanker_virtuals_mutex);
	spanker_virtuals_enabled = true;
	while (*rest) {
		struct spanker_virtual_config config = spanker_virtual_default;

		err = spanker_virtual_next_size(&rest, &config.info.mem_size);
		err = err ?: spanker_virtual_create(&config);
		if (err)
			pr_err("no card of %llu bytes: %d\n",
			       config.info.mem_size, err);
	}
	mutex_unlock(&spanker_virtuals_mutex);
}

/* Makes the bus. */
int __init spanker_virtual_init(void)
{
	const char *rest = cards;
	u64 size;

	while (*rest) {
		if (spanker_virtual_next_size(&rest, &size)) {
			pr_err("cards=%s: SIZE[,SIZE...] is wanted\n", cards);
			return -EINVAL;
		}
	}
	return bus_register(&spanker_virtual_bus);
}

/* Unplugs all cards, and ends the bus. */
void spanker_virtual_exit(void)
{
	spanker_virtual_destroy_all();
	bus_unregister(&spanker_virtual_bus);
}
