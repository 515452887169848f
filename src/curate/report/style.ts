/** The style of the report: one column of text, wide pictures, light and dark, and on paper, since it is there to be signed. */

/** Colours of sources, which the colour-blind can tell apart (Okabe and Ito 2008); lighter in the dark. */
const light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#4a9cc9", "#5c5c5c"];
const dark = ["#56b4e9", "#ff8c42", "#2fd3a2", "#e9a6cb", "#f0c33c", "#a9dcff", "#b0b0b0"];
export const inks: number = light.length;

const variables = (colours: readonly string[], rest: string): string =>
  `:root{${colours.map((colour, i) => `--ink${i}:${colour}`).join(";")};${rest}}`;
const marks = light.map((_, i) => `.ink${i}{fill:var(--ink${i})}.flow${i}{stroke:var(--ink${i})}`).join("\n");

export const reportStyle: string = `
${variables(light, "--ground:#fff;--text:#1c1c1c;--quiet:#5c5c5c;--rule:#dcdcdc;--gone:#b3261e;--gone-ground:#fdeceb;--new:#146c2e;--new-ground:#e8f5ea")}
@media(prefers-color-scheme:dark){${variables(dark, "--ground:#161616;--text:#ececec;--quiet:#a4a4a4;--rule:#3a3a3a;--gone:#ff9a92;--gone-ground:#3a1d1b;--new:#7fd99a;--new-ground:#16301d")}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem;border-top:1px solid var(--rule);padding-top:1rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.4rem 0;max-width:50rem}
.quiet,figcaption,caption{color:var(--quiet)}
nav a{margin-right:1rem;color:inherit}
.totals{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1rem 0}
.totals b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
figure{margin:1rem 0;overflow-x:auto}
svg{display:block;width:100%;height:auto;font-size:11px}
svg.wide{min-width:44rem}
svg text{fill:var(--text)}
svg .quiet{fill:var(--quiet)}
.grid{stroke:var(--rule)}
.flow{fill:none;stroke-opacity:.38}
.flow:hover{stroke-opacity:.65}
.dropped{fill:var(--gone)}
.flow-dropped{stroke:var(--gone);stroke-opacity:.3}
.bar-before{fill:var(--rule)}
.bar-after{fill:var(--ink0)}
${marks}
.swatch{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.4em}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.5rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .9rem .25rem 0;vertical-align:top;overflow-wrap:anywhere}
thead th,caption{font-weight:400;font-size:.85em;color:var(--quiet)}
caption{text-align:left}
tbody tr{border-top:1px solid var(--rule)}
.scroll{overflow-x:auto}
td:first-child,th:first-child{min-width:9rem}
td.number,th.number{text-align:right;white-space:nowrap}
details{margin:.4rem 0}
summary{cursor:pointer}
.example{border-left:3px solid var(--rule);padding:.1rem 0 .1rem .75rem;margin:.6rem 0;font-size:.9em}
.example.gone{border-color:var(--gone)}
.example.stays{border-color:var(--new)}
.example header{color:var(--quiet);font-size:.9em;overflow-wrap:anywhere}
.example p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0;max-height:14rem;overflow-y:auto}
del{color:var(--gone);background:var(--gone-ground)}
ins{color:var(--new);background:var(--new-ground);text-decoration:none}
code{font-size:.9em;overflow-wrap:anywhere}
.sheet dt{font-weight:600;margin-top:.9rem}
.sheet dd{margin:.15rem 0 0;max-width:50rem}
.sheet textarea{width:100%;min-height:3.2rem;font:inherit;color:inherit;background:none;border:1px solid var(--rule);border-radius:3px;padding:.3rem}
.sign{display:grid;grid-template-columns:2fr 2fr 1fr;gap:2rem;margin-top:3rem}
.sign div{border-top:1px solid var(--text);padding-top:.2rem;color:var(--quiet);font-size:.85em}
@media(max-width:48rem){.pair{grid-template-columns:1fr;gap:0}th,td{padding-right:.5rem}}
@media print{nav{display:none}details>*{display:block}.example p{max-height:none}h2{break-after:avoid}.example{break-inside:avoid}}
`;
