/**
 * ChemProt (Krallinger et al. 2017; BioCreative VI, track 5): what a chemical does to a gene or protein. Reads the
 * original folders: abstracts `id title abstract`, entities `id T1 CHEMICAL|GENE-Y|GENE-N start end text` with places in
 * code points of title, a character and abstract, gold standard `id CPR:3 Arg1:T1 Arg2:T2`, by tabs. An example is a
 * sentence with a chemical and a gene as @CHEMICAL$ and @GENE$, as in BLURB; micro-F1 is over the five classes that the
 * track evaluated. Left out: pairs in two sentences, overlapping pairs, and a pair's second class.
 */
import { DataError } from "../errors.ts";
import { splitSentences } from "../corpus/sentences.ts";
import { readLines } from "../io/lines.ts";
import { type Benchmark, type Example, exampleOfText, type Split } from "./benchmark.ts";
import { classBenchmark, oneLine } from "./classes.ts";
import { offsetReader } from "./offset-units.ts";

interface Mention {
  readonly isGene: boolean;
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A line's columns. @throws DataError where there are not as many as `names`. */
async function* rowsOf(path: string, names: readonly string[]): AsyncGenerator<{ where: string; row: string[] }> {
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === "") continue;
    const row = text.split("\t");
    const where = `${path}:${number}`;
    if (row.length !== names.length) {
      throw new DataError(`${where}: expected ${names.join(", ")} by tabs, got "${text.slice(0, 60)}"`);
    }
    yield { where, row };
  }
}

const none = "none";
const evaluated = ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"];
const words = ["activator", "inhibitor", "agonist", "antagonist", "substrate", none];
const classes = Object.fromEntries([...evaluated, none].map((name, i) => [name, words[i]!]));

const parts = { train: "training", valid: "development", test: "test" } as const;

async function read(folder: string, split: Split): Promise<Example<string>[]> {
  const [part, suffix] = [parts[split], split === "test" ? "_gs" : ""];
  const base = `${folder}/chemprot_${part}${suffix}/chemprot_${part}`;
  const mentions = new Map<string, Map<string, Mention>>();
  const entities = ["document", "entity", "type", "start", "end", "text"];
  for await (const { where, row } of rowsOf(`${base}_entities${suffix}.tsv`, entities)) {
    const [id, name, type, start, end] = row as [string, string, string, string, string];
    if (!/^(?:CHEMICAL|GENE.*)$/.test(type) || !/^\d+$/.test(start) || !/^\d+$/.test(end)) {
      throw new DataError(`${where}: expected CHEMICAL or GENE and two places, got "${row.slice(2, 5).join(" ")}"`);
    }
    const known = mentions.get(id) ?? new Map<string, Mention>();
    known.set(name, { isGene: type !== "CHEMICAL", name, start: Number(start), end: Number(end) });
    mentions.set(id, known);
  }
  const gold = new Map<string, string>();
  for await (const { where, row } of rowsOf(`${base}_gold_standard.tsv`, ["document", "class", "Arg1", "Arg2"])) {
    const [id, name, first, second] = row as [string, string, string, string];
    if (!/^CPR:\d+$/.test(name) || !first.startsWith("Arg1:") || !second.startsWith("Arg2:")) {
      throw new DataError(`${where}: expected a class such as CPR:3, Arg1: and Arg2:, got "${row.join(" ")}"`);
    }
    const pair = `${id} ${first.slice(5)} ${second.slice(5)}`;
    if (evaluated.includes(name) && !gold.has(pair)) gold.set(pair, name);
  }
  const examples: Example<string>[] = [];
  for await (const { where, row } of rowsOf(`${base}_abstracts${suffix}.tsv`, ["document", "title", "abstract"])) {
    const [id, title, abstract] = row as [string, string, string];
    const text = `${title} ${abstract}`;
    const unitOf = offsetReader(text, "code-points");
    const placed = [...(mentions.get(id)?.values() ?? [])].map((one): Mention => {
      const [start, end] = [unitOf(one.start), unitOf(one.end)];
      if (start !== undefined && end !== undefined && start < end) return { ...one, start, end };
      throw new DataError(
        `${where}: expected ${one.name} within ${text.length} characters, got ${one.start} to ${one.end}`,
      );
    });
    for (const [from, to] of sentencesOf(title, abstract)) {
      const inside = placed.filter(({ start, end }) => start >= from && end <= to);
      for (const chemical of inside.filter((one) => !one.isGene)) {
        for (const gene of inside.filter((one) => one.isGene)) {
          if (chemical.start < gene.end && gene.start < chemical.end) continue;
          const pair = `${id} ${chemical.name} ${gene.name}`;
          const sentence = marked(text.slice(from, to), from, chemical, gene);
          examples.push({ id: pair, document: id, text: sentence, gold: gold.get(pair) ?? none });
        }
      }
    }
  }
  return examples;
}

/** Places of the sentences of title and abstract, with a character between the two. */
function sentencesOf(title: string, abstract: string): [number, number][] {
  const shift = title.length + 1;
  const ranges = (text: string, by: number): [number, number][] =>
    splitSentences(text).map(([start, end]) => [start + by, end + by]);
  return [...ranges(title, 0), ...ranges(abstract, shift)];
}

/** The sentence with the two mentions replaced, the later one first. */
function marked(sentence: string, from: number, chemical: Mention, gene: Mention): string {
  const marks = [chemical, gene].sort((a, b) => b.start - a.start);
  return marks.reduce(
    (text, { start, end, isGene }) =>
      `${text.slice(0, start - from)}${isGene ? "@GENE$" : "@CHEMICAL$"}${text.slice(end - from)}`,
    sentence,
  );
}

const opening = "Sentence:";

export const chemprot: Benchmark<Example<string>, string> = classBenchmark<Example<string>>({
  name: "chemprot",
  version: "1",
  description: "What a chemical does to a gene or protein of the same sentence: five classes or none (ChemProt)",
  data: {
    folder: "chemprot",
    // Not known here: what is found is not compared with anything.
    files: {},
    from:
      "Register at https://biocreative.bioinformatics.udel.edu/news/corpora/chemprot-corpus-biocreative-vi/ and unpack " +
      "ChemProt_Corpus.zip and the archives within.",
    licence: "for research, after registration (BioCreative)",
  },
  classes,
  positives: evaluated,
  opening,
  cue: "Answer:",
  read,
  exampleOf: (id, text) => ({ ...exampleOfText(id, text), gold: "" }),
  prompt: ({ text }) =>
    `${opening} ${oneLine(text)}\nWhat is @CHEMICAL$ to @GENE$? Answer with ${words.slice(0, -1).join(", ")} or ${none}.`,
  plain: ({ text }) => text,
});
