/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SPANKER_OP_H
#define _SPANKER_OP_H

#include "spanker.h"

u64 spanker_row_bytes(u32 type, u32 elements);
int spanker_op_validate(struct spanker_open *open, const struct spanker_op *op,
			struct spanker_work *work);
void spanker_work_release(struct spanker_work *work);

#endif
