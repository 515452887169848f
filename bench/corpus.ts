/**
 * A corpus filtered and deduplicated: `galen corpus run` with Gopher's, C4's and FineWeb's rules and MinHash, beside datatrove's
 * own, on the same files in the same run, two processes or threads each. Thresholds are the published ones on both sides, and the
 * numbers of documents that are left are printed: they have to be the same after the filters.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/corpus.ts TEXTS.jsonl.zst… [--megabytes 100] [--processes 2]
 */
import { execFileSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempDisposableSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runPipeline } from "../src/curate/index.ts";
import { readLines } from "../src/io/lines.ts";
import { machine } from "./support/peer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { megabytes: { type: "string", default: "100" }, processes: { type: "string", default: "2" } },
});
const [most, processes] = [Number(values.megabytes) * 1e6, Number(values.processes)];
const files = 8;
using scratch = mkdtempDisposableSync(join(tmpdir(), "galen-corpus-bench-"));
const source = join(scratch.path, "source");
mkdirSync(source);

const writers = Array.from({ length: files }, (_, i) => createWriteStream(join(source, `${i}.jsonl`)));
let [bytes, documents] = [0, 0];
// A share of each file, so that all kinds are there however much is asked for.
for (const path of positionals) {
  let own = 0;
  for await (const { text } of readLines(path)) {
    if (own >= most / positionals.length) break;
    const { id, text: body } = JSON.parse(text) as { id: string; text: string };
    own += Buffer.byteLength(body);
    if (!writers[documents++ % files]!.write(`${JSON.stringify({ id: String(id), text: body })}\n`)) {
      await once(writers[(documents - 1) % files]!, "drain");
    }
  }
  bytes += own;
}
for (const writer of writers) await new Promise<void>((resolve) => writer.end(() => resolve()));
console.log(
  `${machine()}; ${documents} documents, ${(bytes / 1e6).toFixed(0)} MB of text, ${processes} processes each`,
);

const value = {
  sources: { texts: { paths: [source], kind: "rows" } },
  stages: [
    { quality: { kinds: { rows: { profile: "papers", c4: { needsTerminalPunctuation: false } } } } },
    "near-duplicates",
  ],
};
const marks: [step: string, seconds: number][] = [];
const start = performance.now();
const { stages } = await runPipeline({
  file: "bench",
  value,
  folder: scratch.path,
  output: join(scratch.path, "ours"),
  workers: processes,
  onProgress({ step }) {
    if (marks.at(-1)?.[0] !== step) marks.push([step, (performance.now() - start) / 1000]);
  },
});
const seconds = (performance.now() - start) / 1000;
const rate = (time: number): string => `${(bytes / 1e6 / time).toFixed(2)} MB/s`;
const [, quality, near] = stages;
console.log(
  `galen      ${seconds.toFixed(1)} s, ${rate(seconds)}; left ${quality!.out.documents}, ${near!.out.documents}`,
);
for (const [step, at] of marks) console.log(`  ${step.padEnd(32)} from ${at.toFixed(1)} s`);

const python = process.env["PEERS_PYTHON"];
if (python !== undefined) {
  const script = new URL("./corpus.py", import.meta.url).pathname;
  const text = execFileSync(python, ["-B", "-P", script, source, join(scratch.path, "peer"), String(processes)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const peer = JSON.parse(text.trim().split("\n").at(-1)!) as {
    name: string;
    filters: number;
    duplicates: number;
    filtered: number;
    left: number;
  };
  const all = peer.filters + peer.duplicates;
  console.log(
    `${peer.name}  ${all.toFixed(1)} s, ${rate(all)} (filters ${peer.filters.toFixed(1)} s, duplicates ${peer.duplicates.toFixed(1)} s); left ${peer.filtered}, ${peer.left}`,
  );
  console.log(`ratio ${(all / seconds).toFixed(2)}`);
}
