/* SPDX-License-Identifier: Apache-2.0 */
/* Colours are named by what they mean; blue (ID) and orange (OOD) stay apart for colour-blind readers. Light first,
 * dark where the reader's system asks for it. */
#include "ood/report_style.h"

#include <stddef.h>

const char *const sft_report_style[] = {
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#576575;--rule:#dde2e8;"
    "--id:#2368d1;--ood:#d9660a;--good:#12805c;--bad:#c0392b;--mark:#e4f4ec;--faint:#8b98a8}\n",
    "@media(prefers-color-scheme:dark){:root{--page:#0f141a;--card:#182029;--ink:#e8edf3;--soft:#9dabba;--rule:#2b3642;"
    "--id:#6aa6ff;--ood:#ff9f4a;--good:#4fd1a1;--bad:#ff7b6b;--mark:#173a2f;--faint:#76859a}}\n",
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n",
    "main{max-width:1120px;margin:0 auto;padding:clamp(16px,4vw,44px) clamp(12px,3vw,32px)}\n",
    "h1{font-size:clamp(22px,3.6vw,32px);line-height:1.2;margin:0 0 "
    ".4em;letter-spacing:-.01em;overflow-wrap:anywhere}\n",
    "h2{font-size:21px;margin:2em 0 .5em;letter-spacing:-.005em}h3{font-size:16px;margin:1.4em 0 .5em}\n",
    ".lead{font-size:clamp(17px,2.2vw,20px);max-width:46em;margin:0 0 1.2em}\n",
    "p{margin:.4em 0;max-width:60em}.soft,footer{color:var(--soft);font-size:14px}\n",
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px}\n",
    ".card,figure,.sheet,details{background:var(--card);border:1px solid var(--rule);border-radius:10px}\n",
    ".card{padding:14px 18px}.card b{display:block;font-size:32px;line-height:1.2;font-variant-numeric:tabular-nums}\n",
    ".card span{color:var(--soft);font-size:14px}.card .good,.card .bad{font-weight:600}\n",
    "span.good{color:var(--good)!important}span.bad{color:var(--bad)!important}\n",
    ".sheet{padding:4px clamp(4px,2vw,18px) 10px}table{border-collapse:collapse;width:100%;font-size:15px}\n",
    "caption{text-align:left;padding:10px 6px 6px;color:var(--soft);font-size:14px}\n",
    "th,td{padding:5px 6px;text-align:right;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}\n",
    "th{font-weight:600}th[scope=row]{font-weight:400}th[scope=row],th[scope=rowgroup],th.left{text-align:left;"
    "overflow-wrap:anywhere}\n",
    "thead th{color:var(--soft);font-size:13px}thead th{border-bottom:0}th[scope=colgroup]{padding-bottom:0}tbody "
    "th[scope=rowgroup]{padding-top:16px;font-size:16px}\n",
    "tr.mean th,tr.mean td{font-weight:600}td.best{background:var(--mark);color:var(--good);font-weight:700}\n",
    "tr:last-child th,tr:last-child td{border-bottom:0}.keys th,.keys td{text-align:left;vertical-align:top}\n",
    ".keys th[scope=row]{width:34%;color:var(--soft)}.keys td{overflow-wrap:anywhere}\n",
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,290px),1fr));gap:12px}\n",
    ".grid.two{grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr))}\n",
    "figure{margin:0;padding:10px 14px 8px}figcaption{font-weight:600;overflow-wrap:anywhere;margin-bottom:2px}\n",
    "details{padding:10px clamp(10px,2vw,18px) 14px;margin:12px 0}details figure{border:0;padding:4px 0}\n",
    "summary{cursor:pointer;font-size:18px;font-weight:600}summary span{font-weight:400;color:var(--soft);"
    "font-size:14px}\n",
    ".legend{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--soft);font-size:14px;margin:.6em 0}\n",
    ".legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}\n",
    "i.id{background:var(--id)}i.ood{background:var(--ood);opacity:.45}i.taken{background:var(--ood)}\n",
    "i.bar{width:18px;height:0;border-radius:0;vertical-align:4px;border-top:2px dashed var(--ink)}\n",
    "i.new{width:18px;height:0;border-radius:0;vertical-align:4px;border-top:3px solid var(--id)}\n",
    "i.old{width:18px;height:0;border-radius:0;vertical-align:4px;border-top:2px dashed var(--faint)}\n",
    "svg{display:block;width:100%;height:auto;overflow:visible}svg text{font-size:11px;fill:var(--soft);"
    "font-variant-numeric:tabular-nums}svg .strong{font-weight:700;fill:var(--ink);font-size:12px}\n",
    "svg .note{font-size:11.5px}svg .ink{fill:var(--ink)}svg .main-text{fill:var(--id)}\n",
    "svg .rule{stroke:var(--rule);stroke-width:1;fill:none}svg .base{stroke:var(--faint);fill:none}\n",
    ".area{stroke-width:1}.area.id{fill:var(--id);fill-opacity:.26;stroke:var(--id)}\n",
    ".area.ood{fill:var(--ood);fill-opacity:.2;stroke:var(--ood)}.taken{fill:var(--ood);fill-opacity:.55}\n",
    ".threshold{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:3 3;fill:none}\n",
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.main{stroke:var(--id)}\n",
    ".faint{stroke:var(--faint);stroke-width:1.6;stroke-dasharray:4 3}\n",
    ".chance{stroke:var(--faint);stroke-width:1;stroke-dasharray:1 3}\n",
    ".total{stroke:var(--ink)}.id-line{stroke:var(--id);stroke-width:1.5}.ood-line{stroke:var(--ood);stroke-width:1.5}"
    "\n",
    ".track{stroke:var(--rule);stroke-width:5;stroke-linecap:round}.move{stroke-width:5}\n",
    ".move.good{stroke:var(--good);stroke-opacity:.45}.move.bad{stroke:var(--bad);stroke-opacity:.45}\n",
    ".was{fill:var(--card);stroke:var(--faint);stroke-width:2}circle.good{fill:var(--good)}circle.bad{fill:var(--bad)}"
    "\n",
    ".vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}\n",
    "footer{margin-top:3em;border-top:1px solid var(--rule);padding-top:1em}\n",
    "@media(max-width:520px){table{font-size:13px}th,td{padding:4px 3px}thead th{font-size:11.5px}}\n",
    "@media print{body{background:#fff}figure,details,.card{break-inside:avoid}}\n",
    NULL,
};
