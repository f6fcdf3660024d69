/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a checkpoint, a data set or a model: the operand says which by what it is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/file.h"
#include "runtime/cost.h"
#include "runtime/program.h"
#include "sam/step.h"
#include "tools/cli/common.h"
#include "tools/cli/terminal.h"

struct inspect {
    struct sft_common common;
    bool plan;
    int64_t batch, classes;
};

/* ---- checkpoints ---- */

static json_t *shape_json(const struct sft_shape *shape)
{
    json_t *array = json_array();
    for (int i = 0; i < shape->rank; i++) json_array_append_new(array, json_integer(shape->dim[i]));
    return array;
}

static json_t *checkpoint_json(const struct sft_checkpoint *checkpoint, const char *hash, const char *model)
{
    json_t *tensors = json_array(), *metadata = json_object();
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        json_array_append_new(tensors, json_pack("{s:s, s:s, s:o}", "name", tensor->name, "dtype",
                                                 sft_stored_dtype_str(tensor->dtype), "shape",
                                                 shape_json(&tensor->shape)));
    }
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        json_object_set_new(metadata, checkpoint->metadata[i].key,
                            json_string(checkpoint->metadata[i].value));
    return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o}", "kind", "checkpoint", "path", checkpoint->path,
                     "sha256", hash, "model", model, "metadata", metadata, "tensors", tensors);
}

static void print_checkpoint(const struct sft_checkpoint *checkpoint, const char *hash, const char *model)
{
    int64_t numbers = 0;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        char shape[SFT_SHAPE_TEXT];
        numbers += sft_shape_count(&tensor->shape);
        printf("  %-44s %-5s %s\n", tensor->name, sft_stored_dtype_str(tensor->dtype),
               sft_shape_str(&tensor->shape, shape));
    }
    printf("%zu tensors, %" PRId64 " numbers\n", checkpoint->n_tensors, numbers);
    printf("model   %s\n", model ? model : "(none that is known)");
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        printf("%-7s %s\n", checkpoint->metadata[i].key, checkpoint->metadata[i].value);
    printf("sha256  %s\n", hash);
}

static enum sft_status file_hash(const char *path, char hex[65])
{
    struct sft_bytes bytes;
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_file_close(&bytes);
    return SFT_OK;
}

static enum sft_status inspect_checkpoint(const struct inspect *options, const char *path)
{
    struct sft_checkpoint *checkpoint = NULL;
    struct sft_model_config config = {0};
    const char *model;
    char hash[65];
    enum sft_status status;
    SFT_TRY_OUT(sft_checkpoint_open(path, &checkpoint));
    SFT_TRY_OUT(file_hash(path, hash));
    sft_terminal_mute(true); /* a checkpoint of no model that is known is no error here */
    model = sft_model_guess(checkpoint, &config) == SFT_OK ? config.name : NULL;
    sft_terminal_mute(false);
    if (options->common.json)
        status = sft_print_json(checkpoint_json(checkpoint, hash, model));
    else
        print_checkpoint(checkpoint, hash, model);
out:
    sft_checkpoint_close(&checkpoint);
    return status;
}

/* ---- data sets ---- */

static json_t *dataset_json(const struct sft_dataset *dataset, const char *hash,
                            const struct sft_image *image)
{
    json_t *names = json_array();
    for (int i = 0; i < sft_dataset_classes(dataset); i++)
        json_array_append_new(names, json_string(sft_dataset_class_name(dataset, i)));
    return json_pack("{s:s, s:s, s:I, s:o, s:[i,i], s:s}", "kind", "dataset", "spec",
                     sft_dataset_spec(dataset), "images", (json_int_t)sft_dataset_count(dataset), "classes",
                     names, "first_size", image->width, image->height, "sha256", hash);
}

static void print_dataset(const struct sft_dataset *dataset, const char *hash, const struct sft_image *image)
{
    int classes = sft_dataset_classes(dataset);
    printf("images  %" PRId64 ", the first of %d x %d pixels\n", sft_dataset_count(dataset), image->width,
           image->height);
    printf("classes %d", classes);
    for (int i = 0; i < classes && i < 20; i++)
        printf("%s%s", i ? ", " : ": ", sft_dataset_class_name(dataset, i));
    printf("%s\nsha256  %s\n", classes > 20 ? ", ..." : "", hash);
}

static enum sft_status inspect_dataset(const struct inspect *options, const char *spec)
{
    struct sft_dataset *dataset = NULL;
    struct sft_image image = {0};
    char hash[65];
    int label;
    enum sft_status status;
    SFT_TRY_OUT(sft_dataset_open(spec, &dataset));
    SFT_TRY_OUT(sft_dataset_read(dataset, 0, &image, &label));
    sft_dataset_hash(dataset, hash);
    if (options->common.json)
        status = sft_print_json(dataset_json(dataset, hash, &image));
    else
        print_dataset(dataset, hash, &image);
out:
    sft_image_free(&image);
    sft_dataset_close(&dataset);
    return status;
}

/* ---- models ---- */

static struct sft_cost graph_cost(const struct sft_graph *graph)
{
    struct sft_cost sum = {0};
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct sft_cost cost = sft_node_cost(graph, &graph->nodes[i]);
        sum.flops += cost.flops;
        sum.bytes += cost.bytes;
    }
    return sum;
}

static json_t *model_json(const struct sft_model *model, const struct sft_graph *graph,
                          const struct sft_plan *plan, const struct inspect *options)
{
    const struct sft_parameters *parameters = &model->parameters;
    json_t *list = json_array();
    for (int i = 0; i < parameters->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", parameters->items[i].name, "shape",
                                              shape_json(&parameters->items[i].shape)));
    return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:f, s:I, s:o}", "kind", "model", "name",
                     model->variant->name, "image_size", model->image_size, "parameters",
                     (json_int_t)sft_parameters_count(parameters, SFT_KINDS_TRAINED), "norm_parameters",
                     (json_int_t)sft_parameters_count(parameters, SFT_KINDS_NORM), "batch",
                     (json_int_t)options->batch, "forward_flops", graph_cost(graph).flops, "forward_arena",
                     (json_int_t)plan->arena, "tensors", list);
}

static void print_model(const struct sft_model *model, const struct sft_graph *graph,
                        const struct sft_plan *plan, const struct inspect *options)
{
    const struct sft_parameters *parameters = &model->parameters;
    char arena[32];
    for (int i = 0; i < parameters->n && !options->plan; i++) {
        char shape[SFT_SHAPE_TEXT];
        printf("  %-44s %s\n", parameters->items[i].name, sft_shape_str(&parameters->items[i].shape, shape));
    }
    printf("model      %s: %s\n", model->variant->name, model->variant->about);
    printf("parameters %" PRId64 ", %" PRId64 " of them in normalisation layers\n",
           sft_parameters_count(parameters, SFT_KINDS_TRAINED),
           sft_parameters_count(parameters, SFT_KINDS_NORM));
    printf("forward    %.3f GFLOP and %s of temporary memory for %" PRId64 " images of %d x %d\n",
           1e-9 * graph_cost(graph).flops, sft_bytes_str(plan->arena, arena), options->batch,
           model->image_size, model->image_size);
}

/* What a forward pass runs. */
static enum sft_status plan_forward(const struct sft_model *model, const struct sft_device *device,
                                    int64_t batch, struct sft_graph **planned, struct sft_plan **plan)
{
    struct sft_graph *graph = NULL;
    struct sft_forward forward;
    struct sft_forward_out out;
    sft_value images;
    enum sft_status status;
    SFT_TRY(sft_graph_create(&graph));
    forward = sft_forward_on(graph, &model->parameters);
    images = sft_forward_images(graph, batch, model->image_size);
    SFT_TRY_OUT(sft_model_forward(model, graph, &forward, images, &out));
    SFT_TRY_OUT(sft_graph_status(graph));
    status = sft_program_plan(device, graph, planned, plan);
out:
    sft_graph_destroy(&graph);
    return status;
}

/* A step of sam-norm on as many ID images as outliers; of SGD where a model has nothing to perturb. */
static enum sft_status print_step(struct sft_model *model, const struct sft_device *device, int64_t batch)
{
    const struct sft_step_params params = {.optimizer = sft_optimizer_find("sam-norm"),
                                           .n_id = (int)batch,
                                           .n_ood = (int)batch,
                                           .lambda = 1,
                                           .empty = SFT_EMPTY_SGD};
    struct sft_step *step = NULL;
    struct sft_graph *graph = NULL;
    struct sft_plan *plan = NULL;
    char arena[32];
    enum sft_status status;
    SFT_TRY_OUT(sft_step_create(model, &params, &step));
    SFT_TRY_OUT(sft_program_plan(device, sft_step_graph(step), &graph, &plan));
    sft_plan_print(graph, plan, stdout);
    printf("step       %.3f GFLOP and %s of temporary memory for %" PRId64
           " ID images and as many outliers\n",
           1e-9 * graph_cost(graph).flops, sft_bytes_str(plan->arena, arena), batch);
out:
    sft_graph_destroy(&graph);
    sft_plan_destroy(&plan);
    sft_step_destroy(&step);
    return status;
}

static enum sft_status inspect_model(const struct inspect *options, const char *name)
{
    struct sft_model_config config = {.name = name, .classes = (int)options->classes};
    struct sft_device *device = NULL;
    struct sft_model *model = NULL;
    struct sft_graph *graph = NULL;
    struct sft_plan *plan = NULL;
    enum sft_status status;
    SFT_TRY_OUT(sft_common_open_device(&options->common, &device));
    SFT_TRY_OUT(sft_model_create(device, &config, &model));
    SFT_TRY_OUT(plan_forward(model, device, options->batch, &graph, &plan));
    if (options->common.json) {
        status = sft_print_json(model_json(model, graph, plan, options));
    } else {
        if (options->plan) SFT_TRY_OUT(print_step(model, device, options->batch));
        print_model(model, graph, plan, options);
    }
out:
    sft_plan_destroy(&plan);
    sft_graph_destroy(&graph);
    sft_model_destroy(&model);
    sft_device_close(&device);
    return status;
}

/* ---- which of the three ---- */

/* A safetensors file starts with the length of a JSON object, and the object. */
static bool looks_like_checkpoint(const char *path)
{
    unsigned char head[9];
    size_t length = strlen(path), read = sft_file_head(path, head, sizeof(head));
    return (length > 12 && strcmp(path + length - 12, ".safetensors") == 0) ||
           (read == sizeof(head) && head[6] == 0 && head[7] == 0 && head[8] == '{');
}

static enum sft_status run(const struct sft_args *args)
{
    const struct inspect *options = args->values;
    const char *what = args->operands[0];
    if (sft_model_find(what)) return inspect_model(options, what);
    if (options->plan)
        return sft_fail(SFT_USAGE, "inspect: --plan is for a model, and there is none called \"%s\"", what);
    if (looks_like_checkpoint(what)) return inspect_checkpoint(options, what);
    return inspect_dataset(options, what);
}

static const struct sft_option model_options[] = {
    {"plan", SFT_OPTION_FLAG, offsetof(struct inspect, plan),
     .help =
         "of a model: every kernel of an SFT step with its shape, FLOPs and bytes, and the step's memory"},
    {"batch", SFT_OPTION_INT, offsetof(struct inspect, batch), .value = "N", .fallback = "64", .min = 1,
     .max = 65536, .help = "images of a forward pass; ID images of a step"},
    {"classes", SFT_OPTION_INT, offsetof(struct inspect, classes), .value = "N", .fallback = "10", .min = 2,
     .max = 1000000, .help = "classes of the model"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Models", model_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"inspect models/synthetic.safetensors", "names, types and shapes of a checkpoint"},
    {"inspect cifar10:cifar-10-batches-bin#test", "how many images of which classes a data set has"},
    {"inspect resnetv2_20_gn --plan --batch 128", "what a step computes, and the memory it needs"},
    {0},
};

const struct sft_command sft_command_inspect = {
    .name = "inspect",
    .summary = "Shows what is in a checkpoint, a data set or a model",
    .operands = "FILE|SPEC|MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct inspect),
    .run = run,
};
