/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/layouts/rename.h"

#include <string.h>

/* The same tensor with strides that are said. */
static struct sft_stored_tensor with_strides(const struct sft_stored_tensor *tensor)
{
    struct sft_stored_tensor view = *tensor;
    int64_t apart = 1;
    if (tensor->strided) return view;
    for (int i = tensor->shape.rank - 1; i >= 0; i--) {
        view.stride[i] = apart;
        apart *= tensor->shape.dim[i];
    }
    view.strided = true;
    return view;
}

/* Axis i of the result is axis from[i]; -1 is an axis of one. */
static struct sft_stored_tensor with_axes(const struct sft_stored_tensor *tensor, int rank, const int *from)
{
    const struct sft_stored_tensor whole = with_strides(tensor);
    struct sft_stored_tensor view = whole;
    view.shape.rank = rank;
    for (int i = 0; i < rank; i++) {
        view.shape.dim[i] = from[i] < 0 ? 1 : whole.shape.dim[from[i]];
        view.stride[i] = from[i] < 0 ? 0 : whole.stride[from[i]];
    }
    return view;
}

/* The four places of a kernel (O, I, R, S) among the axes of a file's tensor; -1 where it has none. */
struct kernel {
    int axes[4];
};

static struct kernel kernel_in(const struct sft_stored_tensor *tensor, bool out_last)
{
    if (tensor->shape.rank == 2)
        return out_last ? (struct kernel){{1, 0, -1, -1}} : (struct kernel){{0, 1, -1, -1}};
    return out_last ? (struct kernel){{3, 2, 0, 1}} : (struct kernel){{0, 1, 2, 3}};
}

static bool is_kernel(const struct sft_parameter *item)
{
    return item->kind == SFT_CONV_WEIGHT || item->kind == SFT_LINEAR_WEIGHT || item->kind == SFT_HEAD_WEIGHT;
}

static struct sft_stored_tensor kernel_as(const struct sft_parameter *item,
                                          const struct sft_stored_tensor *tensor,
                                          const struct sft_layout *from, const struct sft_layout *to)
{
    const struct kernel has = kernel_in(tensor, from->out_last);
    const int rank = sft_layout_shape(to, item).rank, *a = has.axes;
    const int first[] = {a[0], a[1], a[2], a[3]}, last[] = {a[2], a[3], a[1], a[0]};
    const int matrix[] = {a[1], a[0]};
    if (!to->out_last) return with_axes(tensor, rank, first);
    return with_axes(tensor, rank, rank == 2 ? matrix : last);
}

void sft_layout_rename(const struct sft_match *match, const struct sft_layout *to,
                       struct sft_stored_tensor *tensors, char (*names)[SFT_MAX_NAME])
{
    for (int i = 0; i < match->n; i++) {
        const struct sft_parameter *item = &match->items[i];
        tensors[i] = *match->stored[i];
        if (is_kernel(item)) tensors[i] = kernel_as(item, match->stored[i], match->layout, to);
        sft_layout_name(to, item->name, names[i]);
        tensors[i].name = names[i];
    }
}
