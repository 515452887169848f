/**
 * Which part of real texts each rule on quality drops, source by source, with the papers' thresholds (each rule alone, as if
 * there were no other) and with the profiles of `stages/quality-profiles.ts` (the stage as it runs). Texts are those of ../shared;
 * sources of papers give 400 texts, others up to 2,000, at equal distances.
 *
 *     npx node bench/quality-drops.ts
 */
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import type { CorpusDocument } from "../src/corpus/corpus-document.ts";
import { c4, c4Defaults, type C4Settings } from "../src/curate/rules/c4.ts";
import { fineWebDefaults, fineWebDrop, type FineWebSettings } from "../src/curate/rules/fineweb.ts";
import { gopherDefaults, gopherDrop, type GopherSettings } from "../src/curate/rules/gopher.ts";
import { judged, type Drop, type Judged } from "../src/curate/rules/judged.ts";
import { repetitionDefaults, repetitionDrop, type RepetitionSettings } from "../src/curate/rules/repetition.ts";
import { qualityStage } from "../src/curate/stages/quality.ts";
import { shared } from "../test/support/shared.ts";

/** File to the kind of source that it stands for. */
const kinds: Readonly<Record<string, string>> = {
  "corpus/abstracts": "pubmed",
  "corpus/pmc-mixed": "jats",
  "corpus/pmc-plant-nutrition": "jats",
  "corpus/pmc-randomized-trials": "jats",
  "corpus/clinicaltrials": "clinicaltrials",
  "corpus/clinical-dialogues": "clinical-notes",
  "clinical-notes/mtsamples": "clinical-notes",
  "corpus/nursing-textbooks": "text",
  "corpus/nih-questions": "html",
};

function textsOf(file: string): string[] {
  const lines = zstdDecompressSync(readFileSync(shared(`data/${file}.jsonl.zst`)))
    .toString()
    .trim()
    .split("\n");
  const count = Math.min(lines.length, file.includes("pmc") ? 400 : 2000);
  return Array.from({ length: count }, (_, i) => {
    const row = JSON.parse(lines[Math.floor((i * lines.length) / count)]!) as { text: string };
    return row.text;
  });
}

const none = null;
const gopherOff = {
  ...Object.fromEntries(Object.keys(gopherDefaults).map((name) => [name, none])),
  stopWords: gopherDefaults.stopWords,
};
const repetitionOff = {
  ...Object.fromEntries(Object.keys(repetitionDefaults).map((name) => [name, none])),
  mostInTopRun: {},
  mostInRepeatedRuns: {},
};
const fineWebOff = {
  ...Object.fromEntries(Object.keys(fineWebDefaults).map((name) => [name, none])),
  keepsUnpunctuated: false,
  shortLine: fineWebDefaults.shortLine,
};

type Rule = readonly [name: string, drop: (text: Judged) => Drop | undefined];
const names = (settings: object, without: readonly string[]): string[] =>
  Object.keys(settings).filter((name) => !without.includes(name));
const rules: readonly Rule[] = [
  ...names(gopherDefaults, ["stopWords"]).map((name): Rule => {
    const settings = { ...gopherOff, [name]: gopherDefaults[name as keyof GopherSettings] } as GopherSettings;
    return [`Gopher ${name}`, (text) => gopherDrop(text, settings)];
  }),
  ...names(repetitionDefaults, []).map((name): Rule => {
    const settings = {
      ...repetitionOff,
      [name]: repetitionDefaults[name as keyof RepetitionSettings],
    } as RepetitionSettings;
    return [`Repetition ${name}`, (text) => repetitionDrop(text, settings)];
  }),
  ...names(fineWebDefaults, ["keepsUnpunctuated", "shortLine"]).map((name): Rule => {
    const settings = { ...fineWebOff, [name]: fineWebDefaults[name as keyof FineWebSettings] } as FineWebSettings;
    return [`FineWeb ${name}`, (text) => fineWebDrop(text, settings)];
  }),
  ["C4", ({ text }) => c4([text], c4Defaults).drop],
  [
    "C4 without terminal punctuation",
    ({ text }) => c4([text], { ...c4Defaults, needsTerminalPunctuation: false } satisfies C4Settings).drop,
  ],
];

function documentOf(text: string, kind: string): CorpusDocument {
  const sections = [{ title: "", kind: "text" as const, text }];
  return { id: "x:1", source: "x", kind, title: "", sections, date: null, language: null, licence: null, metadata: {} };
}

async function dropped(texts: readonly string[], kind: string, profile?: "papers"): Promise<number> {
  const settings = {
    rules: {},
    sections: ["text" as const],
    kinds: profile === undefined ? {} : { [kind]: { profile } },
  };
  const stage = await qualityStage.open(settings, { folder: "." });
  return (await stage.run(texts.map((text) => documentOf(text, kind)))).filter(({ keep }) => !keep).length;
}

const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(2);
const sources = Object.entries(kinds).map(([file, kind]) => ({
  kind,
  name: file.split("/")[1]!,
  texts: textsOf(file),
}));
const row = (name: string, cells: readonly string[]): void => console.log(`| ${name} | ${cells.join(" | ")} |`);
row(
  "% dropped",
  sources.map(({ name, texts }) => `${name} (${texts.length})`),
);
row(
  "---",
  sources.map(() => "---:"),
);
const all = sources.map(({ texts }) => texts.map(judged));
for (const [name, drop] of rules)
  row(
    name,
    all.map((texts) => percent(texts.filter((text) => drop(text) !== undefined).length, texts.length)),
  );
const rates = async (profile?: "papers"): Promise<string[]> =>
  Promise.all(sources.map(async ({ kind, texts }) => percent(await dropped(texts, kind, profile), texts.length)));
row("**all, papers' thresholds**", await rates("papers"));
row("**all, the kind's profile**", await rates());
