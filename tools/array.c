/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/array.h"

#include "runtime/base/npy.h"

enum sft_status sft_array_open(const char *path, struct sft_array *array)
{
    static const struct sft_npy_wanted wanted = {1 << SFT_NPY_U8 | 1 << SFT_NPY_F32,
                                                 "float32 (normalised) and uint8 (0 to 255) are taken", 4,
                                                 "images are an array (N, H, W, C)"};
    struct sft_npy npy;
    *array = (struct sft_array){0};
    SFT_TRY(sft_npy_open(path, &wanted, &npy));
    *array = (struct sft_array){
        .file = npy.file, .shape = npy.shape, .is_float = npy.type == SFT_NPY_F32, .data = npy.values};
    return SFT_OK;
}

void sft_array_close(struct sft_array *array)
{
    sft_file_close(&array->file);
    *array = (struct sft_array){0};
}

enum sft_status sft_array_write(const char *path, struct sft_shape shape, const float *values)
{
    return sft_npy_write(path, &shape, values);
}
