/* SPDX-License-Identifier: Apache-2.0 */
/* Colours are named by what they mean; blue (ID) and orange (OOD) stay apart for colour-blind readers, and
 * nothing is told by colour alone. Every colour of text keeps a contrast of 4.5 to 1 on what it is printed on
 * (tests/ood/report/test_report.c). */
#include "ood/report/style.h"

#include <stddef.h>
#include <string.h>

static const struct colour {
    const char *name, *light, *dark;
} palette[] = {
    {"page", "#f5f7fa", "#0e1318"}, {"card", "#ffffff", "#171e26"}, {"ink", "#16202c", "#e8edf3"},
    {"soft", "#526070", "#a3b1bf"}, {"rule", "#dde2e8", "#2b3642"}, {"faint", "#8493a3", "#76859a"},
    {"id", "#1f62c9", "#78aeff"},   {"ood", "#d9660a", "#ff9f4a"},  {"good", "#0b7550", "#4fd1a1"},
    {"bad", "#b93426", "#ff8577"},  {"mark", "#dcf1e7", "#15382c"}, {"link", "#1a56b8", "#86b6ff"},
};
enum { COLOURS = sizeof(palette) / sizeof(palette[0]) };

#define FONT "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

/* What is inside charts: the only part that a chart's file shares with the page. */
static const char *const chart_style[] = {
    "svg text{font-size:11px;fill:var(--soft);font-variant-numeric:tabular-nums}\n",
    "svg .strong{font-weight:700;fill:var(--ink);font-size:12px}svg .note{font-size:11.5px}svg "
    ".ink{fill:var(--ink)}\n",
    "svg .main-text{fill:var(--id)}svg .rule{stroke:var(--rule);fill:none}svg "
    ".base{stroke:var(--faint);fill:none}\n",
    ".area.id{fill:var(--id);fill-opacity:.24}.area.ood{fill:var(--ood);fill-opacity:.17}\n",
    ".taken{fill:var(--ood);fill-opacity:.58}\n",
    ".threshold{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:3 3;fill:none}\n",
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.main{stroke:var(--id)}\n",
    ".faint{stroke:var(--faint);stroke-width:1.6;stroke-dasharray:4 3}\n",
    ".chance{stroke:var(--faint);stroke-width:1;stroke-dasharray:1 3}.total{stroke:var(--ink)}\n",
    ".id-line{stroke:var(--id);stroke-width:1.6}.ood-line{stroke:var(--ood);stroke-width:1.6;stroke-"
    "dasharray:6 2}\n",
    ".track{stroke:var(--rule);stroke-width:5;stroke-linecap:round}.move{stroke-width:5}\n",
    ".move.good{stroke:var(--good);stroke-opacity:.45}.move.bad{stroke:var(--bad);stroke-opacity:.45}\n",
    ".interval{stroke:var(--ink);stroke-width:1.4;fill:none}\n",
    ".was{fill:var(--card);stroke:var(--faint);stroke-width:2}.now.good{fill:var(--good)}.now.bad{fill:var(--"
    "bad)}\n",
    NULL,
};

static const char *const file_style[] = {
    "svg{font-family:" FONT
    "}.paper{fill:#fff}svg .heading{font-weight:700;font-size:13px;fill:var(--ink)}\n",
    NULL,
};

static const char *const page_style[] = {
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}body{margin:0;background:var(--page);color:"
    "var(--ink);"
    "font:16px/1.5 " FONT "}\n",
    "body>*{max-width:1240px;margin:0 auto;padding:0 "
    "clamp(12px,3vw,32px)}header{padding-top:clamp(18px,4vw,44px)}\n",
    "a{color:var(--link)}:focus-visible{outline:3px solid var(--id);outline-offset:2px;border-radius:4px}\n",
    ".skip{position:absolute;left:-999px}.skip:focus{left:12px;top:8px;padding:8px "
    "14px;background:var(--card);"
    "z-index:9}\n",
    "h1{font-size:clamp(23px,3.6vw,34px);line-height:1.2;margin:0 0 .2em;letter-spacing:-.015em;"
    "overflow-wrap:anywhere}\n",
    "h2{font-size:22px;margin:2.2em 0 .5em;letter-spacing:-.01em;scroll-margin-top:12px}h3{font-size:16px;"
    "margin:1.4em 0 .5em}\n",
    ".facts{color:var(--soft);font-size:14px;margin:0;overflow-wrap:anywhere}.facts "
    "span{display:inline-block}\n",
    "nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 20px;margin:14px 0 0;padding:8px "
    "0;font-size:14px;"
    "border-block:1px solid var(--rule)}nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n",
    ".lead{font-size:clamp(17px,2.1vw,20px);max-width:52em;margin:1.2em 0}.lead b{white-space:nowrap}\n",
    "p{margin:.5em 0;max-width:68em}.soft,footer{color:var(--soft);font-size:14px}\n",
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,210px),1fr));gap:12px}\n",
    ".card,figure,.sheet,details.block{background:var(--card);border:1px solid "
    "var(--rule);border-radius:10px}\n",
    ".card{padding:14px 18px}.card b{display:block;font-size:32px;line-height:1.25;"
    "font-variant-numeric:tabular-nums}\n",
    ".card span{color:var(--soft);font-size:14px}.card small{display:block;font-size:14px}.card "
    ".good{color:var(--good);font-weight:600}"
    ".card .bad{color:var(--bad);font-weight:600}\n",
    /* tables: the region scrolls, never the page, and the first column stays in sight */
    ".scroll{position:relative;overflow-x:auto;max-width:100%}.sheet{padding:6px 0 "
    "0}table{border-collapse:collapse;font-"
    "size:14px}\n",
    "caption{text-align:left;padding:10px 12px 6px;color:var(--soft);font-size:14px}\n",
    "th,td{padding:4px "
    "8px;text-align:right;font-variant-numeric:tabular-nums}th{font-weight:600;text-align:left}\n",
    "thead th{color:var(--soft);font-size:13px}thead th[scope=colgroup]{text-align:center;"
    "max-width:10em;color:var(--ink)}thead tr:last-child th.metric{text-align:right}\n",
    "tbody{border-top:1px solid "
    "var(--rule)}th.first{position:sticky;left:0;background:var(--card);padding-left:12px;"
    "vertical-align:top}thead th,thead th.first{vertical-align:bottom}\n",
    ".scores{width:100%;font-size:13.5px}.scores td,.scores th:not(.first){padding:4px 8px 4px 3px}.scores "
    ".metric{"
    "font-size:11px;white-space:nowrap}\n",
    ".scores .group{border-left:1px solid var(--rule)}.scores th[scope=row]:not(.first){"
    "font-weight:400;color:var(--soft)}.scores .old td{color:var(--soft)}\n",
    ".scores td{white-space:nowrap}td.top{font-weight:700;color:var(--ink)!important}td.first-place{"
    "background:var(--mark)}td sup{display:inline-block;width:0;font-size:10px;line-height:0}\n",
    "small{font-size:.82em;color:var(--soft);font-weight:400}td small{display:block;font-size:11px}\n",
    ".plain{width:100%}.plain td,.plain th{border-top:1px solid var(--rule)}.plain thead th{border:0}"
    ".plain thead th:not(.first){text-align:right}.plain th.first{font-weight:400;padding-left:4px}\n",
    ".keys{width:100%}.keys th,.keys td{text-align:left;vertical-align:top;border-top:1px solid var(--rule);"
    "overflow-wrap:anywhere}.keys th[scope=row]{width:34%;color:var(--soft);font-weight:400}"
    ".keys th[scope=rowgroup]{padding-top:16px;font-size:15px;border:0}.keys tbody{border:0}\n",
    /* figures */
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:12px}\n",
    ".grid.two{grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}.grid.two>figure>svg{max-"
    "width:470px;"
    "margin:0 auto}\n",
    "figure{margin:0;padding:10px 14px "
    "8px;min-width:0}figcaption{display:flex;gap:10px;justify-content:space-between;"
    "font-weight:600;overflow-wrap:anywhere;margin-bottom:2px}figcaption "
    "a{font-weight:400;font-size:12.5px}\n",
    "svg{display:block;width:100%;height:auto;overflow:visible}\n",
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px "
    "18px;color:var(--soft);font-size:14px;margin:.6em 0;"
    "padding:0}.legend li svg{display:inline-block;width:18px;height:12px;margin:0 6px 0 "
    "0;vertical-align:-1px}\n",
    "details.block{padding:0 clamp(10px,2vw,18px);margin:12px 0}details[open].block{padding-bottom:14px}"
    "details figure{border:0;padding:4px 0}details .grid{column-gap:28px}\n",
    "summary{cursor:pointer;padding:10px 0}summary h3{display:inline;margin:0;font-size:17px}"
    "summary span{color:var(--soft);font-size:14px;margin-left:8px}details details summary{font-size:15px;"
    "font-weight:600}\n",
    ".thumbs{list-style:none;display:grid;grid-template-columns:repeat(8,1fr);gap:5px;padding:0;margin:2px 0 "
    "10px}\n",
    ".thumbs "
    "li{min-width:0;text-align:center;font-size:11px;color:var(--soft);font-variant-numeric:tabular-nums}"
    ".thumbs "
    "img{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain;background:var(--rule);"
    "border-radius:"
    "4px;"
    "image-rendering:pixelated}figure p{font-size:13px;color:var(--soft);margin:.3em 0 .2em}\n",
    ".vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}\n",
    "footer{margin-top:3em;padding-top:1em;padding-bottom:2.5em}\n",
    "@media(max-width:520px){table{font-size:13px}th,td{padding:4px 6px}h2{font-size:20px}}\n",
    "@media "
    "print{body>*{max-width:none}nav,.skip{display:none}figure,.card,tbody{break-inside:avoid}h2,h3,summary{"
    "break-after:avoid}.scroll{overflow:visible}table{font-size:9px}th,td{padding:2px 3px}}\n",
    NULL,
};

static void add_pieces(struct sft_text *out, const char *const *pieces)
{
    for (; *pieces; pieces++) sft_text_add(out, *pieces);
}

static void add_palette(struct sft_text *out, int dark)
{
    sft_text_add(out, ":root{");
    for (int i = 0; i < COLOURS; i++)
        sft_text_printf(out, "--%s:%s;", palette[i].name, dark ? palette[i].dark : palette[i].light);
    sft_text_printf(out, "color-scheme:%s}", dark ? "dark" : "light");
}

/* Dark colours are for screens alone: what is printed is on white paper. */
void sft_style_for_page(struct sft_text *out)
{
    add_palette(out, 0);
    sft_text_add(out, "\n@media screen and (prefers-color-scheme:dark){");
    add_palette(out, 1);
    sft_text_add(out, "}\n");
    add_pieces(out, page_style);
    add_pieces(out, chart_style);
}

/* Appends `css` with the light colours in place of "var(--NAME)", which programs other than browsers don't
 * know. */
static void add_resolved(struct sft_text *out, const char *css)
{
    static const char start[] = "var(--";
    for (const char *at; (at = strstr(css, start)) != NULL;) {
        const char *name = at + strlen(start);
        size_t length = strcspn(name, ")");
        sft_text_printf(out, "%.*s", (int)(at - css), css);
        for (int i = 0; i < COLOURS; i++)
            if (strlen(palette[i].name) == length && strncmp(palette[i].name, name, length) == 0)
                sft_text_add(out, palette[i].light);
        css = name + length + 1;
    }
    sft_text_add(out, css);
}

void sft_style_for_file(struct sft_text *out)
{
    for (const char *const *piece = file_style; *piece; piece++) add_resolved(out, *piece);
    for (const char *const *piece = chart_style; *piece; piece++) add_resolved(out, *piece);
}
