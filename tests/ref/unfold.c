/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

/* For each element of the patches of images of shape `x`: adds it to its pixel, or takes it from there. */
static void walk(const struct sft_shape *x, const struct sft_unfold_params *params, double *image,
                 double *patches, bool adds)
{
    int64_t down = (x->dim[1] + 2 * params->pad - params->kernel) / params->stride + 1;
    int64_t across = (x->dim[2] + 2 * params->pad - params->kernel) / params->stride + 1;
    struct sft_shape all = {5, {x->dim[0], down * across, x->dim[3], params->kernel, params->kernel}};
    for (int64_t i = 0; i < ref_count(&all); i++) {
        int64_t at[SFT_MAX_RANK], h, w, pixel;
        ref_split(&all, i, at);
        h = at[1] / across * params->stride - params->pad + at[3];
        w = at[1] % across * params->stride - params->pad + at[4];
        pixel = ((at[0] * x->dim[1] + h) * x->dim[2] + w) * x->dim[3] + at[2];
        if (h < 0 || h >= x->dim[1] || w < 0 || w >= x->dim[2]) {
            if (!adds) patches[i] = 0.0;
        } else if (adds) {
            image[pixel] += patches[i];
        } else {
            patches[i] = image[pixel];
        }
    }
}

void sft_ref_unfold(struct ref_call *call)
{
    const struct sft_unfold_params *params = call->params;
    const struct sft_shape *x = &call->in_shape[0];
    int64_t down = (x->dim[1] + 2 * params->pad - params->kernel) / params->stride + 1;
    int64_t across = (x->dim[2] + 2 * params->pad - params->kernel) / params->stride + 1;
    ref_expect_shape(&call->out_shape[0], "unfold",
                     SFT_SHAPE(x->dim[0], down * across, x->dim[3] * params->kernel * params->kernel));
    walk(x, params, call->in[0], call->out[0], false);
}

void sft_ref_fold(struct ref_call *call)
{
    const struct sft_fold_params *params = call->params;
    const struct sft_shape *y = &call->in_shape[0];
    struct sft_shape x = SFT_SHAPE(y->dim[0], params->size[0], params->size[1],
                                   y->dim[2] / params->patch.kernel / params->patch.kernel);
    ref_expect_shape(&call->out_shape[0], "fold", x);
    memset(call->out[0], 0, (size_t)ref_count(&x) * sizeof(double));
    walk(&x, &params->patch, call->out[0], call->in[0], true);
}
