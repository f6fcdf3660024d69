/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/layouts/layouts.h"

#include <stdio.h>
#include <string.h>

static const struct sft_layout *const tables[] = {
#define SFT_LAYOUTS(table) sft_layouts_##table,
#include "nn/layouts/layouts.def"
#undef SFT_LAYOUTS
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

const struct sft_layout *sft_layout_at(int i)
{
    for (int table = 0; table < TABLES; table++)
        for (const struct sft_layout *layout = tables[table]; layout->name; layout++)
            if (i-- == 0) return layout;
    return NULL;
}

const struct sft_layout *sft_layout_find(const char *name)
{
    const struct sft_layout *layout;
    for (int i = 0; (layout = sft_layout_at(i)); i++)
        if (strcmp(layout->name, name) == 0) return layout;
    return NULL;
}

/* ---- names ---- */

enum { MAX_NUMBERS = 8 };

/* What the braces and the * of a rule stood for. */
struct found {
    int numbers[MAX_NUMBERS], n;
    const char *rest;
};

static bool take_number(const char **at, struct found *found)
{
    enum { MOST = 99999 };
    int value = 0;
    if (**at < '0' || **at > '9' || found->n == MAX_NUMBERS) return false;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        value = 10 * value + **at - '0';
        if (value > MOST) return false;
    }
    found->numbers[found->n++] = value;
    return true;
}

static bool is_like(const char *pattern, const char *name, struct found *found)
{
    *found = (struct found){.n = 0};
    for (; *pattern; pattern++) {
        if (*pattern == '*') {
            found->rest = name;
            return true;
        }
        if (*pattern == '{') {
            if (!take_number(&name, found)) return false;
            pattern++; /* onto the closing brace */
        } else if (*pattern != *name++) {
            return false;
        }
    }
    return *name == '\0';
}

static const char *number_as(const char *braces, int number, char text[16])
{
    if (strncmp(braces, "{02}", 4) == 0)
        snprintf(text, 16, "%02d", number);
    else if (strncmp(braces, "{a}", 3) == 0)
        snprintf(text, 16, "%c", 'a' + (number - 1) % 26);
    else
        snprintf(text, 16, "%d", braces[1] == '-' ? number - 1 : number);
    return text;
}

static void append(char *out, size_t *used, const char *text, size_t length)
{
    if (*used + length >= SFT_MAX_NAME) length = SFT_MAX_NAME - 1 - *used;
    memcpy(out + *used, text, length);
    *used += length;
    out[*used] = '\0';
}

static void write_name(const char *pattern, const struct found *found, char *out)
{
    size_t used = 0;
    int number = 0;
    char text[16];
    out[0] = '\0';
    for (; *pattern; pattern++) {
        const char *part = pattern;
        if (*pattern == '*')
            part = found->rest;
        else if (*pattern == '{')
            part = number_as(pattern, found->numbers[number++], text);
        append(out, &used, part, part == pattern ? 1 : strlen(part));
        if (*pattern == '{') pattern = strchr(pattern, '}');
    }
}

bool sft_layout_name(const struct sft_layout *layout, const char *name, char *out)
{
    for (const struct sft_name_rule *rule = layout->rules; rule && rule->ours; rule++) {
        struct found found;
        if (!is_like(rule->ours, name, &found)) continue;
        write_name(rule->theirs, &found, out);
        return true;
    }
    snprintf(out, SFT_MAX_NAME, "%s", name);
    return false;
}

bool sft_layout_applies(const struct sft_layout *layout, const struct sft_parameter *items, int n)
{
    char name[SFT_MAX_NAME];
    if (!layout->rules) return true;
    for (int i = 0; i < n; i++)
        if (sft_layout_name(layout, items[i].name, name)) return true;
    return false;
}

/* ---- shapes ---- */

static struct sft_shape head_shape(const struct sft_layout *layout, const struct sft_parameter *parameter)
{
    const int64_t classes = parameter->shape.dim[0], width = parameter->shape.dim[1];
    if (layout->out_last) return SFT_SHAPE(1, 1, width, classes);
    if (layout->head == SFT_KERNEL_MATRIX) return SFT_SHAPE(classes, width);
    if (layout->head == SFT_KERNEL_FILTERS) return SFT_SHAPE(classes, width, 1, 1);
    return parameter->declared_shape;
}

struct sft_shape sft_layout_shape(const struct sft_layout *layout, const struct sft_parameter *parameter)
{
    if (parameter->kind == SFT_HEAD_WEIGHT) return head_shape(layout, parameter);
    if (layout->out_last && parameter->kind == SFT_CONV_WEIGHT) return parameter->shape;
    if (layout->out_last && parameter->kind == SFT_LINEAR_WEIGHT)
        return SFT_SHAPE(parameter->shape.dim[1], parameter->shape.dim[0]);
    return parameter->declared_shape;
}
