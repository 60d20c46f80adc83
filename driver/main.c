// SPDX-License-Identifier: GPL-2.0-only
/* The module, and the control node. */

#include <linux/module.h>

#include "spanker.h"
#include "versions.h"

/* The control node's minor number is 0, that of card N is N + 1. */
static dev_t spanker_first_devt;
static struct cdev spanker_control_cdev;

static char *spanker_devnode(SPANKER_DEVNODE_CONST struct device *dev,
			     umode_t *mode)
{
	if (mode)
		*mode = 0660;
	return NULL;
}

struct class spanker_class = {
	.name = SPANKER_NAME,
	.devnode = spanker_devnode,
};

dev_t spanker_card_devt(u32 index)
{
	return spanker_first_devt + 1 + index;
}

static const struct file_operations spanker_control_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = spanker_control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static int __init spanker_control_init(void)
{
	struct device *dev;
	int err;

	cdev_init(&spanker_control_cdev, &spanker_control_fops);
	spanker_control_cdev.owner = THIS_MODULE;
	err = cdev_add(&spanker_control_cdev, spanker_first_devt, 1);
	if (err)
		return err;
	dev = device_create(&spanker_class, NULL, spanker_first_devt, NULL,
			    "spankerctl");
	if (IS_ERR(dev)) {
		cdev_del(&spanker_control_cdev);
		return PTR_ERR(dev);
	}
	return 0;
}

static void spanker_control_exit(void)
{
	device_destroy(&spanker_class, spanker_first_devt);
	cdev_del(&spanker_control_cdev);
}

static int __init spanker_init(void)
{
	int err;

	err = class_register(&spanker_class);
	if (err)
		return err;
	err = alloc_chrdev_region(&spanker_first_devt, 0, 1 + SPANKER_MAX_CARDS,
				  SPANKER_NAME);
	if (err)
		goto unregister_class;
	err = spanker_control_init();
	if (err)
		goto unregister_region;
	err = spanker_virtual_init();
	if (err)
		goto exit_control;
	return 0;

exit_control:
	spanker_control_exit();
unregister_region:
	unregister_chrdev_region(spanker_first_devt, 1 + SPANKER_MAX_CARDS);
unregister_class:
	class_unregister(&spanker_class);
	return err;
}

static void __exit spanker_exit(void)
{
	spanker_virtual_exit();
	spanker_control_exit();
	unregister_chrdev_region(spanker_first_devt, 1 + SPANKER_MAX_CARDS);
	class_unregister(&spanker_class);
}

module_init(spanker_init);
module_exit(spanker_exit);

MODULE_DESCRIPTION("Sails: accelerator cards for products of int4 matrices");
MODULE_AUTHOR("The Spanker authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(__stringify(SPANKER_ABI_VERSION_MAJOR) "."
	       __stringify(SPANKER_ABI_VERSION_MINOR) "."
	       __stringify(SPANKER_ABI_VERSION_PATCH));
