/* SPDX-License-Identifier: Apache-2.0 */
/* What most architectures have under this name. */
#include <asm-generic/swab.h>
