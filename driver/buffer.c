// SPDX-License-Identifier: GPL-2.0-only
/* BUF_CREATE, BUF_DESTROY, mmap. */

#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "spanker.h"
#include "versions.h"

static void spanker_buf_release(struct kref *ref)
{
	struct spanker_buf *buf = container_of(ref, struct spanker_buf, ref);

	buf->card->ops->buf_free(buf->card, buf->memory);
	spanker_card_give_back(buf->card, buf->pages);
	kfree(buf);
}

/* Lets a buffer go, or nothing. May sleep. */
void spanker_buf_put(struct spanker_buf *buf)
{
	if (buf)
		kref_put(&buf->ref, spanker_buf_release);
}

/* A buffer in no open yet. */
static struct spanker_buf *spanker_buf_alloc(struct spanker_card *card, u64 size,
					     u32 flags)
{
	struct spanker_buf *buf;
	int err;

	buf = kzalloc(sizeof(*buf), SPANKER_GFP);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	kref_init(&buf->ref);
	buf->card = card;
	buf->size = size;
	buf->flags = flags;
	buf->pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	err = spanker_card_reserve(card, buf->pages);
	if (err)
		goto free_buf;
	buf->memory = card->ops->buf_alloc(card, buf->pages, flags);
	if (!buf->memory) {
		err = -ENOMEM;
		goto give_back;
	}
	return buf;

give_back:
	spanker_card_give_back(card, buf->pages);
free_buf:
	kfree(buf);
	return ERR_PTR(err);
}

/* Takes a place under max_bufs, and a handle that names nothing yet. */
static int spanker_handle_reserve(struct spanker_open *open)
{
	int handle;

	mutex_lock(&open->handles_mutex);
	if (open->handle_count >= open->card->info.max_bufs)
		handle = -EMFILE;
	else
		handle = idr_alloc_cyclic(&open->handles, NULL, 1,
					  open->card->last_handle + 1,
					  SPANKER_GFP);
	if (handle > 0)
		open->handle_count++;
	mutex_unlock(&open->handles_mutex);
	return handle;
}

/**
 * spanker_buf_prepare() - make a buffer that has a handle but is not yet found
 * @open: an open
 * @create: size and flags, validated; gets handle and offset
 *
 * Return: the buffer, for spanker_buf_publish() or spanker_buf_abandon(), or
 * -EMFILE, -ENOSPC, -ENOMEM.
 */
struct spanker_buf *spanker_buf_prepare(struct spanker_open *open,
					struct spanker_buf_create *create)
{
	struct spanker_buf *buf;
	int handle;

	handle = spanker_handle_reserve(open);
	if (handle < 0)
		return ERR_PTR(handle);
	buf = spanker_buf_alloc(open->card, create->size, create->flags);
	create->handle = handle;
	create->mmap_offset = 0;
	if (IS_ERR(buf))
		spanker_buf_abandon(open, create, NULL);
	else if (!(buf->flags & SPANKER_BUF_DEVICE))
		create->mmap_offset = ((u64)handle * open->card->slot_pages) << PAGE_SHIFT;
	return buf;
}

/* From now on the handle names the buffer. */
void spanker_buf_publish(struct spanker_open *open,
			 const struct spanker_buf_create *create,
			 struct spanker_buf *buf)
{
	mutex_lock(&open->handles_mutex);
	idr_replace(&open->handles, buf, create->handle);
	mutex_unlock(&open->handles_mutex);
}

/* Undoes spanker_buf_prepare(); the next buffer gets this handle. */
void spanker_buf_abandon(struct spanker_open *open,
			 const struct spanker_buf_create *create,
			 struct spanker_buf *buf)
{
	mutex_lock(&open->handles_mutex);
	idr_remove(&open->handles, create->handle);
	if (idr_get_cursor(&open->handles) == create->handle + 1)
		idr_set_cursor(&open->handles, create->handle);
	open->handle_count--;
	mutex_unlock(&open->handles_mutex);
	spanker_buf_put(buf);
}

/* Under handles_mutex: the buffer of a handle, or NULL. */
static struct spanker_buf *spanker_buf_find(struct spanker_open *open, u32 handle)
{
	if (!handle || handle > open->card->last_handle)
		return NULL;
	handle = array_index_nospec(handle, open->card->last_handle + 1);
	return idr_find(&open->handles, handle);
}

/**
 * spanker_buf_destroy() - let a handle name nothing any more
 * @open: an open
 * @handle: of a buffer
 *
 * Return: 0, or -ENOENT.
 */
int spanker_buf_destroy(struct spanker_open *open, u32 handle)
{
	struct spanker_buf *buf;

	mutex_lock(&open->handles_mutex);
	buf = spanker_buf_find(open, handle);
	if (buf) {
		idr_remove(&open->handles, handle);
		open->handle_count--;
	}
	mutex_unlock(&open->handles_mutex);
	spanker_buf_put(buf);
	return buf ? 0 : -ENOENT;
}

/* The buffer of a handle, held, or NULL. */
struct spanker_buf *spanker_buf_get(struct spanker_open *open, u32 handle)
{
	struct spanker_buf *buf;

	mutex_lock(&open->handles_mutex);
	buf = spanker_buf_find(open, handle);
	if (buf)
		kref_get(&buf->ref);
	mutex_unlock(&open->handles_mutex);
	return buf;
}

static void spanker_vm_open(struct vm_area_struct *vma)
{
	struct spanker_buf *buf = vma->vm_private_data;

	kref_get(&buf->ref);
}

static void spanker_vm_close(struct vm_area_struct *vma)
{
	spanker_buf_put(vma->vm_private_data);
}

/* Takes no lock, and needs no card: mappings stay valid without one. */
static vm_fault_t spanker_vm_fault(struct vm_fault *fault)
{
	struct spanker_buf *buf = fault->vma->vm_private_data;
	unsigned long index = fault->pgoff % buf->card->slot_pages;
	struct page *page;

	if (index >= buf->pages)
		return VM_FAULT_SIGBUS;
	index = array_index_nospec(index, buf->pages);
	page = buf->card->ops->buf_page(buf->card, buf->memory, index);
	get_page(page);
	fault->page = page;
	return 0;
}

static const struct vm_operations_struct spanker_vm_ops = {
	.open = spanker_vm_open,
	.close = spanker_vm_close,
	.fault = spanker_vm_fault,
};

/* mmap of a card's node. The mapping holds the buffer, and the file the open. */
int spanker_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct spanker_open *open = file->private_data;
	unsigned long slot_pages = open->card->slot_pages;
	unsigned long index = vma->vm_pgoff % slot_pages;
	unsigned long slot = vma->vm_pgoff / slot_pages;
	struct spanker_buf *buf;

	if (spanker_is_revoked(open))
		return -ENODEV;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	/* VM_SHARED is not set where the descriptor is for reading only. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (slot > open->card->last_handle)
		return -EINVAL;
	buf = spanker_buf_get(open, slot);
	if (!buf)
		return -EINVAL;
	if (buf->flags & SPANKER_BUF_DEVICE || index >= buf->pages ||
	    vma_pages(vma) > buf->pages - index) {
		spanker_buf_put(buf);
		return -EINVAL;
	}
	spanker_vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_private_data = buf;
	vma->vm_ops = &spanker_vm_ops;
	return 0;
}
