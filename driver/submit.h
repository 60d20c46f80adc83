/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SPANKER_SUBMIT_H
#define _SPANKER_SUBMIT_H

#include "argument.h"
#include "spanker.h"

int spanker_submit(struct spanker_open *open,
		   const struct spanker_argument *argument);

#endif
