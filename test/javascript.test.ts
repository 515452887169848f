/** Every door of the library called as a program in JavaScript may call it: wrong shapes are named, never guessed at. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { GalenError } from "../src/errors.ts";
import * as galen from "../src/index.ts";
import { trainBertTokenizer } from "../src/tokenizers/bert/train.ts";
import { trainBioGptTokenizer } from "../src/tokenizers/biogpt/train.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-javascript-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = fileURLToPath(new URL("goldens/biogpt/model", import.meta.url));
const model = await galen.loadModel(golden, { threads: 1 });
afterAll(() => model.dispose());
const texts = ["Aspirin inhibits cyclooxygenase."];
const bert = await trainBertTokenizer(texts, { vocabSize: 60 });
const bioGpt = await trainBioGptTokenizer(texts, { numMerges: 10 });

type Call = [says: RegExp, call: () => unknown];
// What no compiler has seen.
const { readDocuments, readTexts, loadModel, loadTokenizer, saveTokenizer, quickstart, train, configure, ...more } =
  galen as unknown as Record<string, (...given: unknown[]) => unknown>;
const door = (name: string): ((...given: unknown[]) => unknown) => more[name]!;
const js = (value: unknown): Record<string, (...given: unknown[]) => unknown> => value as never;

const calls: Record<string, Call[]> = {
  readDocuments: [
    [/readDocuments: paths: expected a list of texts, got "file"\n.*\["file"\]/, () => readDocuments!("file")],
    [/paths\[1\]: expected a text, got 5/, () => readDocuments!(["a.jsonl", 5])],
    [/paths: expected a list of texts, got nothing/, () => readDocuments!()],
  ],
  readTexts: [[/readTexts: path: expected a text, got \["a"\]/, () => readTexts!(["a"])]],
  loadModel: [
    [/model directory: expected a text, got nothing/, () => loadModel!()],
    [/model directory: expected a text, got 5/, () => loadModel!(5)],
  ],
  Model: [
    [/rows of tokens: expected an object, got nothing/, () => js(model)["forward"]!()],
    [/rows of tokens: expected an object, got \[\[2\]\]/, () => js(model)["forward"]!([[2]])],
    [/ids\[0\]: expected a list of numbers, got 2\n.*\[\[2,9\]\]/, () => js(model)["forward"]!({ ids: [2, 9] })],
    [/ids: expected a list of lists of numbers, got "2 9"/, () => js(model)["hidden"]!({ ids: "2 9" })],
    [/ids\[0\]\[1\]: expected an id in \[0, 61\), got x/, () => js(model)["hidden"]!({ ids: [[2, "x"]] })],
    [/ids\[0\]\[1\]: expected an id in \[0, 61\), got null/, () => js(model)["hidden"]!({ ids: [[2, null]] })],
    [/mask: expected a list of lists of numbers, got 1/, () => js(model)["forward"]!({ ids: [[2]], mask: 1 })],
    [/mask\[0\]: expected a list of numbers, got 1/, () => js(model)["forward"]!({ ids: [[2]], mask: [1] })],
    [/labels: expected a list, got nothing/, () => js(model)["lossAndGradients"]!({ ids: [[2, 3]] })],
    [
      /labels\[0\]: expected a list of numbers, got "a"/,
      () => js(model)["lossAndGradients"]!({ ids: [[2]], labels: ["a"] }),
    ],
    [/generate: options: expected an object, got nothing/, () => js(model)["generate"]!()],
    [/generate: options: expected an object, got "Aspirin"/, () => js(model)["generate"]!("Aspirin")],
    [/generate: ids: expected a list, got 5/, () => js(model)["generate"]!({ ids: 5 })],
    [/generate: ids\[1\]: expected a list of numbers, got 3/, () => js(model)["generate"]!({ ids: [[2], 3] })],
    [
      /generate: maxNewTokens: expected an integer of at least 1, got "5"/,
      () => js(model)["generate"]!({ ids: [2], maxNewTokens: "5" }),
    ],
    [/save: folder: expected a text, got nothing/, () => js(model)["save"]!()],
  ],
  resolveModel: [[/model directory: expected a text, got 5/, () => door("resolveModel")(5)]],
  pullModel: [[/pullModel: source: expected a text, got nothing/, () => door("pullModel")()]],
  hubSourceOf: [[/hubSourceOf: path: expected a text, got nothing/, () => door("hubSourceOf")()]],
  loadTokenizer: [[/loadTokenizer: directory: expected a text, got nothing/, () => loadTokenizer!()]],
  saveTokenizer: [
    [/saveTokenizer: tokenizer: expected an object, got "here"/, () => saveTokenizer!("here", bert)],
    [/saveTokenizer: directory: expected a text, got nothing/, () => saveTokenizer!(bert)],
  ],
  quickstart: [
    [/quickstart: options: expected an object, got nothing/, () => quickstart!()],
    [
      /quickstart: inputs: expected a list of texts, got "x"/,
      () => quickstart!({ inputs: "x", output: folder, prompts: [] }),
    ],
    [/quickstart: output: expected a text, got nothing/, () => quickstart!({ inputs: ["x"], prompts: [] })],
    [
      /quickstart: prompts: expected a list of texts, got nothing/,
      () => quickstart!({ inputs: ["x"], output: folder }),
    ],
  ],
  train: [
    [/train: options: expected an object, got nothing/, () => train!({})],
    [/train: output: expected a text, got nothing/, () => train!({}, {})],
    [/settings: /, () => train!({}, { output: join(folder, "run") })],
  ],
  configure: [
    [/configure: recipe: expected a text, got nothing/, () => configure!()],
    [/configure: options: expected an object, got nothing/, () => configure!("biogpt-nano")],
    [/configure: inputs: expected an object, got nothing/, () => configure!("biogpt-nano", {})],
    [
      /configure: settings: expected a list of texts, got "a=1"/,
      () => configure!("biogpt-nano", { inputs: {}, settings: "a=1" }),
    ],
  ],
  recipeOf: [[/recipeOf: name: expected a text, got nothing/, () => door("recipeOf")()]],
  evaluate: [
    [/evaluate: benchmark: expected an object, got nothing/, () => door("evaluate")()],
    [/evaluate: model: expected an object, got nothing/, () => door("evaluate")({})],
    [/evaluate: options: expected an object, got nothing/, () => door("evaluate")({}, {})],
    [/evaluate: data: expected a text, got nothing/, () => door("evaluate")({}, {}, {})],
  ],
  askTuned: [[/askTuned: tuned: expected an object, got "folder"/, () => door("askTuned")("folder")]],
  describeReport: [[/describeReport: report: expected an object, got nothing/, () => door("describeReport")()]],
  openTuned: [[/openTuned: folder: expected a text, got nothing/, () => door("openTuned")()]],
  predict: [
    [/predict: tuned: expected an object, got nothing/, () => door("predict")()],
    [/predict: examples: expected a list, got "x"/, () => door("predict")({}, "x")],
  ],
  answerTexts: [[/answerTexts: texts: expected a list of texts, got "x"/, () => door("answerTexts")({}, "x")]],
  extract: [
    [/extract: inputs: expected a list of texts, got "x"/, () => door("extract")({}, "x", {})],
    [/extract: options: expected an object, got nothing/, () => door("extract")({}, ["x"])],
  ],
  extractDocuments: [
    [/extractDocuments: documents: expected a stream, got "x"/, () => door("extractDocuments")({}, "x", {})],
    [/extractDocuments: output: expected a text, got nothing/, () => door("extractDocuments")({}, [], {})],
  ],
  writeRelations: [[/writeRelations: folder: expected a text, got nothing/, () => door("writeRelations")()]],
  writeReview: [[/writeReview: name: expected a text, got nothing/, () => door("writeReview")(folder)]],
  loadClassifier: [[/model directory: expected a text, got nothing/, () => door("loadClassifier")()]],
  loadTagger: [[/model directory: expected a text, got nothing/, () => door("loadTagger")()]],
  loadLikelihoods: [[/model directory: expected a text, got nothing/, () => door("loadLikelihoods")()]],
  loadRewardModel: [[/model directory: expected a text, got nothing/, () => door("loadRewardModel")()]],
  classifyTexts: [
    [/texts: expected a stream, got "x"/, () => door("classifyTexts")({}, "x")],
    [/texts: item 0 of the window: expected an object, got "x"/, () => door("classifyTexts")({}, ["x"])],
  ],
  tagTexts: [
    [
      /texts: item 1 of the window: text: expected a text, got nothing/,
      () => door("tagTexts")({}, [{ text: "a" }, { id: 1 }]),
    ],
  ],
  featuresOfTexts: [[/texts: expected a stream, got nothing/, () => door("featuresOfTexts")({})]],
  openFeatures: [[/model directory: expected a text, got nothing/, () => door("openFeatures")()]],
  checkNewFile: [[/checkNewFile: path: expected a text, got nothing/, () => door("checkNewFile")()]],
  checkSeparate: [
    [/checkSeparate: output: expected a text, got nothing/, () => door("checkSeparate")()],
    [/checkSeparate: inputs: expected a list, got "a"/, () => door("checkSeparate")("a", "a")],
  ],
  convertModel: [
    [/convertModel: options: expected an object, got "a"/, () => door("convertModel")("a", "b")],
    [/convertModel: output: expected a text, got nothing/, () => door("convertModel")({ source: golden })],
    [
      /convertModel: to: expected one of .*, got onnx/,
      () => door("convertModel")({ source: golden, output: folder, to: "onnx" }),
    ],
  ],
  quantizeModel: [
    [/quantizeModel: options: expected an object, got "a"/, () => door("quantizeModel")("a", "b")],
    [/quantizeModel: output: expected a text, got nothing/, () => door("quantizeModel")({ source: golden })],
    [
      /quantizeModel: bits: expected 4 or 8, got 5/,
      () => door("quantizeModel")({ source: golden, output: folder, bits: 5 }),
    ],
    [/quantizeModel: options: expected an object, got nothing/, () => door("quantizeModel")()],
    [/quantizeModel: source: expected a text, got nothing/, () => door("quantizeModel")({})],
  ],
  exportOnnx: [[/exportOnnx: path: expected a text, got nothing/, () => door("exportOnnx")(golden)]],
  tensor: [
    [/tensor: expected one of float32, .*, got float/, () => door("tensor")("float", [2])],
    [/tensor: dims: expected a list of numbers, got 2/, () => door("tensor")("float32", 2)],
    [
      /tensor: expected 2 elements in Float32Array, got 3 in Float32Array/,
      () => door("tensor")("float32", [2], new Float32Array(3)),
    ],
    [/tensor: expected 2 elements in BigInt64Array, got 2 in Array/, () => door("tensor")("int64", [2], [1, 2])],
  ],
};

/** A promise settled, a stream begun. */
async function done(result: unknown): Promise<void> {
  const stream = result as AsyncGenerator | undefined;
  await (typeof stream?.next === "function" ? stream.next() : result);
}

test.each(Object.entries(calls).flatMap(([name, own]) => own.map(([says, call]) => ({ name, says, call }))))(
  "$name says $says",
  async ({ says, call }) => {
    const error: unknown = await (async () => done(call()))().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GalenError);
    expect((error as Error).message).toMatch(says);
  },
);

test("every function of the front door is called so", () => {
  const functions = Object.entries(galen).filter(
    ([name, value]) => typeof value === "function" && !name.endsWith("Error"),
  );
  expect(functions.length).toBeGreaterThan(25);
  expect(functions.map(([name]) => name).filter((name) => calls[name] === undefined)).toEqual([]);
});

describe.each([
  ["BERT's tokenizer", bert],
  ["BioGPT's tokenizer", bioGpt],
])("%s", (_name, tokenizer) => {
  const { encode, encodeIds, decode } = js(tokenizer);
  test.each([undefined, null, 5, ["a"], {}])("refuses to encode %o", (value) => {
    for (const read of [encode!, encodeIds!]) {
      expect(() => read(value)).toThrow(GalenError);
      expect(() => read(value)).toThrow(/encode: text: expected a text, got/);
    }
  });

  test("refuses to decode what is no list of numbers, and takes typed arrays", () => {
    for (const value of [undefined, 5, "2 3"])
      expect(() => decode!(value)).toThrow(/decode: ids: expected a stream, got/);
    expect(() => decode!(["2"])).toThrow(/decode: ids\[0\]: expected a number, got string/);
    expect(() => decode!(BigInt64Array.of(2n))).toThrow(/decode: ids\[0\]: expected a number, got 2n/);
    expect(decode!(Int32Array.of(4, 5))).toBe(tokenizer.decode([4, 5]));
  });
});

test("rows may be typed arrays", async () => {
  const rows = [Int32Array.of(2, 17), Uint16Array.of(2)] as unknown as number[][];
  expect(await model.forward({ ids: rows })).toEqual(await model.forward({ ids: [[2, 17], [2]] }));
});
