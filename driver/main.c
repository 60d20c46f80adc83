// SPDX-License-Identifier: GPL-2.0-only
/* The module, and the control node. */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "spanker.h"
#include "versions.h"

static dev_t spanker_first_devt;

/*
 * What is alive and has code of this module to run at its end, and the module
 * itself.
 */
static atomic_t spanker_objects = ATOMIC_INIT(1);
static DECLARE_COMPLETION(spanker_objects_gone);

/* The module stays until spanker_object_ends() is called as often. */
void spanker_object_begins(void)
{
	atomic_inc(&spanker_objects);
}

/* To be called last of all in a release. */
void spanker_object_ends(void)
{
	if (atomic_dec_and_test(&spanker_objects))
		complete(&spanker_objects_gone);
}

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
	return spanker_first_devt + index;
}

static const struct file_operations spanker_control_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = spanker_control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* A misc device cannot be opened before all of it is there. */
static struct miscdevice spanker_control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "spankerctl",
	.fops = &spanker_control_fops,
	.mode = 0660,
};

/*
 * Nothing fails once a node can be opened: what belongs to an open must not be
 * freed with the module. Cards of the parameter that cannot be made are missing.
 */
static int __init spanker_init(void)
{
	int err;

	err = class_register(&spanker_class);
	if (err)
		return err;
	err = alloc_chrdev_region(&spanker_first_devt, 0, SPANKER_MAX_CARDS,
				  SPANKER_NAME);
	if (err)
		goto unregister_class;
	err = spanker_virtual_init();
	if (err)
		goto unregister_region;
	err = misc_register(&spanker_control);
	if (err)
		goto exit_virtual;
	spanker_virtual_create_first();
	return 0;

exit_virtual:
	spanker_virtual_exit();
unregister_region:
	unregister_chrdev_region(spanker_first_devt, SPANKER_MAX_CARDS);
unregister_class:
	class_unregister(&spanker_class);
	return err;
}

static void __exit spanker_exit(void)
{
	misc_deregister(&spanker_control);
	spanker_virtual_exit();
	spanker_object_ends();
	wait_for_completion(&spanker_objects_gone);
	unregister_chrdev_region(spanker_first_devt, SPANKER_MAX_CARDS);
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
