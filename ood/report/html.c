/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/html.h"

#include <stdio.h>
#include <string.h>

#include "ood/report/style.h"

void sft_html_begin(struct sft_text *out, const char *title)
{
    sft_text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    sft_text_add_escaped(out, title);
    sft_text_add(out, "</title>\n<style>\n");
    sft_style_for_page(out);
    sft_text_add(out, "</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip to the results</a>\n"
                      "<header>\n<h1>");
    sft_text_add_escaped(out, title);
    sft_text_add(out, "</h1>\n");
}

void sft_html_main(struct sft_text *out) { sft_text_add(out, "</header>\n<main id=\"main\">\n"); }

void sft_html_end(struct sft_text *out, const char *footer)
{
    sft_text_add(out, "</main>\n<footer>Made by sft-vk " SFT_VERSION ". ");
    sft_text_add(out, footer);
    sft_text_add(out, "</footer>\n</body></html>\n");
}

void sft_html_open_scroll(struct sft_text *out, const char *label)
{
    sft_text_add(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    sft_text_add_escaped(out, label);
    sft_text_add(out, "\">");
}

void sft_html_add_breakable(struct sft_text *out, const char *name)
{
    static const char separators[] = "_-./+ ";
    while (*name) {
        char piece[256];
        size_t length = strcspn(name, separators);
        length += strspn(name + length, separators);
        snprintf(piece, sizeof(piece), "%.*s", (int)(length < 255 ? length : 255), name);
        sft_text_add_escaped(out, piece);
        name += strlen(piece);
        if (*name) sft_text_add(out, "<wbr>");
    }
}
