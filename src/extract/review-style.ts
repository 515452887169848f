/** Style of the review page. Head and tail differ in colour and in line, for those who do not see the colours. */
export const reviewStyle: string = `
:root { --paper: #fbfaf8; --ink: #1d1d1b; --soft: #6b6a66; --line: #dedbd4; --card: #fff; --head: #cfe3ff; --head-line: #1b5fbf;
  --tail: #ffe0b8; --tail-line: #b35c00; --yes: #19713d; --no: #b3261e; --focus: #1b5fbf; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #191a1c; --ink: #e9e7e2; --soft: #a3a19b; --line: #3a3b3e; --card: #222326;
  --head: #1d3a63; --head-line: #8bb8ff; --tail: #5a3a10; --tail-line: #ffb45e; --yes: #6fce94; --no: #ff8a80; --focus: #8bb8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; padding: .6rem 1.25rem;
  background: var(--card); border-bottom: 1px solid var(--line); }
header h1 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
header .count { color: var(--soft); font-size: .9rem; }
header progress { width: 9rem; accent-color: var(--focus); }
header .tools { margin-left: auto; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
button, select { font: inherit; font-size: .9rem; padding: .25rem .7rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--paper); color: inherit; cursor: pointer; }
button:hover { border-color: var(--soft); }
button:focus-visible, select:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(20rem, 2fr); gap: 1.5rem; max-width: 82rem; margin: 0 auto; padding: 1.25rem; align-items: start; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } aside { position: static !important; max-height: none !important; } }
article { font: 1.08rem/1.75 Charter, "Bitstream Charter", Georgia, serif; }
article h2 { font: 600 1.25rem/1.4 system-ui, sans-serif; margin: .25rem 0 .75rem; overflow-wrap: anywhere; }
article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.id { color: var(--soft); font: .85rem system-ui, sans-serif; }
mark { color: inherit; background: none; border-radius: .2rem; padding: .05em .1em; }
mark.head { background: var(--head); border-bottom: 2px solid var(--head-line); }
mark.tail { background: var(--tail); border-bottom: 2px dashed var(--tail-line); }
mark.other { border-bottom: 1px dotted var(--soft); }
.evidence { background: color-mix(in srgb, var(--focus) 9%, transparent); }
aside { position: sticky; top: 4rem; max-height: calc(100vh - 5rem); overflow-y: auto; padding: 2px; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }
li.triple { scroll-margin-top: 4rem; border: 1px solid var(--line); border-left: .35rem solid var(--line); border-radius: .5rem; background: var(--card); padding: .5rem .75rem; cursor: pointer; }
li.triple.current { outline: 2px solid var(--focus); }
li.triple.accept { border-left-color: var(--yes); }
li.triple.reject { border-left-color: var(--no); }
li.triple.reject .names { text-decoration: line-through; text-decoration-color: var(--no); }
.names { overflow-wrap: anywhere; }
.names .relation { color: var(--soft); padding: 0 .35rem; white-space: nowrap; }
.note { display: flex; flex-wrap: wrap; gap: .25rem .9rem; color: var(--soft); font-size: .85rem; }
.note .missing { color: var(--no); }
.note .decision { font-weight: 600; }
.accept .decision { color: var(--yes); } .reject .decision { color: var(--no); }
.actions { position: sticky; top: -2px; display: flex; gap: .4rem; padding: .25rem 0 .6rem; flex-wrap: wrap; background: var(--paper); }
form.triple { display: grid; gap: .5rem; border: 1px solid var(--focus); border-radius: .5rem; background: var(--card); padding: .6rem .75rem; margin-bottom: .6rem; }
form.triple label { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) auto; gap: .2rem .5rem; align-items: center; }
form.triple label .note { grid-column: 2 / -1; }
form.triple .actions { position: static; background: none; padding: 0; }
input { font: inherit; font-size: .9rem; padding: .2rem .4rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: inherit; min-width: 0; }
input:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
input[type=number] { width: 5.5rem; }
header a { color: var(--focus); font-size: .9rem; }
.message:empty { display: none; } .message { color: var(--focus); font-size: .9rem; }
.help { color: var(--soft); font-size: .85rem; margin: .75rem 0 0; }
kbd { font: .8rem ui-monospace, monospace; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: .25rem; padding: 0 .3rem; }
.empty { padding: 3rem; text-align: center; color: var(--soft); grid-column: 1 / -1; }
`;
