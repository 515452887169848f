/**
 * Megabytes a second of de-identification on real transcriptions (../shared), one thread: finding, masking, surrogates; beside
 * Presidio (patterns, a blank model) and scrubadub in the same run where PEERS_PYTHON names a Python that has them. They find
 * other things: Presidio without a model no names, neither any of a note's own numbers; so times say what finding costs, no more.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/deidentify.ts [texts] [passes]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CorpusDocument } from "../src/corpus/corpus-document.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { deidentify } from "../src/curate/deidentify/deidentify.ts";
import { findIdentifiers } from "../src/curate/deidentify/find.ts";
import { shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const most = Number(process.argv[2] ?? 600);
const passes = Number(process.argv[3] ?? 3);
const texts: string[] = [];
for await (const { text } of readTexts(shared("data/clinical-notes/mtsamples.jsonl.zst"))) {
  if (texts.push(text) === most) break;
}
const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
const key = Buffer.from("a key for measurements only");
const documents = texts.map((text, i): CorpusDocument => ({
  id: `note:${i}`,
  source: "mtsamples",
  kind: "clinical-notes",
  title: "",
  sections: [{ title: "", kind: "text", text }],
  date: null,
  language: "en",
  licence: null,
  metadata: {},
}));

const own: Readonly<Record<string, () => number>> = {
  "galen, find": () => texts.reduce((sum, text) => sum + findIdentifiers(text).length, 0),
  "galen, mask": () => documents.reduce((sum, one) => sum + deidentify(one, { mode: "mask" }).found.length, 0),
  "galen, surrogates": () =>
    documents.reduce((sum, one) => sum + deidentify(one, { mode: "surrogate", key }).found.length, 0),
};

const folder = mkdtempSync(join(tmpdir(), "galen-bench-"));
writeFileSync(join(folder, "texts.json"), JSON.stringify(texts));
using peer = startPeer(new URL("deidentify.py", import.meta.url), join(folder, "texts.json"));
const peers = peer === undefined ? [] : await peer.ask<string[]>();

findIdentifiers(texts[0]!); // the facts are unpacked
const seconds = new Map<string, number[]>();
const found = new Map<string, number>();
const measured = (name: string, time: number, count: number): void => {
  seconds.set(name, [...(seconds.get(name) ?? []), time]);
  found.set(name, count);
};
for (let pass = 0; pass < passes; pass++) {
  for (const [name, act] of Object.entries(own)) {
    const start = performance.now();
    const count = act();
    measured(name, (performance.now() - start) / 1e3, count);
  }
  // The peers take minutes: once.
  for (const name of pass === 0 ? peers : []) {
    const answer = await peer!.ask<{ seconds: number; found: number }>(name);
    measured(name, answer.seconds, answer.found);
  }
}
rmSync(folder, { recursive: true });

console.log(
  `${machine()}\n${texts.length} notes, ${megabytes.toFixed(1)} MB, medians of ${passes} passes (peers: 1)\n`,
);
for (const [name, times] of seconds) {
  console.log(
    `${name.padEnd(20)} ${(megabytes / median(times)).toFixed(2).padStart(6)} MB/s  ${found.get(name)} found`,
  );
}
