/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a checkpoint, a data set or a model: the operand says which by what it is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/check.h"
#include "datasets/dataset.h"
#include "nn/class_order.h"
#include "nn/model.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/parallel.h"
#include "runtime/cost.h"
#include "runtime/program.h"
#include "runtime/ops.h"
#include "sam/step.h"
#include "tools/cli/common.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/step_plan.h"

struct inspect {
    struct sft_common common;
    bool plan, check, hashes;
    int64_t batch, classes, image_size;
    const char *optimizer;
};

/* ---- checkpoints ---- */

static void add_shape(const struct sft_shape *shape, struct sft_json *json)
{
    sft_json_array(json, "shape");
    for (int i = 0; i < shape->rank; i++) sft_json_integer(json, NULL, shape->dim[i]);
    sft_json_end(json);
}

/* SHA-256 of the tensor's values as float32 in row-major order, little-endian; "" of a type that is not read.
 */
static enum sft_status hash_values(const struct sft_stored_tensor *tensor, char hex[65])
{
    const size_t count = (size_t)sft_shape_count(&tensor->shape);
    float *values;
    enum sft_status status;
    hex[0] = '\0';
    if (sft_stored_dtype_size(tensor->dtype) == 0) return SFT_OK;
    values = sft_calloc(count, sizeof(*values));
    if (!values) return SFT_MEMORY;
    status = sft_stored_read(tensor, values);
    sft_sha256(values, count * sizeof(*values), hex);
    free(values);
    return status;
}

/* What stands behind a tensor's name and shape with --hashes. */
static enum sft_status hash_of(const struct inspect *options, const struct sft_stored_tensor *tensor,
                               char hex[65])
{
    hex[0] = '\0';
    return options->hashes ? hash_values(tensor, hex) : SFT_OK;
}

static enum sft_status add_tensor(const struct inspect *options, const struct sft_stored_tensor *tensor,
                                  struct sft_json *json)
{
    char hex[65];
    SFT_TRY(hash_of(options, tensor, hex));
    sft_json_object(json, NULL);
    sft_json_text(json, "name", tensor->name);
    sft_json_text(json, "dtype", sft_stored_dtype_str(tensor->dtype));
    add_shape(&tensor->shape, json);
    if (options->hashes) sft_json_text(json, "sha256_f32", *hex ? hex : NULL);
    sft_json_end(json);
    return SFT_OK;
}

/* What is known of a checkpoint beside its tensors. */
struct checkpoint_facts {
    const struct inspect *options;
    const struct sft_checkpoint *checkpoint;
    char sha256[65];
    const char *model;   /* NULL: none, or several */
    const char *claimed; /* what the file says it is of, and is not by its names and shapes; or NULL */
    struct sft_model_config config;
    struct sft_model_search search;
};

static bool is_among(const char *model, const struct sft_model_search *search)
{
    for (int i = 0; i < search->n_fits; i++)
        if (strcmp(search->fits[i]->name, model) == 0) return true;
    return false;
}

/* The model by the file's own word, or as names and shapes tell. */
static enum sft_status find_facts(struct checkpoint_facts *facts)
{
    SFT_TRY(sft_checkpoint_sha256(facts->checkpoint, facts->sha256));
    SFT_TRY(sft_model_search(facts->checkpoint, &facts->search));
    sft_terminal_mute(true); /* a checkpoint of no model that is known is no error here */
    if (sft_model_guess(facts->checkpoint, &facts->config) == SFT_OK) facts->model = facts->config.name;
    facts->claimed = facts->model && !is_among(facts->model, &facts->search) ? facts->model : NULL;
    if (facts->claimed) facts->model = NULL;
    sft_terminal_mute(false);
    return SFT_OK;
}

static const struct sft_layout *layout_of(const struct checkpoint_facts *facts)
{
    return facts->model && facts->config.layout ? facts->config.layout : facts->search.layout;
}

/* What to say of a file that may hold ImageNet's classes; or NULL. */
static const char *remark_of(const struct checkpoint_facts *facts)
{
    const struct sft_layout *layout = layout_of(facts);
    return facts->model && layout && facts->config.classes == SFT_IMAGENET_CLASSES ? layout->remark : NULL;
}

static void add_facts(const struct checkpoint_facts *facts, struct sft_json *json)
{
    const struct sft_model_search *search = &facts->search;
    const struct sft_layout *layout = layout_of(facts);
    sft_json_text(json, "container", facts->checkpoint->format_name);
    sft_json_text(json, "dictionary", facts->checkpoint->key);
    sft_json_text(json, "prefix", facts->checkpoint->wrapper);
    sft_json_integer(json, "bytes", (int64_t)facts->checkpoint->bytes);
    sft_json_text(json, "layout", layout ? layout->name : NULL);
    sft_json_text(json, "model", facts->model);
    sft_json_array(json, "fits");
    for (int i = 0; i < search->n_fits; i++) sft_json_text(json, NULL, search->fits[i]->name);
    sft_json_end(json);
    if (facts->claimed) sft_json_text(json, "claimed", facts->claimed);
    if (facts->model) sft_json_integer(json, "classes", facts->config.classes);
    if (search->nearest) {
        sft_json_text(json, "nearest", search->nearest->name);
        sft_json_text(json, "differences", search->differences.data);
    }
    if (remark_of(facts)) sft_json_text(json, "remark", remark_of(facts));
}

static enum sft_status print_checkpoint_json(const struct checkpoint_facts *facts)
{
    const struct sft_checkpoint *checkpoint = facts->checkpoint;
    struct sft_json json = {0};
    enum sft_status status = SFT_OK;
    sft_json_object(&json, NULL);
    sft_json_text(&json, "kind", "checkpoint");
    sft_json_text(&json, "path", checkpoint->path);
    sft_json_text(&json, "sha256", facts->sha256);
    add_facts(facts, &json);
    sft_json_object(&json, "metadata");
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        sft_json_text(&json, checkpoint->metadata[i].key, checkpoint->metadata[i].value);
    sft_json_end(&json);
    sft_json_array(&json, "tensors");
    for (size_t i = 0; i < checkpoint->n_tensors && status == SFT_OK; i++)
        status = add_tensor(facts->options, &checkpoint->tensors[i], &json);
    if (status != SFT_OK) {
        sft_json_free(&json);
        return status;
    }
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

/* Where names and shapes alone fit more than one model, or almost fit one. */
static void print_fits(const struct checkpoint_facts *facts)
{
    const struct sft_model_search *search = &facts->search;
    for (int i = 0; search->n_fits > 1 && i < search->n_fits; i++)
        sft_print_line("fits    %s", search->fits[i]->name);
    if (facts->claimed)
        sft_print_line("claims  to be of %s, whose parameters are not all in it", facts->claimed);
    if (search->n_fits > 1 && !facts->model)
        sft_print_line("ask     its names and shapes do not tell which; say it with --model");
    if (search->nearest) sft_print_line("nearest %s: %s", search->nearest->name, search->differences.data);
}

static void print_facts(const struct checkpoint_facts *facts)
{
    const struct sft_layout *layout = layout_of(facts);
    sft_print_line("format  %s", facts->checkpoint->format_name);
    if (facts->checkpoint->key && *facts->checkpoint->key)
        sft_print_line("in      \"%s\"", facts->checkpoint->key);
    if (*facts->checkpoint->wrapper) sft_print_line("prefix  %s", facts->checkpoint->wrapper);
    if (layout) sft_print_line("layout  %s: %s", layout->name, layout->about);
    if (facts->model)
        sft_print_line("model   %s, %d classes", facts->model, facts->config.classes);
    else if (facts->search.n_fits == 0)
        sft_print_line("model   (none that is known)");
    print_fits(facts);
    if (remark_of(facts)) sft_print_line("remark  %s", remark_of(facts));
}

static enum sft_status print_checkpoint(const struct checkpoint_facts *facts)
{
    const struct sft_checkpoint *checkpoint = facts->checkpoint;
    int64_t numbers = 0;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        char shape[SFT_SHAPE_TEXT], hex[65];
        SFT_TRY(hash_of(facts->options, tensor, hex));
        numbers += sft_shape_count(&tensor->shape);
        sft_print_line("  %-44s %-5s %s%s%s", tensor->name, sft_stored_dtype_str(tensor->dtype),
                       sft_shape_str(&tensor->shape, shape), *hex ? "  " : "", hex);
    }
    sft_print_line("%zu tensors, %" PRId64 " numbers", checkpoint->n_tensors, numbers);
    print_facts(facts);
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        sft_print_line("%-7s %s", checkpoint->metadata[i].key, checkpoint->metadata[i].value);
    sft_print_line("sha256  %s", facts->sha256);
    return SFT_OK;
}

static enum sft_status inspect_checkpoint(const struct inspect *options, const char *path)
{
    struct checkpoint_facts facts = {.options = options};
    struct sft_checkpoint *checkpoint = NULL;
    enum sft_status status;
    SFT_TRY_OUT(sft_checkpoint_open(path, &checkpoint));
    facts.checkpoint = checkpoint;
    SFT_TRY_OUT(find_facts(&facts));
    if (options->common.json)
        status = print_checkpoint_json(&facts);
    else
        status = print_checkpoint(&facts);
out:
    sft_model_search_free(&facts.search);
    sft_checkpoint_close(&checkpoint);
    return status;
}

/* ---- data sets ---- */

/* What is left out, or else hinted at. */
static void add_remarks(const struct sft_dataset *dataset, bool left_out, struct sft_json *json)
{
    struct sft_dataset_remark remark;
    for (int i = 0; sft_dataset_remark(dataset, i, &remark); i++) {
        if (remark.left_out != left_out) continue;
        sft_json_object(json, NULL);
        sft_json_text(json, "kind", remark.kind);
        sft_json_integer(json, "count", (int64_t)remark.count);
        sft_json_array(json, "examples");
        for (size_t e = 0; e < remark.n_examples; e++) sft_json_text(json, NULL, remark.examples[e]);
        sft_json_end(json);
        sft_json_text(json, "message", remark.message);
        sft_json_end(json);
    }
}

static enum sft_status print_dataset_json(const struct sft_dataset *dataset, const char *hash,
                                          const struct sft_image *image)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_text(&json, "kind", "dataset");
    sft_json_text(&json, "spec", sft_dataset_spec(dataset));
    sft_json_integer(&json, "images", sft_dataset_count(dataset));
    sft_json_array(&json, "classes");
    for (int i = 0; i < sft_dataset_classes(dataset); i++)
        sft_json_text(&json, NULL, sft_dataset_class_name(dataset, i));
    sft_json_end(&json);
    sft_json_array(&json, "first_size");
    sft_json_integer(&json, NULL, image->width);
    sft_json_integer(&json, NULL, image->height);
    sft_json_end(&json);
    sft_json_text(&json, "sha256", hash);
    sft_json_array(&json, "left_out");
    add_remarks(dataset, true, &json);
    sft_json_end(&json);
    sft_json_array(&json, "hints");
    add_remarks(dataset, false, &json);
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

enum { CLASSES_SHOWN = 20 };

static enum sft_status print_dataset(const struct sft_dataset *dataset, const char *hash,
                                     const struct sft_image *image)
{
    int classes = sft_dataset_classes(dataset);
    struct sft_dataset_remark remark;
    struct sft_text names = {0};
    enum sft_status status;
    for (int i = 0; i < classes && i < CLASSES_SHOWN; i++)
        sft_text_printf(&names, "%s%s", i ? ", " : ": ", sft_dataset_class_name(dataset, i));
    if (classes > CLASSES_SHOWN) sft_text_add(&names, ", ...");
    sft_print_line("images  %" PRId64 ", the first of %d x %d pixels", sft_dataset_count(dataset),
                   image->width, image->height);
    sft_print_line("classes %d%s", classes, names.data ? names.data : "");
    for (int i = 0; sft_dataset_remark(dataset, i, &remark); i++)
        sft_print_line("%-7s %s", remark.left_out ? "without" : "hint", remark.message);
    sft_print_line("sha256  %s", hash);
    status = names.status;
    sft_text_free(&names);
    return status;
}

/* ---- every picture of a data set ---- */

static void tell_check(void *context, int64_t done, int64_t count)
{
    (void)context;
    sft_progress(done, count, "%" PRId64 " of %" PRId64 " pictures", done, count);
}

static enum sft_status print_bad_json(const struct sft_dataset *dataset, const struct sft_bad_pictures *bad)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_text(&json, "kind", "dataset");
    sft_json_text(&json, "spec", sft_dataset_spec(dataset));
    sft_json_integer(&json, "images", sft_dataset_count(dataset));
    sft_json_array(&json, "bad");
    for (size_t i = 0; i < bad->n; i++) {
        char name[512];
        sft_json_object(&json, NULL);
        sft_json_text(&json, "image",
                      sft_dataset_image_name(dataset, bad->items[i].image, name, sizeof(name)));
        sft_json_text(&json, "error", bad->items[i].why);
        sft_json_end(&json);
    }
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status print_bad(const struct sft_dataset *dataset, const struct sft_bad_pictures *bad)
{
    const int64_t count = sft_dataset_count(dataset);
    for (size_t i = 0; i < bad->n; i++) sft_print_line("%s", bad->items[i].why);
    sft_print_line("%" PRId64 " of %" PRId64 " pictures can be read", count - (int64_t)bad->n, count);
    return SFT_OK;
}

/* Reads every picture, as a run over the whole set would. */
static enum sft_status check_dataset(const struct inspect *options, const char *spec)
{
    struct sft_dataset *dataset = NULL;
    struct sft_bad_pictures bad = {0};
    struct sft_check check = {.stop = sft_interrupt_flag(), .progress = tell_check};
    enum sft_status status;
    SFT_TRY_OUT(sft_parallel_set_threads((int)options->common.threads));
    SFT_TRY_OUT(sft_dataset_open(spec, &dataset));
    check.dataset = dataset;
    SFT_TRY_OUT(sft_check_pictures(&check, &bad));
    sft_progress_end();
    SFT_TRY_OUT(options->common.json ? print_bad_json(dataset, &bad) : print_bad(dataset, &bad));
    if (bad.n) status = sft_fail(SFT_DATA, "%s: %zu of its pictures cannot be read", spec, bad.n);
out:
    sft_bad_pictures_free(&bad);
    sft_dataset_close(&dataset);
    return status;
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
    SFT_TRY_OUT(sft_dataset_hash(dataset, hash));
    if (options->common.json)
        status = print_dataset_json(dataset, hash, &image);
    else
        status = print_dataset(dataset, hash, &image);
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

static void add_parameter(const struct sft_parameter *parameter, struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "name", parameter->name);
    add_shape(&parameter->shape, json);
    sft_json_end(json);
}

static enum sft_status print_model_json(const struct sft_model *model, const struct sft_graph *graph,
                                        const struct sft_plan *plan, const struct sft_step *step,
                                        const struct inspect *options)
{
    const struct sft_parameters *parameters = &model->parameters;
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_text(&json, "kind", "model");
    sft_json_text(&json, "name", model->variant->name);
    sft_json_integer(&json, "image_size", model->image_size);
    sft_json_integer(&json, "parameters", sft_parameters_count(parameters, SFT_KINDS_TRAINED));
    sft_json_integer(&json, "norm_parameters", sft_parameters_count(parameters, SFT_KINDS_NORM));
    sft_json_integer(&json, "batch", options->batch);
    sft_json_real(&json, "forward_flops", graph_cost(graph).flops);
    sft_json_integer(&json, "forward_arena", (int64_t)plan->arena);
    if (step) sft_step_plan_json(&json, "step", sft_step_get_plan(step));
    sft_json_array(&json, "tensors");
    for (int i = 0; i < parameters->n; i++) add_parameter(&parameters->items[i], &json);
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static void print_model(const struct sft_model *model, const struct sft_graph *graph,
                        const struct sft_plan *plan, const struct inspect *options)
{
    const struct sft_parameters *parameters = &model->parameters;
    char arena[32];
    for (int i = 0; i < parameters->n && !options->plan; i++) {
        char shape[SFT_SHAPE_TEXT];
        sft_print_line("  %-44s %s", parameters->items[i].name,
                       sft_shape_str(&parameters->items[i].shape, shape));
    }
    sft_print_line("model      %s: %s", model->variant->name, model->variant->about);
    sft_print_line("parameters %" PRId64 ", %" PRId64 " of them in normalisation layers",
                   sft_parameters_count(parameters, SFT_KINDS_TRAINED),
                   sft_parameters_count(parameters, SFT_KINDS_NORM));
    sft_print_line("forward    %.3f GFLOP and %s of temporary memory for %" PRId64 " images of %d x %d",
                   1e-9 * graph_cost(graph).flops, sft_bytes_str(plan->arena, arena), options->batch,
                   model->image_size, model->image_size);
}

/* What a forward pass runs. */
static enum sft_status plan_forward(const struct sft_model *model, const struct sft_device *device,
                                    int64_t batch, struct sft_planned *planned)
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
    status = sft_program_plan(device, graph, 0, planned);
out:
    sft_graph_destroy(&graph);
    return status;
}

/* A step as finetune would take it, on as many ID images as outliers; of SGD where a model has nothing to
 * perturb. */
static enum sft_status plan_step(struct sft_model *model, const struct inspect *options,
                                 struct sft_step **step)
{
    struct sft_fit_params params = {
        .step = {.lambda = 1, .constants = sft_constants_default(), .empty = SFT_EMPTY_SGD},
        .schedule.steps = 1};
    struct sft_loader_params loader;
    SFT_TRY(sft_training_optimizer(options->optimizer, &params.step.optimizer));
    sft_loader_defaults(&params.loader, model->image_size);
    params.loader.batch = options->batch;
    params.loader.ood_per_id = 1;
    return sft_fit_plan(model, &params, &loader, step);
}

/* How often each op is computed again, over all programs of the step. */
static void count_again(const struct sft_step *step, int counts[SFT_OP_COUNT])
{
    const struct sft_graph *graph;
    for (int i = 0; (graph = sft_step_graph(step, i)); i++)
        for (size_t k = 0; k < graph->n_nodes; k++)
            if (graph->nodes[k].again && !graph->nodes[k].op->view) counts[graph->nodes[k].op->id]++;
}

static void print_step(const struct sft_step *step, const struct inspect *options)
{
    int counts[SFT_OP_COUNT] = {0};
    struct sft_text text = {0}, again = {0};
    sft_step_print(step, stdout);
    sft_step_plan_text(sft_step_get_plan(step), &text);
    count_again(step, counts);
    for (int i = 0; i < SFT_OP_COUNT; i++)
        if (counts[i])
            sft_text_printf(&again, "%s%d %s", again.data ? ", " : "", counts[i], sft_ops[i]->name);
    sft_print_line("step       %.3f GFLOP for %" PRId64 " ID images and as many outliers",
                   1e-9 * sft_step_get_plan(step)->flops, options->batch);
    if (text.data) sft_print_line("memory     %s", text.data);
    if (again.data) sft_print_line("again      %s, over its programs", again.data);
    sft_text_free(&text);
    sft_text_free(&again);
}

static enum sft_status inspect_model(const struct inspect *options, const char *name)
{
    struct sft_model_config config = {
        .name = name, .classes = (int)options->classes, .image_size = (int)options->image_size};
    struct sft_device *device = NULL;
    struct sft_model *model = NULL;
    struct sft_planned planned = {NULL, NULL};
    struct sft_step *step = NULL;
    enum sft_status status;
    SFT_TRY_OUT(sft_common_open_device(&options->common, &device));
    SFT_TRY_OUT(sft_model_create(device, &config, &model));
    SFT_TRY_OUT(plan_forward(model, device, options->batch, &planned));
    if (options->plan) SFT_TRY_OUT(plan_step(model, options, &step));
    if (options->common.json) {
        status = print_model_json(model, planned.graph, planned.plan, step, options);
    } else {
        if (step) print_step(step, options);
        print_model(model, planned.graph, planned.plan, options);
    }
out:
    sft_planned_free(&planned);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
    sft_device_close(&device);
    return status;
}

/* ---- which of the three ---- */

/* By the ending of its name, or by its content. */
static bool looks_like_checkpoint(const char *path)
{
    static const char *const endings[] = {".safetensors", ".pth", ".pt", ".th",   ".ckpt", ".npz",
                                          ".pth.tar",     ".pkl", ".h5", ".onnx", ".gguf", ".msgpack"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(path + length - ending, endings[i]) == 0) return true;
    }
    return sft_checkpoint_looks_like(path);
}

static enum sft_status run(const struct sft_args *args)
{
    const struct inspect *options = args->values;
    const char *what = args->operands[0];
    if (sft_model_find(what)) return inspect_model(options, what);
    if (options->plan)
        return sft_fail(SFT_USAGE, "inspect: --plan is for a model, and there is none called \"%s\"", what);
    if (options->check) return check_dataset(options, what);
    if (looks_like_checkpoint(what)) return inspect_checkpoint(options, what);
    return inspect_dataset(options, what);
}

static const struct sft_option model_options[] = {
    {"plan", SFT_OPTION_FLAG, SFT_FIELD(struct inspect, plan),
     .help =
         "of a model: every kernel of an SFT step with its shape, FLOPs and bytes, and the step's memory"},
    {"batch", SFT_OPTION_INT, SFT_FIELD(struct inspect, batch), .value = "N", .min = 1, .max = 65536,
     .help = "images of a forward pass; ID images of a step"},
    {"optimizer", SFT_OPTION_TEXT, SFT_FIELD(struct inspect, optimizer), .value = "NAME",
     .help = "of the step; finetune --help lists them"},
    {"classes", SFT_OPTION_INT, SFT_FIELD(struct inspect, classes), .value = "N", .min = 2, .max = 1000000,
     .help = "classes of the model"},
    {"img-size", SFT_OPTION_INT, SFT_FIELD(struct inspect, image_size), .value = "PX", .min = 0, .max = 4096,
     .help = "side of the images that the model sees; 0: the architecture's own"},
    {0},
};

static void init(void *values)
{
    struct inspect *options = values;
    sft_common_init(&options->common);
    options->batch = 64;
    options->classes = 10;
    options->optimizer = "sam-norm";
}

static const struct sft_option set_options[] = {
    {"check", SFT_OPTION_FLAG, SFT_FIELD(struct inspect, check),
     .help =
         "of a data set: read every picture, and list those that cannot be read; exit code 4 if there are "
         "any"},
    {0},
};

static const struct sft_option checkpoint_options[] = {
    {"hashes", SFT_OPTION_FLAG, SFT_FIELD(struct inspect, hashes),
     .help =
         "of a checkpoint: the SHA-256 of each tensor's values as float32, by which two files of any format "
         "can be compared"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Checkpoints", checkpoint_options}, {"Data sets", set_options},       {"Models", model_options},
    {"Device", sft_device_options},      {"General", sft_general_options}, {0},
};

static const struct sft_example examples[] = {
    {"inspect models/synthetic.safetensors", "names, types and shapes of a checkpoint"},
    {"inspect 'cifar10:cifar-10-batches-bin#test'", "how many images of which classes a data set has"},
    {"inspect --check folder:photographs", "which pictures of it are damaged, before a long run meets them"},
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
    .init = init,
    .run = run,
};
