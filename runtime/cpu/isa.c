/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the compiled instruction sets this machine has. */
#include "runtime/cpu/blas.h"
#include "runtime/cpu/gemm_kernel.h"

extern const struct sft_gemm_kernel sft_gemm_kernel_baseline, sft_gemm_kernel_avx2, sft_gemm_kernel_avx512;

const struct sft_gemm_kernel *sft_gemm_kernel(void)
{
#ifdef SFT_X86_64
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return &sft_gemm_kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &sft_gemm_kernel_avx2;
#endif
    return &sft_gemm_kernel_baseline;
}

const char *sft_cpu_isa(void) { return sft_gemm_kernel()->isa; }
