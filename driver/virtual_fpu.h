/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sections in which the kernel may use floating point: rounding to nearest,
 * subnormals kept, nothing trapped. Preemption may be disabled in them.
 */
#ifndef _SPANKER_VIRTUAL_FPU_H
#define _SPANKER_VIRTUAL_FPU_H

#include <linux/types.h>

#if defined(CONFIG_ARCH_HAS_KERNEL_FPU_SUPPORT) && \
	(defined(CONFIG_X86_64) || defined(CONFIG_ARM64) || \
	 defined(CONFIG_LOONGARCH) || \
	 (defined(CONFIG_RISCV) && defined(CONFIG_64BIT)))
#include <linux/fpu.h>
#elif defined(CONFIG_X86_64)
#include <asm/fpu/api.h>
#define kernel_fpu_available()	true
#elif defined(CONFIG_ARM64) && defined(CONFIG_KERNEL_MODE_NEON)
#include <asm/neon.h>
#define kernel_fpu_available()	cpu_has_neon()
#define kernel_fpu_begin()	kernel_neon_begin()
#define kernel_fpu_end()	kernel_neon_end()
#else
/* Elsewhere some f32 flush subnormals, or have another precision. */
#error "Virtual Sails need x86-64, arm64 with CONFIG_KERNEL_MODE_NEON,"
#error "or Linux 6.10 on LoongArch or 64-bit RISC-V with CONFIG_FPU."
#endif

#if defined(CONFIG_ARM64)
#include <asm/sysreg.h>
#elif defined(CONFIG_RISCV)
#include <asm/csr.h>
#endif

static inline bool spanker_fpu_available(void)
{
	return kernel_fpu_available();
}

static inline void spanker_fpu_begin(void)
{
	kernel_fpu_begin();
	/* The others begin with the mode that is needed, these with any. */
#if defined(CONFIG_ARM64)
	write_sysreg_s(0, sys_reg(3, 3, 4, 4, 0)); /* FPCR */
#elif defined(CONFIG_RISCV)
	csr_write(CSR_FCSR, 0);
#endif
}

static inline void spanker_fpu_end(void)
{
	kernel_fpu_end();
}

#endif
