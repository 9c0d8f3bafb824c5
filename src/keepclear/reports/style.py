# SPDX-License-Identifier: Apache-2.0
"""How the page looks, on a screen and on A4: dark on light, large verdicts, no colour alone.

No font, picture or script is fetched. On paper every finding begins a sheet.
"""

from typing import Final

CSS: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px 20px 40px; max-width: 800px; background: #fff; color: #111;
  font: 15px/1.4 "DejaVu Sans", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 17px; margin: 0; font-weight: 600; }
h2 { font-size: 21px; line-height: 1.4; margin: 0 0 6px; overflow-wrap: anywhere; }
h3 { font-size: 15px; margin: 14px 0 2px; }
p { margin: 4px 0; overflow-wrap: anywhere; }
a { color: #003d73; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 3px 8px 3px 0;
  border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; overflow-wrap: normal; }
td.t { white-space: nowrap; overflow-wrap: normal; }
bdi.time { white-space: nowrap; }
header { border-bottom: 3px solid #111; padding-bottom: 10px; margin-bottom: 12px; }
.verdict { display: inline-block; font-size: 38px; line-height: 1.15; margin: 6px 4px 2px 0; }
.among { font-size: 20px; margin: 0 0 6px; }
.badge { display: inline-block; font-weight: 700; padding: 1px 10px; margin-right: 8px;
  border: 2px solid #111; border-radius: 3px; white-space: nowrap; }
.badge.CONFLICT { background: #9b0000; border-color: #9b0000; color: #fff; }
.badge.UNDETERMINED { border-style: dashed; background: #fff3c4; }
.badge.BOUNDARY { border-style: double; border-width: 4px; background: #fff; }
.badge.LIMITED { border-width: 1px; background: #fff; font-weight: 600; }
.badge.APPEARS { background: #9b0000; border-color: #9b0000; color: #fff; }
.badge.CHANGES { border-style: double; border-width: 4px; background: #fff; }
.badge.CHANGES.worse { background: #ffe3df; }
.badge.DISAPPEARS { border-width: 1px; background: #fff; font-weight: 600; }
.badge.SAME { border-width: 1px; border-color: #777; background: #fff; font-weight: 400; }
td .badge { padding: 0 6px; margin: 0; font-size: 13px; }
.lead { font-size: 19px; margin: 4px 0; }
.side { font-weight: 700; }
.side-key { margin-right: 16px; white-space: nowrap; }
.small { font-size: 13px; color: #333; }
.words { font-weight: 600; }
svg { display: block; width: 100%; height: auto; margin: 6px 0; }
svg.inline { display: inline-block; width: 46px; height: 10px; margin: 0 4px 0 0; }
svg.patterns { position: absolute; width: 0; height: 0; margin: 0; }
svg text { font-family: inherit; }
.map .coast { fill: none; stroke: #7d97a8; stroke-width: 1; }
.map .border { fill: none; stroke: #5d5d5d; stroke-width: 1.2; }
.map .disputed { fill: none; stroke: #5d5d5d; stroke-width: 1.2; stroke-dasharray: 2 3; }
.map .graticule { fill: none; stroke: #cfd6dc; stroke-width: 0.8; }
.map .rim { fill: none; stroke: #111; stroke-width: 1.5; }
.map .back { fill: #fff; fill-opacity: 0.85; }
.map .scale { fill: none; stroke: #111; stroke-width: 1.5; }
.label { paint-order: stroke; stroke: #fff; stroke-width: 3.5px; stroke-linejoin: round; }
.bold { font-weight: 700; }
.closest { fill: none; stroke: #000; stroke-width: 2; }
.closest-halo { fill: none; stroke: #fff; stroke-width: 5; }
.axis .row, .profile .row { font-size: 13px; font-weight: 600; }
.tick { font-size: 12px; fill: #333; }
.grid { stroke: #d5d5d5; stroke-width: 1; }
.frame { stroke: #111; stroke-width: 1.2; }
.shade { fill: #555; fill-opacity: 0.13; stroke: #555; stroke-dasharray: 2 2; }
.shade.CONFLICT { fill: #9b0000; stroke: #9b0000; }
.clock { fill: #555; }
.clock.CONFLICT { fill: #9b0000; }
.map .inset { fill: #fff; stroke: #111; stroke-width: 1.5; }
.map .here { fill: #9b0000; fill-opacity: 0.25; stroke: #9b0000; stroke-width: 1.5; }
.profile .label { font-size: 13px; font-weight: 700; }
.finding { border-top: 3px solid #111; margin-top: 36px; padding-top: 12px; }
.numbers { columns: 2; column-gap: 24px; margin: 8px 0 0; }
.numbers div { break-inside: avoid; display: flex; border-bottom: 1px solid #ccc; padding: 2px 0; }
.numbers dt { flex: 0 0 42%; font-weight: 600; padding-right: 6px; }
.numbers dd { margin: 0; flex: 1; overflow-wrap: anywhere; }
.effect { border-top: 3px solid #111; margin-top: 28px; padding-top: 10px; }
td.whole { overflow-wrap: normal; }
td.pair { min-width: 165px; }
.versions td { width: 42%; }
footer { border-top: 1px solid #111; margin-top: 28px; padding-top: 8px; }
@media print {
  @page { size: A4; margin: 11mm 12mm 12mm; }
  body { padding: 0; max-width: none; font-size: 9.5pt; line-height: 1.25;
    -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .verdict { font-size: 26pt; }
  .among { font-size: 14pt; }
  h2, .lead { font-size: 12pt; line-height: 1.25; margin: 2px 0; }
  p { margin: 2px 0; }
  h3 { font-size: 10pt; margin: 5px 0 0; }
  svg { margin: 3px 0; }
  .map { max-height: 80mm; }
  .long .map { max-height: 60mm; }
  .overview .map { max-height: 66mm; }
  header { padding-bottom: 4px; margin-bottom: 4px; }
  footer { margin-top: 8px; padding-top: 3px; break-before: avoid; }
  footer p { display: inline; margin-right: 6px; }
  .small { font-size: 8.5pt; }
  .numbers { columns: 3; font-size: 8.5pt; column-gap: 14px; margin-top: 4px; }
  td .badge { font-size: 8pt; }
  .finding { break-before: page; border-top: 0; margin-top: 0; padding-top: 0; }
  .effect { break-inside: avoid; margin-top: 6mm; padding-top: 2mm; }
  .effect .map { max-height: 62mm; }
  tr, svg, h2, h3 { break-inside: avoid; }
  h3 { break-after: avoid; }
  thead { display: table-header-group; }
}
"""
