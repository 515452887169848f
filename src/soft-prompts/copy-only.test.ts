/** Whatever a model prefers, copied names stand in their source: random scores over documents, plain and hostile. */
import { beforeAll, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { bc5cdr } from "../tasks/bc5cdr.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import { ddi } from "../tasks/ddi.ts";
import { findName, searchable } from "../tasks/places.ts";
import { taskFromSchema } from "../tasks/schema.ts";
import { random } from "../tensor/random.ts";
import { trainBioGptTokenizer } from "../tokenizers/index.ts";
import { trainByteBpe, trainMetaspaceBpe } from "../tokenizers/pipeline/train.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { type CopyOnly, copyOnly } from "./copy-only.ts";

const words =
  "aspirin warfarin and is the relation between TNF-α/IFN-γ (IL-2) [Ca2+] exists effect; 5% e.g. don't \"quoted\" 'x' naïve " +
  "head and neck cancer <b> & é́ 漢字 in conclusion, we have that learned1 a . , ; ... interaction causes β₂ 12.5mg no";

/** Documents of words as they come, joined by spaces or by nothing. */
function documents(count: number): string[] {
  const draw = random(7);
  const all = words.split(" ");
  return Array.from({ length: count }, () =>
    Array.from(
      { length: 1 + draw.integer(25) },
      () => all[draw.integer(all.length)]! + (draw.integer(5) === 0 ? "" : " "),
    ).join(""),
  );
}

const tasks: Benchmark[] = [
  bc5cdr,
  ddi,
  ...[
    { kind: "relation", relations: ["effect"], template: "{head} causes {tail}", lowercase: false },
    { kind: "relation", relations: ["is", "a and b"], template: "{head} ({relation}) {tail}", lowercase: false },
    { kind: "entities", types: ["Drug", "Disease"] },
  ].map((schema) => taskFromSchema(schema).task),
];
const tokenizers: Record<string, Tokenizer> = {};
beforeAll(async () => {
  const texts = [
    ...documents(60),
    ...Array<string>(5).fill(words),
    "the interaction between x and y is effect; a Drug, a Disease. no entity is named.",
  ];
  tokenizers["BioGPT's"] = await trainBioGptTokenizer([...texts, ...texts.map((text) => text.toLowerCase())], {
    numMerges: 300,
  });
  tokenizers["bytes"] = await trainByteBpe(texts, { vocabSize: 500 });
  tokenizers["metaspace"] = await trainMetaspaceBpe(texts, { vocabSize: 500 });
});

/** An answer's tokens: at random among those that `copying` allows, which end it after a while. */
function write(copying: CopyOnly, tokenizer: Tokenizer, seed: number, most: number): number[] {
  const draw = random(seed);
  const ids: number[] = [];
  const [end] = [tokenizer.special.eos!];
  while (ids.length < most && ids.at(-1) !== end) {
    const scores = new Float32Array(tokenizer.vocabSize);
    copying.process(ids, scores);
    const allowed = [...scores.keys()].filter((id) => scores[id]! > -Infinity);
    expect(allowed.length).toBeGreaterThan(0);
    ids.push(allowed[draw.integer(allowed.length)]!);
  }
  return ids;
}

function namesOf(answer: unknown): string[] {
  return (answer as Readonly<Record<string, string>>[]).flatMap(({ head, tail, name }) =>
    [head, tail, name].filter((one) => one !== undefined),
  );
}

function check(
  task: Benchmark,
  tokenizer: Tokenizer,
  text: string,
  seed: number,
  most = 400,
): { names: string[]; isWhole: boolean } {
  const source = task.source(task.exampleOf("x", text));
  const kept = tokenizer.encode(source).ids.length - tokenizer.frame.before.length - tokenizer.frame.after.length;
  const copying = copyOnly(task.answerForm!, tokenizer, { source, kept, prompt: 0 });
  const ids = write(copying, tokenizer, seed, most);
  const isWhole = copying.isWhole(ids);
  const answer = tokenizer.decode(ids, { skipSpecialTokens: true });
  const names = isWhole ? namesOf(task.parse(answer)) : [];
  for (const name of names) {
    expect([source, answer, name, findName(name, searchable(source)).length > 0]).toEqual([source, answer, name, true]);
  }
  return { names, isWhole };
}

describe.each(["BioGPT's", "bytes", "metaspace"])("with tokens of the kind %s", (kind) => {
  test("every name of every answer stands in its source", () => {
    const tokenizer = tokenizers[kind]!;
    const sources = documents(Number(process.env["GALEN_FUZZ"] ?? 40));
    for (const task of tasks) {
      const found = sources.map((source, i) => check(task, tokenizer, source, i));
      expect(found.filter(({ isWhole }) => isWhole).length).toBeGreaterThan(0.7 * sources.length);
      const count = found.flatMap(({ names }) => names).length;
      expect([task.answerForm, count > 0.5 * sources.length]).toEqual([task.answerForm, true]);
    }
  });

  test("a name is written as words are behind others, wherever it stands in the source", () => {
    const tokenizer = tokenizers[kind]!;
    const task = tasks[0]!;
    for (const source of ["aspirin warfarin", "(aspirin)warfarin", 'the "aspirin"/warfarin.', "aspirin,warfarin"]) {
      const copying = copyOnly(task.answerForm!, tokenizer, {
        source,
        kept: tokenizer.encodeIds(source).length - tokenizer.frame.before.length,
        prompt: 0,
      });
      const answer =
        "the relation between aspirin and warfarin exists; the relation between warfarin and aspirin exists.";
      const ids = [...tokenizer.encodeIds(answer).slice(tokenizer.frame.before.length), tokenizer.special.eos!];
      expect([source, copying.isWhole(ids)]).toEqual([source, true]);
      expect(copying.isWhole(ids.slice(0, -1))).toBe(false);
      for (let i = 0; i < ids.length; i++) {
        const scores = new Float32Array(tokenizer.vocabSize);
        copying.process(ids.slice(0, i), scores);
        expect(scores[ids[i]!]).toBe(0);
      }
    }
  });
});

test("parts of words and words that do not follow one another are refused", () => {
  const tokenizer = tokenizers["BioGPT's"]!;
  const isWhole = (source: string, head: string, tail: string): boolean => {
    const copying = copyOnly(bc5cdr.answerForm!, tokenizer, {
      source,
      kept: tokenizer.encodeIds(source).length - 1,
      prompt: 0,
    });
    const answer = `the relation between ${head} and ${tail} exists.`;
    return copying.isWhole([...tokenizer.encodeIds(answer).slice(1), tokenizer.special.eos!]);
  };
  const source = "aspirin causes head and neck cancer in warfarin users (il-2).";
  expect(isWhole(source, "aspirin", "neck cancer")).toBe(true);
  expect(isWhole(source, "head and neck cancer", "aspirin")).toBe(true);
  // Read back, it would be "aspirin and head" and "neck cancer".
  expect(isWhole(source, "aspirin", "head and neck cancer")).toBe(false);
  expect(isWhole(source, "aspirin", "warf")).toBe(false);
  expect(isWhole(source, "aspirin", "farin")).toBe(false);
  expect(isWhole(source, "aspirin cancer", "warfarin")).toBe(false);
  expect(isWhole(source, "aspirin", "il-2")).toBe(true);
  expect(isWhole(source, "aspirin", "codeine")).toBe(false);
  expect(isWhole("", "aspirin", "warfarin")).toBe(false);
});

test("a name that stands in many places can be named in many sentences: ways of reading an answer do not multiply", () => {
  const tokenizer = tokenizers["BioGPT's"]!;
  // Forty places of either name in each of twenty sentences: 1600^20 ways, were they told apart.
  const source = "aspirin warfarin ".repeat(40).trim();
  const kept = tokenizer.encodeIds(source).length - 1;
  const copying = copyOnly(bc5cdr.answerForm!, tokenizer, { source, kept, prompt: 0 });
  const sentence = "the relation between aspirin and warfarin exists";
  const answer = `${Array.from({ length: 20 }, () => sentence).join("; ")}.`;
  const ids = [...tokenizer.encodeIds(answer).slice(1), tokenizer.special.eos!];
  expect(copying.isWhole(ids)).toBe(true);
  expect(bc5cdr.parse(tokenizer.decode(ids, { skipSpecialTokens: true }))).toHaveLength(20);
});

test("what comes after an answer, or is no answer, may only end", () => {
  const tokenizer = tokenizers["BioGPT's"]!;
  const copying = copyOnly(bc5cdr.answerForm!, tokenizer, { source: "aspirin", kept: 1, prompt: 0 });
  for (const ids of [[5, 6], [tokenizer.special.eos!]]) {
    const scores = new Float32Array(tokenizer.vocabSize);
    copying.process(ids, scores);
    expect([...scores.keys()].filter((id) => scores[id] === 0)).toEqual([tokenizer.special.eos]);
  }
});

describe.skipIf(!hasShared("data/benchmarks/ddi"))("documents of DDI", () => {
  test("give names from their texts alone", async () => {
    const examples = await ddi.read(shared("data/benchmarks/ddi"), "test");
    const some = examples.slice(0, 40);
    const tokenizer = await trainBioGptTokenizer(
      some.map((one) => ddi.source(one)),
      { numMerges: 1500 },
    );
    const names = some.flatMap(({ text }, i) => check(ddi, tokenizer, text, i).names);
    expect(names.length).toBeGreaterThan(40);
  });
});
