/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the compiled instruction sets this machine has. */
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/cpu/winograd_kernel.h"

enum isa { BASELINE, AVX2, AVX512, ISA_COUNT };

#ifdef SFT_X86_64
#define ISAS(type)                                                                                           \
    extern const struct type type##_baseline, type##_avx2, type##_avx512;                                    \
    static const struct type *const type##s[ISA_COUNT] = {&type##_baseline, &type##_avx2, &type##_avx512};
#else
#define ISAS(type)                                                                                           \
    extern const struct type type##_baseline;                                                                \
    static const struct type *const type##s[ISA_COUNT] = {&type##_baseline};
#endif
ISAS(sft_gemm_kernel)
ISAS(sft_row_kernel)
ISAS(sft_winograd_kernel)

static enum isa machine_isa(void)
{
#ifdef SFT_X86_64
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
    return BASELINE;
}

const struct sft_gemm_kernel *sft_gemm_kernel(void) { return sft_gemm_kernels[machine_isa()]; }

const struct sft_row_kernel *sft_row_kernel(void) { return sft_row_kernels[machine_isa()]; }

const struct sft_winograd_kernel *sft_winograd_kernel(void) { return sft_winograd_kernels[machine_isa()]; }

const char *sft_cpu_isa(void) { return sft_gemm_kernel()->isa; }
