#pragma once

#include <string_view>

namespace espalier::report {

/// The style sheet of a page. No `<` or `&`: it stands in XML.
inline constexpr std::string_view kPageStyle = R"(
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1c1c;--soft:#666;--rule:#ddd}
@media (prefers-color-scheme:dark){:root{--paper:#161616;--ink:#dedede;--soft:#a0a0a0;--rule:#3a3a3a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.5rem 4rem;max-width:70rem;background:var(--paper);color:var(--ink);
font:16px/1.5 "Helvetica Neue",Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word}
h1,h2,h3{line-height:1.25;font-weight:600}
h1{font-size:1.75rem;margin:0 0 1.5rem}
h2{font-size:1.2rem;margin:2.75rem 0 1rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:2rem 0 .75rem}
p{max-width:42rem;margin:0 0 1rem}
dl{columns:3 18rem;column-gap:3rem;margin:0 0 1.25rem;font-size:.9375rem}
dl div{display:flex;justify-content:space-between;gap:1.5rem;padding:.2rem 0;border-bottom:1px solid var(--rule);
break-inside:avoid}
dt{color:var(--soft);flex:none;max-width:60%}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.875rem}
dd{margin:0;text-align:right;min-width:0;font-variant-numeric:tabular-nums}
.table{overflow-x:auto;margin:0 0 1.25rem}
table{border-collapse:collapse;font-size:.9375rem;font-variant-numeric:tabular-nums}
caption{caption-side:bottom;text-align:left}
th,td{padding:.25rem 0 .25rem 2rem;text-align:right;vertical-align:baseline}
th:first-child,td:first-child{padding-left:0;text-align:left}
th{font-weight:400;color:var(--soft);border-bottom:1px solid var(--soft)}
tbody tr+tr td{border-top:1px solid var(--rule)}
figure{margin:0}
figcaption,.caption{margin:.5rem 0 0;color:var(--soft);font-size:.875rem;line-height:1.4;max-width:34rem}
.figures,.images{display:flex;flex-wrap:wrap;align-items:flex-start;gap:2rem 2rem;margin:0 0 1.5rem}
.figures figure{max-width:100%}
.images{gap:1.25rem}
.images figure,.images img{max-width:100%;height:auto}
.images figcaption{margin:.35rem 0 0;overflow-wrap:anywhere}
.chart{display:block;max-width:100%;height:auto}
img{display:block;image-rendering:pixelated;outline:1px solid var(--rule)}
@media print{body{padding:0;max-width:none;font-size:11pt}figure,tr{break-inside:avoid}h2,h3{break-after:avoid}}
)";

}  // namespace espalier::report
