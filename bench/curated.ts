/**
 * Whether curation helps: language models of one recipe, seed and number of tokens, trained on token files of corpora that were
 * curated in different ways, and how many bits of a byte each needs for the same held-out text. That text is of documents that no
 * training saw, and is chosen by rules that have nothing to do with those of `galen corpus`: paragraphs of 40 to 200 words that begin
 * with a capital, end with a full stop, and are letters for the most part; none of which 13 words in a row stand in any of the
 * training texts; of each source as many. Intervals are by bootstrap over documents, differences paired.
 *
 *     npx node bench/curated.ts --raw DATASET --tokenizer DIR --output DIR --steps 600 NAME=DATASET…
 *
 * A run that was ended goes on: models that are there are not trained again. Every dataset is made by `galen corpus run`.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDocumentDataset } from "../src/corpus/document-dataset.ts";
import { indexNgrams } from "../src/corpus/ngram-index.ts";
import { isHeldOut, tokenizeDocuments } from "../src/corpus/tokenize.ts";
import { wholeText } from "../src/corpus/corpus-document.ts";
import { writeFileAtomically } from "../src/io/files.ts";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { configure } from "../src/recipes/index.ts";
import { random } from "../src/tensor/random.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { train } from "../src/train/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    raw: { type: "string" },
    tokenizer: { type: "string" },
    output: { type: "string" },
    steps: { type: "string", default: "600" },
    each: { type: "string", default: "60" },
    seeds: { type: "string", default: "1" },
  },
});
const { raw, tokenizer: tokenizerFolder, output } = values as Record<string, string>;
const share = 0.02;
const seed = 5;
const corpora = positionals.map((word) => word.split("=") as [name: string, dataset: string]);

interface Held {
  readonly id: string;
  readonly source: string;
  readonly text: string;
}

/** Copies of a mixture have the id of what they are copies of. */
const original = (id: string): string => id.replace(/#\d+$/, "");

function isPlain(text: string): boolean {
  const words = text.split(/\s+/).length;
  const letters = (text.match(/[A-Za-z]/g) ?? []).length;
  return words >= 40 && words <= 200 && /^[A-Z][^\n]*\.$/.test(text) && letters / text.length > 0.75;
}

/** One paragraph a document, of each source as many as are asked for. */
async function heldOutText(): Promise<Held[]> {
  const path = join(output!, "held-out.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Held[];
  const found: Held[] = [];
  for await (const document of readDocumentDataset(raw!)) {
    if (!isHeldOut(document.id, share, seed)) continue;
    const text = document.sections
      .flatMap((section) => (section.kind === "text" || section.kind === "abstract" ? section.text.split(/\n+/) : []))
      .find(isPlain);
    if (text !== undefined) found.push({ id: document.id, source: document.source, text });
  }
  const index = indexNgrams(found.map(({ text }) => text));
  const seen = new Set<number>();
  for (const [, dataset] of corpora) {
    for await (const document of readDocumentDataset(dataset)) {
      if (isHeldOut(original(document.id), share, seed)) continue;
      for (const { text, words } of index.find(wholeText(document))) if (words >= 13) seen.add(text);
    }
  }
  const left = new Map<string, number>();
  const chosen = random(seed)
    .shuffle(found.filter((_, i) => !seen.has(i)))
    .filter(({ source }) => {
      left.set(source, (left.get(source) ?? 0) + 1);
      return left.get(source)! <= Number(values.each);
    });
  await writeFileAtomically(path, JSON.stringify(chosen));
  return chosen;
}

/** Bits that a model needs for each text. */
async function bitsOf(model: string, texts: readonly Held[]): Promise<number[]> {
  await using likelihoods = await loadLikelihoods(model);
  const found = await likelihoods.logLikelihoods(
    texts.map(() => ""),
    texts.map(({ text }) => [text]),
  );
  return found.map(([nats]) => -nats! / Math.LN2);
}

/** Mean over resamples of documents, and the bounds of 95 %. */
function bootstrap(figure: (sample: readonly number[]) => number, size: number): [low: number, high: number] {
  const generator = random(11);
  const drawn = Array.from({ length: 2000 }, () => figure(Array.from({ length: size }, () => generator.integer(size))));
  drawn.sort((a, b) => a - b);
  return [drawn[50]!, drawn[1949]!];
}

await mkdir(output!, { recursive: true });
const held = await heldOutText();
const bytes = held.map(({ text }) => Buffer.byteLength(text));
console.log(
  `${held.length} held-out paragraphs, ${bytes.reduce((sum, one) => sum + one, 0)} bytes, of ${new Set(held.map(({ source }) => source)).size} sources`,
);
const tokenizer = await loadTokenizer(tokenizerFolder!);
/** By corpus and seed. */
const results = new Map<string, number[][]>();
for (const [name, dataset] of corpora) {
  const tokens = join(output!, `tokens-${name}`);
  if (!existsSync(join(tokens, "tokens.json"))) {
    await tokenizeDocuments([dataset], tokenizer, { output: tokens, heldOut: share, seed, overwrite: true });
  }
  const bySeed: number[][] = [];
  for (const own of values.seeds.split(",")) {
    const run = join(output!, own === "1" ? name : `${name}-${own}`);
    if (!existsSync(join(run, "model", "model.safetensors"))) {
      const inputs = { data: tokens, tokenizer: tokenizerFolder! };
      const shape = ["schedule.peak=2e-3", "batch=4", "accumulate=1"];
      const quiet = ["sample.every=0", "evaluate.every=100000", "save.every=100000"];
      const settings = [`steps=${values.steps}`, `seed=${own}`, ...shape, ...quiet];
      const started = performance.now();
      const config = await configure("biogpt-nano", { inputs, settings });
      await train(config, { ...inputs, output: run });
      console.log(`${name}: trained in ${((performance.now() - started) / 60_000).toFixed(1)} min`);
    }
    bySeed.push(await bitsOf(join(run, "model"), held));
  }
  results.set(name, bySeed);
}
const rate = (bits: readonly number[], sample: readonly number[]): number =>
  sample.reduce((sum, i) => sum + bits[i]!, 0) / sample.reduce((sum, i) => sum + bytes[i]!, 0);
const mean = (bySeed: readonly (readonly number[])[]): number[] =>
  held.map((_, i) => bySeed.reduce((sum, bits) => sum + bits[i]!, 0) / bySeed.length);
// Marks of citations are what clean-up takes out, and held-out text of papers has them.
const plain = held.flatMap(({ text }, i) => (/[[\]]|\(\d+(?:[,–-]\s?\d+)*\)/.test(text) ? [] : [i]));
for (const [label, some] of [["all", held.map((_, i) => i)] as const, ["without marks of citations", plain] as const]) {
  console.log(`${label}: ${some.length} paragraphs`);
  const first = mean([...results.values()][0]!);
  for (const [name, bySeed] of results) {
    const bits = mean(bySeed);
    const within = (sample: readonly number[]): number[] => sample.map((i) => some[i]!);
    const [less, more] = bootstrap((sample) => rate(bits, within(sample)) - rate(first, within(sample)), some.length);
    const [low, high] = bootstrap((sample) => rate(bits, within(sample)), some.length);
    const difference = (rate(bits, some) - rate(first, some)).toFixed(4);
    const seeds = bySeed.map((one) => rate(one, some).toFixed(4)).join(", ");
    console.log(
      `  ${name.padEnd(14)} ${rate(bits, some).toFixed(4)} bits a byte [${low.toFixed(4)}, ${high.toFixed(4)}], ` +
        `seeds ${seeds}; beside the first ${difference} [${less.toFixed(4)}, ${more.toFixed(4)}]`,
    );
  }
}
