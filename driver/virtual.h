/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine of virtual cards: ops on memory that the kernel can address. The
 * memory of a buffer (buf->memory) is contiguous in the kernel's address space,
 * and its owner may write it at any time.
 */
#ifndef _SPANKER_VIRTUAL_H
#define _SPANKER_VIRTUAL_H

#include "spanker.h"

/* Private memory of an engine; it runs one op at a time. */
struct spanker_virtual_engine;

struct spanker_virtual_engine *spanker_virtual_engine_alloc(void);
void spanker_virtual_engine_free(struct spanker_virtual_engine *engine);
int spanker_virtual_run(struct spanker_virtual_engine *engine,
			const struct spanker_work *work,
			struct spanker_open *open);

#endif
