/** The style of a page that compares models. Colours that the colour-blind can tell apart (Okabe and Ito 2008), lighter in the dark. */

const light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#4a9cc9", "#000000"];
const dark = ["#56b4e9", "#ff8c42", "#2fd3a2", "#e9a6cb", "#f0c33c", "#a9dcff", "#ffffff"];

const variables = (inks: readonly string[], rest: string): string =>
  `:root{${inks.map((ink, i) => `--ink${i}:${ink}`).join(";")};${rest}}`;
const marks = light.map((_, i) => `.ink${i}{fill:var(--ink${i})}.line${i}{stroke:var(--ink${i})}`).join("\n");

export const pageStyle = `
${variables(light, "--ground:#fff;--text:#1c1c1c;--quiet:#5c5c5c;--rule:#dcdcdc")}
@media(prefers-color-scheme:dark){${variables(dark, "--ground:#161616;--text:#ececec;--quiet:#a4a4a4;--rule:#3a3a3a")}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.4rem;margin:0 0 .75rem}
.legend{list-style:none;margin:0 0 1rem;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem}
.legend li{overflow-wrap:anywhere}
.legend svg{vertical-align:-2px;margin-right:.4rem}
.legend span,.quiet{color:var(--quiet)}
.legend span{font-size:.85em}
.picture{display:block;width:100%;max-width:600px;height:auto;margin:0 0 1.5rem;font-size:12px}
.picture text{fill:var(--text)}
.picture .name{font-weight:600}
.picture .quiet,.picture .tick{fill:var(--quiet)}
.tick{text-anchor:middle}
.grid{stroke:var(--rule)}
.bar{stroke-width:2.5;stroke-linecap:round;opacity:.6}
${marks}
table{border-collapse:collapse;width:100%;margin:0 0 1rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;vertical-align:top}
thead th{color:var(--quiet);font-weight:400;font-size:.85em}
tbody th{font-weight:600}
th .quiet{display:block;font-weight:400;font-size:.85em}
tr.first>*{border-top:1px solid var(--rule)}
.range{white-space:nowrap;color:var(--quiet)}
.why{color:var(--quiet)}
.note{color:var(--quiet);font-size:.85em;max-width:48rem;margin:.4rem 0}
@media(max-width:48rem){
thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
table,tbody,tr,th,td{display:block;padding:0}
tr{padding:.35rem 0}
tr.first{border-top:1px solid var(--rule);padding-top:.6rem}
tr.first>*{border:0}
tbody th:empty,td:empty{display:none}
td[data-title="model"]{font-weight:600;margin-top:.2rem}
td[data-title]:not([data-title="model"])::before{content:attr(data-title) ": ";color:var(--quiet)}
}
`;
